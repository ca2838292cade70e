"""The linear-Gaussian model (probabilistic PCA): evidence, posterior and gap in closed form.

Tipping & Bishop 1999 (doi:10.1111/1467-9868.00196). It is the VAE whose decoder is one linear
layer, so every claim about bounds can be held against the exact answer.
"""

import math

import torch
import torch.distributions as td
from torch import Tensor

from vaeutil.divergences import gaussian_kl_full


class LinearGaussian:
    """p(z) = N(0, I) over [d], p(x | z) = N(weight z + mean, sigma² I) over [D].

    weight: [D, d]; mean: [D]; sigma: a positive number. All results are in nats and in the dtype
    of weight. Raises ValueError for shapes that do not match or a sigma that is not positive.
    """

    def __init__(self, weight: Tensor, mean: Tensor, sigma: float):
        if weight.ndim != 2 or mean.shape != weight.shape[:1]:
            raise ValueError(
                f"weight [D, d] and mean [D] are needed, not {list(weight.shape)} and "
                f"{list(mean.shape)}."
            )
        sigma = float(sigma)
        if not 0 < sigma < math.inf:
            raise ValueError(f"sigma must be a positive number, not {sigma}.")
        self.weight, self.mean, self.sigma = weight, mean, sigma
        self.latent = weight.shape[1]

    @property
    def prior(self) -> td.MultivariateNormal:
        """p(z)."""
        return td.MultivariateNormal(self.weight.new_zeros(self.latent), self._eye())

    @property
    def marginal(self) -> td.LowRankMultivariateNormal:
        """p(x) = N(mean, weight weightᵀ + sigma² I), over [D]."""
        noise = torch.full_like(self.mean, self.sigma**2)
        return td.LowRankMultivariateNormal(self.mean, self.weight, noise)

    def likelihood(self, z: Tensor) -> td.Independent:
        """p(x | z) for codes [..., d], over [D]."""
        return td.Independent(td.Normal(z @ self.weight.T + self.mean, self.sigma), 1)

    @property
    def precision(self) -> Tensor:
        """The inverse of the posterior's covariance, I + weightᵀ weight / sigma²: [d, d]."""
        return self._eye() + self.weight.T @ self.weight / self.sigma**2

    def posterior(self, x: Tensor) -> td.MultivariateNormal:
        """The exact p(z | x) of each of [n, D] points; its covariance is the same for all."""
        covariance = torch.linalg.inv(self.precision)
        covariance = (covariance + covariance.T) / 2  # symmetric up to rounding is not symmetric
        centre = self._check(x) @ self.weight @ covariance / self.sigma**2
        return td.MultivariateNormal(centre, covariance)

    def log_evidence(self, x: Tensor) -> Tensor:
        """log p(x): [n, D] → [n]."""
        self._check(x)
        return self.marginal.log_prob(x)

    def elbo(self, x: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
        """The exact ELBO of x [n, D] under q = N(mean [n, d], covariance [d, d]): [n]."""
        off = self._check(x) - mean @ self.weight.T
        squares = off.square().sum(-1) + (self.weight.T @ self.weight * covariance).sum()
        fit = -0.5 * (
            squares / self.sigma**2 + off.shape[-1] * math.log(2 * math.pi * self.sigma**2)
        )
        origin = mean.new_zeros(self.latent)
        spread = gaussian_kl_full(origin, covariance, origin, self._eye())
        return fit - spread - 0.5 * mean.square().sum(-1)

    def em_step(self, x: Tensor) -> "LinearGaussian":
        """One step of EM on x [n, D]: exact posterior, then the best weight and sigma for it.

        The mean stays: its best value is the mean of the data. Tipping & Bishop 1999, appendix B.
        """
        q, off = self.posterior(x), x - self.mean
        second = len(x) * q.covariance_matrix[0] + q.mean.T @ q.mean  # Σ E[z zᵀ]
        weight = torch.linalg.solve(second, q.mean.T @ off).T
        squares = off.square().sum() - 2 * (off * (q.mean @ weight.T)).sum()
        squares = squares + (second * (weight.T @ weight)).sum()
        return LinearGaussian(weight, self.mean, (squares / off.numel()).sqrt())

    def _eye(self) -> Tensor:
        return torch.eye(self.latent, dtype=self.weight.dtype)

    def _check(self, x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[-1] != len(self.mean):
            raise ValueError(f"x must be [n, {len(self.mean)}], not {list(x.shape)}.")
        return x - self.mean


def ppca(x: Tensor, latent: int, sigma: float | None = None) -> LinearGaussian:
    """The maximum-likelihood LinearGaussian of points x [n, D], with `latent` columns.

    With eigenvalues λ₁ ≥ λ₂ ≥ … and eigenvectors u_j of the covariance (divided by n):
    column j is u_j √(λ_j − σ²), and σ² is the mean of the D − latent smallest eigenvalues
    (Tipping & Bishop 1999, section 3.2). Where `sigma` is given it stays, and columns with
    λ_j ≤ σ² are zero: those units are dead at the optimum.

    Raises ValueError unless 1 ≤ latent < D and n > 1.
    """
    if x.ndim != 2 or len(x) < 2 or not 1 <= latent < x.shape[-1]:
        raise ValueError(
            f"ppca needs x [n > 1, D] and 1 ≤ latent < D, not {list(x.shape)}, {latent}."
        )
    values, vectors = torch.linalg.eigh(x.T.cov(correction=0))  # from the smallest up
    if sigma is None:
        sigma = values[:-latent].mean().clamp(min=0).sqrt().item()
    kept = (values[-latent:].flip(0) - sigma**2).clamp(min=0)
    return LinearGaussian(vectors[:, -latent:].flip(1) * kept.sqrt(), x.mean(0), sigma)
