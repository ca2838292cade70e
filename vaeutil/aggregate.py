"""The aggregate posterior q(z) = (1/N) Σ q(z | xₙ) by its moments, and what rescaling z changes.

Everything here is for diagonal Gaussian posteriors N(meanₙ, diag stdₙ²), given as two tensors
[N, d]; `posteriors` takes them from a model.
"""

import copy

import torch
from torch import Tensor, nn

from vaeutil.data import Split, observe
from vaeutil.models.vae import VAE

ROWS = 1_000


def posteriors(model: VAE, split: Split, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of q(z | x) for each image, float64 on the CPU: two [N, d].

    The images are observed once, by `seed`, as `vaeutil.evaluation.elbo` does.
    """
    x = observe(split.pixels, model.observation, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        laws = [model.posterior(part.to(model.device)) for part in x.split(ROWS)]
    return tuple(
        torch.cat([getattr(q, name).cpu().double() for q in laws]) for name in ("mean", "stddev")
    )


def covariance(mean: Tensor, std: Tensor) -> Tensor:
    """Cov q(z), [d, d]: the mean of the covariances plus the covariance of the means, exact."""
    _checked(mean, std)
    return mean.T.cov(correction=0).reshape(mean.shape[1], -1) + torch.diag(std.square().mean(0))


def log_det_cov(mean: Tensor, std: Tensor) -> float:
    """log det Cov q(z): 0 for the prior N(0, I), positive where q(z) is spread wider."""
    return torch.logdet(covariance(mean, std)).item()


def second_moments(mean: Tensor, std: Tensor) -> Tensor:
    """E[μⱼ² + σⱼ²] over the images, the second moment of zⱼ under q(z): [d]."""
    _checked(mean, std)
    return (mean.square() + std.square()).mean(0)


def rescaling_gain(mean: Tensor, std: Tensor) -> float:
    """The nats of KL that the best factor for each dimension saves, the decoder undoing it.

    With m = E[μ² + σ²] the factor is 1/√m and the gain ½ Σ (m − 1 − log m): none exactly where all
    m are 1.
    """
    moments = second_moments(mean, std)
    return 0.5 * (moments - 1 - moments.log()).sum().item()


@torch.no_grad()
def rescaled(model: VAE, factors: Tensor) -> VAE:
    """A copy whose code is factors ⊙ z: encoder and decoder changed so that images stay the same.

    Raises ValueError unless there is one positive factor for each dimension, for networks that do
    not end and begin with a linear layer, or for a floor under σ, which cannot be rescaled.
    """
    head, first = model.encoder[-1], model.decoder[0]
    if not (isinstance(head, nn.Linear) and isinstance(first, nn.Linear)):
        raise ValueError("Only between two linear layers can a factor be absorbed.")
    if model.config.get("floor"):
        raise ValueError("A floor under σ does not scale with the code.")
    if factors.shape != (model.latent,) or not (factors > 0).all():
        raise ValueError(f"One positive factor for each of {model.latent} dimensions is needed.")
    other = copy.deepcopy(model)
    head, first = other.encoder[-1], other.decoder[0]
    factors = factors.to(head.weight)
    head.weight[: model.latent] *= factors[:, None]
    head.bias[: model.latent] *= factors
    head.bias[model.latent :] += 2 * factors.log()  # log σ²
    first.weight /= factors
    return other


def mixture_log_prob(z: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """log q(z) of the equal mixture of N(mean[n], diag std[n]²): [m, d] → [m], in nats.

    By differences, so it stays exact for posteriors that are very narrow and far apart, where
    `information.aggregate_log_prob`, by products, loses digits; slower than that.
    """
    _checked(mean, std)
    constant = std.log().sum(1) + 0.5 * z.shape[1] * torch.log(torch.tensor(2 * torch.pi))
    parts = []
    for some in z.split(100):
        squares = torch.zeros(len(some), len(mean), dtype=z.dtype)
        for j in range(z.shape[1]):
            squares += ((some[:, j, None] - mean[:, j]) / std[:, j]).square()
        parts.append((-0.5 * squares - constant).logsumexp(1))
    return torch.cat(parts) - torch.log(torch.tensor(len(mean), dtype=z.dtype))


def _checked(mean: Tensor, std: Tensor) -> None:
    if mean.ndim != 2 or mean.shape != std.shape or len(mean) < 2:
        raise ValueError(
            f"mean and std must be two [N, d], N at least 2; not {list(mean.shape)} and "
            f"{list(std.shape)}."
        )
