import math

import pytest
import torch
import torch.distributions as td

from vaeutil import aggregate
from vaeutil.data import Split, observe
from vaeutil.divergences import gaussian_kl
from vaeutil.information import aggregate_log_prob
from vaeutil.models import VAE, InfoVAE


@pytest.fixture
def laws():
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    return mean, 0.1 + torch.rand(6, 3, generator=generator, dtype=torch.float64)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VAE(3, hidden=(8, 8))


def test_covariance_of_the_mixture_by_draws(laws):
    mean, std = laws
    n = 400_000
    torch.manual_seed(0)
    which = torch.randint(6, (n,))
    z = mean[which] + std[which] * torch.randn(n, 3, dtype=torch.float64)
    exact = aggregate.covariance(mean, std)
    error = (z - z.mean(0)).square().std(0).max() / n**0.5
    assert (z.T.cov() - exact).abs().max() < 5 * error
    assert aggregate.log_det_cov(mean, std) == pytest.approx(
        torch.linalg.slogdet(exact).logabsdet.item()
    )


def test_one_dimension(laws):
    mean, std = (part[:, :1] for part in laws)
    assert aggregate.covariance(mean, std).shape == (1, 1)
    expected = mean.var(correction=0) + std.square().mean()
    assert aggregate.log_det_cov(mean, std) == pytest.approx(expected.log().item())


def test_the_gain_is_what_the_kl_loses_at_the_best_factors(laws):
    mean, std = laws
    factors = aggregate.second_moments(mean, std).rsqrt()
    saved = gaussian_kl(mean, std).mean() - gaussian_kl(factors * mean, factors * std).mean()
    assert aggregate.rescaling_gain(mean, std) == pytest.approx(saved.item(), abs=1e-12)
    scaled = (factors * mean, factors * std)
    torch.testing.assert_close(
        aggregate.second_moments(*scaled), torch.ones(3, dtype=torch.float64)
    )
    assert aggregate.rescaling_gain(*scaled) == pytest.approx(0, abs=1e-12)
    assert aggregate.log_det_cov(*scaled) <= 0


def test_a_rescaled_model_makes_the_same_images(model):
    factors = torch.tensor([0.5, 2.0, 3.0])
    other = aggregate.rescaled(model, factors)
    x = torch.rand(5, 784).round()
    q, p = model.posterior(x), other.posterior(x)
    torch.testing.assert_close(p.mean, factors * q.mean)
    torch.testing.assert_close(p.stddev, factors * q.stddev)
    z = torch.randn(4, 3)
    torch.testing.assert_close(other.decode(factors * z), model.decode(z), atol=1e-6, rtol=1e-5)
    assert other is not model
    assert not torch.equal(other.encoder[-1].weight, model.encoder[-1].weight)


def test_what_cannot_be_rescaled(model):
    with pytest.raises(ValueError, match="positive factor"):
        aggregate.rescaled(model, torch.tensor([1.0, 0.0, 1.0]))
    with pytest.raises(ValueError, match="each of 3 dimensions"):
        aggregate.rescaled(model, torch.ones(2))
    with pytest.raises(ValueError, match="floor"):
        aggregate.rescaled(InfoVAE(3, hidden=(8,), floor=0.1), torch.ones(3))
    model.decoder = torch.nn.Sequential(torch.nn.Identity(), *model.decoder)
    with pytest.raises(ValueError, match="two linear layers"):
        aggregate.rescaled(model, torch.ones(3))


def test_posteriors_are_those_of_the_observed_images(model):
    pixels = torch.randint(0, 256, (7, 28, 28)).to(torch.uint8)
    split = Split(pixels, torch.zeros(7, dtype=torch.int64))
    x = observe(pixels, "binary", torch.Generator().manual_seed(3))
    with torch.no_grad():
        q = model.posterior(x)
    mean, std = aggregate.posteriors(model, split, seed=3)
    assert mean.dtype == torch.float64
    torch.testing.assert_close(mean, q.mean.double())
    torch.testing.assert_close(std, q.stddev.double())


def test_the_mixture_against_torch_and_against_the_fast_one(laws):
    mean, std = laws
    z = torch.randn(250, 3, dtype=torch.float64)
    mixture = td.MixtureSameFamily(
        td.Categorical(torch.ones(6, dtype=torch.float64)), td.Independent(td.Normal(mean, std), 1)
    )
    found = aggregate.mixture_log_prob(z, mean, std)
    torch.testing.assert_close(found, mixture.log_prob(z))
    torch.testing.assert_close(found, aggregate_log_prob(z, mean, std))


def test_the_mixture_of_narrow_posteriors_far_apart():
    mean = 1e4 * torch.eye(4, dtype=torch.float64)
    std = torch.full((4, 4), 1e-7, dtype=torch.float64)
    found = aggregate.mixture_log_prob(mean, mean, std)
    alone = td.Normal(0.0, std).log_prob(torch.zeros(4, 4, dtype=torch.float64)).sum(1)
    torch.testing.assert_close(found, alone - math.log(4), atol=1e-6, rtol=0)


def test_bad_shapes(laws):
    mean, std = laws
    for wrong in ((mean, std[:5]), (mean[0], std[0]), (mean[:1], std[:1])):
        with pytest.raises(ValueError, match="must be two"):
            aggregate.log_det_cov(*wrong)
