"""The layers that flows are made of: planar, affine coupling, autoregressive."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaeutil.nets import mlp

LIMIT = 3.0  # the scale of an affine layer stays between e⁻³ and e³
BISECTIONS = 60


class Flow(nn.Module):
    """What all flows share. Raises ValueError for a dim, depth or context that makes no sense."""

    def __init__(self, dim: int, context: int = 0):
        super().__init__()
        if isinstance(dim, bool) or not isinstance(dim, int) or dim < 1:
            raise ValueError(f"A flow needs a whole number of dimensions from 1 on, not {dim!r}.")
        if isinstance(context, bool) or not isinstance(context, int) or context < 0:
            raise ValueError(f"context is the size of a second input, 0 or more, not {context!r}.")
        self.dim, self.context = dim, context

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂y/∂z| [...])."""
        raise NotImplementedError

    def inverse(self, y: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂z/∂y| [...])."""
        raise NotImplementedError

    def check(self, z: Tensor, context: Tensor | None) -> None:
        """Raise ValueError unless z and context have the sizes that this flow was made for."""
        if z.ndim == 0 or z.shape[-1] != self.dim:
            raise ValueError(f"This flow maps points of {self.dim} numbers, not {list(z.shape)}.")
        if (context is None) != (self.context == 0):
            needs = f"a context of size {self.context}" if self.context else "no context"
            raise ValueError(f"This flow takes {needs}.")


class Planar(Flow):
    """y = z + û tanh(wᵀz + b), a push along û (Rezende & Mohamed 2015, arXiv:1505.05770, eq. 10).

    û = u + (log(1 + e^{wᵀu}) − 1 − wᵀu) w/‖w‖² keeps wᵀû > −1, without which the map folds
    (appendix A.1). There is no inverse in closed form; `inverse` finds it by bisection, without
    gradients.
    """

    def __init__(self, dim: int, context: int = 0):
        super().__init__(dim, context)
        if context:
            self.parameters_of = nn.Linear(context, 2 * dim + 1)
        else:
            self.numbers = nn.Parameter(0.1 * torch.randn(2 * dim + 1))

    def uwb(self, context: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """û [..., dim], w [..., dim], b [...]."""
        numbers = self.parameters_of(context) if self.context else self.numbers
        u, w, b = numbers.split([self.dim, self.dim, 1], -1)
        along = (u * w).sum(-1, keepdim=True)
        u = u + (F.softplus(along) - 1 - along) * w / w.square().sum(-1, keepdim=True)
        return u, w, b.squeeze(-1)

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂y/∂z| [...])."""
        self.check(z, context)
        u, w, b = self.uwb(context)
        bend = torch.tanh((z * w).sum(-1) + b)
        slope = 1 - bend.square()
        return z + u * bend.unsqueeze(-1), torch.log1p(slope * (u * w).sum(-1))

    @torch.no_grad()
    def inverse(self, y: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂z/∂y| [...]); without gradients."""
        self.check(y, context)
        u, w, b = self.uwb(context)
        # With a = wᵀz the map says wᵀy = a + wᵀû tanh(a + b), which rises in a.
        along, target = (u * w).sum(-1), (y * w).sum(-1)
        low, high = target - along.abs(), target + along.abs()
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            above = middle + along * torch.tanh(middle + b) > target
            low, high = torch.where(above, low, middle), torch.where(above, middle, high)
        z = y - u * torch.tanh(low + b).unsqueeze(-1)
        return z, -self(z, context)[1]


class AffineCoupling(Flow):
    """One half stays; it gives the other half's shift and log-scale (Dinh et al. 2017, RealNVP).

    y₁ = z₁,  y₂ = z₂ e^{s(z₁)} + t(z₁),  log|det| = Σ s (arXiv:1605.08803, eqs. 4–6). `flip` says
    that the second half is the one that stays.
    """

    def __init__(self, dim: int, hidden: Sequence[int] = (64,), context: int = 0, flip=False):
        super().__init__(dim, context)
        if dim < 2:
            raise ValueError("A coupling needs two dimensions: one that stays, one that moves.")
        self.flip = flip
        self.sizes = [dim // 2, dim - dim // 2] if flip else [dim - dim // 2, dim // 2]
        moving = dim - self._stays
        self.net = _from_zero(mlp([self._stays + context, *hidden, 2 * moving]))

    @property
    def _stays(self) -> int:
        return self.sizes[1] if self.flip else self.sizes[0]

    def _affine(self, stays: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        shift, log_scale = self.net(_beside(stays, context)).chunk(2, -1)
        return shift, _bounded(log_scale)

    def _split(self, z: Tensor) -> tuple[Tensor, Tensor]:
        first, second = z.split(self.sizes, -1)
        return (second, first) if self.flip else (first, second)

    def _join(self, stays: Tensor, moved: Tensor) -> Tensor:
        return torch.cat([moved, stays] if self.flip else [stays, moved], -1)

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂y/∂z| [...])."""
        self.check(z, context)
        stays, moves = self._split(z)
        shift, log_scale = self._affine(stays, context)
        return self._join(stays, moves * log_scale.exp() + shift), log_scale.sum(-1)

    def inverse(self, y: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂z/∂y| [...])."""
        self.check(y, context)
        stays, moved = self._split(y)
        shift, log_scale = self._affine(stays, context)
        return self._join(stays, (moved - shift) * (-log_scale).exp()), -log_scale.sum(-1)


class Autoregressive(Flow):
    """y_j = z_j e^{s_j} + t_j with s_j, t_j functions of z_1 … z_{j−1}, all at once by masks.

    Forward it is the inverse autoregressive flow of Kingma et al. 2016 (arXiv:1606.04934): one pass
    of the network. Back it takes `dim` passes, one coordinate after the other. `Reversed` of it is
    the masked autoregressive flow (Papamakarios et al. 2017, arXiv:1705.07057), fast to evaluate
    and slow to sample. Masks as in MADE (Germain et al. 2015, arXiv:1502.03509).
    """

    def __init__(self, dim: int, hidden: Sequence[int] = (64,), context: int = 0):
        super().__init__(dim, context)
        inputs = torch.arange(1, dim + 1)
        degrees, layers = inputs, []
        for place, size in enumerate(hidden):
            # A hidden unit of degree m sees the first m coordinates.
            after = torch.arange(size) % max(1, dim - 1) + 1
            layers.append(Masked(after[:, None] >= degrees[None], context if place == 0 else 0))
            degrees = after
        layers.append(
            Masked((inputs[:, None] > degrees[None]).repeat(2, 1), 0 if hidden else context)
        )
        self.layers = nn.ModuleList(layers)
        nn.init.zeros_(layers[-1].linear.weight)

    def _affine(self, z: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        hidden = self.layers[0](z, context)
        for layer in self.layers[1:]:
            hidden = layer(F.gelu(hidden))
        shift, log_scale = hidden.chunk(2, -1)
        return shift, _bounded(log_scale)

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂y/∂z| [...]); one pass."""
        self.check(z, context)
        shift, log_scale = self._affine(z, context)
        return z * log_scale.exp() + shift, log_scale.sum(-1)

    def inverse(self, y: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂z/∂y| [...]); `dim` passes."""
        self.check(y, context)
        z = torch.zeros_like(y)
        for _ in range(self.dim):  # pass j leaves the first j coordinates right
            shift, log_scale = self._affine(z, context)
            z = (y - shift) * (-log_scale).exp()
        return z, -log_scale.sum(-1)


class Masked(nn.Module):
    """A linear layer that uses a weight only where mask [outputs, inputs] is true.

    A context of that size is added unmasked, by weights of its own.
    """

    def __init__(self, mask: Tensor, context: int = 0):
        super().__init__()
        self.register_buffer("mask", mask.to(torch.get_default_dtype()), persistent=False)
        self.linear = nn.Linear(mask.shape[1], mask.shape[0])
        self.beside = nn.Linear(context, mask.shape[0], bias=False) if context else None

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """[..., inputs] → [..., outputs]."""
        y = F.linear(x, self.linear.weight * self.mask, self.linear.bias)
        return y if self.beside is None else y + self.beside(context)


def _bounded(log_scale: Tensor) -> Tensor:
    return LIMIT * torch.tanh(log_scale / LIMIT)


def _from_zero(net: nn.Sequential) -> nn.Sequential:
    """With a last layer of zeros, so that an affine flow begins as the identity."""
    nn.init.zeros_(net[-1].weight)
    return net


def _beside(z: Tensor, context: Tensor | None) -> Tensor:
    if context is None:
        return z
    return torch.cat([z, context.expand(*z.shape[:-1], context.shape[-1])], -1)
