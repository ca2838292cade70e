"""Refining q per image, against models whose posterior is known."""

import math
from itertools import pairwise

import pytest
import torch
import torch.distributions as td
from torch import nn

from vaeutil import refine as refining
from vaeutil.data import observe
from vaeutil.models import VAE, FlowVAE, FullVAE
from vaeutil.models.likelihoods import gaussian
from vaeutil.refine import FAMILIES, guess, log_weights, refine, split


class Linear(VAE):
    """p(x | z) = N(W z, s²) on 784 pixels, most of them without z: the posterior is Gaussian."""

    def __init__(self, correlation=0.8, noise=0.5):
        super().__init__(2, hidden=[4], likelihood="gaussian", sigma=noise)
        torch.manual_seed(0)
        root = torch.linalg.cholesky(torch.tensor([[1.0, correlation], [correlation, 1.0]]))
        self.decoder = nn.Linear(2, 784, bias=False)
        weight = torch.zeros(784, 2)
        weight[:2] = root.T
        self.decoder.weight.data = weight

    def likelihood(self, z):
        return gaussian(self.preactivations(z), self.log_sigma.exp())

    def exact(self, x):
        """The posterior and log p(x)."""
        w, variance = self.decoder.weight.detach(), self.log_sigma.exp().item() ** 2
        covariance = torch.linalg.inv(torch.eye(2) + w.T @ w / variance)
        mean = x @ w @ covariance / variance
        low = w[:2] @ w[:2].T + variance * torch.eye(2)
        evidence = td.MultivariateNormal(torch.zeros(2), low).log_prob(x[:, :2])
        evidence = evidence + td.Normal(0, variance**0.5).log_prob(x[:, 2:]).sum(1)
        return mean, covariance, evidence


@pytest.fixture(scope="module")
def linear():
    model = Linear().eval()
    torch.manual_seed(1)
    return model, torch.randn(3, 784) * 0.3


def test_the_full_gaussian_is_the_posterior(linear):
    model, x = linear
    mean, covariance, evidence = model.exact(x)
    law = refine(model, x, "full", steps=600, draws=16)
    root = torch.diag_embed(law.parameters["log_std"].exp()) + law.parameters["below"].tril(-1)
    torch.testing.assert_close(law.parameters["mean"], mean, atol=0.02, rtol=0)
    torch.testing.assert_close(
        root @ root.mT, covariance.expand(3, 2, 2), atol=0.02 * covariance.max().item(), rtol=0.05
    )
    log_w = log_weights(model, x, law, 500)
    torch.testing.assert_close(log_w.mean(0), evidence, atol=0.02, rtol=0)


def test_the_best_diagonal_has_the_known_gap(linear):
    """For a Gaussian posterior the best diagonal q has the precisions' diagonal."""
    model, x = linear
    _, covariance, evidence = model.exact(x)
    precision = torch.linalg.inv(covariance)
    want = 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision))
    law = refine(model, x, "own", steps=600, draws=16)
    log_w = log_weights(model, x, law, 20_000)
    error = log_w.std(0).max() / 20_000**0.5
    gap = evidence - log_w.mean(0)
    assert ((gap - want).abs() < 4 * error + 0.01).all()


def test_the_flow_finds_no_more_where_there_is_no_more(linear):
    model, x = linear
    _, _, evidence = model.exact(x)
    law = refine(model, x, "flow", steps=400)
    torch.testing.assert_close(log_weights(model, x, law, 500).mean(0), evidence, atol=0.1, rtol=0)


def test_the_density_of_the_bent_law_against_autograd():
    torch.manual_seed(0)
    model = VAE(3, hidden=[5]).eval()
    x = (torch.rand(2, 784) < 0.3).float()
    law = refine(model, x, "flow", steps=3, lr=0.3)
    _, draw = refining._start(model, x, "flow")
    noise = torch.randn(2, 3)

    class Fixed:
        def sample(self, shape):
            return noise.expand(*shape, 2, 3).clone().requires_grad_()

        def log_prob(self, epsilon):
            return gaussian(torch.zeros(2, 3), torch.ones(2, 3)).log_prob(epsilon)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refining, "gaussian", lambda *_: Fixed())
        log_q = draw(law.parameters, torch.Size([1]))[1][0]

        def through(epsilon):
            nonlocal noise
            noise = epsilon
            Fixed.sample = lambda self, shape: epsilon.expand(*shape, 2, 3)
            return draw(law.parameters, torch.Size([1]))[0][0]

        jacobian = torch.autograd.functional.jacobian(through, noise)
    for i in range(2):
        log_det = torch.linalg.slogdet(jacobian[i, :, i])[1]
        base = td.Normal(0, 1).log_prob(noise[i]).sum()
        torch.testing.assert_close(log_q[i], base - log_det, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_image_does_not_influence_another(family, monkeypatch):
    """The gradient of one image's bound in another's parameters is zero."""
    torch.manual_seed(0)
    model = FlowVAE(2, hidden=[5], context=3, flow_hidden=(4,)).eval()
    x = (torch.rand(2, 784) < 0.3).float()
    start, draw = refining._start(model, x, family)
    leaves = {name: value.clone().requires_grad_() for name, value in start.items()}
    bound = log_weights(model, x, refining.Law(leaves, draw), 3)[:, 0].sum()
    for slope in torch.autograd.grad(bound, list(leaves.values())):
        assert (slope[1] == 0).all()


def test_own_begins_at_the_encoders_q(blobs):
    x = observe(blobs.test.pixels[:3], "binary", torch.Generator().manual_seed(0))
    for model in (VAE(2, hidden=[6]), FlowVAE(2, hidden=[6])):
        model.eval()
        torch.manual_seed(0)
        with torch.no_grad():
            ours = log_weights(model, x, guess(model, x), 5)
            torch.manual_seed(0)
            torch.testing.assert_close(ours, model.log_weights(x, 5))


def test_split_of_a_gap(linear, monkeypatch):
    """The families are nested, and nothing is above log p(x)."""
    model, x = linear
    monkeypatch.setattr(refining, "observe", lambda *_: x)
    _, _, evidence = model.exact(x)

    class Some:
        pixels = None

    found = split(model, Some(), k=500, k_bound=2_000, steps=300, draws=8)
    torch.testing.assert_close(found["log p"], evidence, atol=0.05, rtol=0)
    order = [found[name] for name in ("encoder", "own", "full", "log p")]
    for less, more in pairwise(order):
        assert (less < more + 0.05).all()
    assert torch.equal(found["own"], found["diagonal"])


def test_bad_input():
    x = torch.zeros(2, 784)
    with pytest.raises(ValueError, match="family is 'best'"):
        refine(VAE(2, hidden=[4]), x, "best")
    with pytest.raises(TypeError, match="FullVAE"):
        refine(FullVAE(2, hidden=[4]), x, "own")
    with pytest.raises(ValueError, match="floats of shape"):
        refine(VAE(2, hidden=[4]), x[0], "own")
    assert math.isfinite(log_weights(FullVAE(2, hidden=[4]), x, refine(
        FullVAE(2, hidden=[4]), x, "full", steps=1), 2).sum().item())  # fmt: skip
