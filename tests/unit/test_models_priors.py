"""Learned priors: their densities against scipy and quadrature, the bound, and how they start."""

import copy
import math

import numpy as np
import pytest
import torch
import torch.distributions as td
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from vaeutil.data import observe
from vaeutil.evaluation import elbo, nll
from vaeutil.models import VAE, FlowPrior, MixturePrior, PriorVAE, VampPrior, load, save, with_prior
from vaeutil.models.priors import BRIGHTEST, DARKEST, KINDS
from vaeutil.seeding import seeded
from vaeutil.training import fit


def vae(kind, latent=2, **more):
    """A small PriorVAE whose prior is far from its start."""
    with seeded(1):
        model = PriorVAE(latent, hidden=(8,), prior=kind, components=5, depth=3, **more)
        for parameter in model.learned.parameters():
            parameter.data += (0.1 if kind == "flow" else 0.3) * torch.randn_like(parameter)
    return model.eval()


@pytest.fixture(params=KINDS)
def model(request):
    return vae(request.param)


def binary(n, seed=0):
    return (torch.rand(n, 784, generator=torch.Generator().manual_seed(seed)) < 0.3).float()


def plane(side=481, edge=9.0):
    """Points of a grid over the plane, and the log of the area of each."""
    line = torch.linspace(-edge, edge, side)
    return torch.cartesian_prod(line, line), 2 * math.log(line[1] - line[0])


@settings(deadline=None, max_examples=25)
@given(dim=st.integers(1, 6), count=st.integers(1, 5), seed=st.integers(0, 10**6))
def test_the_mixture_sums_dimensions_before_components(dim, count, seed):
    with seeded(seed):
        prior = MixturePrior(dim, count).double()
        for parameter in prior.parameters():
            parameter.data = torch.randn_like(parameter)
        z = torch.randn(7, dim, dtype=torch.float64)
    log_weight = prior.logits.log_softmax(0).tolist()
    means, stds = (p.detach().numpy() for p in (prior.means, prior.log_stds.exp()))
    parts = [
        log_weight[i] + multivariate_normal(means[i], np.diag(stds[i] ** 2)).logpdf(z)
        for i in range(count)
    ]
    expected = torch.tensor(logsumexp(np.array(parts).reshape(count, 7), 0))
    torch.testing.assert_close(prior().log_prob(z).detach(), expected)


def test_vamp_is_the_mean_of_the_encoders_posteriors():
    model = vae("vamp", latent=3)
    z = torch.randn(6, 3)
    output = model.encoder(model.learned.pixels.sigmoid())
    mean, variance = output[:, :3], output[:, 3:].exp()
    total = sum(
        (-((z - m) ** 2) / (2 * v) - 0.5 * (2 * math.pi * v).log()).sum(-1).exp()
        for m, v in zip(mean, variance, strict=True)
    )
    torch.testing.assert_close(model.prior.log_prob(z), (total / 5).log())


def test_the_flows_density_is_that_of_a_change_of_variables():
    with seeded(0):
        prior = FlowPrior(3, depth=3).double()
        for parameter in prior.parameters():
            parameter.data += 0.3 * torch.randn_like(parameter)
        z = torch.randn(4, 3, dtype=torch.float64)
    for point, found in zip(z, prior().log_prob(z), strict=True):
        back = torch.autograd.functional.jacobian(lambda p: prior.flow.inverse(p)[0], point)
        noise = prior.flow.inverse(point)[0]
        expected = td.Normal(0.0, 1.0).log_prob(noise).sum() + back.det().abs().log()
        torch.testing.assert_close(found, expected)


def test_every_prior_has_mass_one_and_draws_from_its_density(model):
    points, log_area = plane()
    with torch.no_grad():
        mass = (model.prior.log_prob(points) + log_area).exp().double()
    assert mass.sum().item() == pytest.approx(1, abs=2e-3)
    with seeded(0):
        draws = model.prior.sample((20_000,)).double()
    mean = mass @ points.double()
    second = mass @ points.double().square()
    stderr = draws.std(0) / len(draws) ** 0.5
    assert ((draws.mean(0) - mean).abs() < 5 * stderr).all()
    stderr = draws.square().std(0) / len(draws) ** 0.5
    assert ((draws.square().mean(0) - second).abs() < 5 * stderr).all()


def test_the_importance_weights_find_the_evidence(model):
    x = binary(3)
    points, log_area = plane(201, 7.0)
    with torch.no_grad(), seeded(0):
        joint = (
            model.likelihood(points[:, None]).log_prob(x) + model.prior.log_prob(points)[:, None]
        )
        exact = joint.double().logsumexp(0) + log_area
        weights = model.log_weights(x, 5_000).double()
    found = weights.logsumexp(0) - math.log(len(weights))
    ratio = (weights - exact).exp()
    assert ((ratio.mean(0) - 1).abs() < 5 * ratio.std(0) / len(weights) ** 0.5).all()
    assert (weights.mean(0) < found).all()


def test_the_loss_is_the_bound(model):
    x = binary(4)
    with torch.no_grad(), seeded(0):
        bound = -model.log_weights(x, 5_000).mean(1)
        losses = [model.loss(x.repeat(100, 1)) for _ in range(30)]
    found = torch.stack([one["loss"] for one in losses])
    stderr = (found.var() / len(found) + bound.var() / len(bound)).sqrt()
    assert abs(found.mean() - bound.mean()) < 5 * stderr
    one = losses[0]
    torch.testing.assert_close(one["loss"], one["reconstruction"] + one["kl"])


@pytest.mark.parametrize("kind", ["mixture", "flow"])
def test_the_slope_of_the_log_density(kind):
    with seeded(0):
        prior = MixturePrior(2, 3) if kind == "mixture" else FlowPrior(2, 2, (5,))
        prior = prior.double()
        z = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    names, start = zip(*prior.named_parameters(), strict=True)

    def log_prob(z, *values):
        return torch.func.functional_call(
            _LogProb(prior), {f"prior.{n}": v for n, v in zip(names, values, strict=True)}, (z,)
        )

    start = [p.detach().clone().requires_grad_() for p in start]
    assert torch.autograd.gradcheck(log_prob, (z, *start))


class _LogProb(torch.nn.Module):
    def __init__(self, prior):
        super().__init__()
        self.prior = prior

    def forward(self, z):
        return self.prior().log_prob(z)


def test_the_flow_starts_close_to_the_standard_normal():
    with seeded(0):
        prior, z = FlowPrior(4), torch.randn(50, 4)
    standard = td.Normal(0.0, 1.0).log_prob(z).sum(-1)
    torch.testing.assert_close(prior().log_prob(z), standard, atol=0.5, rtol=0)


def test_pseudo_inputs_start_at_training_images(blobs):
    with seeded(0):
        model = PriorVAE(2, hidden=(8,), prior="vamp", components=4)
    fit(model, blobs, steps=1, batch=8, progress=False, warmup=1, lr=1e-9)
    chosen = blobs.train.pixels[[0, 199, 399, 599]].flatten(1).float() / 255
    torch.testing.assert_close(
        model.learned.inputs.detach(), chosen.clamp(DARKEST, BRIGHTEST), atol=1e-4, rtol=0
    )
    with pytest.raises(ValueError, match="images are needed"):
        model.learned.start_at(chosen[:2])


@pytest.mark.parametrize("kind", KINDS)
def test_training_raises_the_bound_and_every_part_of_the_prior_moves(kind, blobs):
    with seeded(0):
        model = PriorVAE(2, hidden=(16,), prior=kind, components=4, depth=2)
        model.start_at_mean(blobs.train.pixels)
    model.fresh = False
    before = copy.deepcopy(model.learned.state_dict())
    start = elbo(model, blobs.test).mean
    fit(model, blobs, steps=60, batch=50, progress=False, warmup=5)
    assert elbo(model, blobs.test).mean > start + 5
    for name, value in model.learned.state_dict().items():
        assert not torch.equal(value, before[name]), name
    assert nll(model, blobs.test[:20], k=50).mean < -elbo(model, blobs.test[:20], k=50).mean
    assert model.sample(7).shape == (7, 784)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_a_prior_fitted_afterwards_leaves_the_networks_alone(blobs, likelihood):
    with seeded(0):
        first = VAE(2, hidden=(8,), likelihood=likelihood)
    fit(first, blobs, steps=30, batch=50, progress=False, warmup=5)
    with seeded(0):
        second = with_prior(first, prior="flow", depth=2)
    x = observe(blobs.test.pixels, first.observation)
    torch.testing.assert_close(second.encode(x), first.encode(x))
    held = {n: v.clone() for n, v in first.state_dict().items()}
    start = elbo(second, blobs.train, k=10).mean
    fit(second, blobs, steps=60, batch=100, progress=False, warmup=5)
    assert elbo(second, blobs.train, k=10).mean > start
    for name, value in held.items():
        torch.testing.assert_close(second.state_dict()[name], value, rtol=0, atol=0)
        torch.testing.assert_close(first.state_dict()[name], value, rtol=0, atol=0)


def test_storage(model, tmp_path):
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.config == model.config
    z = torch.randn(5, 2)
    torch.testing.assert_close(again.prior.log_prob(z), model.prior.log_prob(z))


def test_bad_input():
    with pytest.raises(ValueError, match="prior is 'gamma'"):
        PriorVAE(2, hidden=(8,), prior="gamma")
    for wrong in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="components must be a whole number"):
            MixturePrior(2, wrong)
        with pytest.raises(ValueError, match="components must be a whole number"):
            VampPrior(wrong)
        with pytest.raises(ValueError, match="depth counts layers"):
            FlowPrior(2, depth=wrong)
    with pytest.raises(ValueError, match="latent must be a whole number"):
        MixturePrior(0, 3)
    with pytest.raises(ValueError, match="two dimensions"):
        FlowPrior(1)
