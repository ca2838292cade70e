"""What each trick of the training recipe buys: the common VAE with one of them left out.

The network and the recipe of `variant`: Adam, a learning rate that rises, then falls along a
cosine, GELU, the initial weights of Glorot and Bengio, an output bias that starts at the mean
image, pixels binarised anew in each step, clipping of the gradient. Each kind leaves one of them
out, "customary" all but the binarisation, as many programs do. Five seeds; runs with the same seed
see the same images in the same order, and start from the same weights where these are not what is
changed. Figures in nats.
"""

import math
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from vaeutil.data import Images, Split, observe
from vaeutil.evaluation import elbo, nll
from vaeutil.experiments import variant
from vaeutil.experiments.parts import Outcome
from vaeutil.models import VAE
from vaeutil.seeding import seeded
from vaeutil.training import learning_rate

CODE = variant.CODE
DATA = "mnist"
CONFIG = {
    "model": variant.NETWORK,
    "training": {"steps": 2_000, "batch": 128, "lr": 2e-3, "warmup": 200, "clip": 150.0},
    "evaluation": variant.EVALUATION,
}
SMOKE = variant.SMOKE
# What is in the place of a trick, as arguments of `build` and `train`; "once" of the images.
KINDS = {
    "book": {},
    "constant": {"constant": 2e-3},
    "constant-1e-3": {"constant": 1e-3},
    "tanh": {"activation": nn.Tanh},
    "default-weights": {"weights": "torch"},
    "zero-bias": {"mean_image": False},
    "binarised-once": {"once": True},
    "unclipped": {"clip": math.inf},
    "customary": {
        "constant": 1e-3,
        "activation": nn.Tanh,
        "weights": "torch",
        "mean_image": False,
        "clip": math.inf,
    },
}
RUNS = [{"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS]
WEIGHTS: dict[str, dict] = {}


def run(images: Images, config: dict, checkpoint: Path, kind: str, seed: int) -> Outcome:
    """Train without the trick, and measure on the first test images, binarised once for all.

    Figures: negative_elbo by one sample on each of elbo_images images; nll by nll_k importance
    samples on the first nll_images of them; processor_seconds of the training, all threads.
    Errors: standard errors of the means over images, for this model. A run is short: it leaves no
    checkpoint.
    """
    settings = {**config["training"], **KINDS[kind]}
    shape = {name: settings.pop(name) for name in ("activation", "weights") if name in settings}
    once = settings.pop("once", False)
    with seeded(seed):
        model = build(config["model"], **shape)
    began = time.process_time()
    train(model, binarised_once(images, seed) if once else images, seed, **settings)
    spent = time.process_time() - began
    start = time.perf_counter()
    sizes = config["evaluation"]
    bound = -elbo(model, images.test[: sizes["elbo_images"]])
    likelihood = nll(model, images.test[: sizes["nll_images"]], k=sizes["nll_k"])
    figures = {
        "negative_elbo": bound.mean,
        "nll": likelihood.mean,
        "processor_seconds": spent,
    }
    errors = {"negative_elbo": bound.stderr, "nll": likelihood.stderr}
    return Outcome(model, figures, errors, time.perf_counter() - start)


def build(sizes: dict, activation: type[nn.Module] = nn.GELU, weights: str = "glorot") -> VAE:
    """The common VAE; weights="torch" draws them as nn.Linear does, biases included."""
    model = VAE(**sizes)
    for network in (model.encoder, model.decoder):
        for place, layer in enumerate(network):
            if isinstance(layer, nn.GELU):
                network[place] = activation()
            elif weights == "torch":
                layer.reset_parameters()
    return model


def binarised_once(images: Images, seed: int) -> Images:
    """The training images black and white for good: `observe` leaves them as they are."""
    generator = torch.Generator().manual_seed(seed)
    drawn = observe(images.train.pixels, "binary", generator).mul(255).to(torch.uint8)
    train = Split(drawn.view_as(images.train.pixels), images.train.labels)
    return replace(images, train=train)


def train(
    model: VAE,
    images: Images,
    seed: int,
    *,
    steps: int,
    batch: int,
    lr: float,
    warmup: int,
    clip: float,
    constant: float | None = None,
    mean_image: bool = True,
) -> None:
    """The loop of `vaeutil.training.fit`, to the same bits, but that tricks can be left out.

    constant: a learning rate in the place of the schedule of `fit`; mean_image: whether the output
    bias starts at the mean image. Everything on the CPU.
    """
    pixels = images.train.pixels.flatten(1)
    parameters = list(model.parameters())
    optimiser = torch.optim.Adam(parameters, lr=lr, fused=True)
    batches = len(pixels) // batch
    model.train()
    with seeded(seed):
        if mean_image:
            model.start_at_mean(pixels)
        for step in range(steps):
            at = step % batches
            if at == 0:
                generator = torch.Generator().manual_seed(seed * 1_000_003 + step // batches)
                order = torch.randperm(len(pixels), generator=generator)
            x = observe(pixels[order[at * batch : (at + 1) * batch]], model.observation)
            rate = constant or learning_rate(step, steps, lr, warmup)
            for group in optimiser.param_groups:
                group["lr"] = rate
            loss = model.loss(x)["loss"]
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, clip)
            optimiser.step()
    if not loss.isfinite():
        raise FloatingPointError(f"The last loss is {loss.item()}: the training has diverged.")
    model.fresh = False
    model.eval()
