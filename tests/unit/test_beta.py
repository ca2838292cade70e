import pytest
import torch
import torch.distributions as td
from hypothesis import given
from hypothesis import strategies as st

from vaeutil.data import observe
from vaeutil.models import VAE, BetaVAE, load, save
from vaeutil.models.beta import rates


@pytest.fixture
def x(blobs):
    return observe(blobs.test.pixels[:32], "binary", torch.Generator().manual_seed(0))


def pair(**kw):
    """A VAE and a BetaVAE with the same weights."""
    torch.manual_seed(0)
    plain = VAE(3, hidden=(16,))
    model = BetaVAE(3, hidden=(16,), **kw)
    model.load_state_dict(plain.state_dict())
    return plain, model


def loss(model, x):
    torch.manual_seed(1)
    return model.loss(x)


def test_at_price_one_it_is_the_vae(x):
    plain, model = pair()
    assert {k: v.item() for k, v in loss(model, x).items()} == pytest.approx(
        {k: v.item() for k, v in loss(plain, x).items()}, rel=1e-6
    )
    for one in (plain, model):
        one.zero_grad()
        loss(one, x)["loss"].backward()
    for a, b in zip(plain.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-6)


@given(st.floats(0, 20), st.floats(0, 3))
def test_the_price_and_the_floor(beta, free_bits):
    x = (torch.rand(16, 784, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    _, model = pair(beta=beta, free_bits=free_bits)
    terms = loss(model, x)
    q = model.posterior(x)
    prior = td.Normal(torch.zeros(3), torch.ones(3))
    each = td.kl_divergence(q.base_dist, prior).mean(0)
    charged = sum(max(free_bits, value.item()) for value in each)
    assert terms["kl"].item() == pytest.approx(each.sum().item(), rel=1e-4)
    expected = terms["reconstruction"].item() + beta * charged
    assert terms["loss"].item() == pytest.approx(expected, rel=1e-4)


def test_below_the_floor_the_rate_feels_no_pull(x):
    _, model = pair(beta=4.0, free_bits=50.0)
    loss(model, x)["loss"].backward()
    found = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    loss(model, x)["reconstruction"].backward()
    for a, b in zip(found, model.parameters(), strict=True):
        torch.testing.assert_close(a, b.grad)


def test_weights_and_bound_carry_no_price(x):
    plain, model = pair(beta=8.0, free_bits=0.5)
    torch.manual_seed(0)
    expected = plain.log_weights(x, 3)
    torch.manual_seed(0)
    torch.testing.assert_close(model.log_weights(x, 3), expected)


def test_gaussian_likelihood_is_passed_on():
    model = BetaVAE(2, hidden=(8,), likelihood="gaussian", sigma=0.2, beta=3.0)
    assert model.observation == "dequantised"
    assert model.log_sigma.exp().item() == pytest.approx(0.2)


def test_saved_and_loaded(tmp_path):
    torch.manual_seed(0)
    model = BetaVAE(3, hidden=(16,), beta=0.25, free_bits=0.5)
    save(model, tmp_path / "m.safetensors")
    found = load(tmp_path / "m.safetensors")
    assert type(found) is BetaVAE
    assert found.config == model.config
    assert (found.config["beta"], found.config["free_bits"]) == (0.25, 0.5)
    z = torch.randn(4, 3)
    torch.testing.assert_close(found.decode(z), model.decode(z))


@pytest.mark.parametrize("name", ["beta", "free_bits"])
@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
def test_no_such_price(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a number from 0 on"):
        BetaVAE(2, **{name: value})


def test_rates_against_torch():
    mean, std = torch.randn(5, 4), torch.rand(5, 4) + 0.1
    expected = td.kl_divergence(td.Normal(mean, std), td.Normal(0 * mean, 0 * mean + 1))
    torch.testing.assert_close(rates(mean, std), expected)
    with pytest.raises(ValueError, match="one shape"):
        rates(mean, std[0])
