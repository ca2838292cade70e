"""The variational autoencoder (Kingma & Welling 2013, arXiv:1312.6114)."""

import math

import torch
import torch.distributions as td
from torch import Tensor, nn

from vaeutil.divergences import gaussian_kl
from vaeutil.models.base import Model
from vaeutil.models.likelihoods import Bernoulli, gaussian


class VAE(Model):
    """Standard Gaussian prior, diagonal Gaussian posterior, one decoder.

    - prior p(z) = N(0, I)
    - posterior q(z | x) = N(μ(x), diag σ(x)²), the encoder giving μ and log σ²
    - likelihood p(x | z): "bernoulli" on binary pixels, or "gaussian" on dequantised ones, with
      mean sigmoid(decoder(z)) and one standard deviation `sigma` for all pixels (None: learned).

    Raises ValueError for an unknown likelihood, a sigma that is not positive, or a sigma given to
    the Bernoulli likelihood, which has none.
    """

    codes_per_latent = 2

    def __init__(self, latent, net="mlp", hidden=None, likelihood="bernoulli", sigma=None):
        super().__init__(latent, net, hidden)
        if likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(f"likelihood is {likelihood!r}; choose bernoulli or gaussian.")
        if sigma is not None and (likelihood == "bernoulli" or not 0 < sigma < math.inf):
            raise ValueError("sigma must be a positive number, and is for the gaussian likelihood.")
        self.config |= {"likelihood": likelihood, "sigma": sigma}
        self.register_buffer("origin", torch.zeros(latent), persistent=False)
        if likelihood == "gaussian":
            self.observation = "dequantised"
            log_sigma = torch.tensor(math.log(sigma if sigma is not None else 0.3))
            if sigma is None:
                self.log_sigma = nn.Parameter(log_sigma)
            else:
                self.register_buffer("log_sigma", log_sigma, persistent=False)

    @property
    def prior(self) -> td.Distribution:
        """p(z), over [latent]."""
        return gaussian(self.origin, torch.ones_like(self.origin))

    def posterior(self, x: Tensor) -> td.Distribution:
        """q(z | x) for each of [batch, 784] images, over [latent]."""
        mean, log_variance = self.encoder(self.check_images(x)).float().chunk(2, -1)
        return gaussian(mean, (0.5 * log_variance).exp())

    def likelihood(self, z: Tensor) -> td.Distribution:
        """p(x | z) for codes [..., latent], over [784]."""
        if self.config["likelihood"] == "bernoulli":
            return Bernoulli(self.preactivations(z))
        return gaussian(self.decode(z), self.log_sigma.exp())

    def log_weights(self, x: Tensor, k: int, y: Tensor | None = None) -> Tensor:
        """log p(x, z) − log q(z | x) at k posterior samples of each image: [k, batch], in nats.

        The mean over k estimates the ELBO; log-mean-exp over k the importance-weighted bound
        (Burda et al. 2015, arXiv:1509.00519, eq. 8), which tends to log p(x).
        """
        if k < 1:
            raise ValueError(f"log_weights needs at least one sample of each image, not k={k}.")
        q = self.posterior(x)
        z = q.rsample((k,))
        return self.likelihood(z).log_prob(x) + self.prior.log_prob(z) - q.log_prob(z)

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−ELBO from one sample with the exact KL, and its two parts, in nats (means)."""
        q = self.posterior(x)
        reconstruction = -self.likelihood(q.rsample()).log_prob(x).mean()
        kl = gaussian_kl(q.mean, q.stddev).mean()
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def encode(self, x: Tensor) -> Tensor:
        """The posterior mean of each image: [batch, 784] → [batch, latent]."""
        return self.posterior(x).mean

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """Decoder means at n draws from the prior: [n, 784], in [0, 1].

        These are means, not draws of x; `likelihood(z).sample()` draws the pixels as well.
        """
        return self.decode(self.prior.sample((n,)))
