"""IWAE: its gradients against exact derivatives, its loss against its log-weights."""

import math

import pytest
import torch
import torch.distributions as td

from vaeutil import weighted
from vaeutil.evaluation import nll
from vaeutil.importance import log_mean
from vaeutil.models import IWAE, VAE, load, save
from vaeutil.models.iwae import GRADIENTS, weighted_bound

X, NOISE = 1.3, 0.5
AT = {"w": 1.0, "mean": 0.4, "std": 0.5}
EPS = torch.linspace(-9, 9, 301, dtype=torch.float64)
MASS = torch.softmax(-0.5 * EPS.square(), 0)


def exact(k, **at):
    """L_k of p(z) = N(0, 1), p(x | z) = N(w z, NOISE) under q = N(mean, std²)."""
    z = at["mean"] + at["std"] * EPS
    joint = td.Normal(0.0, 1.0).log_prob(z) + td.Normal(at["w"] * z, NOISE**0.5).log_prob(
        torch.tensor(X, dtype=torch.float64)
    )
    return weighted.expected_log_mean(joint - td.Normal(at["mean"], at["std"]).log_prob(z), MASS, k)


def derivative(k, name, h=1e-4):
    """By finite differences of the exact bound, in double precision."""
    up, down = ({**AT, name: AT[name] + step} for step in (h, -h))
    return (exact(k, **up) - exact(k, **down)) / (2 * h)


def draws(k, gradient, n=40_000):
    """n estimates of L_k and of its derivatives: {"value": [n], "w": [n], …}."""
    torch.manual_seed(k)
    at = {
        name: torch.full((n, 1), value, dtype=torch.float64, requires_grad=True)
        for name, value in AT.items()
    }

    def log_joint(z):
        fit = td.Normal(at["w"] * z, NOISE**0.5).log_prob(torch.tensor(X, dtype=torch.float64))
        return (fit + td.Normal(0.0, 1.0).log_prob(z)).sum(-1)

    bound, _ = weighted_bound(log_joint, at["mean"], at["std"], k, gradient)
    slopes = torch.autograd.grad(bound.sum(), list(at.values()))
    return {"value": bound.detach()} | {
        name: slope[:, 0] for name, slope in zip(at, slopes, strict=True)
    }


def off(values, truth):
    """How many standard errors the mean of values is from the truth."""
    return abs(values.mean().item() - truth) / (values.std().item() / len(values) ** 0.5)


@pytest.mark.parametrize("gradient", ["iwae", "dreg"])
@pytest.mark.parametrize("k", [1, 2, 5, 20])
def test_value_and_gradient_are_unbiased(k, gradient):
    found = draws(k, gradient)
    assert off(found["value"], exact(k, **AT)) < 4
    for name in AT:
        assert off(found[name], derivative(k, name)) < 4, name


def test_sticking_the_landing_is_biased_for_more_than_one_draw():
    assert off(draws(1, "stl")["mean"], derivative(1, "mean")) < 4
    found = draws(5, "stl")
    assert off(found["value"], exact(5, **AT)) < 4
    assert off(found["w"], derivative(5, "w")) < 4
    assert off(found["mean"], derivative(5, "mean")) > 100
    assert off(found["std"], derivative(5, "std")) > 50


def test_the_control_has_value_and_gradient_of_the_elbo():
    found = draws(5, "elbo")
    assert off(found["value"], exact(1, **AT)) < 4
    for name in AT:
        assert off(found[name], derivative(1, name)) < 4, name


@pytest.mark.parametrize("k", [5, 20])
def test_the_double_reparameterisation_is_less_noisy(k):
    plain, double = draws(k, "iwae"), draws(k, "dreg")
    for name in ("mean", "std"):
        assert double[name].var() < plain[name].var()
    assert double["w"].var().item() == pytest.approx(plain["w"].var().item(), rel=0.1)


def test_where_q_is_the_posterior_dreg_has_no_noise():
    precision = 1 + 1 / NOISE
    mean = torch.full((50, 1), X / NOISE / precision, dtype=torch.float64, requires_grad=True)
    std = torch.full((50, 1), precision**-0.5, dtype=torch.float64, requires_grad=True)

    def log_joint(z):
        fit = td.Normal(z, NOISE**0.5).log_prob(torch.tensor(X, dtype=torch.float64))
        return (fit + td.Normal(0.0, 1.0).log_prob(z)).sum(-1)

    bound, _ = weighted_bound(log_joint, mean, std, 4, "dreg")
    slopes = torch.autograd.grad(bound.sum(), [mean, std])
    assert all(slope.abs().max() < 1e-12 for slope in slopes)
    assert bound.std() < 1e-12


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_the_loss_is_that_of_its_log_weights(gradient, blobs):
    torch.manual_seed(0)
    model = IWAE(3, hidden=[8], k=6, gradient=gradient)
    x = (torch.rand(5, 784) < 0.2).float()
    torch.manual_seed(1)
    found = model.loss(x)
    torch.manual_seed(1)
    log_w = model.log_weights(x, 6)
    want = log_w.mean(0) if gradient == "elbo" else log_mean(log_w)
    assert found["loss"].item() == pytest.approx(-want.mean().item(), rel=1e-5)
    assert found["negative_elbo"].item() == pytest.approx(-log_w.mean().item(), rel=1e-5)
    found["loss"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    with torch.no_grad():
        assert model.loss(x)["loss"].isfinite()


@pytest.mark.parametrize("gradient", ["dreg", "stl"])
def test_the_decoder_learns_alike_from_the_same_draws(gradient):
    torch.manual_seed(0)
    x = (torch.rand(5, 784) < 0.2).float()
    slopes = []
    for name in ("iwae", gradient):
        torch.manual_seed(2)
        model = IWAE(3, hidden=[8], k=6, gradient=name)
        model.loss(x)["loss"].backward()
        slopes.append(torch.cat([p.grad.flatten() for p in model.decoder.parameters()]))
    assert torch.allclose(*slopes, atol=1e-4 * slopes[0].abs().max().item())  # float32


def test_the_ruler_is_the_vaes(blobs, tmp_path):
    torch.manual_seed(0)
    model = IWAE(3, hidden=[8], k=6, gradient="dreg")
    plain = VAE(3, hidden=[8])
    plain.load_state_dict(model.state_dict())
    test = blobs.test[:20]
    assert torch.equal(nll(model, test, k=30).values, nll(plain, test, k=30).values)
    save(model, tmp_path / "iwae.safetensors")
    again = load(tmp_path / "iwae.safetensors")
    assert (type(again), again.config) == (IWAE, model.config)
    assert again.config["k"] == 6


def test_continuous_pixels(blobs):
    model = IWAE(2, hidden=[8], likelihood="gaussian", k=3)
    assert math.isfinite(model.loss(torch.rand(4, 784))["loss"].item())


@pytest.mark.parametrize("k", [0, -2, 2.0, True])
def test_a_number_of_samples_that_is_none(k):
    with pytest.raises(ValueError, match="from 1 on"):
        IWAE(2, hidden=[8], k=k)


def test_an_unknown_gradient():
    with pytest.raises(ValueError, match="choose one of iwae, dreg, stl, elbo"):
        IWAE(2, hidden=[8], gradient="vimco")
