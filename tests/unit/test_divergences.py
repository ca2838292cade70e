import pytest
import torch
import torch.distributions as td
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from vaeutil.divergences import gaussian_kl, gaussian_kl_between, gaussian_kl_full

means = st.floats(-5, 5)
stds = st.floats(0.05, 5)


def double(*values):
    return torch.tensor(values, dtype=torch.float64)


@given(means, stds, means, stds)
def test_univariate_kl_is_the_integral(m1, s1, m2, s2):
    p, q = stats.norm(m1, s1), stats.norm(m2, s2)
    integral, _ = integrate.quad(
        lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), m1 - 12 * s1, m1 + 12 * s1, points=[m1]
    )
    got = gaussian_kl_between(double(m1), double(s1), double(m2), double(s2))
    assert got.item() == pytest.approx(integral, rel=1e-6, abs=1e-8)


@given(st.lists(st.tuples(means, stds, means, stds), min_size=1, max_size=6))
def test_diagonal_kl_sums_over_latents(rows):
    """Bug museum 2: the KL's mean over the latents instead of their sum."""
    m1, s1, m2, s2 = (double(*column) for column in zip(*rows, strict=True))
    want = td.kl_divergence(td.Normal(m1, s1), td.Normal(m2, s2)).sum()
    torch.testing.assert_close(gaussian_kl_between(m1, s1, m2, s2), want)
    torch.testing.assert_close(
        gaussian_kl(m1, s1), gaussian_kl_between(m1, s1, 0 * m1, torch.ones_like(s1))
    )


def test_exp_log_variance_is_not_the_standard_deviation():
    """Bug museum 8: exp(logvar) where the standard deviation exp(logvar / 2) belongs."""
    mean, log_variance = double(0.3, -1.2), double(-1.4, 0.7)
    got = gaussian_kl(mean, (0.5 * log_variance).exp())
    want = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
    torch.testing.assert_close(got, want)


@given(st.integers(1, 5), st.integers(0, 10_000))
def test_full_kl_agrees_with_torch(d, seed):
    generator = torch.Generator().manual_seed(seed)
    m1, m2 = torch.randn(2, d, generator=generator, dtype=torch.float64)
    roots = torch.randn(2, d, d, generator=generator, dtype=torch.float64)
    c1, c2 = roots @ roots.mT + 0.1 * torch.eye(d, dtype=torch.float64)
    want = td.kl_divergence(td.MultivariateNormal(m1, c1), td.MultivariateNormal(m2, c2))
    torch.testing.assert_close(gaussian_kl_full(m1, c1, m2, c2), want)


def test_full_kl_of_diagonal_covariances_is_the_diagonal_kl():
    m1, m2 = double(0.3, -1.2, 0.7), double(0.0, 1.0, -1.0)
    s1, s2 = double(0.5, 1.4, 0.9), double(1.0, 0.3, 2.0)
    got = gaussian_kl_full(m1, torch.diag(s1**2), m2, torch.diag(s2**2))
    torch.testing.assert_close(got, gaussian_kl_between(m1, s1, m2, s2))


def test_batches_keep_their_axes():
    mean, std = torch.zeros(3, 4, 2), torch.ones(3, 4, 2)
    assert gaussian_kl(mean, std).shape == (3, 4)
    eye = torch.eye(2).expand(3, 4, 2, 2)
    assert gaussian_kl_full(mean, eye, mean + 1, eye).shape == (3, 4)


@given(st.lists(st.tuples(means, stds), min_size=1, max_size=4))
def test_zero_only_at_the_prior(rows):
    m, s = (double(*column) for column in zip(*rows, strict=True))
    assert gaussian_kl(m, s) >= 0
    assert gaussian_kl(0 * m, torch.ones_like(s)) == 0


def test_gradients_by_finite_differences():
    arguments = [t.requires_grad_() for t in (double(0.3, -1), double(0.5, 2))]
    assert torch.autograd.gradcheck(gaussian_kl, arguments)
    more = [t.requires_grad_() for t in (double(1, 0), double(0.7, 1))]
    assert torch.autograd.gradcheck(gaussian_kl_between, arguments + more)


def test_shapes_must_match():
    with pytest.raises(ValueError, match="one shape"):
        gaussian_kl(torch.zeros(3), torch.ones(2))
    with pytest.raises(ValueError, match="at least one axis"):
        gaussian_kl(torch.tensor(0.0), torch.tensor(1.0))
    with pytest.raises(ValueError, match="2×2"):
        gaussian_kl_full(torch.zeros(2), torch.eye(3), torch.zeros(2), torch.eye(3))


def test_a_covariance_must_be_positive_definite():
    bad = torch.tensor([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(ValueError, match="cov2 is not positive definite"):
        gaussian_kl_full(torch.zeros(2), torch.eye(2), torch.zeros(2), bad)
