"""GaussianFit: one Gaussian for a target with two humps, by the forward or the reverse KL."""

import math

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import INK, PALETTE
from vaeutil.widgets._base import Explorable, sketch
from vaeutil.widgets.bells import checked_law, log_density

STD = 0.5  # of each hump
DISTANCES, WEIGHTS = (0.0, 6.0), (0.1, 0.9)
MEANS, STDS = (-4.0, 4.0), (0.2, 4.0)


class GaussianFit(Explorable):
    """Move one Gaussian q over a target p with two humps, or let it descend either divergence.

    The target is (1 − weight) N(−distance/2, 0.5²) + weight N(distance/2, 0.5²); distance from 0
    to 6, weight from 0.1 to 0.9. q: (mean, standard deviation), from −4 to 4 and from 0.2 to 4.

    Traits, synced both ways in a live notebook: `distance`, `weight`, `q` (a list of two floats).

    Raises traitlets.TraitError for values outside these ranges.
    """

    distance = t.Float().tag(sync=True)
    weight = t.Float().tag(sync=True)
    q = t.List(t.Float()).tag(sync=True)

    def __init__(self, distance=4.0, weight=0.5, q=(0.7, 1.0), *, title="One for two humps"):
        self._ranges = {"distance": DISTANCES, "weight": WEIGHTS}
        super().__init__(
            tag="gaussian-fit",
            moves=["distance", "weight", "q"],
            options={"title": title, "std": STD, "means": MEANS, "stds": STDS, **self._ranges},
            distance=float(distance),
            weight=float(weight),
            q=[float(v) for v in q],
        )

    @t.validate("distance", "weight")
    def _check_range(self, proposal) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = self._ranges[name]
        if not low <= value <= high:
            raise t.TraitError(f"{name} must be from {low:g} to {high:g}, not {value}.")
        return value

    @t.validate("q")
    def _check_q(self, proposal) -> list[float]:
        return checked_law("q", proposal["value"], MEANS, STDS)

    def log_target(self, x: np.ndarray) -> np.ndarray:
        """The target's log-density at x."""
        half, w = self.distance / 2, self.weight
        left = math.log(1 - w) + log_density(x, -half, STD)
        return np.logaddexp(left, math.log(w) + log_density(x, half, STD))

    def divergences(self) -> tuple[float, float]:
        """(D(p ‖ q), D(q ‖ p)) in nats, forward and reverse, by quadrature."""
        x = np.linspace(-40, 40, 32_001)  # nine standard deviations of the widest q, and more
        log_p, log_q = self.log_target(x), log_density(x, *self.q)
        forward, reverse = np.exp(log_p) * (log_p - log_q), np.exp(log_q) * (log_q - log_p)
        return float(forward.sum() * (x[1] - x[0])), float(reverse.sum() * (x[1] - x[0]))

    def picture(self) -> tuple[np.ndarray, str]:
        """The target and q."""
        x = np.linspace(-6, 6, 401)
        figure = Figure((6, 2.6), layout="constrained")
        axes = figure.subplots()
        axes.fill_between(
            x, np.exp(self.log_target(x)), color=INK, alpha=0.2, lw=0, label="target p"
        )
        axes.plot(x, np.exp(log_density(x, *self.q)), color=PALETTE[1], label="q")
        axes.set(xlabel="x", ylabel="density")
        axes.legend()
        forward, reverse = self.divergences()
        return sketch(figure), (
            f"A target p with two humps, {self.distance:.1f} apart, and a Gaussian q with mean "
            f"{self.q[0]:.2f} and standard deviation {self.q[1]:.2f}. Forward KL {forward:.2f}, "
            f"reverse KL {reverse:.2f} nats."
        )
