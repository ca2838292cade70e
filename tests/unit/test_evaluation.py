import math

import pytest
import torch
import torch.distributions as td

from vaeutil import evaluation
from vaeutil.data import Split, observe
from vaeutil.evaluation import active_units, elbo, nll
from vaeutil.models import AE, VAE, gaussian


class LinearGaussian(VAE):
    """x = W z + b + σ ε on grey pixels: p(x) and p(z | x) are known exactly.

    `widen` scales the standard deviation of the posterior: at 1 it is exact.
    """

    observation = "grey"

    def __init__(self, latent=3, sigma=0.3, widen=1.0):
        super().__init__(latent, hidden=(4,))
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.randn(784, latent, generator=generator) / 28
        self.bias = torch.rand(784, generator=generator)
        self.sigma, self.widen = sigma, widen
        precision = torch.eye(latent) + self.weight.T @ self.weight / sigma**2
        # A diagonal posterior is exact only when the true one is diagonal: rotate W until it is.
        self.weight = self.weight @ torch.linalg.eigh(precision).eigenvectors
        precision = torch.eye(latent) + self.weight.T @ self.weight / sigma**2
        self.variance = 1 / precision.diagonal()

    def posterior(self, x):
        mean = (x - self.bias) @ self.weight / self.sigma**2 * self.variance
        return gaussian(mean, self.widen * self.variance.sqrt())

    def likelihood(self, z):
        return gaussian(z @ self.weight.T + self.bias, torch.tensor(self.sigma))

    def exact(self, x):
        p = td.LowRankMultivariateNormal(self.bias, self.weight, torch.full((784,), self.sigma**2))
        return p.log_prob(x)


def images(n=40):
    """Draws of the model itself, rounded to grey levels."""
    model = LinearGaussian()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        x = model.likelihood(torch.randn(n, 3)).sample().clamp(0, 1)
    return Split((255 * x).round().to(torch.uint8).view(n, 28, 28), torch.zeros(n).long())


def truth(split):
    return -LinearGaussian().exact(observe(split.pixels, "grey"))


def test_nll_is_exact_with_the_exact_posterior():
    """Bug museum 12: mean +log p printed as an NLL has the other sign."""
    split = images()
    got = nll(LinearGaussian(), split, k=7)
    torch.testing.assert_close(got.values, truth(split), rtol=1e-5, atol=5e-3)


def test_nll_with_a_wider_posterior_is_unbiased_in_the_weights():
    """exp(−nll) estimates p(x) without bias; compare the mean weight, in standard errors."""
    split = images(2)
    model = LinearGaussian(widen=1.3)
    x = observe(split.pixels, "grey")
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        relative = (model.log_weights(x, 20_000) - model.exact(x)).exp()
    se = relative.std(0) / math.sqrt(20_000)
    assert ((relative.mean(0) - 1).abs() < 4 * se).all()


def test_more_samples_tighten_the_bound():
    """Bug museum 12: one sample's −ELBO is not the NLL."""
    split, model = images(), LinearGaussian(widen=1.5)
    values = [nll(model, split, k=k).mean for k in (1, 10, 500)]
    exact = truth(split).mean().item()
    assert values[0] - exact > 0.5  # the gap of the ELBO: 3 (½ (1.5² − 1) − ln 1.5) = 0.66 nats
    assert values[0] > values[1] > values[2]
    assert values[2] == pytest.approx(exact, abs=0.05)


def test_elbo_is_the_evidence_minus_the_gap():
    split, widen = images(200), 1.5
    gap = 3 * (0.5 * (widen**2 - 1) - math.log(widen))
    got = elbo(LinearGaussian(widen=widen), split, k=200)
    difference = got.values + truth(split) + gap
    se = difference.std() / math.sqrt(len(split))
    assert abs(difference.mean()) < 4 * se


def test_pieces_do_not_change_the_estimate(monkeypatch):
    """The cache-sized pieces only change which random numbers are used, not what is averaged."""
    split, model = images(60), LinearGaussian(widen=1.2)
    whole = nll(model, split, k=203)
    monkeypatch.setattr(evaluation, "ROWS", {"cpu": 64})
    monkeypatch.setattr(evaluation, "SAMPLES", 10)
    pieces = nll(model, split, k=203)
    difference = whole.values - pieces.values
    assert abs(difference.mean()) < 4 * difference.std() / math.sqrt(60)
    assert difference.abs().max() > 0


def test_every_sample_is_counted(monkeypatch):
    """k=7 in pieces of 3 uses 7 samples, not 6 or 9, whatever the pieces."""
    seen = []

    class Counting(LinearGaussian):
        def log_weights(self, x, k, y=None):
            seen.append((len(x), k))
            return super().log_weights(x, k)

    monkeypatch.setattr(evaluation, "SAMPLES", 3)
    monkeypatch.setattr(evaluation, "ROWS", {"cpu": 60})
    nll(Counting(), images(25), k=7)
    assert seen == [(20, 3), (20, 3), (20, 1), (5, 3), (5, 3), (5, 1)]


def test_same_seed_same_estimate_and_the_callers_random_numbers_stay():
    model, split = VAE(2, hidden=(8,)), images(5)
    before = torch.get_rng_state()
    first, again, other = (elbo(model, split, seed=seed).values for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_estimate_knows_its_error():
    e = evaluation.Estimate(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    assert e.mean == 3
    assert e.stderr == pytest.approx(math.sqrt(14 / 3 / 4))
    assert (-e).mean == -3
    assert str(e) == "3.00 ± 1.08 nats"


def test_active_units_counts_the_means_that_move():
    split, model = images(100), LinearGaussian()
    units = active_units(model, split)
    want = model.encode(observe(split.pixels, "grey")).var(0)
    torch.testing.assert_close(units.variances, want)
    assert units.count == 3
    model.variance = model.variance * torch.tensor([1, 1e-4, 1])  # one unit's mean hardly moves
    assert active_units(model, split).count == 2


def test_errors_come_first():
    model, split = LinearGaussian(), images(3)
    for k in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="whole number from 1 on"):
            nll(model, split, k=k)
    with pytest.raises(TypeError, match="AE gives no density"):
        elbo(AE(2), split)
    with pytest.raises(ValueError, match="two images"):
        elbo(model, split[:1])
