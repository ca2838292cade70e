"""VAE and IWAE by the same samples, steps and seeds, all measured by one ruler of 5,000 weights.

The recipe of `variant`, but 20 latent dimensions, to leave room for units that die, and batches of
50 images, so that 20 samples of each can be paid for. Five ways to train one network, five seeds
each; runs with the same seed start from the same weights and see the same images. Figures in nats.
"""

import time
from pathlib import Path

import torch

from vaeutil.data import Images, observe
from vaeutil.evaluation import active_units, elbo
from vaeutil.experiments import variant
from vaeutil.experiments.likelihood import mean_kl
from vaeutil.experiments.nested import log_weights, nested, standard_error
from vaeutil.experiments.parts import Outcome
from vaeutil.importance import effective_sample_size
from vaeutil.models import IWAE, VAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

CODE = (
    *variant.CODE,
    "experiments/likelihood.py",
    "experiments/nested.py",
    "importance.py",
    "models/iwae.py",
)
DATA = "mnist"
CONFIG = {
    "model": {**variant.NETWORK, "latent": 20},
    "training": {**variant.TRAINING, "batch": 50},
    "evaluation": {"elbo_images": 4_000, "images": 100, "samples": 5_000},
}
SMOKE = {
    "training": {"steps": 10},
    "evaluation": {"elbo_images": 20, "images": 6, "samples": 100},
}
# What is added to the network; "vae" has its KL in closed form, "vae-k20" by its samples.
KINDS = {
    "vae": {},
    "vae-k20": {"k": 20, "gradient": "elbo"},
    "iwae-k5": {"k": 5},
    "iwae-k20": {"k": 20},
    "dreg-k20": {"k": 20, "gradient": "dreg"},
}
RUNS = [{"model": kind, "seed": seed} for seed in range(5) for kind in KINDS]
WEIGHTS = {f"iwae-{kind}.safetensors": {"model": kind, "seed": 0} for kind in ("vae", "iwae-k20")}
SIZES = (1, 5, 20, 100, 1_000, 5_000)


def run(images: Images, config: dict, checkpoint: Path, model: str, seed: int) -> Outcome:
    """Train one model of this kind with this seed, and measure it on the first test images.

    Figures: negative_elbo by one sample on each of elbo_images test images, and rate, the KL in
    it; bound_K, −L_K on the first `images` of them, from `samples` weights of each, the mean over
    all disjoint blocks of K, so that the largest K is the ruler; effective_20, effective sample
    size of 20 weights; active_units by the usual threshold of 0.01, clear_units by 0.1, which does
    not count those that are still on their way to zero; training_seconds. Errors: standard errors
    of the means over images, for this model. The test images are binarised once, alike for all.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    how = KINDS[model]
    with seeded(seed):
        built = IWAE(**config["model"], **how) if how else VAE(**config["model"])
    history = fit(built, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    sizes = config["evaluation"]
    test = images.test[: sizes["elbo_images"]]
    bound = -elbo(built, test)
    x = observe(test.pixels[: sizes["images"]], "binary", torch.Generator().manual_seed(0))
    log_w = log_weights(built, x, sizes["samples"])
    figures = {"negative_elbo": bound.mean, "rate": mean_kl(built, test)}
    errors = {"negative_elbo": bound.stderr}
    for k in (size for size in SIZES if len(log_w) % size == 0):
        values = -nested(log_w, k)
        figures[f"bound_{k}"], errors[f"bound_{k}"] = values.mean().item(), standard_error(values)
    figures |= {
        "effective_20": effective_sample_size(log_w.unflatten(0, (20, -1))).mean().item(),
        "active_units": active_units(built, test).count,
        "clear_units": active_units(built, test, threshold=0.1).count,
        "training_seconds": history.seconds,
    }
    return Outcome(built, figures, errors, time.perf_counter() - start)
