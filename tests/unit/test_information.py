import math

import pytest
import torch
import torch.distributions as td
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from vaeutil.data import Split, observe
from vaeutil.evaluation import elbo
from vaeutil.information import (
    aggregate_log_prob,
    information,
    rate_distortion,
)
from vaeutil.models import AE, VAE, gaussian


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return VAE(3, hidden=(8,)).eval()


class Fixed(VAE):
    """Posteriors that are read off the first pixel: N(scale · pixel, width²) in one dimension."""

    observation = "grey"

    def __init__(self, scale, width):
        super().__init__(1, hidden=(4,))
        self.scale, self.width = scale, width

    def posterior(self, x):
        mean = self.scale * x[:, :1]
        return gaussian(mean, torch.full_like(mean, self.width))


def steps(n):
    """n images whose first pixels are 0, 1, … n − 1 grey levels."""
    pixels = torch.zeros(n, 28, 28, dtype=torch.uint8)
    pixels[:, 0, 0] = torch.arange(n)
    return Split(pixels, torch.zeros(n).long())


def test_rate_and_distortion_add_up_to_the_negative_elbo(model, blobs):
    """Draw by draw it differs (the exact KL against the sampled one), so by the standard error."""
    parts = rate_distortion(model, blobs.test, k=50)
    whole = -elbo(model, blobs.test, k=50)
    difference = parts.rate.values + parts.distortion.values - whole.values
    assert abs(difference.mean()) < 4 * difference.std() / math.sqrt(len(difference))


def test_rate_is_that_of_torch_distributions(model, blobs):
    x = observe(blobs.test.pixels, "binary", torch.Generator().manual_seed(0))
    with torch.no_grad():
        want = td.kl_divergence(model.posterior(x), model.prior.expand((len(x),)))
    torch.testing.assert_close(rate_distortion(model, blobs.test).rate.values, want)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 700), st.integers(0, 50))
def test_the_aggregate_is_a_mixture_of_torch_distributions(n, d, m, seed):
    g = torch.Generator().manual_seed(seed)
    z, mean = (3 * torch.randn(rows, d, generator=g, dtype=torch.float64) for rows in (m, n))
    std = 0.02 + torch.rand(n, d, generator=g, dtype=torch.float64)
    mixture = td.MixtureSameFamily(
        td.Categorical(torch.ones(n)), td.Independent(td.Normal(mean, std), 1)
    )
    torch.testing.assert_close(aggregate_log_prob(z, mean, std), mixture.log_prob(z))


def test_the_rate_splits_draw_by_draw(model, blobs):
    found = information(model, blobs.test, k=2)
    torch.testing.assert_close(
        found.mutual_information.values + found.aggregate_kl.values, found.rate.values
    )
    assert found.ceiling == math.log(len(blobs.test))


def test_information_against_quadrature():
    """Five Gaussians in a row, spaced by 0.8 of their width: nothing is hidden in one dimension."""
    n, gap, width = 5, 0.4, 0.5
    split, model = steps(n), Fixed(255 * gap, width)
    parts = [stats.norm(gap * i, width) for i in range(n)]

    def mixture(z):
        return sum(p.pdf(z) for p in parts) / n

    entropy, _ = integrate.quad(lambda z: -mixture(z) * math.log(mixture(z)), -6, 9, limit=200)
    cross, _ = integrate.quad(lambda z: -mixture(z) * stats.norm.logpdf(z), -6, 9, limit=200)
    found = information(model, split, k=20_000)
    each = {
        "mutual_information": entropy - parts[0].entropy(),
        "aggregate_kl": cross - entropy,
        "rate": cross - parts[0].entropy(),
    }
    for name, want in each.items():
        assert getattr(found, name).mean == pytest.approx(want, abs=0.02)


def test_the_ceiling_is_log_n_and_the_floor_is_zero():
    apart, alike = Fixed(255 * 100.0, 0.1), Fixed(0.0, 0.7)
    found = information(apart, steps(50))
    assert found.mutual_information.mean == pytest.approx(math.log(50), abs=1e-6)
    assert information(alike, steps(50)).mutual_information.mean == pytest.approx(0, abs=1e-9)


def test_bad_input(model, blobs):
    for function in (rate_distortion, information):
        with pytest.raises(TypeError, match="AE has no posterior"):
            function(AE(2, hidden=(4,)), blobs.test)
        with pytest.raises(ValueError, match="At least two images"):
            function(model, blobs.test[:1])
        for k in (0, -2, 1.5, True):
            with pytest.raises(ValueError, match="counts draws"):
                function(model, blobs.test, k=k)
