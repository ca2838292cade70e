"""The f-VAE against its paper's form, grids and other models; the flow on pixels; the gallery."""

import math

import numpy as np
import pytest
import torch
import torch.distributions as td
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeutil import models
from vaeutil.data import observe
from vaeutil.evaluation import nll
from vaeutil.experiments import fvae as experiment
from vaeutil.models import FVAE, VAE, Gallery, PixelFlow, PriorVAE
from vaeutil.models.pixel_flow import ALPHA
from vaeutil.nets import PIXELS


def lively(model, scale=0.3):
    """The model in float64, its flow no longer near the identity."""
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in model.flow.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
    return model.double().eval()


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = lively(FVAE(3, hidden=(12,), depth=4, width=(8,)))
    with torch.no_grad():
        model.log_sigma1.fill_(-0.7)
    return model


@pytest.fixture
def x():
    return torch.rand(6, PIXELS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def paper_form(model, x, u):
    """log p(x, z) − log q(z | x) in z = F(E(x) + σ₁u), determinants by autograd: [k, batch]."""
    mean = model.encoder(x).float()
    w = mean + model.log_sigma1.exp() * u
    z, _ = model.flow.inverse(w)
    normal = td.Independent(td.Normal(torch.zeros_like(z), 1.0), 1)
    log_det = torch.tensor(
        [
            [
                torch.autograd.functional.jacobian(lambda v: model.flow.inverse(v)[0], row)
                .det()
                .abs()
                .log()
                for row in rows
            ]
            for rows in w.detach()
        ]
    )
    log_q = normal.log_prob(u) - model.latent * model.log_sigma1 - log_det
    back = model.flow(z)[0]  # the decoder undoes the flow
    pixels = td.Normal(model.decode(back), model.log_sigma.exp())
    return normal.log_prob(z) + pixels.log_prob(x).sum(-1) - log_q


def test_both_forms_agree_draw_by_draw(model, x):
    torch.manual_seed(3)
    ours = model.log_weights(x, 4)
    torch.manual_seed(3)
    w = model.posterior(x).rsample((4,))
    u = (w - model.encoder(x).float()) / model.log_sigma1.exp()
    theirs = paper_form(model, x, u)
    torch.testing.assert_close(ours.double(), theirs.double(), rtol=1e-5, atol=2e-3)


def test_the_prior_is_a_density(model):
    torch.manual_seed(0)
    flat = lively(FVAE(2, hidden=(5,), depth=3, width=(6,)))
    side = torch.linspace(-14, 14, 701, dtype=torch.float64)
    plane = torch.cartesian_prod(side, side)
    with torch.no_grad():
        density = flat.prior.log_prob(plane).exp()
        cell = (side[1] - side[0]) ** 2
        draws = flat.to_w(torch.randn(20_000, 2, dtype=torch.float64))
    assert (density.sum() * cell).item() == pytest.approx(1, abs=2e-3)
    mean = (density[:, None] * plane).sum(0) * cell
    se = draws.std(0) / math.sqrt(len(draws))
    assert ((draws.mean(0) - mean).abs() < 4 * se + 1e-3).all()


def test_the_likelihood_of_an_image_is_that_of_a_grid(blobs):
    torch.manual_seed(0)
    flat = lively(FVAE(2, hidden=(6,), depth=3, width=(6,), sigma=2.0)).float()
    found = nll(flat, blobs.test[:4], k=4_000)
    x = observe(blobs.test[:4].pixels, flat.observation, torch.Generator().manual_seed(0))
    side = torch.linspace(-12, 12, 401)
    plane = torch.cartesian_prod(side, side)
    with torch.no_grad():
        log_p = torch.cat(
            [
                flat.likelihood(part[:, None]).log_prob(x) + flat.prior.log_prob(part)[:, None]
                for part in plane.split(2_000)
            ]
        ).double()
    exact = -(log_p.logsumexp(0) + 2 * (side[1] - side[0]).log())
    np.testing.assert_allclose(found.values.numpy(), exact.numpy(), atol=0.15)


def test_without_a_flow_it_is_a_vae(x):
    """Example 1 of the paper, with one σ₁: the VAE's own bound, draw by draw."""
    torch.manual_seed(0)
    plain = FVAE(3, hidden=(7,), depth=0)
    vae = same_networks(plain, VAE(3, hidden=(7,), likelihood="gaussian"))
    weights = [seeded_weights(m, x.float()) for m in (plain, vae)]
    torch.testing.assert_close(*weights, rtol=1e-5, atol=1e-2)
    torch.manual_seed(0)
    many = torch.stack([plain.loss(x.float())["loss"] for _ in range(300)])
    exact = torch.stack([vae.loss(x.float())["loss"] for _ in range(300)])
    se = (many.var() / 300 + exact.var() / 300).sqrt()
    assert abs(many.mean() - exact.mean()) < 4 * se


def test_it_is_a_vae_with_a_flow_prior(x):
    torch.manual_seed(0)
    ours = FVAE(3, hidden=(7,))
    theirs = same_networks(ours, PriorVAE(3, hidden=(7,), likelihood="gaussian", prior="flow"))
    for target, source in zip(
        theirs.learned.flow.parameters(), lively(ours).float().flow.parameters(), strict=True
    ):
        target.data.copy_(source.data)
    weights = [seeded_weights(m, x.float()) for m in (ours, theirs)]
    torch.testing.assert_close(*weights, rtol=1e-5, atol=1e-2)
    w = torch.randn(50, 3)
    torch.testing.assert_close(ours.prior.log_prob(w), theirs.prior.log_prob(w))


def same_networks(fvae, vae):
    """The VAE with the f-VAE's decoder, its means, and its one σ₁ for every image and dimension."""
    with torch.no_grad():
        for target, source in zip(vae.encoder[:-1], fvae.encoder[:-1], strict=True):
            target.load_state_dict(source.state_dict())
        last, d = vae.encoder[-1], fvae.latent
        last.weight[:d], last.bias[:d] = fvae.encoder[-1].weight, fvae.encoder[-1].bias
        last.weight[d:], last.bias[d:] = 0, 2 * fvae.log_sigma1
        vae.decoder.load_state_dict(fvae.decoder.state_dict())
        vae.log_sigma.copy_(fvae.log_sigma)
    return vae


def seeded_weights(model, x):
    torch.manual_seed(2)
    with torch.no_grad():
        return model.log_weights(x, 5)


def test_the_loss_is_the_papers_with_its_constants(model, x):
    torch.manual_seed(2)
    terms = model.loss(x)
    torch.manual_seed(2)
    w = model.posterior(x).rsample()
    z, log_det = model.to_z(w)
    s1, s2, d = model.log_sigma1, model.log_sigma, model.latent
    square = (x - model.decode(w)).square().sum(-1) / (2 * s2.exp() ** 2)
    paper = square + PIXELS * s2 + 0.5 * z.square().sum(-1) - log_det - d * s1
    constants = (PIXELS * math.log(2 * math.pi) - d) / 2
    torch.testing.assert_close(
        terms["loss"].double(), paper.mean().double() + constants, rtol=1e-6, atol=1e-3
    )
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + terms["kl"])


def test_the_decoders_sigma_pays_for_itself(model, x):
    """The slope in log σ₂ is D − ‖x − G‖²/σ₂²: zero at the mean squared error, not at infinity."""
    torch.manual_seed(2)
    (slope,) = torch.autograd.grad(model.loss(x)["loss"], model.log_sigma)
    torch.manual_seed(2)
    error = (x - model.decode(model.posterior(x).rsample())).square().sum(-1).mean()
    expected = PIXELS - error / model.log_sigma.exp() ** 2
    assert slope.item() == pytest.approx(expected.item(), rel=1e-5)
    with torch.no_grad():
        model.log_sigma.copy_(0.5 * (error / PIXELS).log())
    torch.manual_seed(2)
    (slope,) = torch.autograd.grad(model.loss(x)["loss"], model.log_sigma)
    assert abs(slope.item()) < 1e-3


@pytest.mark.parametrize("name", ["log_sigma", "log_sigma1"])
def test_gradients_by_finite_differences(model, x, name):
    parameter = getattr(model, name)

    def loss(value):
        with torch.no_grad():
            old = parameter.clone()
            parameter.fill_(value)
            torch.manual_seed(4)
            found = model.loss(x)["loss"].double().item()
            parameter.copy_(old)
        return found

    torch.manual_seed(4)
    (slope,) = torch.autograd.grad(model.loss(x)["loss"], parameter)
    at, h = parameter.item(), 1e-2
    assert slope.item() == pytest.approx((loss(at + h) - loss(at - h)) / (2 * h), rel=5e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 7), st.integers(1, 6), st.integers(0, 10_000))
def test_the_flow_and_its_inverse_undo_each_other(latent, depth, seed):
    model = lively(FVAE(latent, hidden=(4,), depth=depth, width=(5,)), scale=0.5)
    w = torch.randn(9, latent, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    with torch.no_grad():
        z, log_det = model.to_z(w)
        torch.testing.assert_close(model.to_w(z), w, atol=1e-8, rtol=1e-6)
        torch.testing.assert_close(model.flow(z)[1], -log_det)


def test_samples_follow_the_temperature(model):
    model = model.float()
    frozen = model.sample(4, temperature=0.0)
    with torch.no_grad():
        at_zero = model.decode(model.to_w(torch.zeros(1, 3)))
    torch.testing.assert_close(frozen, at_zero.expand(4, -1))
    torch.manual_seed(1)
    warm = model.sample(5)
    torch.manual_seed(1)
    with torch.no_grad():
        expected = model.decode(model.prior.flow(torch.randn(5, 3))[0])
    torch.testing.assert_close(warm, expected)
    for wrong in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="temperature"):
            model.sample(2, temperature=wrong)


def test_it_is_stored_and_found_again(tmp_path, model, x):
    models.save(model.float(), tmp_path / "f.safetensors")
    found = models.load(tmp_path / "f.safetensors")
    assert found.config == model.config
    torch.testing.assert_close(*(seeded_weights(m, x.float()) for m in (found, model)))
    assert type(found) is FVAE


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="depth counts layers"):
        FVAE(3, hidden=(4,), depth=-1)
    with pytest.raises(ValueError, match="two dimensions"):
        FVAE(1, hidden=(4,))
    with pytest.raises(ValueError, match="positive number"):
        FVAE(2, hidden=(4,), sigma=0.0)
    assert FVAE(1, hidden=(4,), depth=0).latent == 1


# The flow on pixels.


def test_an_untrained_flow_is_the_normal_law_of_logits(x):
    torch.manual_seed(0)
    flow = PixelFlow(2, (4,))
    for layer in flow.flow.flows:
        assert not hasattr(layer, "net") or layer.net[-1].weight.abs().max() == 0
    law = td.TransformedDistribution(
        td.Normal(torch.zeros(PIXELS), 1.0),
        [
            td.SigmoidTransform(),
            td.AffineTransform(-ALPHA / (1 - 2 * ALPHA), 1 / (1 - 2 * ALPHA)),
        ],
    )
    x = x.float().clamp(0.01, 0.99)
    torch.testing.assert_close(flow.log_prob(x), law.log_prob(x).sum(-1), rtol=1e-5, atol=0.02)


def test_its_density_is_that_of_its_jacobian(x):
    flow = lively(PixelFlow(2, (3,)), scale=0.1)
    jacobian = torch.autograd.functional.jacobian(lambda v: flow.encode(v[None])[0], x[0])
    log_det = torch.linalg.slogdet(jacobian)[1]
    normal = td.Normal(0.0, 1.0).log_prob(flow.encode(x[:1])).sum()
    with torch.no_grad():
        assert flow.log_prob(x[:1]).item() == pytest.approx((normal + log_det).item(), rel=1e-6)
        torch.testing.assert_close(flow.decode(flow.encode(x)), x)
        weights = flow.log_weights(x, 3)
    torch.testing.assert_close(weights, flow.log_prob(x).expand(3, -1))
    torch.testing.assert_close(flow.loss(x)["loss"], -flow.log_prob(x).mean())


def test_the_flow_on_pixels_starts_at_the_mean_and_is_stored(tmp_path, blobs):
    flow = PixelFlow(2, (4,))
    flow.start_at_mean(blobs.train.pixels)
    grey = (blobs.train.pixels.flatten(1).double() + 0.5) / 256
    expected = torch.logit(ALPHA + (1 - 2 * ALPHA) * grey).mean(0)
    torch.testing.assert_close(flow.shift.double(), expected, rtol=1e-4, atol=1e-4)
    assert flow.sample(3).shape == (3, PIXELS)
    models.save(flow, tmp_path / "flow.safetensors")
    found = models.load(tmp_path / "flow.safetensors")
    assert torch.equal(found.shift, flow.shift)
    with pytest.raises(ValueError, match="floats of shape"):
        flow.log_prob(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="depth"):
        PixelFlow(0)


# The gallery and the experiment.


def test_a_gallery_keeps_rows_of_images(tmp_path):
    rows = {"draws": torch.rand(3, PIXELS), "means": torch.rand(3, PIXELS)}
    models.save(Gallery.of(rows), tmp_path / "g.safetensors", half=True)
    found = models.load(tmp_path / "g.safetensors")
    for name, images in rows.items():
        torch.testing.assert_close(found[name], images, atol=1e-3, rtol=0)
    with pytest.raises(KeyError, match="the rows are"):
        found["copies"]
    with pytest.raises(ValueError, match="name of a row"):
        Gallery([], 3)
    with pytest.raises(ValueError, match="number of images"):
        Gallery(["a"], 0)


@pytest.mark.parametrize("kind", [*experiment.KINDS, "plane"])
def test_every_kind_runs(kind, blobs, tmp_path):
    config = {
        "model": {"latent": 2, "hidden": [6, 5]},
        "training": {"steps": 3, "batch": 16, "valid_every": 3, "progress": False},
        "evaluation": {"elbo_images": 8, "nll_images": 4, "nll_k": 3, "draws": 8, "shown": 2},
    }
    done = experiment.run(blobs, config, tmp_path / "c", kind=kind, seed=0)
    assert all(math.isfinite(value) for value in done.figures.values())
    bits = 8 + done.figures["negative_elbo"] / (784 * math.log(2))
    assert done.figures["bits"] == pytest.approx(bits)
    assert isinstance(done.model, FVAE if "sigma1" in done.figures else Gallery)
    assert ("sigma2" in done.figures) == (kind != "pixel-flow")
