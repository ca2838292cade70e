"""PiExplorer and WeightsExplorer in Python: traits, errors, numbers and pictures."""

import math

import numpy as np
import pytest
import scipy.stats
from traitlets import TraitError

from vaeutil.widgets import PiExplorer, WeightsExplorer
from vaeutil.widgets.rain import uniforms


def mulberry32(state, n):
    """The generator, one number at a time, in Python's own whole numbers."""
    for _ in range(n):
        state = (state + 0x6D2B79F5) % 2**32
        value = ((state ^ state >> 15) * (state | 1)) % 2**32
        value ^= (value + (value ^ value >> 7) * (value | 61)) % 2**32
        yield (value ^ value >> 14) / 2**32


@pytest.mark.parametrize("run", [1, 7, 20])
def test_uniforms_are_mulberry32(run):
    expected = list(mulberry32(run * 0x9E3779B1 % 2**32, 50))
    np.testing.assert_array_equal(uniforms(run, 50), expected)


def test_uniforms_are_uniform_and_runs_differ():
    numbers = uniforms(3, 100_000)
    assert scipy.stats.kstest(numbers, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(uniforms(1, 10_000), uniforms(2, 10_000))[0, 1]) < 0.05


def test_the_estimate_follows_the_points():
    rain = PiExplorer(n=1_000)
    inside = (uniforms(1, 2_000).reshape(-1, 2) ** 2).sum(1) <= 1
    assert rain.estimate == 4 * inside.mean()
    rain.run = 2
    assert rain.estimate != 4 * inside.mean()
    rain.n = 100_000
    assert abs(rain.estimate - math.pi) < 4 * math.sqrt(math.pi * (4 - math.pi) / 100_000)
    with pytest.raises(TraitError, match="read-only"):
        rain.estimate = 3.0


@pytest.mark.parametrize("state", [{"n": 0}, {"n": 100_001}, {"run": 0}, {"run": 21}])
def test_points_and_runs_out_of_range_are_refused(state):
    with pytest.raises(TraitError, match="goes from 1 to"):
        PiExplorer(**state)


@pytest.mark.parametrize("most", [9, 2.5, True, 10**7])
def test_a_bad_most_is_refused(most):
    with pytest.raises(ValueError, match="most must be"):
        PiExplorer(n=1, most=most)


def test_needed_draws_by_quadrature():
    explorer = WeightsExplorer(d=1, mean=0.4, width=0.5, noise=0.3, x=1.2)
    z = np.linspace(-12, 12, 400_001)
    post = scipy.stats.norm(*explorer.posterior()).pdf(z)
    second = np.trapezoid(post**2 / scipy.stats.norm(0.4, 0.5).pdf(z).clip(1e-300), z)
    assert explorer.needed() == pytest.approx(100 * (second - 1), rel=1e-6)
    explorer.d = 7
    assert explorer.needed() == pytest.approx(100 * (second**7 - 1), rel=1e-6)
    joint = scipy.stats.norm(z, math.sqrt(0.3)).pdf(1.2) * scipy.stats.norm.pdf(z)
    assert explorer.log_evidence() == pytest.approx(7 * math.log(np.trapezoid(joint, z)), rel=1e-9)


def test_the_posterior_needs_one_draw_and_half_its_variance_infinitely_many():
    explorer = WeightsExplorer(d=20, noise=0.1, x=1.0)
    explorer.mean, explorer.width = explorer.posterior()
    assert explorer.needed() == pytest.approx(0, abs=1e-9)
    explorer.width = 0.7 * explorer.posterior()[1]
    assert explorer.needed() == math.inf


@pytest.mark.parametrize("state", [{"d": 0}, {"d": 41}, {"mean": 3.5}, {"width": 0.05}])
def test_a_proposal_out_of_range_is_refused(state):
    with pytest.raises(TraitError, match="goes from"):
        WeightsExplorer(**state)


@pytest.mark.parametrize("model", [{"noise": 0}, {"noise": math.nan}, {"x": math.inf}])
def test_a_bad_model_is_refused(model):
    with pytest.raises(ValueError, match="noise must be positive"):
        WeightsExplorer(**model)


@pytest.mark.parametrize(
    ("explorer", "words"),
    [
        (PiExplorer(n=5_000), "5,000 points"),
        (WeightsExplorer(d=3), "one of 3 dimensions"),
        (WeightsExplorer(d=3, width=0.1), "infinitely many"),
    ],
)
def test_without_javascript_there_is_a_picture_with_words(explorer, words):
    grey, alt = explorer.picture()
    assert grey.dtype == np.uint8
    assert grey.std() > 5
    assert words in alt
    assert f"<{explorer.tag} " in explorer.to_html()
