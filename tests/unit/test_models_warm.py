"""Pixels that see pixels, and a price that rises: against enumeration, the VAE and the β-VAE."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from vaeutil.models import VAE, BetaVAE, VisibleBernoulli, VisibleVAE, WarmVAE, load, save
from vaeutil.seeding import seeded


def binary(n, seed=0):
    with seeded(seed):
        return torch.bernoulli(torch.full((n, 784), 0.3))


def test_the_chain_of_pixels_is_a_law():
    """Over the last four pixels, the others held, its probabilities sum to one."""
    with seeded(1):
        logits, weights = torch.randn(784), torch.randn(784, 784).tril(-1)
    images = binary(1).repeat(16, 1)
    images[:, 780:] = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)))
    first = logits + images @ weights.T
    head = (first * images - F.softplus(first))[:, :780].sum(1)
    law = VisibleBernoulli(logits.expand(16, -1), weights)
    assert (law.log_prob(images) - head).exp().sum().item() == pytest.approx(1, abs=1e-4)


def test_draws_follow_the_chain():
    """Two pixels, the second a near copy of the first; all others off."""
    logits = torch.full((784,), -50.0)
    logits[0], logits[1] = 0.0, -2.0
    weights = torch.zeros(784, 784)
    weights[1, 0] = 4.0
    with seeded(2):
        draws = VisibleBernoulli(logits.expand(4_000, -1), weights).sample()
    assert draws[:, 2:].sum() == 0
    on = draws[draws[:, 0] == 1, 1]
    share = torch.tensor(2.0).sigmoid().item()
    assert on.mean().item() == pytest.approx(share, abs=4 * (share * (1 - share) / len(on)) ** 0.5)


def test_log_prob_with_code_samples_is_that_of_each():
    with seeded(3):
        model = VisibleVAE(3, hidden=[20], reach=40)
        model.weights.data.normal_(0, 0.1)
        z = torch.randn(5, 2, 3)
    x = binary(2)
    together = model.likelihood(z).log_prob(x)
    assert together.shape == (5, 2)
    for k in range(5):
        torch.testing.assert_close(together[k], model.likelihood(z[k]).log_prob(x))


def test_a_pixel_sees_reach_pixels_before_it_and_no_other():
    with seeded(4):
        model = VisibleVAE(2, hidden=[20], reach=5)
        model.weights.data.normal_()
    x, z = binary(1).requires_grad_(), torch.zeros(1, 2)
    law = model.likelihood(z)
    logit = (law.logits + x @ law.weights.T)[0, 100]
    (gradient,) = torch.autograd.grad(logit, x)
    assert gradient[0].nonzero().flatten().tolist() == [95, 96, 97, 98, 99]


def test_without_reach_it_is_the_vae():
    with seeded(5):
        plain = VAE(4, hidden=[30])
    with seeded(5):
        warm = WarmVAE(4, hidden=[30])
    x = binary(6)
    with seeded(6):
        a = plain.loss(x)
    with seeded(6):
        b = warm.loss(x)
    for name in a:
        torch.testing.assert_close(a[name], b[name])
    assert warm.decode(torch.zeros(1, 4)).shape == (1, 784)


def test_the_price_rises_with_the_losses_of_training_alone():
    with seeded(7):
        model = WarmVAE(2, hidden=[20], beta=2.0, warmup=4)
    x = binary(3)
    assert model.price.item() == 0
    model.eval()
    model.loss(x)
    assert model.price.item() == 0
    model.train()
    seen = []
    for _ in range(6):
        with seeded(8):
            loss = model.loss(x)
        price = (loss["loss"] - loss["reconstruction"]) / loss["kl"]
        seen.append(round(price.item(), 4))
    assert seen == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]


def test_the_price_goes_on_where_a_stored_model_left_off(tmp_path):
    model = WarmVAE(2, hidden=[20], warmup=10, decoder_hidden=[15])
    for _ in range(3):
        model.loss(binary(2))
    save(model, tmp_path / "warm.safetensors")
    again = load(tmp_path / "warm.safetensors")
    assert again.price.item() == pytest.approx(0.3)
    assert again.decoder[0].out_features == 15


def test_free_bits_are_those_of_the_beta_vae():
    with seeded(9):
        beta = BetaVAE(4, hidden=[30], beta=3.0, free_bits=0.2)
    with seeded(9):
        warm = WarmVAE(4, hidden=[30], beta=3.0, free_bits=0.2)
    x = binary(6)
    with seeded(1):
        a = beta.loss(x)
    with seeded(1):
        b = warm.loss(x)
    torch.testing.assert_close(a["loss"], b["loss"])


def test_the_bound_holds_for_pixels_that_see_pixels():
    """With no use for z every log-weight is the chain's own log p(x)."""
    with seeded(10):
        model = VisibleVAE(2, hidden=[20], reach=100)
        model.weights.data.normal_(0, 0.05)
    for layer in (model.encoder[-1], model.decoder[-1]):
        torch.nn.init.zeros_(layer.weight)
    x = binary(5)
    exact = model.likelihood(torch.zeros(5, 2)).log_prob(x)
    torch.testing.assert_close(model.log_weights(x, 3), exact.expand(3, -1))


@pytest.mark.parametrize("reach", [-1, 784, 2.5])
def test_a_reach_that_is_none(reach):
    with pytest.raises(ValueError, match="reach must be"):
        VisibleVAE(2, reach=reach)


@pytest.mark.parametrize(
    "wrong", [{"beta": -1.0}, {"free_bits": float("inf")}, {"warmup": -3}, {"warmup": 1.5}]
)
def test_prices_that_are_none(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WarmVAE(2, **wrong)


def test_a_mean_without_closed_form_is_refused():
    with pytest.raises(TypeError, match="closed mean"):
        VisibleVAE(2, hidden=[20]).decode(torch.zeros(1, 2))
