"""The conditional VAE against enumeration, torch.distributions and finite differences."""

import math

import pytest
import torch
import torch.distributions as td
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeutil.data import observe
from vaeutil.evaluation import elbo, nll
from vaeutil.models import CVAE, load, save

KINDS = [{}, {"encoder_sees": False}, {"prior": "learned"}]


def build(**kw):
    torch.manual_seed(0)
    model = CVAE(2, hidden=(12,), **kw)
    if kw.get("prior") == "learned":
        with torch.no_grad():
            model.prior_mean.normal_()
            model.prior_log_std.normal_().mul_(0.3)
    return model.eval()


@pytest.fixture
def x(blobs):
    return observe(blobs.test.pixels[:6], "binary", torch.Generator().manual_seed(0))


@pytest.fixture
def y(blobs):
    return blobs.test.labels[:6]


def by_hand(model, x, y, z):
    """log p(x, z | y) − log q(z | x, y), one image and one code at a time, from torch's parts."""
    rows = []
    for image, label, code in zip(x, y.tolist(), z, strict=True):
        one_hot = torch.eye(model.classes)[label]
        seen = torch.cat([image, one_hot]) if model.encoder_sees else image
        mean, log_variance = model.encoder(seen).chunk(2)
        q = td.Normal(mean, log_variance.exp().sqrt())
        p = td.Normal(torch.zeros(2), torch.ones(2))
        if model.config["prior"] == "learned":
            p = td.Normal(model.prior_mean[label], model.prior_log_std[label].exp())
        pixels = td.Bernoulli(logits=model.decoder(torch.cat([code, one_hot])))
        rows.append(pixels.log_prob(image).sum() + p.log_prob(code).sum() - q.log_prob(code).sum())
    return torch.stack(rows)


@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_are_those_written_out(x, y, kind):
    model = build(**kind)
    torch.manual_seed(1)
    found = model.log_weights(x, 3, y)
    torch.manual_seed(1)
    z = model.posterior(x, y).rsample((3,))
    want = torch.stack([by_hand(model, x, y, one) for one in z])
    torch.testing.assert_close(found, want, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_the_mean_of_the_weights(x, y, kind):
    model = build(**kind)
    torch.manual_seed(2)
    with torch.no_grad():
        weights = -model.log_weights(x, 500, y).mean(1)  # over the batch, one number a draw
        loss = torch.stack([model.loss(x, y)["loss"] for _ in range(100)])
    error = math.hypot(weights.std().item() / 500**0.5, loss.std().item() / 10)
    assert loss.mean().item() == pytest.approx(weights.mean().item(), abs=4 * error)
    terms = model.loss(x, y)
    assert terms["loss"].item() == pytest.approx((terms["reconstruction"] + terms["kl"]).item())
    q, p = model.posterior(x, y), model.prior_of(y)
    kl = td.kl_divergence(q.base_dist, p.base_dist).sum(-1).mean()
    assert terms["kl"].item() == pytest.approx(kl.item(), rel=1e-4)


def log_likelihood_by_grid(model, x, label, span=5.0, n=61):
    """log p(x | y) for each image by quadrature over the two latents."""
    side = torch.linspace(-span, span, n)
    plane = torch.cartesian_prod(side, side)
    y = torch.full((len(plane),), label)
    prior = model.prior_of(y[:1])
    with torch.no_grad():
        logits = model.decoder(torch.cat([plane, torch.eye(model.classes)[y]], -1)).double()
        log_x = x.double() @ logits.T - torch.log1p(logits.exp()).sum(-1)
        log_z = td.Normal(prior.mean[0], prior.stddev[0]).log_prob(plane).sum(-1).double()
    return (log_x + log_z).logsumexp(1) + 2 * (side[1] - side[0]).log().item()


@pytest.mark.parametrize("kind", KINDS)
def test_importance_sampling_meets_quadrature_given_the_class_and_without(x, kind):
    model = build(**kind)
    x = x[:3]
    exact = torch.stack([log_likelihood_by_grid(model, x, label) for label in range(10)])
    torch.manual_seed(3)
    with torch.no_grad():
        for label in (0, 7):
            weights = model.log_weights(x, 2_000, torch.full((3,), label)).double()
            found = weights.logsumexp(0) - math.log(2_000)
            torch.testing.assert_close(found, exact[label], rtol=0, atol=0.15)
        marginal = model.log_weights(x, 500).double().logsumexp(0) - math.log(500)
    want = exact.logsumexp(0) - math.log(10)
    torch.testing.assert_close(marginal, want, rtol=0, atol=0.15)
    assert (exact - want <= math.log(10) + 1e-9).all()  # no class is worth more than log 10


def test_without_labels_evaluation_measures_the_marginal(blobs):
    model = build()
    bound, likelihood = -elbo(model, blobs.test[:5], k=20), nll(model, blobs.test[:5], k=300)
    x = observe(blobs.test.pixels[:5], "binary", torch.Generator().manual_seed(0))
    exact = torch.stack([log_likelihood_by_grid(model, x, label) for label in range(10)])
    want = -(exact.logsumexp(0) - math.log(10)).mean().item()
    assert likelihood.mean == pytest.approx(want, abs=0.2)
    assert bound.mean > want - 0.1


def test_the_gradient_of_a_label_by_finite_differences(x, y):
    model = build(prior="learned")
    x, weight = x[:2], model.decoder[0].weight

    def loss():
        torch.manual_seed(4)
        return model.loss(x, y[:2])["loss"].double()

    loss().backward()
    column = 2 + y[0].item()  # a label that occurs
    row = weight.grad[:, column].abs().argmax().item()
    slope, step = weight.grad[row, column].item(), 0.03
    with torch.no_grad():
        weight[row, column] += step
        up = loss().item()
        weight[row, column] -= 2 * step
        down = loss().item()
    assert (up - down) / (2 * step) == pytest.approx(slope, rel=0.05, abs=0.02)
    assert slope


def test_a_fixed_prior_is_the_same_for_all_and_a_learned_one_a_mixture():
    plain, learned = build(), build(prior="learned")
    z = torch.randn(5, 2)
    torch.testing.assert_close(plain.prior.log_prob(z), td.Normal(0, 1).log_prob(z).sum(-1))
    each = torch.stack([learned.prior_of(torch.tensor([c])).log_prob(z) for c in range(10)])
    torch.testing.assert_close(learned.prior.log_prob(z), each.logsumexp(0) - math.log(10))
    assert plain.prior_of(torch.tensor([1, 2])).mean.shape == (2, 2)


def test_who_sees_the_label(x, y):
    other = (y + 1) % 10
    sees, blind = build(), build(encoder_sees=False)
    assert not torch.allclose(sees.encode(x, y), sees.encode(x, other))
    torch.testing.assert_close(blind.encode(x, y), blind.encode(x, other))
    torch.testing.assert_close(blind.encode(x), blind.encode(x, y))
    z = torch.zeros(6, 2)
    assert not torch.allclose(blind.decode(z, y), blind.decode(z, other))


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 9))
@settings(max_examples=20)
def test_shapes(k, batch, label):
    model = build()
    y = torch.full((batch,), label)
    x = (torch.rand(batch, 784) < 0.2).float()
    assert model.log_weights(x, k, y).shape == (k, batch)
    assert model.log_weights(x, k).shape == (k, batch)
    assert model.class_log_weights(x, k).shape == (10, k, batch)
    assert model.decode(torch.zeros(k, batch, 2), y).shape == (k, batch, 784)
    assert model.reconstruct(x, y).shape == (batch, 784)
    assert model.sample(batch, y).shape == model.sample(batch).shape == (batch, 784)


def test_it_is_stored_and_loaded(tmp_path, x, y):
    model = build(prior="learned", encoder_sees=False)
    save(model, tmp_path / "a.safetensors")
    again = load(tmp_path / "a.safetensors")
    assert again.config == model.config
    torch.testing.assert_close(again.encode(x, y), model.encode(x, y))
    torch.testing.assert_close(again.prior_of(y).mean, model.prior_of(y).mean)


@pytest.mark.parametrize(
    "bad",
    [{"classes": 1}, {"classes": True}, {"classes": 2.0}, {"prior": "flat"}, {"net": "conv"}],
)
def test_what_cannot_be_built(bad):
    with pytest.raises(ValueError, match=r"classes must|prior is|fully connected"):
        CVAE(2, **{"hidden": (8,), **bad})


def test_labels_that_are_none(x, y):
    model = build()
    for bad in (torch.full((6,), -1), torch.full((6,), 10), y.float(), y[:, None], y.tolist()):
        with pytest.raises(ValueError, match="Labels"):
            model.log_weights(x, 1, bad)
    with pytest.raises(ValueError, match="as many labels, not 3"):
        model.posterior(x, y[:3])
    for call in (model.posterior, model.encode):
        with pytest.raises(ValueError, match="give the labels"):
            call(x)
    with pytest.raises(ValueError, match="give the labels"):
        model.decode(torch.zeros(6, 2))
    with pytest.raises(ValueError, match="2 numbers, not 3"):
        model.decode(torch.zeros(6, 3), y)
    with pytest.raises(ValueError, match="at least one sample"):
        model.log_weights(x, 0, y)
    with pytest.raises(ValueError, match="Labels go from 0"):
        build(prior="learned", encoder_sees=False).prior_of(torch.tensor([-1]))
