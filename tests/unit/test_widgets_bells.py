"""TwoGaussians and GaussianFit in Python: their numbers, their errors, their pictures."""

import math

import numpy as np
import pytest
import torch
import torch.distributions as td
import traitlets
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from vaeutil.widgets import GaussianFit, TwoGaussians

laws = st.tuples(st.floats(-4, 4), st.floats(0.2, 3))


@given(laws, laws)
def test_divergences_are_those_of_torch(p, q):
    bells = TwoGaussians(p=p, q=q)
    one, two = (td.Normal(*torch.tensor(law, dtype=torch.float64)) for law in (p, q))
    expected = [td.kl_divergence(one, two).item(), td.kl_divergence(two, one).item()]
    assert bells.divergences() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def mixture(x, fit):
    half, w = fit.distance / 2, fit.weight
    return np.logaddexp(
        np.log(1 - w) + stats.norm.logpdf(x, -half, 0.5),
        np.log(w) + stats.norm.logpdf(x, half, 0.5),
    )


@pytest.mark.parametrize(
    ("distance", "weight", "q"),
    [
        (4.0, 0.5, (0.0, 4.25**0.5)),
        (4.0, 0.3, (2.0, 0.5)),
        (1.3, 0.9, (-3.5, 0.2)),
        (6, 0.1, (4, 4)),
    ],
)
def test_divergences_of_a_fit_are_those_of_scipy(distance, weight, q):
    fit = GaussianFit(distance=distance, weight=weight, q=q)

    def log_q(x):
        return stats.norm.logpdf(x, *q)

    def from_p(x):
        return np.exp(mixture(x, fit)) * (mixture(x, fit) - log_q(x))

    def from_q(x):
        return np.exp(log_q(x)) * (log_q(x) - mixture(x, fit))

    forward, _ = integrate.quad(from_p, -9, 9, points=(-distance / 2, distance / 2), limit=200)
    low, high = q[0] - 9 * q[1], q[0] + 9 * q[1]
    reverse, _ = integrate.quad(from_q, low, high, points=(q[0],), limit=400)
    assert fit.divergences() == pytest.approx((forward, reverse), rel=1e-5, abs=1e-6)


def test_on_a_far_hump_the_reverse_divergence_is_the_surprise_of_its_weight():
    fit = GaussianFit(distance=6.0, weight=0.2, q=(3.0, 0.5))
    assert fit.divergences()[1] == pytest.approx(-math.log(0.2), abs=1e-4)


@pytest.mark.parametrize(
    "bad",
    [[0.0], [0.0, 1.0, 2.0], [5.0, 1.0], [0.0, 0.0], [0.0, float("nan")], [float("inf"), 1.0]],
)
def test_bad_laws_are_refused_and_change_nothing(bad):
    for widget in (TwoGaussians(), GaussianFit()):
        before = widget.q
        with pytest.raises(traitlets.TraitError, match="q is a mean from"):
            widget.q = bad
        assert widget.q == before
        with pytest.raises(traitlets.TraitError, match="q is a mean from"):
            type(widget)(q=bad)


@pytest.mark.parametrize(
    ("name", "bad"), [("distance", -0.1), ("distance", 7), ("weight", 0.0), ("weight", math.nan)]
)
def test_bad_targets_are_refused(name, bad):
    with pytest.raises(traitlets.TraitError, match=f"{name} must be from"):
        GaussianFit(**{name: bad})


def test_moves_of_the_page_reach_the_traits():
    bells, heard = TwoGaussians(), []
    bells.observe(heard.append, "balanced")
    bells.set_state({"p": [1, 0.5], "balanced": True})
    assert bells.p == [1.0, 0.5]
    assert len(heard) == 1


@pytest.mark.parametrize("widget", [TwoGaussians, GaussianFit])
def test_the_picture_shows_the_numbers(widget):
    made = widget()
    grey, alt = made.picture()
    assert grey.dtype == np.uint8
    assert grey.std() > 5
    assert all(f"{value:.2f}" in alt for value in made.divergences())
    assert f"<{made.tag}" in made.to_html()
