"""A VAE whose decoder lets each pixel see as many of the pixels before it as one likes."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaeutil.models.likelihoods import Bernoulli
from vaeutil.models.vae import VAE
from vaeutil.nets import PIXELS


class VisibleBernoulli:
    """Binary pixels, each depending on pixels before it, row by row.

    log p(x) = Σᵢ log Bernoulli(xᵢ; aᵢ + Σⱼ wᵢⱼ xⱼ), j < i, in nats, exact by the chain rule. Logits
    a: [..., 784]; weights w: [784, 784], zero where j ≥ i. There is no closed mean.
    """

    def __init__(self, logits: Tensor, weights: Tensor):
        self.logits, self.weights = logits, weights

    def log_prob(self, x: Tensor) -> Tensor:
        """[batch, 784] for logits [..., batch, 784] → [..., batch]."""
        logits = self.logits + x @ self.weights.T
        return (logits * x - F.softplus(logits)).sum(-1)

    @torch.no_grad()
    def sample(self) -> Tensor:
        """One image for each vector of logits [..., 784], drawn pixel by pixel."""
        logits = self.logits.reshape(-1, PIXELS)
        image, noise = torch.zeros_like(logits), torch.rand_like(logits)
        for pixel in range(PIXELS):
            logit = logits[:, pixel] + image @ self.weights[pixel]
            image[:, pixel] = (noise[:, pixel] < logit.sigmoid()).to(image.dtype)
        return image.reshape(self.logits.shape)


class VisibleVAE(VAE):
    """A Bernoulli VAE with a weight from each pixel to each of the `reach` pixels before it.

    reach=0 is the VAE; reach=783 without a code is the fully visible sigmoid belief network (Frey
    1998), which reads every earlier pixel. The weights do not depend on z: what they can tell, z
    need not. Raises ValueError for a reach outside 0 … 783.
    """

    def __init__(self, latent, net="mlp", hidden=None, reach=PIXELS - 1):
        if not (isinstance(reach, int) and 0 <= reach < PIXELS):
            raise ValueError(f"reach must be a whole number from 0 to {PIXELS - 1}, not {reach!r}.")
        super().__init__(latent, net, hidden)
        self.config = {name: self.config[name] for name in ("latent", "net", "hidden")}
        self.config["reach"] = reach
        if reach:
            self.weights = nn.Parameter(torch.zeros(PIXELS, PIXELS))
            seen = torch.ones(PIXELS, PIXELS).tril(-1).triu(-reach)
            self.register_buffer("seen", seen, persistent=False)

    def likelihood(self, z: Tensor) -> Bernoulli | VisibleBernoulli:
        """p(x | z) for codes [..., latent], over [784]."""
        logits = self.preactivations(z)
        if not self.config["reach"]:
            return Bernoulli(logits)
        return VisibleBernoulli(logits, self.weights * self.seen)

    def decode(self, z: Tensor) -> Tensor:
        """Mean images where reach is 0. Raises TypeError elsewhere: the mean has no closed form."""
        if self.config["reach"]:
            raise TypeError(
                "Pixels that see pixels have no closed mean: draw likelihood(z).sample()"
            )
        return super().decode(z)

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """n draws of x, not means: [n, 784], 0 or 1."""
        return self.likelihood(self.prior.sample((n,))).sample()
