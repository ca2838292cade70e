"""The VAE with a price on its rate: β-VAE (Higgins et al. 2017) and free bits (Kingma et al. 2016).

Both change what training minimises and nothing else: `log_weights`, and with it `elbo` and `nll`,
are those of the VAE, so models trained at different prices are compared by one measure.
"""

import math

import torch
from torch import Tensor

from vaeutil.models.vae import VAE


class BetaVAE(VAE):
    """A VAE trained on distortion + beta · rate, with `free_bits` nats a dimension free of charge.

    - `beta`: nats of distortion that a nat of rate must save; 1 is the VAE. (β-VAE, Higgins et al.
      2017, eq. 4.)
    - `free_bits`: λ, in nats for each latent dimension: the rate of dimension j, averaged over the
      batch, is charged as max(λ, rate_j), so below λ it feels no pull. (Kingma et al. 2016,
      arXiv:1606.04934, appendix C.8.) 0 charges everything.

    `loss` is −ELBO only for beta=1 and free_bits=0; its parts are the plain ones, without price.
    Raises ValueError for a beta or free_bits that is negative or not finite.
    """

    def __init__(
        self,
        latent,
        net="mlp",
        hidden=None,
        likelihood="bernoulli",
        sigma=None,
        beta=1.0,
        free_bits=0.0,
    ):
        for name, value in {"beta": beta, "free_bits": free_bits}.items():
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} must be a number from 0 on, not {value!r}.")
        super().__init__(latent, net, hidden, likelihood, sigma)
        self.config |= {"beta": beta, "free_bits": free_bits}

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """What training minimises, then distortion and rate under the VAE's names, in nats (means).

        One posterior sample an image, the KL exact.
        """
        q = self.posterior(x)
        reconstruction = -self.likelihood(q.rsample()).log_prob(x).mean()
        by_dimension = rates(q.mean, q.stddev).mean(0)
        charged = by_dimension.clamp(min=self.config["free_bits"]).sum()
        return {
            "loss": reconstruction + self.config["beta"] * charged,
            "reconstruction": reconstruction,
            "kl": by_dimension.sum(),
        }


def rates(mean: Tensor, std: Tensor) -> Tensor:
    """KL(N(mean, std²) ‖ N(0, 1)) of each dimension by itself: [..., d] → [..., d], in nats.

    ½ (μ² + σ² − 1 − log σ²), the terms whose sum is `gaussian_kl`. Raises ValueError when the
    shapes differ.
    """
    if mean.shape != std.shape:
        raise ValueError(f"Mean {list(mean.shape)} and std {list(std.shape)} must have one shape.")
    return 0.5 * (mean.square() + std.square() - 1 - 2 * torch.log(std))
