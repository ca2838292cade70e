"""InfoVAE: a VAE with a price on the rate and a price on the aggregate posterior.

Zhao, Song & Ermon 2017 (arXiv:1706.02262). What training minimises changes, and nothing else:
`log_weights`, and with it `elbo` and `nll`, are those of the VAE.
"""

import math

import torch
import torch.distributions as td
from torch import Tensor

from vaeutil.divergences import gaussian_kl
from vaeutil.mmd import imq_scales, mmd2
from vaeutil.models.causal import CausalVAE
from vaeutil.models.likelihoods import gaussian
from vaeutil.models.vae import VAE


class InfoVAE(VAE):
    """A VAE trained on distortion + (1 − alpha) · rate + (alpha + lam − 1) · MMD²(q(z), p(z)).

    - `alpha`: what a nat of mutual information is worth; `lam`: what a nat between q(z) and p(z)
      costs, where the divergence is a KL. With the MMD in its place, alpha + lam − 1 is no more
      than the weight of MMD², in nats: between 0 and 2 times it is paid.
    - `floor`: σ(x) = √(floor² + exp(log σ²)), so no posterior is narrower. 0 for none.

    alpha=0, lam=1 is the VAE, lam = 1 − alpha the β-VAE with β = 1 − alpha, alpha=1 the WAE-MMD
    with a stochastic encoder. The MMD is the unbiased one, between one posterior draw of each image
    of the batch and as many prior draws, with the kernel `mmd.imq_scales`.

    Raises ValueError for alpha above 1 or alpha + lam below 1, which would *reward* a rate or a
    discrepancy, and for a floor that is negative or not finite.
    """

    def __init__(
        self,
        latent,
        net="mlp",
        hidden=None,
        likelihood="bernoulli",
        sigma=None,
        alpha=0.0,
        lam=1.0,
        floor=0.0,
    ):
        _check_prices(alpha, lam)
        if not 0 <= floor < math.inf:
            raise ValueError(f"floor must be a number from 0 on, not {floor!r}.")
        super().__init__(latent, net, hidden, likelihood, sigma)
        self.config |= {"alpha": alpha, "lam": lam, "floor": floor}

    def posterior(self, x: Tensor) -> td.Distribution:
        """q(z | x) for each of [batch, 784] images, over [latent]."""
        q, floor = super().posterior(x), self.config["floor"]
        return gaussian(q.mean, (q.variance + floor**2).sqrt()) if floor else q

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """`info_loss` at the model's alpha and lam."""
        return info_loss(self, x, self.config["alpha"], self.config["lam"])


class CausalInfoVAE(CausalVAE):
    """A CausalVAE, whose pixels see their neighbours, trained on InfoVAE's objective.

    Raises ValueError as `InfoVAE` does.
    """

    def __init__(self, latent, net="mlp", hidden=None, alpha=0.0, lam=1.0):
        _check_prices(alpha, lam)
        super().__init__(latent, net, hidden)
        self.config |= {"alpha": alpha, "lam": lam}

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """`info_loss` at the model's alpha and lam."""
        return info_loss(self, x, self.config["alpha"], self.config["lam"])


def info_loss(model: VAE, x: Tensor, alpha: float, lam: float) -> dict[str, Tensor]:
    """What training minimises, then its parts without price: reconstruction, kl, mmd2 (means).

    One posterior sample an image, the KL exact. Where alpha + lam = 1 the MMD has no weight; then
    nothing is drawn for it and mmd2 is 0, so that the VAE's training is repeated draw by draw.
    """
    q = model.posterior(x)
    z = q.rsample()
    reconstruction = -model.likelihood(z).log_prob(x).mean()
    kl = gaussian_kl(q.mean, q.stddev).mean()
    weight = alpha + lam - 1
    if weight > 0:
        discrepancy = mmd2(z, model.prior.sample((len(z),)), imq_scales(model.latent))
    else:
        discrepancy = torch.zeros_like(kl)
    return {
        "loss": reconstruction + (1 - alpha) * kl + weight * discrepancy,
        "reconstruction": reconstruction,
        "kl": kl,
        "mmd2": discrepancy,
    }


def _check_prices(alpha: float, lam: float) -> None:
    if not (math.isfinite(alpha) and math.isfinite(lam)) or alpha > 1:
        raise ValueError(f"alpha must be a number up to 1 and lam a number: {alpha!r}, {lam!r}.")
    if alpha + lam < 1:
        raise ValueError(
            f"alpha + lam − 1 = {alpha + lam - 1:g} is the weight of the discrepancy between q(z) "
            "and p(z); below zero, training would drive them apart."
        )
