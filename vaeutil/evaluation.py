"""How good a model is: ELBO, NLL and active units, each with its error."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaeutil.data import Split, observe
from vaeutil.models import Model
from vaeutil.seeding import seeded

# Decoded images held at once. On a CPU a thousand stay in the cache, which is about 1.5 times
# faster than larger pieces; a GPU wants many.
ROWS = {"cpu": 1_000}
ROWS_ELSEWHERE = 200_000
SAMPLES = 50  # of those, samples of one image


@dataclass(frozen=True)
class Estimate:
    """A mean over images with its standard error; `values` holds one number an image, in nats.

    The standard error is that of the mean over images as a sample of all images.
    """

    values: Tensor

    @property
    def mean(self) -> float:
        """The mean over images, in nats."""
        return self.values.mean().item()

    @property
    def stderr(self) -> float:
        """The standard error of the mean, in nats."""
        return self.values.std().item() / math.sqrt(len(self.values))

    def __neg__(self) -> "Estimate":
        return Estimate(-self.values)

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.stderr:.2f} nats"


@dataclass(frozen=True)
class ActiveUnits:
    """How many latent dimensions carry information, and the `variances` that say so: [latent]."""

    count: int
    variances: Tensor


def elbo(model: Model, split: Split, k: int = 1, seed: int = 0) -> Estimate:
    """The ELBO of each image, by k samples of its posterior; the higher the better, in nats.

    The pixels are observed (binarised, dequantised) once, by `seed`, the same for every model.
    Raises TypeError for a model without a density, ValueError for k < 1 or an empty split.
    """
    return Estimate(_over_images(model, split, k, seed, lambda w: w.mean(0)))


def nll(model: Model, split: Split, k: int = 500, seed: int = 0) -> Estimate:
    """−log p(x) of each image, estimated by importance sampling with k samples; positive nats.

    −log (1/k) Σ p(x, z)/q(z | x) (Burda et al. 2015, arXiv:1509.00519, eq. 8). In expectation it is
    an upper bound of the true value, tighter the larger k is: always report k.
    Raises TypeError for a model without a density, ValueError for k < 1 or an empty split.
    """
    return Estimate(_over_images(model, split, k, seed, lambda w: math.log(k) - w.logsumexp(0)))


def active_units(model: Model, split: Split, threshold: float = 1e-2, seed: int = 0) -> ActiveUnits:
    """Latent dimensions whose posterior mean varies over the images by more than `threshold`.

    Var_x(E_q[z | x]) > 0.01 (Burda et al. 2015, arXiv:1509.00519, section 5.2).
    """
    x = _observed(model, split, seed)
    with torch.inference_mode():
        means = torch.cat([model.encode(part.to(model.device)).cpu() for part in x.split(1_000)])
    variances = means.var(0)
    return ActiveUnits(int((variances > threshold).sum()), variances)


def _over_images(model: Model, split: Split, k: int, seed: int, reduce) -> Tensor:
    """Apply `reduce` to the log-weights [k, batch] of a few images at a time: [N]."""
    if not hasattr(model, "log_weights"):
        raise TypeError(f"{type(model).__name__} gives no density, so it has no ELBO and no NLL.")
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k counts samples of each image: a whole number from 1 on, not {k!r}.")
    device = model.device
    rows = ROWS.get(device.type, ROWS_ELSEWHERE)
    samples = min(k, SAMPLES)
    x = _observed(model, split, seed)
    values = []
    with torch.inference_mode(), seeded(seed, device):
        for part in x.split(max(1, rows // samples)):
            part = part.to(device)
            weights = [model.log_weights(part, n) for n in _pieces(k, samples)]
            values.append(reduce(torch.cat(weights)).cpu())
    return torch.cat(values)


def _observed(model: Model, split: Split, seed: int) -> Tensor:
    if len(split) < 2:
        raise ValueError("At least two images are needed to give a standard error.")
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same x on every device
    return observe(split.pixels, model.observation, generator)


def _pieces(total: int, size: int) -> list[int]:
    return [size] * (total // size) + ([total % size] if total % size else [])
