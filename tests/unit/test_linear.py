"""The linear-Gaussian model against torch.distributions, scikit-learn and Monte Carlo."""

import numpy as np
import pytest
import torch
import torch.distributions as td
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from vaeutil.linear import LinearGaussian, ppca


def random_model(D=5, d=2, seed=0):
    torch.manual_seed(seed)
    weight, mean = torch.randn(D, d).double(), torch.randn(D).double()
    return LinearGaussian(weight, mean, 0.6), torch.randn(7, D).double()


def dense(model):
    """p(x) with the full covariance, by torch's general multivariate normal."""
    eye = torch.eye(len(model.mean), dtype=torch.float64)
    cov = model.weight @ model.weight.T + model.sigma**2 * eye
    return td.MultivariateNormal(model.mean, cov)


def test_evidence_is_the_density_of_the_marginal():
    model, x = random_model()
    torch.testing.assert_close(model.log_evidence(x), dense(model).log_prob(x))


def test_posterior_obeys_bayes_at_any_code():
    model, x = random_model()
    for z in torch.randn(3, 2).double():
        joint = model.likelihood(z).log_prob(x) + model.prior.log_prob(z)
        torch.testing.assert_close(joint - model.posterior(x).log_prob(z), model.log_evidence(x))


def test_precision_is_the_inverse_of_the_posterior_covariance():
    model, x = random_model(d=3)
    product = model.precision @ model.posterior(x).covariance_matrix[0]
    torch.testing.assert_close(product, torch.eye(3).double())


def test_elbo_by_monte_carlo():
    model, x = random_model()
    mean, cov = torch.randn(7, 2).double(), torch.tensor([[0.5, 0.1], [0.1, 0.3]]).double()
    q = td.MultivariateNormal(mean, cov)
    z = q.sample((40_000,))
    log_w = model.likelihood(z).log_prob(x) + model.prior.log_prob(z) - q.log_prob(z)
    error = (log_w.mean(0) - model.elbo(x, mean, cov)).abs() / (log_w.std(0) / 200)
    assert error.max() < 4.5


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), D=st.integers(3, 8), d=st.integers(1, 2))
def test_elbo_and_gap_add_up_to_the_evidence(seed, D, d):
    model, x = random_model(D, d, seed)
    root = torch.randn(d, d).double() + 2 * torch.eye(d)
    cov, mean = root @ root.T + 0.1 * torch.eye(d), torch.randn(7, d).double()
    gap = td.kl_divergence(td.MultivariateNormal(mean, cov), model.posterior(x))
    torch.testing.assert_close(model.elbo(x, mean, cov) + gap, model.log_evidence(x))


def test_elbo_touches_at_the_posterior():
    model, x = random_model()
    q = model.posterior(x)
    bound = model.elbo(x, q.mean, q.covariance_matrix[0])
    torch.testing.assert_close(bound, model.log_evidence(x))


@pytest.fixture(scope="module")
def points():
    torch.manual_seed(3)
    return (torch.randn(400, 6) @ torch.randn(6, 6) + 2).double()


def test_ppca_is_sklearns(points):
    theirs = PCA(2, svd_solver="full").fit(points.numpy())
    ours = ppca(points, 2)
    scale = len(points) / (len(points) - 1)  # scikit-learn divides by n − 1
    np.testing.assert_allclose(ours.sigma**2 * scale, theirs.noise_variance_)
    cov = ours.marginal.covariance_matrix.numpy()
    np.testing.assert_allclose(cov * scale, theirs.get_covariance())


def test_ppca_is_a_maximum(points):
    best = ppca(points, 2)
    top = best.log_evidence(points).mean()
    torch.manual_seed(0)
    for _ in range(20):
        other = best.weight + 0.05 * torch.randn_like(best.weight)
        sigma = best.sigma * (1 + 0.05 * torch.randn(1).item())
        assert LinearGaussian(other, best.mean, sigma).log_evidence(points).mean() < top


def test_fixed_sigma_kills_the_small_columns(points):
    values = torch.linalg.eigvalsh(points.T.cov(correction=0)).flip(0)
    sigma = ((values[2] + values[3]) / 2).sqrt().item()
    model = ppca(points, 5, sigma)
    assert model.sigma == sigma
    norms = model.weight.square().sum(0)
    torch.testing.assert_close(norms[:3], values[:3] - sigma**2)
    assert (norms[3:] == 0).all()


def test_em_never_falls_and_arrives(points):
    torch.manual_seed(1)
    model = LinearGaussian(torch.randn(6, 2).double(), points.mean(0), 1.0)
    last = -torch.inf
    for _ in range(200):
        model = model.em_step(points)
        now = model.log_evidence(points).mean()
        assert now >= last - 1e-10
        last = now
    torch.testing.assert_close(last, ppca(points, 2).log_evidence(points).mean())


@pytest.mark.parametrize(
    ("weight", "mean", "sigma"),
    [
        (torch.zeros(3), torch.zeros(3), 1.0),
        (torch.zeros(3, 2), torch.zeros(2), 1.0),
        (torch.zeros(3, 2), torch.zeros(3), 0.0),
        (torch.zeros(3, 2), torch.zeros(3), float("nan")),
    ],
)
def test_bad_parts_are_refused(weight, mean, sigma):
    with pytest.raises(ValueError, match=r"weight|sigma"):
        LinearGaussian(weight, mean, sigma)


def test_bad_points_are_refused(points):
    model, _ = random_model()
    with pytest.raises(ValueError, match=r"\[n, 5\]"):
        model.log_evidence(torch.zeros(5).double())
    for bad, latent in ((points, 0), (points, 6), (points[:1], 2), (points[0], 1)):
        with pytest.raises(ValueError, match="latent < D"):
            ppca(bad, latent)
