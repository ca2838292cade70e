"""The simplest flow: every coordinate stretched and shifted by itself."""

import torch
from torch import Tensor, nn

from vaeutil.flows.layers import Flow


class Scale(Flow):
    """y = e^s ⊙ z + t with learned vectors s and t; log|det| = Σ s, the same everywhere.

    Of N(0, I) it makes any Gaussian with a diagonal covariance: alone it is the posterior of a
    VAE, before other layers it lets them start from such a Gaussian. It begins as the identity.
    """

    def __init__(self, dim: int):
        super().__init__(dim)
        self.log_scale = nn.Parameter(torch.zeros(dim))
        self.shift = nn.Parameter(torch.zeros(dim))

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂y/∂z| [...])."""
        self.check(z, context)
        return z * self.log_scale.exp() + self.shift, self.log_scale.sum().expand(z.shape[:-1])

    def inverse(self, y: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂z/∂y| [...])."""
        self.check(y, context)
        return (y - self.shift) * (-self.log_scale).exp(), -self.log_scale.sum().expand(
            y.shape[:-1]
        )
