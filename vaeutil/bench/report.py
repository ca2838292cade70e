"""The figures of the bench as text."""

QUIET = 0.5  # processes that want a core, before the bench starts
NOTES = {
    "fit": "vaeutil.training.fit; without validation images",
    "tutorial": "PIL image, ToTensor, DataLoader, plain Adam, .item() each step",
    "tensors": "the same over a TensorDataset",
    "fit, bf16": "fit with bf16=True",
    "nll": "vaeutil.evaluation.nll, in pieces that stay in the cache",
    "nll, bf16": "the same under autocast",
    "usual": "all samples of an image at once, binary cross-entropy",
}


def machine_lines(figures: dict) -> list[str]:
    """What the bench runs on, with a warning where it does not have the machine to itself."""
    about = figures["machine"]
    lines = [
        f"{about['device']}: {about['threads']} threads, {about['cores']} cores, "
        f"load {about['load']} at the start; torch {figures['versions']['torch']}"
    ]
    if about["load"] is not None and about["load"] > QUIET:
        lines.append("WARNING: this machine is busy; the figures are lower than it could give.")
    return lines


def rate_lines(figures: dict) -> list[str]:
    """For each network the loops in a table, and the peak that they are held against."""
    lines = []
    for name, network in figures["networks"].items():
        model = network["model"]
        lines += [
            f"{name} {model['hidden']}, {model['latent']} latents, batch {figures['batch']}, "
            f"{network['rounds']} rounds of {network['steps']} steps in turns; "
            "median (lowest to highest)",
            f"{'loop':<10}{'images/s':>26}{'against tutorial':>24}{'of peak':>9}",
        ]
        for loop, found in network["loops"].items():
            rate = f"{found['images_per_second']:,.0f} "
            rate += f"({found['lowest']:,.0f} to {found['highest']:,.0f})"
            ratio = _ratio(found)
            share = found["fraction_of_peak"]
            lines.append(f"{loop:<10}{rate:>26}{ratio:>24}{share:>9.0%}  {NOTES[loop]}")
        peak, flops = network["peak_flops"], network["flops_per_image"]
        lines.append(
            f"peak: {peak / 1e9:,.0f} GFLOP/s in float32 matrix products, "
            f"{peak / flops:,.0f} images/s at {flops / 1e6:.2f} MFLOP an image"
        )
    return lines + ([] if figures["bf16"] == "timed" else [f"bf16: {figures['bf16']}"])


def quality_lines(figures: dict) -> list[str]:
    """The times to quality, or why they were not measured."""
    if "not_measured" in figures:
        return [f"time to quality: {figures['not_measured']}"]
    bound, likelihood = figures["bound"], figures["nll"]
    return [
        f"{bound['seconds']:.1f} s of fit to a test −ELBO of {bound['negative_elbo']:.2f} "
        f"± {bound['stderr']:.2f} nats on {bound['test_images']:,} images",
        f"    VAE {bound['model']}, {_settings(bound['recipe'])}",
        f"{likelihood['seconds']:.1f} s of fit to a test NLL of {likelihood['nll']:.2f} "
        f"± {likelihood['stderr']:.2f} nats by k = {likelihood['k']:,} on "
        f"{likelihood['test_images']:,} images",
        f"    VAE {likelihood['model']}, {_settings(likelihood['recipe'])} "
        f"({likelihood['epochs']:.1f} epochs)",
        f"    then {likelihood['finish_seconds']:.1f} s on the bound of k = "
        f"{likelihood['bound']['k']}, {_settings(likelihood['finish'])} "
        f"({likelihood['finish_epochs']:.1f} epochs)",
        f"    on the first {likelihood['few_images']:,}: {likelihood['nll_few']:.2f}, by k = "
        f"{likelihood['many_k']:,} {likelihood['nll_many']:.2f} ± {likelihood['stderr_many']:.2f}",
    ]


def evaluation_lines(figures: dict) -> list[str]:
    """The cost of a likelihood in a table."""
    lines = [
        f"−log p(x) by k = {figures['k']:,} on {figures['images']:,} images, hidden "
        f"{figures['model']['hidden']}, {figures['rounds']} rounds in turns",
        f"{'way':<10}{'processor s':>12}{'wall s':>8}{'usual/way':>24}{'nats':>9}",
    ]
    for name, way in figures["ways"].items():
        lines.append(
            f"{name:<10}{way['processor_seconds']:>12.1f}{way['seconds']:>8.1f}{_ratio(way):>24}"
            f"{way['nll']:>9.2f}  {NOTES[name]}"
        )
    lines.append(
        f"the float32 matrix products alone, at this machine's peak: "
        f"{figures['products_seconds']:.1f} processor s"
    )
    apart = figures["bf16_difference"]
    if apart is None:
        return [*lines, f"bf16: {figures['bf16']}"]
    return [*lines, f"bf16: {apart['mean']:+.3f} nats, at most {apart['largest']:.3f} an image"]


def target_lines(figures: dict) -> list[str]:
    """Each target with what was measured and the verdict."""
    lines = []
    for row in figures["targets"]:
        measured = "" if row["measured"] is None else f"{row['measured']:.2f}, "
        note = f" ({row['note']})" if row["note"] else ""
        lines.append(
            f"target: {row['what']}: {measured}{row['wanted']} {row['target']:g} {row['unit']}: "
            f"{row['verdict']}{note}"
        )
    return lines


def _ratio(found: dict) -> str:
    low, high = found["lowest_ratio"], found["highest_ratio"]
    return f"{found['ratio']:.2f} ({low:.2f} to {high:.2f})"


def _settings(recipe: dict) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in recipe.items())
