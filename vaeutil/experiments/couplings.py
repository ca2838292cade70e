"""Four couplings fitted to the energies U1 to U4 of chapter 12 without the rising factor.

The control to the fit "coupling 4" of the experiment `energies`: same flow, seeds, steps and
draws; U counts in full from the first step on. Figures as there, kl in nats.
"""

import time
from pathlib import Path

from vaeutil.data import Images
from vaeutil.data.toys import ENERGIES
from vaeutil.experiments import energies
from vaeutil.experiments.parts import Outcome
from vaeutil.models import FlowDensity
from vaeutil.seeding import seeded

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "images", "run"]

CODE = (*energies.CODE, "experiments/energies.py")
DATA = energies.DATA
CONFIG = energies.CONFIG
SMOKE = energies.SMOKE
FITS = {"coupling 4, plain": ("coupling", 4, False)}
RUNS = [{"energy": u, "fit": fit, "seed": s} for s in range(5) for u in ENERGIES for fit in FITS]
WEIGHTS = {
    f"couplings-{u}.safetensors": {"energy": u, "fit": "coupling 4, plain", "seed": 0}
    for u in ENERGIES
}
images = energies.images


def run(
    images: Images, config: dict, checkpoint: Path, energy: str, fit: str, seed: int
) -> Outcome:
    """Fit and measure one flow, as `energies.run` does. It leaves no checkpoint."""
    kind, depth, rising = FITS[fit]
    with seeded(seed):
        model = FlowDensity(2, kind, depth)
        start = time.perf_counter()
        energies.train(model, energy, rising=rising, **config["training"])
        seconds = time.perf_counter() - start
    start = time.perf_counter()
    figures, errors = energies.measure(model, energy, **config["evaluation"])
    figures["parameters"] = sum(p.numel() for p in model.parameters())
    figures["training_seconds"] = seconds
    return Outcome(model, figures, errors, time.perf_counter() - start)
