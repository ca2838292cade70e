"""The figures of the bench as text."""

QUIET = 0.5  # processes that want a core, before the bench starts
NOTES = {
    "fit": "vaeutil.training.fit; without validation images",
    "tutorial": "PIL image, ToTensor, DataLoader, plain Adam, .item() each step",
    "tensors": "the same over a TensorDataset",
    "fit, bf16": "fit with bf16=True",
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
    """The loops in a table, and the peak that they are held against."""
    width = figures["model"]["hidden"]
    lines = [
        f"Bernoulli VAE 784-{'-'.join(map(str, width))}-{figures['model']['latent']}, batch "
        f"{figures['batch']}, {figures['rounds']} rounds of {figures['steps']} steps in turns; "
        "median (lowest to highest)",
        f"{'loop':<10}{'images/s':>26}{'against tutorial':>24}{'of peak':>9}",
    ]
    for name, loop in figures["loops"].items():
        rate = f"{loop['images_per_second']:,.0f} ({loop['lowest']:,.0f} to {loop['highest']:,.0f})"
        ratio = f"{loop['ratio']:.2f} ({loop['lowest_ratio']:.2f} to {loop['highest_ratio']:.2f})"
        lines.append(
            f"{name:<10}{rate:>26}{ratio:>24}{loop['fraction_of_peak']:>9.0%}  {NOTES[name]}"
        )
    peak = figures["peak_flops"]
    lines.append(
        f"peak: {peak / 1e9:,.0f} GFLOP/s in float32 matrix products, "
        f"{peak / figures['flops_per_image']:,.0f} images/s at "
        f"{figures['flops_per_image'] / 1e6:.2f} MFLOP an image"
    )
    if figures["bf16"] != "timed":
        lines.append(f"bf16: {figures['bf16']}")
    return lines


def quality_lines(figures: dict) -> list[str]:
    """The time to quality, or why it was not measured."""
    if "quality" not in figures:
        return [f"time to quality: {figures['no_quality']}"]
    quality = figures["quality"]
    verdict = "reached" if quality["reached"] else "NOT reached"
    recipe = ", ".join(f"{name} {value:g}" for name, value in quality["recipe"].items())
    return [
        f"time to quality: {quality['seconds']:.1f} s of fit to a test −ELBO of "
        f"{quality['negative_elbo']:.2f} ± {quality['stderr']:.2f} nats on "
        f"{quality['test_images']:,} images; {quality['target']:g} {verdict}",
        f"    VAE {quality['model']}, {recipe}",
    ]
