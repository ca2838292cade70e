"""Flows put together: permuted, reversed, composed; and the law of what comes out."""

from collections.abc import Sequence

import torch
import torch.distributions as td
from torch import Tensor, nn

from vaeutil.flows.layers import AffineCoupling, Autoregressive, Flow, Planar


class Permutation(Flow):
    """The coordinates in another order, for the next layer; log|det| = 0."""

    def __init__(self, order: Sequence[int]):
        super().__init__(len(order))
        if sorted(order) != list(range(len(order))):
            raise ValueError(f"An order of {len(order)} coordinates names each once, not {order}.")
        self.register_buffer("order", torch.tensor(order), persistent=False)

    def check(self, z: Tensor, context: Tensor | None) -> None:
        """Raise ValueError unless z has as many coordinates; the context does not matter."""
        super().check(z, None)

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], zeros [...])."""
        self.check(z, context)
        return z[..., self.order], z.new_zeros(z.shape[:-1])

    def inverse(self, y: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], zeros [...])."""
        self.check(y, context)
        return y[..., self.order.argsort()], y.new_zeros(y.shape[:-1])


class Reversed(Flow):
    """Another flow run backwards: its inverse is this one's forward."""

    def __init__(self, flow: Flow):
        super().__init__(flow.dim, flow.context)
        self.flow = flow

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂y/∂z| [...])."""
        return self.flow.inverse(z, context)

    def inverse(self, y: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂z/∂y| [...])."""
        return self.flow(y, context)


class Composition(Flow):
    """One flow after the other; their log|det| add up.

    Raises ValueError for no flow, or for flows of different sizes.
    """

    def __init__(self, flows: Sequence[Flow]):
        if not flows or len({flow.dim for flow in flows}) > 1:
            raise ValueError("A composition needs at least one flow, all of one dimension.")
        super().__init__(flows[0].dim, max(flow.context for flow in flows))
        if {flow.context for flow in flows} - {0, self.context}:
            raise ValueError("The flows of a composition take contexts of different sizes.")
        self.flows = nn.ModuleList(flows)

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂y/∂z| [...])."""
        return self._through([(flow, flow) for flow in self.flows], z, context)

    def inverse(self, y: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[..., dim] → ([..., dim], log|det ∂z/∂y| [...])."""
        return self._through([(flow, flow.inverse) for flow in reversed(self.flows)], y, context)

    def _through(self, steps, z: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        self.check(z, context)
        total = z.new_zeros(z.shape[:-1])
        for flow, go in steps:
            z, log_det = go(z, context if flow.context else None)
            total = total + log_det
        return z, total


class FlowDistribution:
    """The law of flow(ε), ε drawn from `base`: log q(y) = log base(ε) − log|det ∂y/∂ε|.

    base: a distribution over [dim] or over [batch, dim]; context as the flow takes it. Where the
    flow's inverse has no gradient or is slow, use `sample_with_log_prob`, which needs none.
    """

    def __init__(self, base: td.Distribution, flow: Flow, context: Tensor | None = None):
        self.base, self.flow, self.context = base, flow, context

    def sample_with_log_prob(self, shape: Sequence[int] = ()) -> tuple[Tensor, Tensor]:
        """Draws with gradient [*shape, …, dim], and their log-density [*shape, …], in nats."""
        epsilon = self.base.rsample(torch.Size(shape))
        y, log_det = self.flow(epsilon, self.context)
        return y, self.base.log_prob(epsilon) - log_det

    def rsample(self, shape: Sequence[int] = ()) -> Tensor:
        """Draws with gradient: [*shape, …, dim]."""
        return self.flow(self.base.rsample(torch.Size(shape)), self.context)[0]

    @torch.no_grad()
    def sample(self, shape: Sequence[int] = ()) -> Tensor:
        """Draws without gradient: [*shape, …, dim]."""
        return self.rsample(shape)

    def log_prob(self, y: Tensor) -> Tensor:
        """log q(y) by the flow's inverse: [..., dim] → [...], in nats."""
        epsilon, log_det = self.flow.inverse(y, self.context)
        return self.base.log_prob(epsilon) + log_det


def planar(dim: int, depth: int, context: int = 0) -> Composition:
    """`depth` planar layers."""
    return Composition([Planar(dim, context) for _ in range(_depth(depth))])


def coupling(dim: int, depth: int, hidden: Sequence[int] = (64,), context: int = 0) -> Composition:
    """`depth` affine couplings, the half that stays changing with each, the order shuffled."""
    orders = torch.Generator().manual_seed(dim)
    flows: list[Flow] = []
    for layer in range(_depth(depth)):
        if layer % 2 == 0 and layer > 0 and dim > 2:
            flows.append(Permutation(torch.randperm(dim, generator=orders).tolist()))
        flows.append(AffineCoupling(dim, hidden, context, flip=layer % 2 == 1))
    return Composition(flows)


def autoregressive(
    dim: int, depth: int, hidden: Sequence[int] = (64,), context: int = 0
) -> Composition:
    """`depth` autoregressive layers, the order of the coordinates reversed between them."""
    flows: list[Flow] = []
    for layer in range(_depth(depth)):
        if layer > 0:
            flows.append(Permutation(list(range(dim))[::-1]))
        flows.append(Autoregressive(dim, hidden, context))
    return Composition(flows)


def _depth(depth: int) -> int:
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 1:
        raise ValueError(f"depth counts layers: a whole number from 1 on, not {depth!r}.")
    return depth
