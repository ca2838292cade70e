"""The autoencoder that is the twin of `hero`: the same networks, images and steps, no probability.

Squared error per image, summed over the 784 pixels, on the 10,000 test images.
"""

import time
from pathlib import Path

import torch

from vaeutil.data import Images, observe
from vaeutil.experiments.parts import Outcome
from vaeutil.models import AE
from vaeutil.seeding import seeded
from vaeutil.training import fit

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "run"]

# The files of vaeutil that decide the figures, besides this one.
CODE = (
    "data/observe.py",
    "models/ae.py",
    "models/base.py",
    "nets.py",
    "seeding.py",
    "training.py",
)
DATA = "mnist"
CONFIG = {
    "model": {"latent": 2, "hidden": [200, 200, 200]},
    "training": {"steps": 12_000, "batch": 128, "lr": 2e-3},
}
SMOKE = {"training": {"steps": 10}}
# One seed: this is a picture, not a comparison.
RUNS = [{"seed": 0}]
WEIGHTS = {"twin.safetensors": {"seed": 0}}


def run(images: Images, config: dict, checkpoint: Path, seed: int) -> Outcome:
    """Train one autoencoder with this seed, and measure its reconstructions of the test images.

    Figure: squared_error, with the standard error of its mean over images.
    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = AE(**config["model"])
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    x = observe(images.test.pixels, "grey").to(model.device)
    error = torch.cat([(model.reconstruct(part) - part).square().sum(-1) for part in x.split(1000)])
    figures = {"squared_error": error.mean().item(), "training_seconds": history.seconds}
    errors = {"squared_error": error.std().item() / len(error) ** 0.5}
    return Outcome(model, figures, errors, time.perf_counter() - start)
