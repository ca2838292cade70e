"""What a rise of the ELBO is made of: evidence and gap of small VAEs, exact by a grid over codes.

Two latent dimensions, so that log p(x) is a sum over a grid. First the evidence and the ELBO while
both networks train; then, from the trained model, the changes when the encoder alone, the decoder
alone, or both are trained on for the same number of steps. Figures in nats, means over the first
test images, dynamic binarisation; changes are paired within a seed.
"""

import copy
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from vaeutil.data import Images, observe
from vaeutil.experiments.likelihood import CODE as SHARED
from vaeutil.experiments.parts import Outcome
from vaeutil.models import VAE
from vaeutil.seeding import seeded
from vaeutil.training import fit

__all__ = ["CODE", "CONFIG", "DATA", "RUNS", "SMOKE", "WEIGHTS", "elbo", "evidence", "run"]

CODE = tuple(file for file in SHARED if not file.startswith("experiments/"))
DATA = "mnist"
CONFIG = {
    "model": {"latent": 2, "hidden": [200, 200]},
    "training": {"steps": 3_000, "batch": 128, "lr": 2e-3, "valid_every": 300},
    "further": {"steps": 600, "batch": 128, "lr": 1e-3, "valid_every": 600},
    "evaluation": {"images": 200, "span": 5.0, "side": 141, "draws": 200},
}
SMOKE = {
    "training": {"steps": 10, "valid_every": 5},
    "further": {"steps": 5, "valid_every": 5},
    "evaluation": {"images": 5, "side": 41, "draws": 5},
}
RUNS = [{"seed": seed} for seed in range(5)]
WEIGHTS = {}
FROZEN = {"encoder": "decoder", "decoder": "encoder", "both": None}


@torch.no_grad()
def evidence(model: VAE, x: Tensor, span: float = 5.0, side: int = 141) -> Tensor:
    """log p(x) of binary images [n, 784] under a Bernoulli VAE with two latents: [n], in nats.

    By the sum over side × side codes in [−span, span]², which is exact as long as the posteriors
    are wider than the grid's step and lie inside it.
    """
    line = torch.linspace(-span, span, side)
    total = []
    for z in torch.cartesian_prod(line, line).split(10_000):
        a = model.preactivations(z)
        log_lik = a @ x.T - F.softplus(a).sum(-1, keepdim=True)
        total.append((log_lik + model.prior.log_prob(z)[:, None]).double().logsumexp(0))
    return torch.stack(total).logsumexp(0) + 2 * (line[1] - line[0]).log()


@torch.no_grad()
def elbo(model: VAE, x: Tensor, draws: int, seed: int = 0) -> Tensor:
    """The ELBO of each image of x [n, 784] by `draws` posterior samples, of the same noise."""
    with seeded(seed):
        return model.log_weights(x, draws).double().mean(0)


def run(images: Images, config: dict, checkpoint: Path, seed: int) -> Outcome:
    """Train with this seed, measuring on the way; then train each part on, alone and together.

    Figures: "evidence, step s" and "elbo, step s"; for encoder, decoder and both the changes
    "encoder: elbo", "encoder: evidence", "encoder: gap". A few minutes: `checkpoint` is not used.
    """
    sizes = config["evaluation"]
    x = observe(images.test[: sizes["images"]].pixels, "binary", torch.Generator().manual_seed(0))

    def measure(model):
        log_p = evidence(model, x, sizes["span"], sizes["side"]).mean().item()
        return log_p, elbo(model, x, sizes["draws"]).mean().item()

    with seeded(seed):
        model = VAE(**config["model"])
    figures, seconds = {}, 0.0

    def watch(history):
        nonlocal seconds
        start = time.perf_counter()
        step = len(watched) * config["training"]["valid_every"]
        watched.append(measure(model))
        for name, value in zip(("evidence", "elbo"), watched[-1], strict=True):
            figures[f"{name}, step {step}"] = value
        seconds += time.perf_counter() - start

    watched = []
    watch(None)
    training = {"progress": False, "device": "cpu", "seed": seed}
    history = fit(model, images, watch=watch, **training, **config["training"])
    if history.interrupted:
        raise KeyboardInterrupt
    before = watched[-1]
    for name, frozen in FROZEN.items():
        other = copy.deepcopy(model)
        if frozen:
            getattr(other, frozen).requires_grad_(False)
        fit(other, images, **training | {"seed": seed + 1_000}, **config["further"])
        log_p, bound = (now - then for now, then in zip(measure(other), before, strict=True))
        figures |= {
            f"{name}: elbo": bound,
            f"{name}: evidence": log_p,
            f"{name}: gap": log_p - bound,
        }
    figures["training_seconds"] = history.seconds
    return Outcome(model, figures, {}, seconds)
