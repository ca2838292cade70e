"""BoundExplorer: drag q over an exact posterior, and see evidence, ELBO and gap add up."""

import math

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import PALETTE
from vaeutil.widgets._base import Explorable, sketch

RANGES = {"mean": (-3.0, 3.0), "sd": (0.1, 2.0), "w": (0.0, 3.0), "square": (0, 1)}


class BoundExplorer(Explorable):
    """One latent, one observation x: p(z) = N(0, 1), p(x | z) = N(w z, v) or N(w z², v).

    The reader moves q = N(mean, sd²) by sliders or by dragging its peak, and the decoder's slope w;
    one button takes the best q for this w, another the best w for this q. The evidence is exact, by
    quadrature. x and v, the variance of the noise, are fixed; v must be at least 0.1.

    Traits, synced both ways in a live notebook: `mean`, `sd`, `w`, and `square` (0: w z, 1: w z²).

    Raises ValueError for an x or a v that is not possible; traitlets.TraitError for a trait outside
    its slider.
    """

    mean = t.Float(0.5).tag(sync=True)
    sd = t.Float(0.45).tag(sync=True)
    w = t.Float(0.25).tag(sync=True)
    square = t.Int(0).tag(sync=True)

    def __init__(self, x=2.0, v=0.5, *, title="Evidence, bound and gap", **start):
        x, v = float(x), float(v)
        if not math.isfinite(x) or not 0.1 <= v < math.inf:
            raise ValueError(f"x must be finite and v at least 0.1, not x={x} and v={v}.")
        super().__init__(
            tag="bound-explorer",
            moves=list(RANGES),
            options={"title": title, "x": x, "v": v, "ranges": RANGES},
            **start,
        )

    @t.validate("mean", "sd", "w", "square")
    def _check_range(self, proposal) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = RANGES[name]
        if not low <= value <= high:
            raise t.TraitError(f"{name} must be from {low:g} to {high:g}, not {value}.")
        return value

    def curves(self) -> dict[str, np.ndarray]:
        """The densities on a grid: "z", "prior", "posterior", "q", each [1201]; and "log p(x)"."""
        z = np.linspace(-6, 6, 1201)
        h = z**2 if self.square else z
        x, v = self.options["x"], self.options["v"]
        prior = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        joint = prior * np.exp(-((x - self.w * h) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)
        evidence = joint.sum() * (z[1] - z[0])
        q = np.exp(-(((z - self.mean) / self.sd) ** 2) / 2) / (self.sd * math.sqrt(2 * math.pi))
        log_p = np.log(evidence)
        return {"z": z, "prior": prior, "posterior": joint / evidence, "q": q, "log p(x)": log_p}

    def picture(self) -> tuple[np.ndarray, str]:
        """Prior, posterior and q."""
        curves = self.curves()
        figure = Figure((6, 2.8), layout="constrained")
        axes = figure.subplots()
        styles = {
            "prior": (PALETTE[2], "--"),
            "posterior": (PALETTE[0], "-"),
            "q": (PALETTE[1], "-"),
        }
        for name, (colour, line) in styles.items():
            axes.plot(curves["z"], curves[name], line, color=colour, label=name)
        axes.set(xlabel="z", ylabel="density", xlim=(-4, 4))
        axes.legend()
        return sketch(figure), (
            f"{self.options['title']}: the prior, the posterior and a Gaussian q of the latent z. "
            f"log p(x) is {curves['log p(x)']:.2f} nats."
        )
