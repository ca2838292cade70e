"""TwoGaussians: two bell curves to move, their two KL divergences, and where these come from."""

import math

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import PALETTE
from vaeutil.widgets._base import Explorable, sketch

MEANS = (-4.0, 4.0)
STDS = (0.2, 3.0)


class TwoGaussians(Explorable):
    """Two Gaussians p and q under sliders: D(p ‖ q), D(q ‖ p), and each point's share in both.

    p, q: (mean, standard deviation); means from −4 to 4, standard deviations from 0.2 to 3.

    Traits, synced both ways in a live notebook: `p` and `q`, lists of two floats; `balanced`,
    whether the shares are p log(p/q) − p + q, nowhere negative, or plain p log(p/q).

    Raises traitlets.TraitError for a law that is not two numbers within their ranges.
    """

    p = t.List(t.Float()).tag(sync=True)
    q = t.List(t.Float()).tag(sync=True)
    balanced = t.Bool(False).tag(sync=True)

    def __init__(self, p=(-0.5, 1.0), q=(1.0, 0.6), *, title="Two Gaussians, two divergences"):
        super().__init__(
            tag="two-gaussians",
            moves=["p", "q", "balanced"],
            options={"title": title, "means": MEANS, "stds": STDS},
            p=[float(v) for v in p],
            q=[float(v) for v in q],
        )

    @t.validate("p", "q")
    def _check_law(self, proposal) -> list[float]:
        return checked_law(proposal["trait"].name, proposal["value"], MEANS, STDS)

    def divergences(self) -> tuple[float, float]:
        """(D(p ‖ q), D(q ‖ p)) in nats, by the closed form, Eq. (2.13) of the book."""
        return closed_form(self.p, self.q), closed_form(self.q, self.p)

    def picture(self) -> tuple[np.ndarray, str]:
        """The two densities."""
        x = np.linspace(-8, 8, 401)
        figure = Figure((6, 2.6), layout="constrained")
        axes = figure.subplots()
        for name, (mean, std), colour in zip("pq", (self.p, self.q), PALETTE, strict=False):
            axes.plot(x, np.exp(log_density(x, mean, std)), color=colour, label=name)
        axes.set(xlabel="x", ylabel="density")
        axes.legend()
        there, back = self.divergences()
        return sketch(figure), (
            f"Densities of p, mean {self.p[0]:.2f} and standard deviation {self.p[1]:.2f}, and of "
            f"q, {self.q[0]:.2f} and {self.q[1]:.2f}. D(p ‖ q) = {there:.2f}, "
            f"D(q ‖ p) = {back:.2f} nats."
        )


def checked_law(name: str, law: list[float], means, stds) -> list[float]:
    """[mean, std] if both lie within their ranges. Raises TraitError."""
    if len(law) != 2 or not (means[0] <= law[0] <= means[1] and stds[0] <= law[1] <= stds[1]):
        raise t.TraitError(
            f"{name} is a mean from {means[0]:g} to {means[1]:g} and a standard deviation from "
            f"{stds[0]:g} to {stds[1]:g}, not {law}."
        )
    return law


def closed_form(p, q) -> float:
    """D(N(p) ‖ N(q)) for pairs (mean, standard deviation)."""
    s = (p[1] / q[1]) ** 2
    return 0.5 * (((p[0] - q[0]) / q[1]) ** 2 + s - math.log(s) - 1)


def log_density(x: np.ndarray, mean: float, std: float) -> np.ndarray:
    """log N(x; mean, std²)."""
    return -0.5 * ((x - mean) / std) ** 2 - math.log(std * math.sqrt(2 * math.pi))
