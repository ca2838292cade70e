"""WaterLevel: the linear-Gaussian β-VAE, whose best code is known exactly, under two sliders."""

import math

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import PALETTE
from vaeutil.widgets._base import Explorable, sketch


class WaterLevel(Explorable):
    """Which directions of the data a linear β-VAE codes, and at what rate: only βσ² decides.

    variances: those of the data along its principal directions, positive, falling; from 1 to 60 of
    them. β goes from 1/16 to 16 and σ from low to high, both on logarithmic sliders.

    Traits, synced both ways in a live notebook: `beta`, `sigma`.

    Raises ValueError for variances that are none, rising or too many, or sigmas that are no range;
    traitlets.TraitError for a beta or sigma outside its slider.
    """

    beta = t.Float(1.0).tag(sync=True)
    sigma = t.Float().tag(sync=True)

    def __init__(self, variances, sigmas=(0.05, 2.0), *, sigma=0.3, title="The water level"):
        variances = [float(v) for v in variances]
        positive = all(0 < v < math.inf for v in variances)
        if not (1 <= len(variances) <= 60 and positive):
            raise ValueError("variances are from 1 to 60 positive numbers.")
        if variances != sorted(variances, reverse=True):
            raise ValueError("variances must fall: the first direction varies most.")
        low, high = map(float, sigmas)
        if not 0 < low < high < math.inf:
            raise ValueError(f"sigmas must be a range of positive numbers, not {sigmas}.")
        self._ranges = {"beta": (1 / 16, 16.0), "sigma": (low, high)}
        super().__init__(
            tag="water-level",
            moves=["beta", "sigma"],
            options={"title": title, "variances": variances, **self._ranges},
            sigma=float(sigma),
        )

    @t.validate("beta", "sigma")
    def _check_range(self, proposal) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = self._ranges[name]
        if not low <= value <= high:
            raise t.TraitError(f"{name} must be from {low:g} to {high:g}, not {value}.")
        return value

    def picture(self) -> tuple[np.ndarray, str]:
        """The variances on a logarithmic scale, and the level βσ² across them."""
        variances, level = self.options["variances"], self.beta * self.sigma**2
        figure = Figure((6, 2.8), layout="constrained")
        axes = figure.subplots()
        axes.semilogy(range(1, len(variances) + 1), variances, "o", color=PALETTE[0])
        axes.axhline(level, color=PALETTE[1])
        axes.set(xlabel="direction", ylabel="variance")
        above = sum(v > level for v in variances)
        return sketch(figure), (
            f"Variances of {len(variances)} directions, falling. The level βσ² = {level:.3g}: "
            f"{above} of them lie above it and get a code."
        )
