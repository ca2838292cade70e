"""The VAE and three conditional VAEs: what the label is worth, and what the code keeps of it.

Kinds: "vae"; "cvae", the label in encoder and decoder, prior N(0, I); "decoder", the label in the
decoder alone; "learned", the label in both, a prior of its own for each class. Five paired seeds,
the recipe of the variants but for 200 importance samples in place of 500. For the conditional
kinds negative_elbo and nll_given are of log p(x | y), nll of log p(x), all ten classes tried.
Probes read the label off drawn codes (and off means), fitted on probe_images training images.
Nats; accuracies are shares.
"""

import time
from pathlib import Path

import torch

from vaeutil.conditional import (
    class_log_likelihoods,
    elbo_given,
    label_figures,
    probe,
    rate_given,
)
from vaeutil.data import Images, Split, observe
from vaeutil.divergences import gaussian_kl
from vaeutil.evaluation import Estimate, elbo, nll
from vaeutil.experiments import variant
from vaeutil.experiments.parts import Outcome
from vaeutil.models import CVAE, VAE, Model
from vaeutil.seeding import seeded
from vaeutil.training import fit

CODE = (*variant.CODE, "conditional.py", "models/cvae.py")
DATA = "mnist"
CONFIG = {
    "model": variant.NETWORK,
    "training": variant.TRAINING,
    "evaluation": {**variant.EVALUATION, "nll_k": 200, "probe_images": 10_000},
}
SMOKE = {
    "training": {"steps": 10},
    "evaluation": {"elbo_images": 50, "nll_images": 10, "nll_k": 5, "probe_images": 400},
}
KINDS = {
    "vae": None,
    "cvae": {},
    "decoder": {"encoder_sees": False},
    "learned": {"prior": "learned"},
}
RUNS = [{"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS]
WEIGHTS = {"cvae.safetensors": {"kind": "cvae", "seed": 0}}


def build(kind: str, network: dict, seed: int) -> Model:
    """An untrained model of this kind."""
    with seeded(seed):
        return VAE(**network) if kind == "vae" else CVAE(**network, **KINDS[kind])


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train one model, and measure bound, likelihoods and probes.

    Figures: negative_elbo, rate (on elbo_images test images), nll, parameters, training_seconds,
    probe_accuracy and probe_nats (linear), curved_accuracy and curved_nats, means_accuracy; for
    the conditional kinds nll_given, worth (log p(x | y) − log p(x)) and guess_accuracy (the class
    of largest p(x | y)). Raises KeyboardInterrupt when the training was interrupted.
    """
    model = build(kind, config["model"], seed)
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    sizes = config["evaluation"]
    test, few = images.test[: sizes["elbo_images"]], images.test[: sizes["nll_images"]]
    if kind == "vae":
        bound, likelihood = -elbo(model, test), nll(model, few, k=sizes["nll_k"])
        rate, more = plain_rate(model, test), {}
    else:
        bound, rate = -elbo_given(model, test), rate_given(model, test)
        found = label_figures(class_log_likelihoods(model, few, sizes["nll_k"]), few.labels)
        likelihood = Estimate(-found.marginal)
        more = {
            "nll_given": -found.given.mean().item(),
            "worth": found.worth.mean().item(),
            "guess_accuracy": found.correct.float().mean().item(),
        }
    figures = {
        "negative_elbo": bound.mean,
        "rate": rate.mean,
        "nll": likelihood.mean,
        **more,
        **probes(model, images.train[: sizes["probe_images"]], test, seed),
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "training_seconds": history.seconds,
    }
    errors = {"negative_elbo": bound.stderr, "nll": likelihood.stderr}
    return Outcome(model, figures, errors, time.perf_counter() - start)


def plain_rate(model: VAE, split: Split) -> Estimate:
    """KL(q(z | x) ‖ N(0, I)) of each image of the VAE, exact, in nats."""
    with torch.inference_mode():
        q = model.posterior(observe(split.pixels, "binary", torch.Generator().manual_seed(0)))
        return Estimate(gaussian_kl(q.mean, q.stddev))


def codes(model: Model, split: Split, seed: int = 0) -> tuple:
    """(one posterior draw of each image, its posterior mean): [N, latent] each."""
    generator = torch.Generator().manual_seed(seed)
    x = observe(split.pixels, "binary", generator)
    with torch.inference_mode():
        q = model.posterior(x, split.labels) if isinstance(model, CVAE) else model.posterior(x)
        noise = torch.randn(q.mean.shape, generator=generator)
        return q.mean + q.stddev * noise, q.mean


def probes(model: Model, train: Split, test: Split, seed: int) -> dict[str, float]:
    """What classifiers read off the codes of the test images."""
    (draws, means), (test_draws, test_means) = codes(model, train), codes(model, test)
    linear, curved = (
        probe(draws, train.labels, test_draws, test.labels, kind, seed)
        for kind in ("linear", "curved")
    )
    of_means = probe(means, train.labels, test_means, test.labels)
    return {
        "probe_accuracy": linear.accuracy,
        "probe_nats": linear.nats,
        "curved_accuracy": curved.accuracy,
        "curved_nats": curved.nats,
        "means_accuracy": of_means.accuracy,
    }
