"""WeightsExplorer: a proposal to place, the weights of its draws, and the estimate they give."""

import math

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import PALETTE
from vaeutil.widgets._base import Explorable, sketch
from vaeutil.widgets.bells import log_density

DRAWS, MOST = 1_000, 40
RANGES = {"mean": (-3.0, 3.0), "width": (0.1, 3.0)}


class WeightsExplorer(Explorable):
    """log p(x) by 1,000 weighted draws from a proposal, in d independent dimensions.

    In each of them z ~ N(0, 1) and x | z ~ N(z, noise); x is the same number in all. The proposal
    is N(mean, width²) in each; the reader moves d, mean and width.

    Traits, synced both ways in a live notebook: `d` (1 to 40), `mean` (−3 to 3), `width` (0.1
    to 3). Raises traitlets.TraitError out of these ranges, ValueError unless noise > 0.
    """

    d = t.Int(1).tag(sync=True)
    mean = t.Float(0.0).tag(sync=True)
    width = t.Float(1.0).tag(sync=True)

    def __init__(self, d=5, mean=0.0, width=1.0, *, noise=0.1, x=1.05, title="Where to draw from"):
        if not 0 < noise < math.inf or not math.isfinite(x):
            raise ValueError(f"noise must be positive and x finite, not {noise} and {x}.")
        self._noise, self._x = float(noise), float(x)
        super().__init__(
            tag="importance-weights",
            moves=["d", "mean", "width"],
            options={
                "title": title,
                "noise": self._noise,
                "x": self._x,
                "draws": DRAWS,
                "most": MOST,
                "ranges": RANGES,
            },
            d=d,
            mean=float(mean),
            width=float(width),
        )

    @t.validate("d")
    def _check_d(self, proposal) -> int:
        if not 1 <= proposal["value"] <= MOST:
            raise t.TraitError(f"d goes from 1 to {MOST}, not {proposal['value']}.")
        return proposal["value"]

    @t.validate("mean", "width")
    def _check_law(self, proposal) -> float:
        low, high = RANGES[proposal["trait"].name]
        if not low <= proposal["value"] <= high:
            name, value = proposal["trait"].name, proposal["value"]
            raise t.TraitError(f"{name} goes from {low:g} to {high:g}, not {value}.")
        return proposal["value"]

    def posterior(self) -> tuple[float, float]:
        """Mean and standard deviation of p(z | x), in one dimension."""
        return self._x / (1 + self._noise), math.sqrt(self._noise / (1 + self._noise))

    def log_evidence(self) -> float:
        """log p(x), exactly, in nats: d times that of N(x; 0, 1 + noise)."""
        return self.d * float(log_density(self._x, 0, math.sqrt(1 + self._noise)))

    def needed(self) -> float:
        """Draws for a standard error of 10 % of p(x): 100 (e^{d·D₂} − 1); infinite if they are.

        D₂ is the Rényi divergence of the posterior from the proposal, in one dimension; it is
        finite for a proposal with more than half of the posterior's variance.
        """
        mean, std = self.posterior()
        v, q = std**2, self.width**2
        if 2 * q <= v:
            return math.inf
        renyi = (mean - self.mean) ** 2 / (2 * q - v) + math.log(q / math.sqrt(v * (2 * q - v)))
        return 100 * math.expm1(self.d * renyi) if self.d * renyi < 700 else math.inf

    def picture(self) -> tuple[np.ndarray, str]:
        """Prior, posterior and proposal in one dimension."""
        z = np.linspace(-5, 5, 500)
        figure = Figure((6, 2.6), layout="constrained")
        axes = figure.subplots()
        laws = {"prior": (0, 1), "posterior": self.posterior(), "proposal": (self.mean, self.width)}
        for (name, law), colour in zip(laws.items(), PALETTE, strict=False):
            axes.plot(z, np.exp(log_density(z, *law)), color=colour, label=name)
        axes.set(xlabel="z, one dimension", ylabel="density")
        axes.legend()
        needed = self.needed()
        return sketch(figure), (
            f"Prior, posterior and proposal N({self.mean:.2f}, {self.width:.2f}²) in one of "
            f"{self.d} dimensions; log p(x) is {self.log_evidence():.2f} nats; draws needed for an "
            f"error of 10 percent: {'infinitely many' if needed == math.inf else f'{needed:,.0f}'}."
        )


def density(z, mean: float, std: float):
    """N(z; mean, std²)."""
    return np.exp(-0.5 * ((z - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))
