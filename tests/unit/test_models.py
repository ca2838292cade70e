import json

import pytest
import torch
import torch.distributions as td
from safetensors.torch import save_file

from vaeutil import models
from vaeutil.models import AE, VAE, Bernoulli

NETS = {"mlp": (16,), "conv": 4}


def vae(net="mlp", seed=0, **kw):
    torch.manual_seed(seed)
    return VAE(3, net, NETS[net], **kw)


def binary(n=5, seed=1):
    return (torch.rand(n, 784, generator=torch.Generator().manual_seed(seed)) < 0.2).float()


def test_bernoulli_log_prob_is_that_of_torch():
    logits, x = 3 * torch.randn(4, 1, 784), binary(6)
    want = td.Independent(td.Bernoulli(logits=logits), 1).log_prob(x)
    got = Bernoulli(logits).log_prob(x)
    assert got.shape == (4, 6)
    torch.testing.assert_close(got, want)


def test_bernoulli_log_prob_has_the_right_gradient():
    logits = torch.randn(2, 5, dtype=torch.float64, requires_grad=True)
    x = torch.tensor([[0.0, 1, 1, 0, 1]] * 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a: Bernoulli(a).log_prob(x), [logits])


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("kw", [{}, {"likelihood": "gaussian"}])
def test_shapes(net, kw):
    model, x = vae(net, **kw), binary()
    assert model.posterior(x).mean.shape == (5, 3)
    assert model.log_weights(x, 7).shape == (7, 5)
    assert model.encode(x).shape == (5, 3)
    assert model.reconstruct(x).shape == (5, 784)
    assert model.sample(9).shape == (9, 784)
    assert model.decode(torch.zeros(2, 4, 3)).shape == (2, 4, 784)
    assert ((model.sample(9) >= 0) & (model.sample(9) <= 1)).all()


def test_loss_is_minus_the_elbo_in_nats():
    """Bug museum 1: a mean over pixels, or over latents, would change the size of a term."""
    model, x = vae(), binary(4)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        terms = model.loss(x)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        q = td.Independent(td.Normal(*_heads(model, x)), 1)
        z = q.rsample()
    p = td.Independent(td.Bernoulli(logits=model.decoder(z)), 1)
    prior = td.Independent(td.Normal(torch.zeros(3), torch.ones(3)), 1)
    torch.testing.assert_close(terms["reconstruction"], -p.log_prob(x).mean())
    torch.testing.assert_close(terms["kl"], td.kl_divergence(q, prior).mean())
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + terms["kl"])


def _heads(model, x):
    mean, log_variance = model.encoder(x).chunk(2, -1)
    return mean, (log_variance / 2).exp()


@pytest.mark.parametrize("kw", [{}, {"likelihood": "gaussian", "sigma": 0.2}])
def test_log_weights_are_the_three_log_densities(kw):
    model, x = vae(**kw), binary(4)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        got = model.log_weights(x, 6)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        q = td.Normal(*_heads(model, x))
        z = q.rsample((6,))
    if kw:
        log_p = td.Normal(model.decoder(z).sigmoid(), 0.2).log_prob(x).sum(-1)
    else:
        log_p = td.Bernoulli(logits=model.decoder(z)).log_prob(x).sum(-1)
    want = log_p + td.Normal(0.0, 1.0).log_prob(z).sum(-1) - q.log_prob(z).sum(-1)
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-3)


def test_mean_log_weight_and_loss_estimate_the_same_elbo():
    model, x = vae(), binary(2)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        weights = model.log_weights(x, 4_000).mean(1)
        losses = torch.stack([model.loss(x)["loss"] for _ in range(4_000)])
    se = (weights.var() / 4_000 + losses.var() / 4_000).sqrt()
    assert abs(weights.mean() + losses.mean()) < 4 * se


@pytest.mark.parametrize("net", NETS)
def test_a_start_at_the_mean_image(net):
    model = vae(net)
    pixels = torch.randint(0, 255, (50, 28, 28)).to(torch.uint8)
    pixels[:, :3] = 0  # a dark border
    model.start_at_mean(pixels)
    for layer in model.decoder:
        if hasattr(layer, "weight"):
            layer.weight.data.zero_()  # only the last bias is left
    got, want = model.decode(torch.zeros(1, 3))[0], pixels.float().mean(0).flatten() / 255
    if net == "mlp":
        torch.testing.assert_close(got, want.clamp(1e-3, 1 - 1e-3))
    else:
        torch.testing.assert_close(got, want.mean().expand(784))


def test_gaussian_sigma_is_learned_or_fixed():
    learned, fixed = vae(likelihood="gaussian"), vae(likelihood="gaussian", sigma=0.7)
    assert "log_sigma" in dict(learned.named_parameters())
    assert "log_sigma" not in dict(fixed.named_parameters())
    assert fixed.likelihood(torch.zeros(1, 3)).stddev.unique().item() == pytest.approx(0.7)
    assert learned.observation == fixed.observation == "dequantised"
    assert vae().observation == "binary"


def test_reparameterised_gradient_reaches_the_encoder():
    model = vae()
    model.loss(binary())["reconstruction"].backward()
    assert all(p.grad.abs().sum() > 0 for p in model.encoder.parameters())


def test_autoencoder_loss_sums_over_pixels():
    model, x = AE(2, hidden=(8,)), torch.rand(3, 784)
    want = ((x - model.reconstruct(x)) ** 2).sum() / 3
    torch.testing.assert_close(model.loss(x)["loss"].detach(), want)
    assert not hasattr(model, "log_weights")
    assert not hasattr(model, "sample")


@pytest.mark.parametrize("latent", [0, -2, 1.5, True, None])
def test_a_latent_space_needs_a_dimension(latent):
    with pytest.raises(ValueError, match="at least one dimension"):
        VAE(latent)


def test_unknown_words_are_named():
    with pytest.raises(ValueError, match="choose one of mlp, conv"):
        VAE(2, net="resnet")
    with pytest.raises(ValueError, match="bernoulli or gaussian"):
        VAE(2, likelihood="poisson")
    with pytest.raises(ValueError, match="positive number"):
        VAE(2, likelihood="gaussian", sigma=0.0)
    with pytest.raises(ValueError, match="for the gaussian"):
        VAE(2, sigma=1.0)


@pytest.mark.parametrize("k", [0, -1])
def test_log_weights_need_a_sample(k):
    with pytest.raises(ValueError, match="at least one sample"):
        vae().log_weights(binary(), k)


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match=r"\[batch, 784\]"):
        vae().loss(torch.rand(2, 28, 28))
    with pytest.raises(ValueError, match=r"\[batch, 784\]"):
        vae().encode(torch.zeros(2, 784, dtype=torch.uint8))
    with pytest.raises(ValueError, match="A code has 3 numbers, not 2"):
        vae().decode(torch.zeros(1, 2))


@pytest.mark.parametrize("make", [lambda: vae(), lambda: vae("conv", likelihood="gaussian")])
def test_save_and_load_give_the_same_model(make, tmp_path):
    model, x = make(), binary()
    models.save(model, tmp_path / "m.safetensors", seed="4")
    again = models.load(tmp_path / "m.safetensors")
    assert again.config == model.config
    assert not again.training
    assert model.fresh
    assert not again.fresh
    torch.testing.assert_close(again.reconstruct(x), model.reconstruct(x), rtol=0, atol=0)
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


def test_a_model_with_the_weights_of_another_is_not_fresh():
    model = vae()
    model.load_state_dict(vae(seed=1).state_dict())
    assert not model.fresh


def test_half_precision_is_at_most_one_grey_level_off(tmp_path):
    model = vae()
    models.save(model, tmp_path / "m.safetensors", half=True)
    again = models.load(tmp_path / "m.safetensors")
    z = torch.randn(50, 3)
    assert (again.decode(z) - model.decode(z)).abs().max() < 1 / 255
    assert (tmp_path / "m.safetensors").stat().st_size < 2.2 * sum(
        p.numel() for p in model.parameters()
    )


def test_a_failed_save_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(models.storage, "save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        models.save(vae(), tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_load_says_what_is_wrong(tmp_path):
    path = tmp_path / "m.safetensors"
    with pytest.raises(FileNotFoundError):
        models.load(path)
    path.write_bytes(b"\x80\x04 a pickle perhaps")
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        models.load(path)
    models.save(vae(), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        models.load(path)
    save_file(
        {"a": torch.zeros(1)}, path, metadata={"model": "Diffusion", "config": json.dumps({})}
    )
    with pytest.raises(ValueError, match="no model of vaeutil"):
        models.load(path)
