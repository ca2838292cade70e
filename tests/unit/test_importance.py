"""The logarithm of a mean weight, its error, and the effective sample size."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from vaeutil.importance import effective_sample_size, log_mean, log_mean_error


def draws(n, *rest, seed=0):
    return torch.randn(n, *rest, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_log_mean_is_scipys():
    log_w = draws(50, 3, 2) - 1_000
    expected = logsumexp(log_w.numpy(), axis=0) - math.log(50)
    np.testing.assert_allclose(log_mean(log_w).numpy(), expected, rtol=1e-12)


def test_log_mean_error_is_the_error_of_many_runs():
    log_w = draws(400, 5_000)
    spread = log_mean(log_w).std().item()
    claimed = log_mean_error(log_w).mean().item()
    assert claimed == pytest.approx(spread, rel=0.05)
    by_hand = log_w.exp().std(0) / log_w.exp().mean(0) / 20
    torch.testing.assert_close(log_mean_error(log_w), by_hand)


def test_effective_sample_size_by_hand():
    log_w = draws(30, 4)
    w = log_w.exp()
    torch.testing.assert_close(effective_sample_size(log_w), w.sum(0) ** 2 / (w**2).sum(0))


@given(
    st.lists(st.floats(-50, 50), min_size=1, max_size=20),
    st.floats(-1e4, 1e4),
)
def test_a_common_factor_counts_nothing_and_ess_is_between_1_and_n(values, shift):
    log_w = torch.tensor(values, dtype=torch.float64)
    ess = effective_sample_size(log_w).item()
    assert 1 - 1e-9 <= ess <= len(values) + 1e-9
    assert effective_sample_size(log_w + shift).item() == pytest.approx(ess, rel=1e-6)
    assert log_mean(log_w + shift).item() == pytest.approx(log_mean(log_w).item() + shift, abs=1e-6)


def test_equal_weights_and_a_single_heavy_one():
    assert effective_sample_size(torch.full((100,), -5_000.0)).item() == pytest.approx(100)
    one = torch.full((100,), -1_000.0)
    one[7] = 0
    assert effective_sample_size(one).item() == pytest.approx(1)
    assert log_mean(one).item() == pytest.approx(-math.log(100))


@pytest.mark.parametrize("function", [log_mean, log_mean_error, effective_sample_size])
@pytest.mark.parametrize("bad", [torch.zeros(0, 3), torch.tensor(1.0), [0.0, 1.0]])
def test_bad_input_is_refused(function, bad):
    with pytest.raises(ValueError, match="draws on the first axis"):
        function(bad)


def test_an_error_needs_two_draws():
    with pytest.raises(ValueError, match="at least 2 draws"):
        log_mean_error(torch.zeros(1, 5))
