"""The f-VAE over binary pixels, against torch's distributions and an integral over a grid."""

import math

import pytest
import torch
import torch.distributions as td

from vaeutil.models import BinaryFVAE, load, save
from vaeutil.seeding import seeded


def made(latent=2):
    with seeded(0):
        return BinaryFVAE(latent, hidden=(8,), depth=2).eval()


def test_its_likelihood_is_bernoulli():
    model, x = made(), torch.bernoulli(torch.rand(5, 784))
    w = torch.randn(5, 2)
    expected = td.Bernoulli(probs=model.decode(w).double()).log_prob(x.double()).sum(-1)
    torch.testing.assert_close(
        model.likelihood(w).log_prob(x).double(), expected, rtol=1e-5, atol=0
    )
    assert model.observation == "binary"
    assert not hasattr(model, "log_sigma")


@torch.no_grad()
def test_its_weights_tend_to_log_p():
    model, x = made(), torch.bernoulli(torch.rand(3, 784))
    side = torch.linspace(-7, 7, 281)
    grid = torch.cartesian_prod(side, side)
    cell = (side[1] - side[0]).item() ** 2
    joint = model.prior.log_prob(grid) + model.likelihood(grid[:, None]).log_prob(x).T
    exact = joint.double().logsumexp(1) + math.log(cell)
    with seeded(1):
        log_w = model.log_weights(x, 40_000).double()
    mean = log_w.logsumexp(0) - math.log(len(log_w))
    share = log_w.softmax(0)
    error = (share.square().sum(0) - 1 / len(log_w)).clamp(min=0).sqrt()
    assert ((mean - exact).abs() < 5 * error + 1e-3).all()


def test_a_step_of_training_moves_every_weight():
    model = made()
    model.loss(torch.bernoulli(torch.rand(4, 784)))["loss"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_it_is_read_back(tmp_path):
    model = made(3)
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    w = torch.randn(4, 3)
    torch.testing.assert_close(again.decode(w), model.decode(w))
    torch.testing.assert_close(again.prior.log_prob(w), model.prior.log_prob(w))


def test_too_small_a_latent_is_refused():
    with pytest.raises(ValueError, match="dimension"):
        BinaryFVAE(1)
