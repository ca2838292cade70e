"""Training by a published recipe, as it stands in the source, not by the book's own `fit`.

A recipe is a dict: "model" (arguments of `ActivatedIWAE`), "optimiser" ({"name": "adam" or
"rmsprop", further arguments of torch's}), "batch", and "schedule", a list of [steps, learning
rate]. No warm-up, no clipping, no decay but the schedule's.
"""

import math
import time
from pathlib import Path

import torch
from torch import Tensor

from vaeutil import checkpoint as checkpoints
from vaeutil.data import Images, Split, observe
from vaeutil.evaluation import Estimate, active_units, elbo, nll
from vaeutil.experiments.parts import Outcome
from vaeutil.history import History
from vaeutil.models import ActivatedIWAE, Model
from vaeutil.seeding import seeded

CODE = (
    "checkpoint.py",
    "data/observe.py",
    "evaluation.py",
    "experiments/recipes.py",
    "models/activated.py",
    "models/base.py",
    "models/iwae.py",
    "models/likelihoods.py",
    "models/vae.py",
    "nets.py",
    "seeding.py",
)
OPTIMISERS = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}
SAVE_EVERY = 20_000  # steps


def run(images: Images, recipe: dict, sizes: dict, checkpoint: Path | None, seed: int) -> Outcome:
    """Train by the recipe and measure on the test images, binarised once, alike for all.

    Figures: negative_elbo by one sample of each of the first `images` test images, nll by k
    importance samples of the same; nll_few by k and nll_many by many_k samples of the `few` first
    ones; active_units; parameters; steps, epochs; processor_seconds of the training, of all
    threads. Errors: standard errors of the means over images. Nats.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with seeded(seed):
        model = ActivatedIWAE(**recipe["model"]).to(device)
    spent = train(model, images.train, recipe, checkpoint, seed)
    start = time.perf_counter()
    test = images.test[: sizes["images"]]
    few = test[: sizes["few"]]
    whole = nll(model, test, k=sizes["k"])
    found = {
        "negative_elbo": -elbo(model, test),
        "nll": whole,
        "nll_few": Estimate(whole.values[: len(few)]),
        "nll_many": nll(model, few, k=sizes["many_k"]),
    }
    steps = sum(length for length, _ in recipe["schedule"])
    figures = {name: estimate.mean for name, estimate in found.items()} | {
        "active_units": active_units(model, test).count,
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": steps,
        "epochs": steps * recipe["batch"] / len(images.train),
        "processor_seconds": spent,
    }
    errors = {name: estimate.stderr for name, estimate in found.items()}
    return Outcome(model, figures, errors, time.perf_counter() - start)


def train(model: Model, split: Split, recipe: dict, checkpoint: Path | None, seed: int) -> float:
    """Train `model`; the processor seconds it took. Goes on from `checkpoint` where there is one.

    Each step takes a batch of images drawn without return until all have been, binarised anew
    where they are grey. Raises FloatingPointError when the loss is no longer finite.
    """
    how = dict(recipe["optimiser"])
    optimiser = OPTIMISERS[how.pop("name")](model.parameters(), lr=0.0, **how)
    pixels, batch = split.pixels.flatten(1).to(model.device), recipe["batch"]
    settings, history, step = {**recipe, "seed": seed}, History(), 0
    rates = [lr for length, lr in recipe["schedule"] for _ in range(length)]
    model.train()
    with seeded(seed, model.device):
        if checkpoint is not None and Path(checkpoint).exists():
            history, step = checkpoints.read(checkpoint, model, optimiser, settings)
        else:
            model.start_at_mean(pixels)
        model.fresh = False
        before, began, losses = history.seconds, time.process_time(), []
        per_epoch, order = len(pixels) // batch, None
        while step < len(rates):
            if step % per_epoch == 0 or order is None:
                order = _order(len(pixels), seed, step // per_epoch, model.device)
            at = step % per_epoch * batch
            losses.append(_step(model, optimiser, pixels[order[at : at + batch]], rates[step]))
            step += 1
            if step % SAVE_EVERY == 0 or step == len(rates):
                mean = torch.stack(losses).mean().item()
                if not math.isfinite(mean):
                    raise FloatingPointError(f"The loss is {mean} after {step:,} steps.")
                history.add(step, {"loss": mean})
                history.seconds = before + time.process_time() - began
                losses.clear()
                if checkpoint is not None:
                    checkpoints.write(checkpoint, model, optimiser, settings, history, step)
    model.eval()
    return history.seconds


def _step(model: Model, optimiser, pixels: Tensor, lr: float) -> Tensor:
    for group in optimiser.param_groups:
        group["lr"] = lr
    optimiser.zero_grad(set_to_none=True)
    loss = model.loss(observe(pixels, model.observation))["loss"]
    loss.backward()
    optimiser.step()
    return loss.detach()


def _order(n: int, seed: int, epoch: int, device: torch.device) -> Tensor:
    # From seed and epoch alone, so that a resumed run shuffles alike.
    generator = torch.Generator(device).manual_seed(seed * 1_000_003 + epoch)
    return torch.randperm(n, generator=generator, device=device)


def burda(passes: int, images: int, k: int = 1) -> dict:
    """Burda et al. 2015 (arXiv:1509.00519), one stochastic layer, on `images` training images.

    3^i epochs at a learning rate of 10^(−3 − i/7) for i = 0 … 7, batches of 20. passes: how many
    of these i; with fewer than 8 the rate falls by the same factor of ten in all, in fewer stages.
    """
    batch = 20
    stages = [[3**i * images // batch, 1e-3 * 10 ** (-i / (passes - 1))] for i in range(passes)]
    return {
        "model": {"latent": 50, "hidden": [200, 200], "k": k, "activation": "tanh"},
        "optimiser": {"name": "adam", "eps": 1e-4},
        "batch": batch,
        "schedule": stages,
    }
