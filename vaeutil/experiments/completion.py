"""Completing a digit from one, two or three quadrants: a network against a conditional VAE.

Kinds: "network", one network from the seen pixels to the probabilities of the others; "wide", the
same with as many parameters as the conditional VAE has; "cvae". Five paired seeds, the steps of
the variants. nll: −log p(target | seen) in nats an image, on binary pixels of the first nll_images
test images; exact for the networks, by nll_k importance samples for the CVAE, and nll_prior by as
many samples of its prior. Sohn, Lee and Yan 2015, section 5.1.
"""

import math
import time
from pathlib import Path

import torch

from vaeutil.data import Images, Split, observe
from vaeutil.evaluation import Estimate, elbo, nll
from vaeutil.experiments import variant
from vaeutil.experiments.parts import Outcome
from vaeutil.models import CompletionNet, CompletionVAE, Model
from vaeutil.seeding import seeded
from vaeutil.training import fit

CODE = (*variant.CODE, "models/completion.py")
DATA = "mnist"
CONFIG = {
    "model": variant.NETWORK,
    "training": variant.TRAINING,
    "evaluation": {"nll_images": 500, "nll_k": 500},
}
SMOKE = {"training": {"steps": 10}, "evaluation": {"nll_images": 10, "nll_k": 5}}
KINDS = ("network", "wide", "cvae")
RUNS = [
    {"kind": kind, "quadrants": quadrants, "seed": seed}
    for seed in range(5)
    for quadrants in (1, 2, 3)
    for kind in KINDS
]
WEIGHTS = {
    "completion-net.safetensors": {"kind": "network", "quadrants": 1, "seed": 0},
    "completion-cvae.safetensors": {"kind": "cvae", "quadrants": 1, "seed": 0},
}


def build(kind: str, quadrants: int, network: dict, seed: int) -> Model:
    """An untrained model of this kind."""
    with seeded(seed):
        if kind == "cvae":
            return CompletionVAE(quadrants, **network)
        if kind == "network":
            return CompletionNet(quadrants, network["hidden"])
        return CompletionNet(quadrants, [width(quadrants, network)] * 2)


def width(quadrants: int, network: dict) -> int:
    """The width at which two hidden layers have as many parameters as the CVAE, or just more."""
    wanted = count(CompletionVAE(quadrants, **network))
    seen = 196 * quadrants
    hidden = 1
    while hidden * (seen + 1 + hidden + 1 + 784 - seen) + 784 - seen < wanted:
        hidden += 1
    return hidden


def count(model: Model) -> int:
    """Trained numbers."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def run(
    images: Images, config: dict, checkpoint: Path, kind: str, quadrants: int, seed: int
) -> Outcome:
    """Train one model and measure its conditional log-likelihood.

    Raises KeyboardInterrupt when the training was interrupted.
    """
    model = build(kind, quadrants, config["model"], seed)
    history = fit(model, images, seed=seed, checkpoint=checkpoint, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    start = time.perf_counter()
    sizes = config["evaluation"]
    few = images.test[: sizes["nll_images"]]
    likelihood = nll(model, few, k=sizes["nll_k"] if kind == "cvae" else 1)
    figures = {"nll": likelihood.mean}
    if kind == "cvae":
        figures["negative_elbo"] = -elbo(model, few, k=50).mean
        figures["nll_prior"] = nll_by_prior(model, few, sizes["nll_k"]).mean
    figures |= {"parameters": count(model), "training_seconds": history.seconds}
    return Outcome(model, figures, {"nll": likelihood.stderr}, time.perf_counter() - start)


def nll_by_prior(model: CompletionVAE, split: Split, k: int) -> Estimate:
    """−log of the mean of p(t | z, c) over k draws of z from p(z | c), for each image, in nats."""
    x = observe(split.pixels, "binary", torch.Generator().manual_seed(0))
    with torch.inference_mode(), seeded(0):
        weights = [model.prior_log_weights(part, k) for part in x.split(max(1, 1_000 // k))]
    return Estimate(math.log(k) - torch.cat(weights, 1).logsumexp(0))
