"""PiExplorer: points that fall on a square, the estimate of π they give, and its error."""

import math

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from vaeutil._svg import PALETTE
from vaeutil.widgets._base import Explorable, sketch

RUNS = 20


class PiExplorer(Explorable):
    """Points fall on the unit square; the share inside the quarter disc, times four, estimates π.

    n: points fallen, from 1 to `most`. run: which sequence of points, from 1 to 20; the same for
    every reader, in the browser and in Python.

    Traits, synced both ways in a live notebook: `n` and `run`; `estimate` follows them (read-only).
    Raises traitlets.TraitError for an n or a run out of range, ValueError for a `most` that is not
    a whole number from 10 to 1,000,000.
    """

    n = t.Int(1).tag(sync=True)
    run = t.Int(1).tag(sync=True)
    estimate = t.Float(read_only=True).tag(sync=True)

    def __init__(self, n=100, run=1, *, most=100_000, title="π from points that fall on a square"):
        if isinstance(most, bool) or not isinstance(most, int) or not 10 <= most <= 1_000_000:
            raise ValueError(f"most must be a whole number from 10 to 1,000,000, not {most!r}.")
        self._most = most
        super().__init__(
            tag="pi-rain",
            moves=["n", "run"],
            options={"title": title, "most": most, "runs": RUNS},
            n=n,
            run=run,
        )

    @t.validate("n")
    def _check_n(self, proposal) -> int:
        if not 1 <= proposal["value"] <= self._most:
            raise t.TraitError(f"n goes from 1 to {self._most:,}, not {proposal['value']}.")
        return proposal["value"]

    @t.validate("run")
    def _check_run(self, proposal) -> int:
        if not 1 <= proposal["value"] <= RUNS:
            raise t.TraitError(f"run goes from 1 to {RUNS}, not {proposal['value']}.")
        return proposal["value"]

    @t.observe("n", "run")
    def _count(self, _change) -> None:
        inside = (self.points() ** 2).sum(1) <= 1
        self.set_trait("estimate", 4 * float(inside.mean()))

    def points(self) -> np.ndarray:
        """The points fallen so far: [n, 2], in [0, 1)."""
        return uniforms(self.run, 2 * self.n).reshape(self.n, 2)

    def picture(self) -> tuple[np.ndarray, str]:
        """The square with the points."""
        figure = Figure((3.4, 3.4), layout="constrained")
        axes = figure.subplots()
        points = self.points()[:2_000]
        inside = (points**2).sum(1) <= 1
        for chosen, colour in ((inside, PALETTE[0]), (~inside, PALETTE[1])):
            axes.plot(*points[chosen].T, ".", ms=4, color=colour)
        turn = np.linspace(0, math.pi / 2, 100)
        axes.plot(np.cos(turn), np.sin(turn), "k", lw=1)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="u", ylabel="v")
        return sketch(figure), (
            f"{self.n:,} points on the unit square, {self.estimate / 4:.2%} of them inside the "
            f"quarter disc: π is estimated as {self.estimate:.4f}."
        )


def uniforms(run: int, n: int) -> np.ndarray:
    """n numbers in [0, 1) of sequence `run`, bit for bit those of rain.js (mulberry32)."""
    with np.errstate(over="ignore"):  # whole numbers of 32 bits that wrap around
        seed = np.uint32(run * 0x9E3779B1 % 2**32)
        state = seed + np.arange(1, n + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        value = (state ^ (state >> 15)) * (state | 1)
        value ^= value + (value ^ (value >> 7)) * (value | 61)
        return (value ^ (value >> 14)) / 2.0**32
