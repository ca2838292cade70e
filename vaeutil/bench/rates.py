"""Images a second, measured in turns: whatever else the machine does falls on all alike."""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import nn

from vaeutil.bench import loops
from vaeutil.data import Images
from vaeutil.models import VAE
from vaeutil.seeding import seeded
from vaeutil.training import _cpu_has_bf16

HIDDEN = (400,)
LATENT = 20
BASE = "tutorial"  # what the ratios refer to
SIDE = 2_048  # of the square matrices whose product gives the peak


def device() -> torch.device:
    """The one that `fit` takes by default."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def measure(images: Images, steps: int, rounds: int) -> dict:
    """Images a second of each loop over whole calls of `steps` steps, `rounds` calls each."""
    where = device()
    contenders = loops_on(images, where)
    each_round: list[dict[str, float]] = []
    peaks = []
    for index in range(rounds + 1):
        peak = peak_flops(where)
        rates = {name: rate(loop, steps) for name, loop in contenders.items()}
        if index > 0:  # the first round warms up
            peaks.append(peak)
            each_round.append(rates)
    flops = flops_per_image(VAE(LATENT, hidden=HIDDEN))
    return {
        "steps": steps,
        "rounds": rounds,
        "batch": loops.BATCH,
        "model": {"latent": LATENT, "hidden": list(HIDDEN)},
        "flops_per_image": flops,
        "peak_flops": max(peaks),
        "loops": {name: _figures(name, each_round, flops, max(peaks)) for name in contenders},
        "bf16": "timed" if "fit, bf16" in contenders else "no bfloat16 instructions: not timed",
    }


def loops_on(images: Images, where: torch.device) -> dict[str, Callable]:
    """Name → loop(model, steps)."""
    pil, tensors = loops.PilDigits(images), loops.tensors(images)
    contenders = {
        "fit": lambda model, steps: loops.book_loop(model, images, steps, where),
        BASE: lambda model, steps: loops.tutorial_loop(model, pil, steps, where),
        "tensors": lambda model, steps: loops.tutorial_loop(model, tensors, steps, where),
    }
    if where.type == "cuda" or _cpu_has_bf16():
        contenders["fit, bf16"] = lambda model, steps: loops.book_loop(
            model, images, steps, where, bf16=True
        )
    return contenders


def rate(loop: Callable, steps: int) -> float:
    """Images a second of one call with a fresh model."""
    with seeded(0):
        model = VAE(LATENT, hidden=HIDDEN)
        start = time.perf_counter()
        loop(model, steps)
        return steps * loops.BATCH / (time.perf_counter() - start)


def flops_per_image(model: VAE) -> int:
    """Forward and backward through the linear layers: 2 for each weight and product.

    Three products a layer (outputs, gradient of the weights, gradient of the inputs), but two for
    the first layer, whose inputs are pixels.
    """
    layers = [m for m in [*model.encoder, *model.decoder] if isinstance(m, nn.Linear)]
    weights = [layer.weight.numel() for layer in layers]
    return 2 * (3 * sum(weights) - weights[0])


def peak_flops(where: torch.device, seconds: float = 0.3) -> float:
    """The best of the float32 matrix products of SIDE × SIDE done in this time, in FLOP/s."""
    a, b = torch.rand(2, SIDE, SIDE, device=where)
    product = torch.empty_like(a)
    best = float("inf")
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        torch.mm(a, b, out=product)
        if where.type == "cuda":
            torch.cuda.synchronize(where)
        best = min(best, time.perf_counter() - start)
    return 2 * SIDE**3 / best


def _figures(name: str, rounds: list[dict[str, float]], flops: int, peak: float) -> dict:
    rates = [one[name] for one in rounds]
    ratios = [one[name] / one[BASE] for one in rounds]  # within a round: the same conditions
    return {
        "images_per_second": median(rates),
        "lowest": min(rates),
        "highest": max(rates),
        "ratio": median(ratios),
        "lowest_ratio": min(ratios),
        "highest_ratio": max(ratios),
        "fraction_of_peak": median(rates) * flops / peak,
    }
