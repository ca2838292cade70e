"""A flow on the pixels themselves: no latents of another size, no decoder, an exact density."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaeutil.flows import FlowDistribution, coupling
from vaeutil.models.base import Model
from vaeutil.models.likelihoods import gaussian
from vaeutil.nets import PIXELS

ALPHA = 0.05  # the margin of the logit (Dinh et al. 2017, arXiv:1605.08803, section 4.1)


class PixelFlow(Model):
    """Affine couplings from N(0, I) to the logits of 784 dequantised pixels.

    x = (sigmoid(y) − α)/(1 − 2α), y = flow(z), z ~ N(0, I), α = 0.05. depth: couplings; width: the
    layers of their networks. The little mass of y whose x falls outside [0, 1] is not taken into
    account: the density is a little too low, never too high. There is no encoder; the code of an
    image is its z, of 784 numbers. Raises ValueError for a depth that is no number of layers.
    """

    observation = "dequantised"

    def __init__(self, depth: int = 4, width: Sequence[int] = (38,)):
        nn.Module.__init__(self)  # without the encoder and the decoder of Model
        self.latent, self.fresh = PIXELS, True
        self.config = {"depth": depth, "width": list(width)}
        self.flow = coupling(PIXELS, depth, width)
        self.register_buffer("shift", torch.zeros(PIXELS))
        self.register_buffer("origin", torch.zeros(PIXELS), persistent=False)

    @property
    def prior(self) -> FlowDistribution:
        """The law of y less its shift, over [784]."""
        return FlowDistribution(gaussian(self.origin, torch.ones_like(self.origin)), self.flow)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), exact: [batch, 784] → [batch], in nats."""
        inside = ALPHA + (1 - 2 * ALPHA) * self.check_images(x)
        y = torch.logit(inside)
        # log σ'(y) = −softplus(y) − softplus(−y)
        stretch = (F.softplus(y) + F.softplus(-y) + torch.tensor(1 - 2 * ALPHA).log()).sum(-1)
        return self.prior.log_prob(y - self.shift) + stretch

    def log_weights(self, x: Tensor, k: int, y: Tensor | None = None) -> Tensor:
        """log p(x), k times over: [k, batch], in nats. Nothing is integrated out."""
        return self.log_prob(x).expand(k, -1)

    def loss(self, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """−log p(x), the mean over the batch, in nats."""
        return {"loss": -self.log_prob(x).mean()}

    @torch.no_grad()
    def start_at_mean(self, pixels: Tensor) -> None:
        """Set the shift to the mean logit of each pixel. pixels: uint8 [N, 28, 28] or [N, 784]."""
        grey = (pixels[:10_000].flatten(1).float() + 0.5) / 256
        self.shift.copy_(torch.logit(ALPHA + (1 - 2 * ALPHA) * grey).mean(0))

    def encode(self, x: Tensor) -> Tensor:
        """The z of each image: [batch, 784] → [batch, 784]."""
        inside = ALPHA + (1 - 2 * ALPHA) * self.check_images(x)
        return self.flow.inverse(torch.logit(inside) - self.shift)[0]

    def decode(self, z: Tensor) -> Tensor:
        """The image of each z: [..., 784] → [..., 784]; the inverse of `encode`."""
        y = self.flow(z)[0] + self.shift
        return (y.sigmoid() - ALPHA) / (1 - 2 * ALPHA)

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """n draws of x, not means: [n, 784]; a few pixels may lie a little outside [0, 1]."""
        return self.decode(torch.randn(n, PIXELS, device=self.device))
