"""Does β align latent numbers with factors? Discs under two laws, three values of β, five seeds.

The discs are made by code (vaeutil/data/discs.py). Figures of the 5,000 test discs of a law:
−ELBO (unweighted, one sample each), rate and distortion in nats; the mutual information gap of each
factor; the same for the place named by x + y and x − y; the angle of the latent number that knows
most of the place, in degrees from the nearest axis; R² of the place from all latent numbers.
"""

import time
from pathlib import Path

import torch

from vaeutil import disentanglement
from vaeutil.data import Images, observe
from vaeutil.data.discs import LAWS, discs, factors
from vaeutil.evaluation import active_units, elbo
from vaeutil.experiments.likelihood import CODE as PLAIN
from vaeutil.experiments.likelihood import mean_kl
from vaeutil.experiments.parts import Outcome
from vaeutil.models import BetaVAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "images", "run"]

CODE = (*PLAIN, "models/beta.py", "data/discs.py", "disentanglement.py")
DATA = "discs"
CONFIG = {
    "discs": {"train": 20_000, "valid": 500, "test": 5_000},
    "model": {"latent": 6, "hidden": [40, 40]},
    "training": {"steps": 2_000, "batch": 128, "lr": 2e-3, "valid_every": 2_000},
}
SMOKE = {"discs": {"train": 200, "valid": 20, "test": 400}, "training": {"steps": 10}}
BETAS = (1.0, 4.0, 16.0)
RUNS = [
    {"law": law, "beta": beta, "seed": seed} for seed in range(5) for beta in BETAS for law in LAWS
]
WEIGHTS = {f"discs-{law}.safetensors": {"law": law, "beta": 4.0, "seed": 0} for law in LAWS}


def images(config: dict) -> Images:
    """The discs of both laws; no data set has to be fetched."""
    return discs(**config["discs"])


def run(
    images: Images, config: dict, checkpoint: Path, law: str, beta: float, seed: int
) -> Outcome:
    """Train one model on the discs of one law, and compare its codes with the factors.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    label = LAWS.index(law)
    mine = [part.subset(part.labels == label) for part in (images.train, images.valid, images.test)]
    images = Images(law, *mine, images.provenance)
    with seeded(seed):
        model = BetaVAE(**config["model"], beta=beta)
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    bound = -elbo(model, images.test)
    rate = mean_kl(model, images.test)
    figures = {
        "negative_elbo": bound.mean,
        "rate": rate,
        "distortion": bound.mean - rate,
        "active_units": active_units(model, images.test).count,
        "training_seconds": history.seconds,
        **alignment(draws(model, images), factors(law, len(images.test), seed=2)),
    }
    return Outcome(model, figures, {"negative_elbo": bound.stderr}, time.perf_counter() - start)


def draws(model: BetaVAE, images: Images) -> torch.Tensor:
    """One posterior draw for each test image, [n, latent], the same for every call."""
    x = observe(images.test.pixels, model.observation, torch.Generator().manual_seed(0))
    with torch.no_grad(), seeded(0):
        return model.posterior(x).sample()


def alignment(z: torch.Tensor, truth: torch.Tensor) -> dict[str, float]:
    """How codes [n, latent] follow the factors [n, 3]: the figures that only factors give."""
    x, y, _ = truth.unbind(1)
    table = disentanglement.information(z, truth)
    turned = disentanglement.information(z, torch.stack([x + y, x - y], dim=1))
    gap, gap_turned = disentanglement.gaps(table), disentanglement.gaps(turned)
    best = int(table[:2].sum(0).argmax())
    angle = disentanglement.direction(z[:, best], truth[:, :2])
    return {
        "gap_x": gap[0].item(),
        "gap_y": gap[1].item(),
        "gap_radius": gap[2].item(),
        "gap_place": gap[:2].mean().item(),
        "gap_place_turned": gap_turned.mean().item(),
        "angle": (angle + 45) % 90 - 45,
        "r2_place": disentanglement.explained(z, truth[:, :2]),
    }
