"""NumberRuler: type a number of nats, and see where it lies among others."""

import math

import numpy as np
import traitlets as t
from matplotlib.figure import Figure

from vaeutil.widgets._base import Explorable, sketch

DATA = ("dynamic", "static")
MEASURES = ("nll", "negative elbo")
COINS = 784 * math.log(2)  # nats of 784 fair coins


class NumberRuler(Explorable):
    """A number field, two choices, and bars: the reader's number among those of its own kind.

    rows: dicts with `label`, `data` ("dynamic" or "static"), `measure` ("nll" or "negative elbo")
    and `value` in nats per image; data "any" and measure "any" are shown for every choice.
    floor: nats that no model can get below on average; the number of a model that knows nothing
    but each pixel's mean is `alone`, that of one that knows nothing `nothing`.

    Traits, synced both ways: `value` (nats), `data` and `measure`.

    Raises ValueError for no rows, a row of another kind, or numbers out of order;
    traitlets.TraitError for a value that is no positive number or an unknown choice.
    """

    value = t.Float(95.0).tag(sync=True)
    data = t.Unicode("dynamic").tag(sync=True)
    measure = t.Unicode("negative elbo").tag(sync=True)

    def __init__(self, rows, *, floor, alone, nothing=COINS, title="Your number", **state):
        rows = [dict(row) for row in rows]
        if not rows:
            raise ValueError("The ruler needs at least one row to compare with.")
        for row in rows:
            kinds = row["data"] in (*DATA, "any") and row["measure"] in (*MEASURES, "any")
            if not kinds or not 0 < row["value"] < math.inf:
                raise ValueError(f"This row is of no known kind, or has no number: {row}.")
        if not 0 < floor < alone < nothing < math.inf:
            raise ValueError(f"0 < floor < alone < nothing is needed: {floor}, {alone}, {nothing}.")
        super().__init__(
            tag="number-ruler",
            moves=["value", "data", "measure"],
            options={
                "title": title,
                "rows": rows,
                "floor": floor,
                "alone": alone,
                "nothing": nothing,
            },
            **state,
        )

    @t.validate("value")
    def _check_value(self, proposal) -> float:
        if not 0 < proposal["value"] < math.inf:
            raise t.TraitError(f"value is a positive number of nats, not {proposal['value']}.")
        return proposal["value"]

    @t.validate("data", "measure")
    def _check_choice(self, proposal) -> str:
        known = DATA if proposal["trait"].name == "data" else MEASURES
        if proposal["value"] not in known:
            raise t.TraitError(f"{proposal['value']!r} is none of {', '.join(known)}.")
        return proposal["value"]

    def shown(self) -> list[tuple[str, float]]:
        """The bars from the best down: (label, nats)."""
        rows = [("your number", self.value)]
        for row in self.options["rows"]:
            if row["data"] in (self.data, "any") and row["measure"] in (self.measure, "any"):
                rows.append((row["label"], row["value"]))
        return sorted(rows, key=lambda row: row[1])

    def picture(self) -> tuple[np.ndarray, str]:
        """The bars as they stand at the start."""
        rows = self.shown()[::-1]
        figure = Figure(figsize=(7.0, 0.4 + 0.32 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        axes.barh([label for label, _ in rows], [value for _, value in rows])
        axes.set_xlabel("nats per test image")
        words = ", ".join(f"{label} {value:.2f}" for label, value in rows[::-1])
        return sketch(figure), f"{self.options['title']}: bars of nats per test image. {words}."
