"""A richer guess for the VAE of `blur` with a learned σ: a posterior with a full covariance.

As the kind full-posterior there, but training starts from a diagonal covariance: what the encoder
gives below the diagonal is zero at first. Same steps, seeds and measures as the kind learned.
"""

import time
from pathlib import Path

import torch

from vaeutil.data import Images
from vaeutil.experiments import blur
from vaeutil.experiments.parts import Outcome
from vaeutil.models import FullVAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

CODE = (*blur.CODE, "experiments/blur.py")
DATA = blur.DATA
CONFIG = blur.CONFIG
SMOKE = blur.SMOKE
RUNS = [{"seed": seed} for seed in range(5)]
WEIGHTS = {}


def run(images: Images, config: dict, checkpoint: Path, seed: int) -> Outcome:
    """Train one model with this seed and measure it on the first test images, as `blur` does.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = FullVAE(**config["model"], likelihood="gaussian")
    head = model.encoder[-1]
    with torch.no_grad():
        head.weight[2 * model.latent :] = 0
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    sizes = config["evaluation"]
    with seeded(0), torch.no_grad():
        nats, errors = blur.likelihoods(model, images, sizes)
        figures = {"training_seconds": history.seconds} | nats
        figures |= blur.of_samples(model, sizes["draws"])
        figures |= blur.of_codes(model, images.test[: sizes["images"]].pixels)
    return Outcome(model, figures, errors, time.perf_counter() - start)
