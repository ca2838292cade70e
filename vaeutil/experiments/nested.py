"""The NLL of two stored models by importance sampling, for k from 1 to 5,000 nested samples.

One set of 5,000 log-weights for each of the first 500 test images (dynamic binarisation). The
estimate for a smaller k is the mean over all disjoint blocks of k of the same weights, so the
estimates differ by k alone. For the model with two latents also the integral on a grid. Nats.
"""

import hashlib
import math
import time
from importlib import resources
from pathlib import Path

import torch
from torch import Tensor

from vaeutil.data import Images, observe
from vaeutil.experiments.parts import Outcome
from vaeutil.models import VAE, load
from vaeutil.seeding import seeded

CODE = (
    "data/observe.py",
    "models/base.py",
    "models/likelihoods.py",
    "models/storage.py",
    "models/vae.py",
    "nets.py",
    "seeding.py",
)
DATA = "mnist"
CONFIG = {
    "evaluation": {"images": 500, "samples": 5_000, "side": 401},
    "weights_sha256": {
        "hero": "16e76d68b9b14e37182f65a4ea682b92518a350be43b1c05fb38e1875fef6af1",
        "vae": "d0a39e12d4a1b3fb7f85c941a368d0bff9e36e89e7d2f1ffab680ae562dd4854",
    },
}
SMOKE = {"evaluation": {"images": 6, "samples": 20, "side": 15}}
RUNS = [{"model": "vae"}, {"model": "hero"}]
WEIGHTS = {}
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_500, 5_000)
PART = 20  # images at once: their decodings stay in the cache


def run(images: Images, config: dict, checkpoint: Path, model: str) -> Outcome:
    """Measure one stored model. It leaves no checkpoint.

    Figures: nll_K, the mean over images of −log (1/K) Σ w; excess_K, how far that lies above the
    estimate from all samples; far_K, the share of images for which it lies above by more than
    half a nat; grid, the exact NLL (hero only). Errors: standard errors of the means over images,
    of excess_K those of the paired differences.

    Raises ValueError when the stored weights are not those that the configuration names.
    """
    start = time.perf_counter()
    path = resources.files("vaeutil") / "results" / f"{model}.safetensors"
    if hashlib.sha256(path.read_bytes()).hexdigest() != config["weights_sha256"][model]:
        raise ValueError(f"{path} holds other weights than those that this experiment measures.")
    loaded, sizes = load(path), config["evaluation"]
    test = images.test[: sizes["images"]]
    x = observe(test.pixels, "binary", torch.Generator().manual_seed(0))
    log_w = log_weights(loaded, x, sizes["samples"])
    best = -nested(log_w, len(log_w))
    figures, errors = {}, {}
    for k in (size for size in SIZES if len(log_w) % size == 0):
        values = -nested(log_w, k)
        excess = values - best
        figures |= {f"nll_{k}": values.mean().item(), f"excess_{k}": excess.mean().item()}
        figures[f"far_{k}"] = (excess > 0.5).double().mean().item()
        errors |= {f"nll_{k}": standard_error(values), f"excess_{k}": standard_error(excess)}
    if model == "hero":
        exact = -on_grid(loaded, x, sizes["side"])
        figures["grid"] = exact.mean().item()
        errors["grid"] = standard_error(exact)
        figures["excess_over_grid"] = (best - exact).mean().item()
        errors["excess_over_grid"] = standard_error(best - exact)
    return Outcome(loaded, figures, errors, time.perf_counter() - start)


def nested(log_w: Tensor, k: int) -> Tensor:
    """The mean of log (1/k) Σ w over the disjoint blocks of k: [samples, n] → [n]."""
    return (log_w.unflatten(0, (-1, k)).logsumexp(1) - math.log(k)).mean(0)


@torch.inference_mode()
def log_weights(model: VAE, x: Tensor, samples: int, seed: int = 0) -> Tensor:
    """The model's log-weights [samples, n] in double precision."""
    with seeded(seed):
        columns = []
        for part in x.split(PART):
            pieces = [model.log_weights(part, min(50, samples)) for _ in range(0, samples, 50)]
            columns.append(torch.cat(pieces)[:samples].double())
    return torch.cat(columns, 1)


@torch.inference_mode()
def on_grid(model: VAE, x: Tensor, side: int) -> Tensor:
    """log p(x) of a model with two latents, by a sum over a grid of side² codes: [n]."""
    axis = torch.linspace(-5, 5, side)
    rows = []
    for z in torch.cartesian_prod(axis, axis).split(5_000):
        logits = model.preactivations(z)
        fit = logits @ x.T - torch.nn.functional.softplus(logits).sum(-1, keepdim=True)
        rows.append((fit + model.prior.log_prob(z)[:, None]).double().logsumexp(0))
    return torch.stack(rows).logsumexp(0) + 2 * (axis[1] - axis[0]).log().double()


def standard_error(values: Tensor) -> float:
    """Of the mean."""
    return values.std().item() / math.sqrt(len(values))
