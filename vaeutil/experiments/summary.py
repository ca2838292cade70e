"""From the figures of several seeds to a mean with its confidence interval."""

import math

import numpy as np
from scipy.stats import t


def t_interval(values, confidence: float = 0.95) -> tuple[float, float] | None:
    """Student's interval for the mean of independent values; None for fewer than two of them.

    It says how far the mean over these seeds may be from the mean over all seeds.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return None
    half = t.ppf(0.5 + confidence / 2, len(values) - 1)
    half *= values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def summarise(runs: list[dict]) -> dict[str, dict]:
    """{figure: {"mean", "interval", "n"}} over the seeds of runs {"run": …, "figures": …}.

    Runs that differ in more than the seed are summarised apart, the figure's name followed by what
    sets them apart: "nll, k=5".
    """
    values: dict[str, list[float]] = {}
    for one in runs:
        apart = [f"{name}={value}" for name, value in one["run"].items() if name != "seed"]
        for figure, value in one["figures"].items():
            values.setdefault(", ".join([figure, *apart]), []).append(value)
    return {
        figure: {"mean": float(np.mean(v)), "interval": t_interval(v), "n": len(v)}
        for figure, v in values.items()
    }
