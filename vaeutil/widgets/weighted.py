"""WeightedBound: the importance-weighted bound of k draws, exact, and the law that it implies."""

import math

import numpy as np
import torch
import traitlets as t
from matplotlib.figure import Figure

from vaeutil import weighted
from vaeutil._svg import PALETTE
from vaeutil.widgets._base import Explorable, sketch

RANGES = {"k": (1, 1_000), "mean": (-2.0, 2.0), "sd": (0.15, 2.0), "square": (0, 1)}


class WeightedBound(Explorable):
    """One latent, one observation x: p(z) = N(0, 1), p(x | z) = N(z, v) or N(z², v); exact.

    The reader moves k and q = N(mean, sd²); a button takes the best q for this k. Shown are the
    posterior, q, and the law of one of k draws of q that is chosen by its weight.

    Traits, synced both ways in a live notebook: `k`, `mean`, `sd`, `square` (0: z, 1: z²).

    Raises ValueError for an x or a v that is not possible; traitlets.TraitError for a trait outside
    its slider.
    """

    k = t.Int(10).tag(sync=True)
    mean = t.Float(0.8).tag(sync=True)
    sd = t.Float(0.4).tag(sync=True)
    square = t.Int(0).tag(sync=True)

    def __init__(self, x=2.0, v=0.5, *, title="k draws, one bound", **start):
        x, v = float(x), float(v)
        if not math.isfinite(x) or not 0.1 <= v < math.inf:
            raise ValueError(f"x must be finite and v at least 0.1, not x={x} and v={v}.")
        super().__init__(
            tag="weighted-bound",
            moves=list(RANGES),
            options={"title": title, "x": x, "v": v, "ranges": RANGES},
            **start,
        )

    @t.validate(*RANGES)
    def _check_range(self, proposal) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = RANGES[name]
        if not low <= value <= high:
            raise t.TraitError(f"{name} must be from {low:g} to {high:g}, not {value}.")
        return value

    def log_weight(self, z: torch.Tensor) -> torch.Tensor:
        """log p(x, z) − log q(z) at codes z."""
        x, v = self.options["x"], self.options["v"]
        log_joint = _normal(z, 0.0, 1.0) + _normal(x, z**2 if self.square else z, v)
        return log_joint - _normal(z, self.mean, self.sd**2)

    def bound(self, k: int | None = None) -> float:
        """L_k in nats, by default for the k of the slider."""
        return weighted.expected_log_mean(*self._law(), self.k if k is None else k)

    def implied(self, z: torch.Tensor) -> torch.Tensor:
        """The density at z of one of k draws of q, chosen by its weight."""
        q = _normal(z, self.mean, self.sd**2).exp()
        return q * weighted.resampled(*self._law(), self.k, self.log_weight(z))

    def _law(self) -> tuple[torch.Tensor, torch.Tensor]:
        eps = torch.linspace(-9, 9, 301, dtype=torch.float64)
        mass = torch.softmax(-0.5 * eps.square(), 0)
        return self.log_weight(self.mean + self.sd * eps), mass

    def picture(self) -> tuple[np.ndarray, str]:
        """Posterior, q, and the law of the draw that is chosen."""
        z = torch.linspace(-3.6, 3.6, 241, dtype=torch.float64)
        q = _normal(z, self.mean, self.sd**2).exp()
        joint = self.log_weight(z).exp() * q
        figure = Figure((6, 2.8), layout="constrained")
        axes = figure.subplots()
        axes.plot(z, joint / torch.trapezoid(joint, z), color=PALETTE[0], label="posterior")
        axes.plot(z, q, color=PALETTE[1], label="q")
        axes.plot(z, self.implied(z), color=PALETTE[2], label=f"one of {self.k} draws, by weight")
        axes.set(xlabel="z", ylabel="density")
        axes.legend()
        return sketch(figure), (
            f"{self.options['title']}: the posterior of z, a Gaussian q, and one of {self.k} draws "
            f"of q, chosen by its weight. The bound is {self.bound():.2f} nats."
        )


def _normal(y, mean, variance) -> torch.Tensor:
    off = torch.as_tensor(y, dtype=torch.float64) - mean
    return -0.5 * (off.square() / variance + math.log(2 * math.pi * variance))
