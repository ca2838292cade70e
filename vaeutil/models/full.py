"""A VAE whose posterior is a Gaussian with a full covariance."""

import torch
import torch.distributions as td
from torch import Tensor

from vaeutil.models.vae import VAE


class FullVAE(VAE):
    """A VAE with q(z | x) = N(μ(x), L(x) L(x)ᵀ), L lower triangular with a positive diagonal.

    The encoder gives μ, log L's diagonal, and d² numbers of which those below the diagonal count.
    Prior and decoder are the VAE's: only the guess is richer.
    """

    def __init__(self, latent, net="mlp", hidden=None, likelihood="bernoulli", sigma=None):
        self.codes_per_latent = 2 + latent
        super().__init__(latent, net, hidden, likelihood, sigma)

    def posterior(self, x: Tensor) -> td.MultivariateNormal:
        """q(z | x) for each of [batch, 784] images, over [latent]."""
        sizes = [self.latent, self.latent, self.latent**2]
        mean, log_diagonal, rest = self.encoder(self.check_images(x)).float().split(sizes, -1)
        below = rest.unflatten(-1, (self.latent, self.latent)).tril(-1)
        root = below + torch.diag_embed(log_diagonal.exp())
        return td.MultivariateNormal(mean, scale_tril=root, validate_args=False)

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−ELBO from one sample with the exact KL, and its two parts, in nats (means)."""
        q = self.posterior(x)
        reconstruction = -self.likelihood(q.rsample()).log_prob(x).mean()
        kl = full_kl(q).mean()
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}


def full_kl(q: td.MultivariateNormal) -> Tensor:
    """KL(q ‖ N(0, I)) by the factor of q's covariance: [batch], in nats.

    ½ (‖L‖² + ‖μ‖² − d) − Σ log Lⱼⱼ.
    """
    root = q.scale_tril
    squares = root.square().sum((-2, -1)) + q.mean.square().sum(-1)
    return 0.5 * (squares - q.mean.shape[-1]) - root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
