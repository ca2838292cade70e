"""Completion from quadrants, against sums and quadrature written out."""

import math

import pytest
import torch
import torch.distributions as td

from vaeutil.data import observe
from vaeutil.evaluation import elbo, nll
from vaeutil.experiments.completion import count, nll_by_prior, width
from vaeutil.models import CompletionNet, CompletionVAE, load, save
from vaeutil.models.completion import seen_pixels
from vaeutil.training import fit


@pytest.fixture
def x(blobs):
    return observe(blobs.test.pixels[:5], "binary", torch.Generator().manual_seed(0))


def vae(quadrants=1, latent=1):
    torch.manual_seed(0)
    return CompletionVAE(quadrants, latent, (12,)).eval()


def test_the_quadrants():
    pictures = {n: seen_pixels(n).reshape(28, 28) for n in (1, 2, 3)}
    assert [p.sum().item() for p in pictures.values()] == [196, 392, 588]
    assert pictures[1][14:, :14].all()
    assert pictures[2][:, :14].all()
    assert not pictures[3][:14, 14:].any()
    assert (pictures[1] <= pictures[2]).all()
    assert (pictures[2] <= pictures[3]).all()
    for bad in (0, 4, None):
        with pytest.raises(ValueError, match="1, 2 or 3 quadrants"):
            seen_pixels(bad)


@pytest.mark.parametrize("quadrants", [1, 2, 3])
def test_two_parts_make_the_whole(x, quadrants):
    for model in (vae(quadrants), CompletionNet(quadrants, (12,))):
        c, t = model.parts(x)
        assert c.shape[1] + t.shape[1] == 784
        assert torch.equal(c, x[:, seen_pixels(quadrants)])
        assert torch.equal(model.whole(c, t), x)
        assert torch.equal(model.whole(c, t.expand(2, -1, -1)), x.expand(2, -1, -1))


def test_the_network_gives_the_exact_log_probability(x):
    model = CompletionNet(2, (12,))
    c, t = model.parts(x)
    law = td.Bernoulli(logits=model.decoder(c))
    want = law.log_prob(t).sum(1)
    torch.testing.assert_close(model.log_weights(x, 3), want.expand(3, -1))
    assert model.loss(x)["loss"].item() == pytest.approx(-want.mean().item(), rel=1e-5)


@pytest.mark.parametrize("quadrants", [1, 3])
def test_the_vae_meets_quadrature(blobs, x, quadrants):
    model = vae(quadrants)
    c, t = model.parts(x)
    grid = torch.linspace(-7, 7, 401)
    with torch.no_grad():
        mean, log_variance = model.prior_net(c).chunk(2, -1)
        prior = td.Normal(mean, (0.5 * log_variance).exp()).log_prob(grid)  # [5, grid]
        both = torch.cat([grid[:, None, None].expand(-1, 5, 1), c.expand(len(grid), -1, -1)], -1)
        pixels = td.Bernoulli(logits=model.decoder(both)).log_prob(t).sum(-1).T
    exact = (prior + pixels).double().logsumexp(1) + (grid[1] - grid[0]).log().item()
    torch.manual_seed(1)
    with torch.no_grad():
        weights = model.log_weights(x, 2_000).double()
        by_prior = model.prior_log_weights(x, 2_000).double()
    torch.testing.assert_close(weights.logsumexp(0) - math.log(2_000), exact, rtol=0, atol=0.15)
    torch.testing.assert_close(by_prior.logsumexp(0) - math.log(2_000), exact, rtol=0, atol=0.15)
    likelihood = nll(model, blobs.test[:5], k=500).values
    torch.testing.assert_close(-likelihood.double(), exact, rtol=0, atol=0.15)
    assert (-elbo(model, blobs.test[:5], k=500).values >= -exact - 0.2).all()
    torch.testing.assert_close(
        -nll_by_prior(model, blobs.test[:5], 500).values.double(), exact, rtol=0, atol=0.15
    )


def test_the_loss_is_a_bound_with_the_exact_kl(x):
    model = vae(latent=3)
    c, _ = model.parts(x)
    terms = model.loss(x)
    kl = td.kl_divergence(model.posterior(x).base_dist, model.prior_of(c).base_dist).sum(-1).mean()
    assert terms["kl"].item() == pytest.approx(kl.item(), rel=1e-4)
    with torch.no_grad():
        torch.manual_seed(2)
        loss = torch.stack([model.loss(x)["loss"] for _ in range(100)])
        weights = -model.log_weights(x, 500).mean(1)
    error = math.hypot(loss.std().item() / 100**0.5, weights.std().item() / 500**0.5)
    assert loss.mean().item() == pytest.approx(weights.mean().item(), abs=4 * error)


def test_the_code_and_the_pixels_both_matter(x):
    model = vae(latent=2)
    c, _ = model.parts(x)
    z = torch.randn(5, 2)
    here = model.target(z, c).mean
    assert not torch.allclose(here, model.target(z + 1, c).mean)
    assert not torch.allclose(here, model.target(z, 1 - c).mean)
    found = model.complete(c, 4)
    assert found.shape == (4, 5, 784)
    assert torch.equal(found[2][:, model.seen], c)


def test_it_trains_from_the_mean_and_is_stored(blobs, tmp_path):
    for model in (vae(2), CompletionNet(2, (12,))):
        model.start_at_mean(blobs.train.pixels)
        mean = blobs.train.pixels.flatten(1)[:, ~seen_pixels(2)].float().mean(0) / 255
        bias = model.decoder[-1].bias.sigmoid()
        torch.testing.assert_close(bias, mean.clamp(1e-3, 1 - 1e-3), atol=1e-4, rtol=1e-3)
        history = fit(model, blobs, steps=5, batch=16, progress=False, device="cpu")
        assert len(history.steps)
        save(model, tmp_path / "a.safetensors")
        again = load(tmp_path / "a.safetensors")
        x = observe(blobs.test.pixels[:5], "binary", torch.Generator().manual_seed(0))
        torch.manual_seed(0)
        first = model.log_weights(x, 2)
        torch.manual_seed(0)
        torch.testing.assert_close(again.log_weights(x, 2), first)


@pytest.mark.parametrize("quadrants", [1, 2, 3])
def test_the_wide_network_has_no_fewer_parameters(quadrants):
    network = {"latent": 10, "hidden": [100, 100]}
    wanted = count(CompletionVAE(quadrants, **network))
    side = width(quadrants, network)
    assert wanted <= count(CompletionNet(quadrants, [side] * 2)) < 1.01 * wanted
    assert count(CompletionNet(quadrants, [side - 1] * 2)) < wanted


def test_what_makes_no_sense_is_refused(x):
    for model in (vae(), CompletionNet(1, (12,))):
        with pytest.raises(ValueError, match="at least one sample"):
            model.log_weights(x, 0)
        for call in (model.decode, model.sample, model.reconstruct, model.likelihood):
            with pytest.raises(TypeError, match="needs the pixels that are seen"):
                call(x)
    for cls, rest in ((CompletionVAE, (2, (8,))), (CompletionNet, ((8,),))):
        with pytest.raises(ValueError, match="1, 2 or 3 quadrants"):
            cls(4, *rest)
