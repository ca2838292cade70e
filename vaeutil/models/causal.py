"""A VAE whose decoder lets each pixel see the pixels before it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaeutil.models.vae import VAE
from vaeutil.nets import PIXELS, SIDE

REACH = 3  # rows above, and columns to either side
SEEN = REACH * (2 * REACH + 1) + REACH  # 24 earlier pixels


class CausalBernoulli:
    """Binary pixels, each depending on its 24 neighbours above and to the left.

    log p(x) = Σᵢ log Bernoulli(xᵢ; aᵢ + Σⱼ wᵢⱼ x_before(i, j)), in nats, exact: by the chain rule
    each pixel is given all that come before it, row by row. logits a: [..., 784]; weights w:
    [24, 784]. There is no closed mean.
    """

    def __init__(self, logits: Tensor, weights: Tensor):
        self.logits, self.weights = logits, weights

    def log_prob(self, x: Tensor) -> Tensor:
        """[batch, 784] for logits [..., batch, 784] → [..., batch]."""
        logits = self.logits + (before(x) * self.weights).sum(-2)
        return (logits * x - F.softplus(logits)).sum(-1)

    @torch.no_grad()
    def sample(self) -> Tensor:
        """One image for each vector of logits [..., 784], drawn pixel by pixel."""
        flat = self.logits.reshape(-1, SIDE, SIDE)
        image = flat.new_zeros(len(flat), SIDE + REACH, SIDE + 2 * REACH)  # with a black margin
        noise = torch.rand_like(flat)
        weights = self.weights.reshape(SEEN, SIDE, SIDE)
        for row in range(SIDE):
            for column in range(SIDE):
                window = image[:, row : row + REACH + 1, column : column + 2 * REACH + 1]
                seen = window.flatten(1)[:, :SEEN]
                logit = flat[:, row, column] + seen @ weights[:, row, column]
                on = noise[:, row, column] < logit.sigmoid()
                image[:, row + REACH, column + REACH] = on.to(image.dtype)
        return image[:, REACH:, REACH:-REACH].reshape(self.logits.shape)


class CausalVAE(VAE):
    """A Bernoulli VAE with 24 more weights a pixel: its pixels are not independent given z.

    p(x | z) is a CausalBernoulli, whose weights do not depend on z. The simplest of the
    autoregressive decoders (Gulrajani et al. 2016, arXiv:1611.05013, use a deep one).
    """

    def __init__(self, latent, net="mlp", hidden=None):
        super().__init__(latent, net, hidden)
        self.config = {name: self.config[name] for name in ("latent", "net", "hidden")}
        self.weights = nn.Parameter(torch.zeros(SEEN, PIXELS))

    def likelihood(self, z: Tensor) -> CausalBernoulli:
        """p(x | z) for codes [..., latent], over [784]."""
        return CausalBernoulli(self.preactivations(z), self.weights)

    def decode(self, z: Tensor) -> Tensor:
        """Refused: the mean image has no closed form. Raises TypeError."""
        raise TypeError("A causal decoder has no mean in closed form: draw likelihood(z).sample().")

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """n draws of x, not means: [n, 784], 0 or 1."""
        return self.likelihood(self.prior.sample((n,))).sample()


def before(x: Tensor) -> Tensor:
    """The 24 earlier neighbours of each pixel, 0 outside: [batch, 784] → [batch, 24, 784].

    First the three rows above, from left to right and down, then three pixels to the left.
    """
    padded = F.pad(x.reshape(-1, 1, SIDE, SIDE), (REACH, REACH, REACH, 0))
    return F.unfold(padded, (REACH + 1, 2 * REACH + 1))[:, :SEEN]
