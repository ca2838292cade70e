"""What the latents know: rate and distortion, and the rate split in two by the aggregate posterior.

For models whose posterior is a diagonal Gaussian.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaeutil.data import Split, observe
from vaeutil.divergences import gaussian_kl
from vaeutil.evaluation import Estimate
from vaeutil.models import Model
from vaeutil.seeding import seeded

ROWS = 500


@dataclass(frozen=True)
class RateDistortion:
    """The two parts of the −ELBO, image by image: rate + distortion = −ELBO, in nats."""

    rate: Estimate
    distortion: Estimate


@dataclass(frozen=True)
class Information:
    """The rate split in two, in nats: rate = mutual_information + aggregate_kl, draw by draw.

    Hoffman & Johnson 2016, "ELBO surgery". `ceiling` is log N: no more can be told about which of N
    images it is, so a mutual information near it says only that it is at least about that.
    """

    rate: Estimate
    mutual_information: Estimate
    aggregate_kl: Estimate
    ceiling: float


def rate_distortion(model: Model, split: Split, k: int = 1, seed: int = 0) -> RateDistortion:
    """Rate KL(q(z | x) ‖ N(0, I)), exact, and distortion −E_q log p(x | z), by k draws an image.

    Alemi et al. 2018 (arXiv:1711.00464). The images are observed once, by `seed`, as `elbo` does.
    Raises TypeError for a model without Gaussian posteriors, ValueError for k < 1 or fewer than
    two images.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k counts draws for each image: a whole number from 1 on, not {k!r}.")
    rates, distortions = [], []
    with torch.inference_mode(), seeded(seed, model.device):
        for x, q in _posteriors(model, split, seed, max(1, ROWS // k)):
            rates.append(gaussian_kl(q.mean, q.stddev).cpu())
            distortions.append(-model.likelihood(q.sample((k,))).log_prob(x).mean(0).cpu())
    return RateDistortion(Estimate(torch.cat(rates)), Estimate(torch.cat(distortions)))


def information(model: Model, split: Split, k: int = 1, seed: int = 0) -> Information:
    """Mutual information and aggregate KL over the N images of a split, by k draws of each.

    The aggregate posterior is the mixture q(z) = (1/N) Σ q(z | xₙ) over all N images, the one that
    was drawn from included: then the mutual information E log q(z | x)/q(z) is exactly that of an
    image chosen at random from these N and its code, at most log N, and aggregate_kl is
    E log q(z)/p(z). About N² · latent operations: N = 10,000 takes seconds.
    Raises as `rate_distortion` does.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k counts draws for each image: a whole number from 1 on, not {k!r}.")
    with torch.inference_mode(), seeded(seed, model.device):
        posteriors = [q for _, q in _posteriors(model, split, seed, ROWS)]
        mean, std = (
            torch.cat([getattr(q, name).cpu().double() for q in posteriors])
            for name in ("mean", "stddev")
        )
        terms = [_terms(mean, std) for _ in range(k)]
    own, mixture, prior = (torch.stack(column).mean(0) for column in zip(*terms, strict=True))
    return Information(
        Estimate(own - prior),
        Estimate(own - mixture),
        Estimate(mixture - prior),
        math.log(len(own)),
    )


def aggregate_log_prob(z: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """log q(z) of the equal mixture of the Gaussians N(mean[n], diag std[n]²): [m, d] → [m]."""
    z, mean, std = z.double(), mean.double(), std.double()
    weight = std.square().reciprocal()
    # The squares are multiplied out, so that all pairs are two matrix products.
    constant = (
        (mean.square() * weight).sum(-1)
        + 2 * std.log().sum(-1)
        + z.shape[-1] * math.log(2 * math.pi)
    )
    parts = [
        (-0.5 * (part.square() @ weight.T - 2 * part @ (mean * weight).T + constant)).logsumexp(-1)
        for part in z.split(ROWS)
    ]
    return torch.cat(parts) - math.log(len(mean))


def _terms(mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log q(z | x), log q(z) and log p(z) at one draw for each image: three of [N]."""
    noise = torch.randn_like(mean)
    z = mean + std * noise
    scale = 0.5 * mean.shape[-1] * math.log(2 * math.pi)
    own = -0.5 * noise.square().sum(-1) - std.log().sum(-1) - scale
    return own, aggregate_log_prob(z, mean, std), -0.5 * z.square().sum(-1) - scale


def _posteriors(model: Model, split: Split, seed: int, rows: int):
    """The images of a split a few at a time, with their posteriors."""
    if not hasattr(model, "posterior"):
        raise TypeError(f"{type(model).__name__} has no posterior, so it has no rate.")
    if len(split) < 2:
        raise ValueError("At least two images are needed to give a standard error.")
    x = observe(split.pixels, model.observation, torch.Generator().manual_seed(seed))
    for part in x.split(rows):
        part = part.to(model.device)
        yield part, model.posterior(part)
