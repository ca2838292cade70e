"""Flows fitted to the four energies U1 to U4 of chapter 12: how far they come, depth by depth.

No data: a flow's draws are fitted to p(z) ∝ e^{−U(z)}, minimising D_KL(q ‖ p) by draws of q, while
U is multiplied by a factor that rises to 1 in the first half of the steps, as in the paper. Fits:
planar flows of depth 0 (a Gaussian) to 16, four couplings, and planar 16 without the rising factor.
Figure kl, in nats: the mean of log q + U over draws of the fitted flow, plus log ∫ e^{−U}.
"""

import time
from pathlib import Path

import torch

from vaeutil.data import Images, Provenance, Split
from vaeutil.data.toys import ENERGIES, energy, lattice, log_normaliser
from vaeutil.experiments.parts import Outcome
from vaeutil.models import FlowDensity
from vaeutil.seeding import seeded

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "images", "run", "train"]

CODE = (
    "data/toys.py",
    "flows/compose.py",
    "flows/layers.py",
    "flows/scale.py",
    "models/density.py",
    "nets.py",
    "seeding.py",
)
DATA = "none"
CONFIG = {
    "training": {"steps": 1_000, "batch": 256, "lr": 0.03},
    "evaluation": {"draws": 50_000, "side": 800},
}
SMOKE = {"training": {"steps": 4}, "evaluation": {"draws": 200, "side": 100}}
FITS = {
    "planar 0": ("planar", 0, True),
    "planar 2": ("planar", 2, True),
    "planar 4": ("planar", 4, True),
    "planar 8": ("planar", 8, True),
    "planar 16": ("planar", 16, True),
    "planar 16, plain": ("planar", 16, False),
    "coupling 4": ("coupling", 4, True),
}
RUNS = [{"energy": u, "fit": fit, "seed": s} for s in range(5) for u in ENERGIES for fit in FITS]
WEIGHTS = {
    f"energies-{u}-{kind}.safetensors": {"energy": u, "fit": fit, "seed": 0}
    for u in ENERGIES
    for kind, fit in (("planar", "planar 16"), ("coupling", "coupling 4"))
}


def images(config: dict) -> Images:
    """No images: the energies are formulas."""
    none = Split(torch.zeros(1, 28, 28, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))
    return Images("none", none, none, none, Provenance("vaeutil.data.toys", {}, "No data."))


def run(
    images: Images, config: dict, checkpoint: Path, energy: str, fit: str, seed: int
) -> Outcome:
    """Fit one flow to one energy, and measure it. It leaves no checkpoint.

    Figures: kl in nats; left, the share of the draws with z₁ < 0, and target_left, that of the
    target; parameters; training_seconds. Errors: the standard error of kl.
    """
    kind, depth, rising = FITS[fit]
    with seeded(seed):
        model = FlowDensity(2, kind, depth)
        start = time.perf_counter()
        train(model, energy, rising=rising, **config["training"])
        seconds = time.perf_counter() - start
    start = time.perf_counter()
    figures, errors = measure(model, energy, **config["evaluation"])
    figures["parameters"] = sum(p.numel() for p in model.parameters())
    figures["training_seconds"] = seconds
    return Outcome(model, figures, errors, time.perf_counter() - start)


def train(
    model: FlowDensity, name: str, *, steps: int, batch: int, lr: float, rising: bool = True
) -> list[float]:
    """Minimise E_q[log q(z) + β U(z)] by Adam on `batch` draws a step; returns each step's value.

    rising: β goes from 0.01 to 1 over the first half of the steps; otherwise β = 1 throughout. The
    learning rate rises to `lr` in the first tenth and falls to zero after.
    """
    potential, losses = energy(name), []
    optimiser = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        weight = min(1.0, 0.01 + 2 * step / steps) if rising else 1.0
        z, log_q = model.sample_with_log_prob(batch)
        loss = (log_q + weight * potential(z)).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def measure(model: FlowDensity, name: str, *, draws: int, side: int) -> tuple[dict, dict]:
    """kl, left and target_left, and the standard error of kl; the same draws for every model."""
    with seeded(1_000):
        z, log_q = model.sample_with_log_prob(draws)
    excess = (log_q + energy(name)(z)).double()
    points, _ = lattice(8.0, side)
    mass = (-energy(name)(points)).softmax(0)
    figures = {
        "kl": excess.mean().item() + log_normaliser(name, side),
        "left": (z[:, 0] < 0).double().mean().item(),
        "target_left": mass[points[:, 0] < 0].sum().item(),
    }
    return figures, {"kl": excess.std().item() / draws**0.5}
