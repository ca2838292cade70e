"""L_k by one integral, against closed forms, enumeration and plain Monte Carlo."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaeutil import weighted

EPS = torch.linspace(-9, 9, 301, dtype=torch.float64)
MASS = torch.softmax(-0.5 * EPS.square(), 0)


def log_w(ratio, mean=0.0):
    """Of draws of q = N(mean, ratio) for the posterior N(0, 1), relative to p(x)."""
    z = mean + ratio**0.5 * EPS
    return 0.5 * (EPS.square() - z.square() + math.log(ratio))


@pytest.mark.parametrize("ratio", [0.2, 0.8, 1.5, 4.0])
def test_one_draw_gives_the_kl(ratio):
    kl = 0.5 * (ratio + 0.3**2 - 1 - math.log(ratio))
    assert -weighted.expected_log_mean(log_w(ratio, 0.3), MASS, 1) == pytest.approx(kl, abs=1e-9)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_few_draws_of_few_values_are_enumerated(k):
    values, chances = np.array([0.01, 0.4, 1.0, 30.0]), np.array([0.2, 0.3, 0.4, 0.1])
    exact = sum(
        math.prod(chances[list(draw)]) * math.log(values[list(draw)].mean())
        for draw in itertools.product(range(4), repeat=k)
    )
    found = weighted.expected_log_mean(torch.tensor(values).log(), torch.tensor(chances), k)
    assert found == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("k", [2, 3])
def test_the_chosen_draw_of_few_values_is_enumerated(k):
    values, chances = np.array([0.01, 0.4, 1.0, 30.0]), np.array([0.2, 0.3, 0.4, 0.1])
    log_values = torch.tensor(values).log()
    exact = [
        k * sum(
            math.prod(chances[list(rest)]) * value / (value + values[list(rest)].sum())
            for rest in itertools.product(range(4), repeat=k - 1)
        )
        for value in values
    ]  # fmt: skip
    found = weighted.resampled(log_values, torch.tensor(chances), k, log_values)
    assert found.numpy() == pytest.approx(np.array(exact), abs=1e-9)
    assert found.numpy() @ chances == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("ratio", "k"), [(0.2, 10), (0.8, 50), (2.0, 7)])
def test_many_draws_against_monte_carlo(ratio, k):
    eps = np.random.default_rng(0).normal(size=(100_000, k))
    draws = 0.5 * (eps**2 * (1 - ratio) + math.log(ratio))
    values = scipy.special.logsumexp(draws, axis=1) - math.log(k)
    error = values.std() / 100_000**0.5
    found = weighted.expected_log_mean(log_w(ratio), MASS, k)
    assert abs(found - values.mean()) < 4 * error


def test_a_small_gap_is_half_the_variance_over_k():
    ratio = 1.3
    variance = ratio / math.sqrt(2 * ratio - 1) - 1
    gap = -weighted.expected_log_mean(log_w(ratio), MASS, 10_000)
    assert 10_000 * gap == pytest.approx(variance / 2, rel=1e-3)


def test_one_of_k_draws_has_a_density_and_tends_to_the_posterior():
    z = torch.linspace(-8, 8, 3_201, dtype=torch.float64)
    q = scipy.stats.norm(0.5, 0.8)
    at = torch.tensor(scipy.stats.norm.logpdf(z) - q.logpdf(z))
    far = 0.0
    for k in (300, 30, 3, 1):
        density = torch.tensor(q.pdf(z)) * weighted.resampled(log_w(0.64, 0.5), MASS, k, at)
        assert torch.trapezoid(density, z).item() == pytest.approx(1, abs=1e-4)
        off = (density - torch.tensor(scipy.stats.norm.pdf(z))).abs().max().item()
        assert off > far
        far = off


@given(st.floats(0.05, 8), st.floats(-2, 2), st.integers(1, 2_000), st.floats(-50, 50))
def test_the_bound_rises_and_stays_below(ratio, mean, k, shift):
    one = weighted.expected_log_mean(log_w(ratio, mean) + shift, MASS, k)
    more = weighted.expected_log_mean(log_w(ratio, mean) + shift, MASS, 2 * k)
    assert one <= more + 1e-9
    assert more <= shift + 1e-9


@pytest.mark.parametrize("k", [0, -1, 1.5, True])
def test_a_number_of_draws_that_is_none(k):
    with pytest.raises(ValueError, match="from 1 on"):
        weighted.expected_log_mean(log_w(1.0), MASS, k)


def test_a_law_that_is_none():
    with pytest.raises(ValueError, match="with sum 1"):
        weighted.expected_log_mean(log_w(1.0), 2 * MASS, 3)
    with pytest.raises(ValueError, match=r"one \[n\]"):
        weighted.resampled(log_w(1.0)[1:], MASS, 3, EPS)
