"""Images a second, measured in turns: whatever else the machine does falls on all alike."""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch.utils.flop_counter import FlopCounterMode

from vaeutil.bench import loops
from vaeutil.bench.targets import judged
from vaeutil.data import Images
from vaeutil.models import VAE
from vaeutil.seeding import seeded
from vaeutil.training import _cpu_has_bf16

NETWORKS = {
    "mlp": {"latent": 20, "net": "mlp", "hidden": [400]},
    "conv": {"latent": 20, "net": "conv", "hidden": 16},
}
STEPS = {"mlp": 300, "conv": 50}
ROUNDS = 7
QUICK = {"steps": 2, "rounds": 2}
BASE = "tutorial"  # what the ratios refer to
BF16 = "fit, bf16"
SIDE = 2_048  # of the square matrices whose product gives the peak
TIMES = 2.2  # bf16 training of the MLP against the tutorial's loop
NO_BF16 = "not timed: no bfloat16 instructions"


def device() -> torch.device:
    """The one that `fit` takes by default."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bf16(where: torch.device) -> bool:
    """Whether bfloat16 is faster there than float32, and not emulated."""
    return where.type == "cuda" or _cpu_has_bf16()


def measure(images: Images, quick: bool = False) -> dict:
    """Images a second of each loop on each network, and the target."""
    networks = {}
    for name, network in NETWORKS.items():
        sizes = QUICK if quick else {"steps": STEPS[name], "rounds": ROUNDS}
        networks[name] = in_turns(images, network, **sizes)
    found = networks["mlp"]["loops"]
    timed = BF16 in found
    note = "" if timed else f"no bfloat16 instructions; in float32 {found['fit']['ratio']:.2f}"
    ratio = found[BF16]["ratio"] if timed else None
    what = "training of the MLP in bf16, against the tutorial's loop"
    return {
        "batch": loops.BATCH,
        "networks": networks,
        "bf16": "timed" if timed else NO_BF16,
        "targets": [judged(what, "times", TIMES, ratio, least=True, note=note)],
    }


def in_turns(images: Images, network: dict, steps: int, rounds: int) -> dict:
    """Images a second of each loop over whole calls of `steps` steps, `rounds` calls each."""
    where = device()
    contenders = loops_on(images, where)
    each_round: list[dict[str, float]] = []
    peaks = []
    for index in range(rounds + 1):
        peak = peak_flops(where)
        rates = {name: rate(loop, network, steps) for name, loop in contenders.items()}
        if index > 0:  # the first round warms up
            peaks.append(peak)
            each_round.append(rates)
    flops = flops_per_image(VAE(**network))
    return {
        "model": network,
        "steps": steps,
        "rounds": rounds,
        "flops_per_image": flops,
        "peak_flops": max(peaks),
        "loops": {name: _figures(name, each_round, flops, max(peaks)) for name in contenders},
    }


def loops_on(images: Images, where: torch.device) -> dict[str, Callable]:
    """Name → loop(model, steps)."""
    pil, tensors = loops.PilDigits(images), loops.tensors(images)
    contenders = {
        "fit": lambda model, steps: loops.book_loop(model, images, steps, where),
        BASE: lambda model, steps: loops.tutorial_loop(model, pil, steps, where),
        "tensors": lambda model, steps: loops.tutorial_loop(model, tensors, steps, where),
    }
    if has_bf16(where):
        contenders[BF16] = lambda model, steps: loops.book_loop(
            model, images, steps, where, bf16=True
        )
    return contenders


def rate(loop: Callable, network: dict, steps: int) -> float:
    """Images a second of one call with a fresh model."""
    with seeded(0):
        model = VAE(**network)
        start = time.perf_counter()
        loop(model, steps)
        return steps * loops.BATCH / (time.perf_counter() - start)


def flops_per_image(model: VAE) -> int:
    """Forward and backward through the layers, 2 for each product, as torch counts them.

    Three times the products of a layer (outputs, gradient of the weights, gradient of the inputs),
    but twice for the first, whose inputs are pixels. Activations, likelihood and Adam count for
    nothing.
    """
    with seeded(0), FlopCounterMode(display=False) as counter:
        model.loss(torch.ones(8, 784))["loss"].backward()
    return counter.get_total_flops() // 8


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
