"""A flow as the model itself: log p(y) is exact, and there is no latent of another size."""

import torch
import torch.distributions as td
from torch import Tensor, nn

from vaeutil import flows

KINDS = {"planar": flows.planar, "coupling": flows.coupling, "autoregressive": flows.autoregressive}


class FlowDensity(nn.Module):
    """The law of F(z), z ~ N(0, I): a learned diagonal scale and shift, then `depth` layers.

    kind: "planar", "coupling" or "autoregressive"; depth 0 is a Gaussian with diagonal covariance.
    hidden: the layer widths of the networks inside (planar layers have none). The layers map noise
    to points, so draws with their density are cheap in any kind (`sample_with_log_prob`);
    `log_prob` of given points goes back by the inverse: one pass for couplings, `dim` passes for
    autoregressive layers, and for planar layers a bisection, without gradients.

    Raises ValueError for an unknown kind, or sizes that make no flow.
    """

    def __init__(self, dim: int, kind: str, depth: int, hidden=(32,)):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; choose one of {', '.join(KINDS)}.")
        layers = []
        if depth != 0 or isinstance(depth, bool):
            sizes = {} if kind == "planar" else {"hidden": tuple(hidden)}
            layers = list(KINDS[kind](dim, depth, **sizes).flows)
        self.flow = flows.Composition([flows.Scale(dim), *layers])
        self.config = {"dim": dim, "kind": kind, "depth": depth, "hidden": list(hidden)}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def law(self) -> flows.FlowDistribution:
        """The distribution of F(z)."""
        zeros = next(self.parameters()).new_zeros(self.flow.dim)
        base = td.Independent(td.Normal(zeros, torch.ones_like(zeros), validate_args=False), 1)
        return flows.FlowDistribution(base, self.flow)

    def sample_with_log_prob(self, n: int) -> tuple[Tensor, Tensor]:
        """n draws, with gradient: [n, dim], and log p of each in nats, [n]."""
        return self.law.sample_with_log_prob((n,))

    def log_prob(self, y: Tensor) -> Tensor:
        """log p(y) in nats: [..., dim] → [...]."""
        return self.law.log_prob(y)
