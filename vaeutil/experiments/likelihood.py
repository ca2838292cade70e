"""One run of an experiment that trains a VAE and measures it on the test images."""

import time
from pathlib import Path

import torch

from vaeutil.data import Images, Split, observe
from vaeutil.divergences import gaussian_kl
from vaeutil.evaluation import active_units, elbo, nll
from vaeutil.experiments.parts import Outcome
from vaeutil.models import VAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

# The files of vaeutil that decide the figures, besides the experiment's own.
CODE = (
    "data/observe.py",
    "divergences.py",
    "evaluation.py",
    "experiments/likelihood.py",
    "models/base.py",
    "models/likelihoods.py",
    "models/vae.py",
    "nets.py",
    "seeding.py",
    "training.py",
)
SMOKE = {
    "training": {"steps": 10},
    "evaluation": {"elbo_images": 20, "nll_images": 10, "nll_k": 5},
}


def run(images: Images, config: dict, checkpoint: Path, seed: int) -> Outcome:
    """Train one VAE with this seed and measure it on the first test images.

    Figures, in nats: negative_elbo (one posterior sample an image), its exact part rate (the KL)
    and the rest, distortion; nll by nll_k importance samples; and active_units. Errors: the
    standard errors of the means over images, for this model. The seed decides the initial weights,
    the order of the training images, their binarisation and the posterior samples in training. The
    test images are binarised once, alike for every seed.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = VAE(**config["model"])
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    sizes = config["evaluation"]
    test = images.test[: sizes["elbo_images"]]
    bound = -elbo(model, test)
    likelihood = nll(model, images.test[: sizes["nll_images"]], k=sizes["nll_k"])
    rate = mean_kl(model, test)
    figures = {
        "negative_elbo": bound.mean,
        "rate": rate,
        "distortion": bound.mean - rate,
        "nll": likelihood.mean,
        "active_units": active_units(model, test).count,
        "training_seconds": history.seconds,
    }
    errors = {"negative_elbo": bound.stderr, "nll": likelihood.stderr}
    return Outcome(model, figures, errors, time.perf_counter() - start)


def mean_kl(model: VAE, split: Split) -> float:
    """KL(q(z | x) ‖ p(z)) averaged over a split's images, observed as `elbo` observes them."""
    x = observe(split.pixels, model.observation, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        posteriors = [model.posterior(part.to(model.device)) for part in x.split(1_000)]
        return torch.cat([gaussian_kl(q.mean, q.stddev) for q in posteriors]).mean().item()
