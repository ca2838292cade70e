import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.gaussian_process.kernels import RationalQuadratic
from sklearn.metrics.pairwise import rbf_kernel

from vaeutil.mmd import (
    imq,
    imq_scales,
    median_bandwidth,
    mmd2,
    mmd2_biased,
    normal_mmd2,
    rbf,
    squared_distances,
)


def draws(n, d, seed=0):
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_loops(x, y, kernel):
    """The unbiased estimate, pair by pair, from a kernel of two rows."""
    n, m = len(x), len(y)
    xx = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    yy = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return xx + yy - 2 * sum(kernel(a, b) for a in x for b in y) / (n * m)


def test_kernels_against_scikit_learn():
    x, y = draws(7, 3), draws(5, 3, 1)
    squares = squared_distances(x, y)
    h = 0.8
    expected = rbf_kernel(x, y, gamma=1 / (2 * h**2))
    np.testing.assert_allclose(rbf(h)(squares), expected, rtol=1e-10)
    C = 2.5  # 1/(1 + r²/C) is the rational quadratic kernel with α = 1 and 2 l² = C
    rational = RationalQuadratic(length_scale=math.sqrt(C / 2), alpha=1.0)
    np.testing.assert_allclose(imq(C)(squares), rational(x.numpy(), y.numpy()), rtol=1e-10)
    scales = [2 * 3 * factor for factor in (0.1, 1, 10)]
    mean = np.mean([1 / (1 + squares.numpy() / c) for c in scales], 0)
    np.testing.assert_allclose(imq_scales(3)(squares), mean, rtol=1e-10)


@pytest.mark.parametrize(("n", "m"), [(6, 6), (5, 9)])
def test_unbiased_by_loops_and_biased_by_scikit_learn(n, m):
    x, y = draws(n, 4), 0.7 * draws(m, 4, 1) + 0.3
    for kernel, of_two in (
        (rbf(1.3), lambda a, b: math.exp(-((a - b) ** 2).sum() / (2 * 1.3**2))),
        (imq(8.0), lambda a, b: 8 / (8 + float(((a - b) ** 2).sum()))),
    ):
        assert mmd2(x, y, kernel).item() == pytest.approx(by_loops(x, y, of_two), abs=1e-12)
    gamma = 1 / (2 * 1.3**2)
    parts = [rbf_kernel(a, b, gamma).mean() for a, b in ((x, x), (y, y), (x, y))]
    assert mmd2_biased(x, y, rbf(1.3)).item() == pytest.approx(
        parts[0] + parts[1] - 2 * parts[2], abs=1e-12
    )


def test_distances_are_summed_over_dimensions():
    x, y = torch.zeros(1, 50), torch.ones(1, 50)
    assert squared_distances(x, y).item() == 50


def test_its_mean_is_zero_for_equal_laws_and_exact_for_gaussians():
    h, runs = 1.5, 400
    equal, apart = [], []
    for seed in range(runs):
        x, y = draws(16, 2, 2 * seed), draws(16, 2, 2 * seed + 1)
        equal.append(mmd2(x, y, rbf(h)).item())
        apart.append(mmd2(x, 0.5 * y + 1.0, rbf(h)).item())
    assert abs(np.mean(equal)) < 4 * np.std(equal) / runs**0.5
    assert np.mean(np.array(equal) < 0) > 0.4  # negative as often as not

    def cross(shift, variance):  # E exp(−r²/2h²) for a difference N(shift, variance) each
        return (h**2 / (h**2 + variance)) * math.exp(-2 * shift**2 / (2 * (h**2 + variance)))

    exact = cross(0, 2) + cross(0, 0.5) - 2 * cross(1.0, 1.25)
    assert abs(np.mean(apart) - exact) < 4 * np.std(apart) / runs**0.5


def test_the_bias_of_the_diagonal():
    h, n, runs = 1.0, 32, 300
    found = [
        mmd2_biased(draws(n, 2, 2 * s), draws(n, 2, 2 * s + 1), rbf(h)).item() for s in range(runs)
    ]
    expected = 2 * (1 - h**2 / (h**2 + 2)) / n
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / runs**0.5


def test_a_sample_against_itself():
    x = draws(10, 3)
    inside = rbf(1.0)(squared_distances(x, x))
    off = (inside.sum() - 10) / 90
    expected = -2 * (1 - off.item()) / 10
    assert mmd2(x, x, rbf(1.0)).item() == pytest.approx(expected, abs=1e-12)
    assert mmd2_biased(x, x, rbf(1.0)).item() == pytest.approx(0, abs=1e-12)


def test_the_prior_integrated_is_the_mean_over_prior_samples():
    z, h = 0.6 * draws(20, 3) + 0.2, 1.2
    runs = [mmd2(z, draws(40, 3, seed), rbf(h)).item() for seed in range(1, 301)]
    assert abs(np.mean(runs) - normal_mmd2(z, h).item()) < 4 * np.std(runs) / 300**0.5


def test_gradients_by_finite_differences():
    x, y = draws(5, 2).requires_grad_(), draws(4, 2, 1)
    for f in (
        lambda x: mmd2(x, y, imq_scales(2)),
        lambda x: mmd2_biased(x, y, rbf(0.9)),
        lambda x: normal_mmd2(x, 0.9),
    ):
        assert torch.autograd.gradcheck(f, x)


def test_the_median():
    x = draws(22, 3)  # 231 pairs: an odd number has one median
    assert median_bandwidth(x) == pytest.approx(np.median(pdist(x.numpy())), rel=1e-9)
    with pytest.raises(ValueError, match="median distance is zero"):
        median_bandwidth(torch.ones(4, 2))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10.0), st.floats(-3, 3))
def test_properties(seed, h, shift):
    x, y = draws(6, 2, seed), draws(8, 2, seed + 1)
    kernel = rbf(h)
    value = mmd2(x, y, kernel)
    assert torch.isclose(value, mmd2(y, x, kernel), atol=1e-12)
    assert torch.isclose(value, mmd2(x + shift, y + shift, kernel), atol=1e-9)
    assert torch.isclose(value, mmd2(x * h, y * h, rbf(h * h)), atol=1e-9)
    assert -1e-12 <= mmd2_biased(x, y, kernel) <= 2
    assert torch.isclose(value, mmd2(x[torch.randperm(6)], y, kernel), atol=1e-12)


def test_bad_input():
    x = draws(4, 2)
    for bad in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="bandwidth must be a positive"):
            rbf(bad)
        with pytest.raises(ValueError, match="scale must be a positive"):
            imq(bad)
    with pytest.raises(ValueError, match="at least two rows"):
        mmd2(x[:1], x, rbf(1.0))
    with pytest.raises(ValueError, match="at least two rows"):
        normal_mmd2(x[0], 1.0)
    with pytest.raises(ValueError, match=r"\[n, d\] and \[m, d\]"):
        mmd2(x, draws(4, 3), rbf(1.0))
