"""The common part of the variants' experiments: train one model, measure it as every other.

All variants stand beside the plain VAE at the same network, the same number of steps and the same
seeds, by the recipe below; an experiment says where it departs from it.
"""

import time
from pathlib import Path

from vaeutil.data import Images
from vaeutil.evaluation import active_units, elbo, nll
from vaeutil.experiments.parts import Outcome
from vaeutil.models import Model
from vaeutil.training import fit

# The files of vaeutil that decide the figures; an experiment adds those of its own model.
CODE = (
    "data/observe.py",
    "divergences.py",
    "evaluation.py",
    "experiments/variant.py",
    "models/base.py",
    "models/likelihoods.py",
    "models/vae.py",
    "nets.py",
    "seeding.py",
    "training.py",
)
NETWORK = {"latent": 10, "hidden": [100, 100]}
TRAINING = {"steps": 2_000, "batch": 128, "lr": 2e-3, "valid_every": 2_000, "progress": False}
EVALUATION = {"elbo_images": 4_000, "nll_images": 300, "nll_k": 500}
SMOKE = {
    "training": {"steps": 10},
    "evaluation": {"elbo_images": 20, "nll_images": 10, "nll_k": 5},
}


def run(model: Model, images: Images, config: dict, checkpoint: Path, seed: int) -> Outcome:
    """Train `model`, built under this seed, and measure it on the first test images.

    Figures, in nats: negative_elbo by one posterior sample on each of elbo_images test images; on
    the first nll_images of them, nll by nll_k importance samples, and gap, the −ELBO by 50 samples
    minus that nll. Then parameters (all that are trained), active_units, training_seconds.
    Errors: standard errors of the means over images, for this model. The seed decides the order of
    the training images, their binarisation and the noise of training; the test images are
    binarised once, alike for every model and seed.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    sizes = config["evaluation"]
    test, few = images.test[: sizes["elbo_images"]], images.test[: sizes["nll_images"]]
    bound, likelihood = -elbo(model, test), nll(model, few, k=sizes["nll_k"])
    gap = -elbo(model, few, k=50).values - likelihood.values
    figures = {
        "negative_elbo": bound.mean,
        "nll": likelihood.mean,
        "gap": gap.mean().item(),
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "active_units": active_units(model, test).count,
        "training_seconds": history.seconds,
    }
    errors = {"negative_elbo": bound.stderr, "nll": likelihood.stderr}
    return Outcome(model, figures, errors, time.perf_counter() - start)
