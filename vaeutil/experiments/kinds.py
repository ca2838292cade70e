"""A small VAE on three kinds of MNIST, and on 2,500 images binarised anew or once; five seeds.

dynamic: binarised anew at each use; static: binarised once; threshold: on from grey level 128.
dynamic-2500, static-2500: the first 2,500 training images. Equal networks and equal steps. −ELBO by
one posterior sample on each of the first 4,000 test images (2,000 training images), NLL by 100
importance samples on each of the first 200 test images. Nats.
"""

import time
from pathlib import Path

import torch

from vaeutil.data import Images, Split, observe
from vaeutil.evaluation import elbo, nll
from vaeutil.experiments.parts import Outcome
from vaeutil.models import VAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

CODE = (
    "data/observe.py",
    "divergences.py",
    "evaluation.py",
    "models/base.py",
    "models/likelihoods.py",
    "models/vae.py",
    "nets.py",
    "seeding.py",
    "training.py",
)
DATA = "mnist"
CONFIG = {
    "model": {"latent": 20, "hidden": [100, 100]},
    "training": {
        "steps": 1_200,
        "batch": 128,
        "lr": 2e-3,
        "valid_every": 1_200,
        "progress": False,
    },
    "evaluation": {"elbo_images": 4_000, "train_images": 2_000, "nll_images": 200, "nll_k": 100},
}
SMOKE = {
    "training": {"steps": 5},
    "evaluation": {"elbo_images": 10, "train_images": 10, "nll_images": 4, "nll_k": 3},
}
KINDS = ("dynamic", "static", "threshold", "dynamic-2500", "static-2500")
RUNS = [{"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS]
WEIGHTS = {}


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train one VAE on one kind of images and measure it on that kind, and on the others.

    Figures: negative_elbo and nll on test images of its own kind; train, the −ELBO on training
    images; on_dynamic, on_static and on_threshold, the −ELBO on binary test images of those kinds.
    Errors: the standard errors of the means over images. The static images are alike for every
    seed; the seed decides the weights, the order of the images and the noise.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    sizes, own = config["evaluation"], of_kind(images, kind)
    with seeded(seed):
        model = VAE(**config["model"])
    history = fit(model, own, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    bound = -elbo(model, own.test[: sizes["elbo_images"]])
    likelihood = nll(model, own.test[: sizes["nll_images"]], k=sizes["nll_k"])
    trained = -elbo(model, own.train[: sizes["train_images"]])
    figures = {"negative_elbo": bound.mean, "nll": likelihood.mean, "train": trained.mean}
    errors = {"negative_elbo": bound.stderr, "nll": likelihood.stderr, "train": trained.stderr}
    for other in ("dynamic", "static", "threshold"):
        found = -elbo(model, split_of_kind(images.test[: sizes["elbo_images"]], other))
        figures[f"on_{other}"], errors[f"on_{other}"] = found.mean, found.stderr
    figures["training_seconds"] = history.seconds
    return Outcome(model, figures, errors, time.perf_counter() - start)


def of_kind(images: Images, kind: str) -> Images:
    """The images as one kind: "static" and "threshold" have pixels 0 and 255 only."""
    kind, _, few = kind.partition("-")
    train = images.train[: int(few)] if few else images.train
    parts = [split_of_kind(split, kind) for split in (train, images.valid, images.test)]
    return Images(f"{images.name}, {kind}", *parts, images.provenance)


def split_of_kind(split: Split, kind: str) -> Split:
    """The same images; for "static" binarised once, by a seed that never changes.

    Raises ValueError for another kind.
    """
    if kind == "dynamic":
        return split
    if kind == "static":
        binary = observe(split.pixels, "binary", torch.Generator().manual_seed(2008))
        return Split((255 * binary).to(torch.uint8).view(-1, 28, 28), split.labels)
    if kind == "threshold":
        return Split((split.pixels >= 128).to(torch.uint8) * 255, split.labels)
    raise ValueError(f"There are no images of the kind {kind!r}.")
