"""The VAE with four priors: fixed, mixture, VampPrior, flow; trained with the rest, or afterwards.

Two latent dimensions and ten, five seeds. The common recipe (vaeutil.experiments.variant) at ten;
at two smaller networks. Afterwards: a mixture and a flow fitted by 1,000 steps of the same ELBO to
the codes of the fixed prior's model, its networks frozen; the figures after_mixture_… and
after_flow_… of that run. Nats, test images. KID: decoded means of 4,000 draws against as many test
images in grey, in the features of the book's classifier, the same real images for every model.
"""

import time
from pathlib import Path

import torch

from vaeutil.classifier import load_classifier
from vaeutil.data import Images, Split, observe
from vaeutil.experiments import variant
from vaeutil.experiments.parts import Outcome
from vaeutil.fidelity import kid
from vaeutil.information import aggregate_log_prob
from vaeutil.models import VAE, Model, PriorVAE
from vaeutil.models.priors import with_prior
from vaeutil.seeding import seeded

CODE = (
    *variant.CODE,
    "classifier.py",
    "fidelity.py",
    "flows/compose.py",
    "flows/layers.py",
    "information.py",
    "models/priors.py",
)
DATA = "mnist"
CONFIG = {
    "networks": {"2": {"latent": 2, "hidden": [64, 64]}, "10": variant.NETWORK},
    "prior": {"components": 50, "depth": 4},
    "training": variant.TRAINING,
    "after": {**variant.TRAINING, "steps": 1_000},
    "evaluation": {**variant.EVALUATION, "aggregate_images": 10_000, "draws": 4_000, "block": 500},
}
SMOKE = {
    "training": {"steps": 10},
    "after": {"steps": 5},
    "evaluation": {
        **variant.SMOKE["evaluation"],
        "aggregate_images": 40,
        "draws": 40,
        "block": 20,
    },
}
KINDS = ("standard", "mixture", "vamp", "flow")
RUNS = [
    {"latent": latent, "kind": kind, "seed": seed}
    for seed in range(5)
    for latent in (10, 2)
    for kind in KINDS
]
WEIGHTS = {f"priors-{kind}.safetensors": {"latent": 2, "kind": kind, "seed": 0} for kind in KINDS}


def build(config: dict, latent: int, kind: str) -> VAE:
    """The untrained model of a kind: one of KINDS."""
    network = config["networks"][str(latent)]
    return (
        VAE(**network) if kind == "standard" else PriorVAE(**network, prior=kind, **config["prior"])
    )


def run(
    images: Images, config: dict, checkpoint: Path, latent: int, kind: str, seed: int
) -> Outcome:
    """Train one model and measure it; where the prior is fixed, fit two more to its codes.

    Figures: those of `variant.run`, and those of `of_codes` and `of_samples`.
    Raises KeyboardInterrupt when the training was interrupted.
    """
    with seeded(seed):
        model = build(config, latent, kind)
    outcome = variant.run(model, images, config, checkpoint, seed)
    start = time.perf_counter()
    figures, errors = dict(outcome.figures), dict(outcome.errors)
    measure(model, images, config, "", figures, errors)
    for later in ("mixture", "flow") if kind == "standard" else ():
        with seeded(seed):
            second = with_prior(model, prior=later, **config["prior"])
        name = f"after_{later}_"
        plain = variant.run(second, images, {**config, "training": config["after"]}, None, seed)
        figures |= {name + figure: value for figure, value in plain.figures.items()}
        errors |= {name + figure: value for figure, value in plain.errors.items()}
        measure(second, images, config, name, figures, errors)
    return Outcome(model, figures, errors, outcome.seconds + time.perf_counter() - start)


def measure(model: VAE, images: Images, config: dict, name: str, figures, errors) -> None:
    """Add the figures of codes and samples, their names after `name`."""
    sizes = config["evaluation"]
    found = of_codes(model, images.test[: sizes["aggregate_images"]])
    figures |= {name + figure: value for figure, value in found.items()}
    score = of_samples(model, images.test, sizes["draws"], sizes["block"])
    figures[name + "kid"], errors[name + "kid"] = score.mean, score.stderr


@torch.no_grad()
def of_codes(model: VAE, test: Split) -> dict[str, float]:
    """The rate and its two parts over N test images, by one posterior sample of each, in nats.

    mutual_information and aggregate_kl: with the mixture q(z) of these N posteriors, whose KL is,
    in expectation over N images, at least that of the aggregate posterior of all images.
    aggregate_kl_low: with the mixture of the half of the images that z does not come from; at
    most that KL, in expectation.
    """
    x = observe(test.pixels, model.observation, torch.Generator().manual_seed(0))
    with seeded(0):
        q = model.posterior(x)
        z = q.sample()
    own, prior = q.log_prob(z).double(), torch.cat([model.prior.log_prob(p) for p in z.split(500)])
    inside = aggregate_log_prob(z, q.mean, q.stddev)
    half = len(z) // 2
    outside = [
        aggregate_log_prob(z[a], q.mean[b], q.stddev[b])
        for a, b in ((slice(half), slice(half, None)), (slice(half, None), slice(half)))
    ]
    return {
        "rate": (own - prior).mean().item(),
        "mutual_information": (own - inside).mean().item(),
        "aggregate_kl": (inside - prior).mean().item(),
        "aggregate_kl_low": (torch.cat(outside) - prior).mean().item(),
    }


def of_samples(model: Model, test: Split, draws: int, block: int):
    """KID of `draws` decoded means against as many test images, a `Score`."""
    judge = load_classifier()
    real = judge.features(observe(test.pixels[:draws], "grey"))
    with seeded(0):
        return kid(real, judge.features(model.sample(draws)), block)
