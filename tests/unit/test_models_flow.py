"""FlowVAE: its density against quadrature and other ways to compute it, its gradients, its file."""

import math

import pytest
import torch
import torch.distributions as td

from vaeutil.data import observe
from vaeutil.models import VAE, FlowVAE, load, save
from vaeutil.seeding import seeded

FLOWS = ("planar", "coupling", "autoregressive")


def stirred(flow, latent=2, **options):
    """A small FlowVAE whose flow is far from the identity."""
    torch.manual_seed(0)
    model = FlowVAE(latent, hidden=[12], flow=flow, context=5, flow_hidden=(6,), **options)
    for parameter in [*model.flow.parameters(), *model.head.parameters()]:
        torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


@pytest.fixture
def x(blobs):
    return observe(blobs.test.pixels[:4], "binary", torch.Generator().manual_seed(0))


@pytest.mark.parametrize("flow", FLOWS)
def test_q_is_a_density(flow, x):
    """By the inverse on a grid, it integrates to one; along its draws it is the same density."""
    model = stirred(flow, depth=2).double()
    with torch.no_grad():
        q = model.posterior(x[:1].double())
        z, log_q = q.sample_with_log_prob((500,))
        torch.testing.assert_close(q.log_prob(z), log_q, atol=2e-4, rtol=1e-4)
        side = torch.linspace(-40, 40, 1601, dtype=torch.float64)
        grid = torch.cartesian_prod(side, side)[:, None]
        total = torch.cat([q.log_prob(part) for part in grid.split(200_000)])
    mass = total.exp().sum().item() * (side[1] - side[0]).item() ** 2
    assert mass == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("flow", FLOWS)
def test_the_log_det_against_autograd(flow, x):
    model = stirred(flow, latent=3).double()
    with torch.no_grad():
        choice = model.choice(x[:1].double())
    context = choice[0, 6:]
    z = torch.randn(3, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda e: model.flow(e, context)[0], z)
    want = torch.linalg.slogdet(jacobian)[1]
    torch.testing.assert_close(model.flow(z, context)[1], want)
    other = model.flow(z, choice.new_zeros(5))[0]
    assert not torch.allclose(model.flow(z, context)[0], other)  # the image does bend the flow


@pytest.mark.parametrize("flow", FLOWS)
def test_the_weights_are_unbiased_for_the_evidence(flow, x):
    """E w = p(x): against quadrature over the plane."""
    model = stirred(flow, depth=2)
    side = torch.linspace(-6, 6, 241)
    plane = torch.cartesian_prod(side, side)[:, None]
    with torch.no_grad():
        joint = [
            (model.likelihood(z).log_prob(x) + model.prior.log_prob(z)).double()
            for z in plane.split(5_000)
        ]
        evidence = torch.cat(joint).logsumexp(0) + 2 * (side[1] - side[0]).log()
        # Draws spread over the plane, so that the weights' mean is well estimated.
        model.encoder[-1].bias[2:] = 2.0
        log_w = model.log_weights(x, 40_000).double()
    ratio = (log_w - evidence).exp()
    error = ratio.std(0) / 40_000**0.5
    assert ((ratio.mean(0) - 1).abs() < 5 * error + 1e-3).all()


def test_a_flow_that_is_the_identity_is_the_vae(x):
    """Two couplings of two dimensions begin as the identity (more dimensions are also shuffled)."""
    model = FlowVAE(2, hidden=[8], flow="coupling")
    plain = VAE(2, hidden=[8])
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if k in plain.state_dict()})
    with seeded(1):
        ours = model.log_weights(x, 7)
    with seeded(1):
        torch.testing.assert_close(ours, plain.log_weights(x, 7), atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(model.encode(x), plain.encode(x))


def test_it_starts_with_the_weights_of_the_vae():
    with seeded(3):
        plain = VAE(4, hidden=[9])
    with seeded(3):
        model = FlowVAE(4, hidden=[9], flow="planar")
    for name, value in plain.state_dict().items():
        assert torch.equal(value, model.state_dict()[name])


@pytest.mark.parametrize("flow", FLOWS)
def test_the_loss_is_minus_the_mean_weight(flow, x):
    model = stirred(flow)
    with seeded(2):
        terms = model.loss(x)
    with seeded(2):
        log_w = model.log_weights(x, 1)
    torch.testing.assert_close(terms["loss"], -log_w.mean())
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + terms["kl"])


@pytest.mark.parametrize("flow", FLOWS)
def test_gradients_against_finite_differences(flow, x):
    model = stirred(flow).double()
    model.preactivations = lambda z: model.decoder(z)  # the model's own is float32
    images = x.double()

    def loss():
        with seeded(4):
            return model.loss(images)["loss"]

    loss().backward()
    for parameter in (model.head.weight, next(model.flow.parameters()), model.encoder[-1].bias):
        at = tuple(0 for _ in parameter.shape)
        slope, before = parameter.grad[at].item(), parameter.data[at].item()
        values = []
        for step in (1e-5, -1e-5):
            parameter.data[at] = before + step
            values.append(loss().item())
        parameter.data[at] = before
        assert slope == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("flow", FLOWS)
def test_a_linear_flow_of_a_gaussian_is_a_gaussian(flow, x):
    """The base before the flow is the encoder's Gaussian, by torch.distributions."""
    model = stirred(flow, latent=3)
    mean, log_variance, _ = model.choice(x).split([3, 3, 5], -1)
    law = td.Independent(td.Normal(mean, (log_variance / 2).exp()), 1)
    z = law.sample()
    torch.testing.assert_close(model.posterior(x).base.log_prob(z), law.log_prob(z))


@pytest.mark.parametrize("flow", FLOWS)
def test_to_a_file_and_back(flow, x, tmp_path):
    model = stirred(flow)
    save(model, tmp_path / "model.safetensors")
    other = load(tmp_path / "model.safetensors")
    assert other.config == model.config
    with seeded(5):
        one = model.log_weights(x, 3)
    with seeded(5):
        torch.testing.assert_close(other.log_weights(x, 3), one)


def test_the_convolutional_encoder_has_a_context_too(x):
    model = FlowVAE(2, net="conv", hidden=4, flow="planar", depth=1)
    assert model.log_weights(x, 2).shape == (2, 4)
    assert math.isfinite(model.loss(x)["loss"].item())


@pytest.mark.parametrize(
    "options", [{"flow": "radial"}, {"depth": 0}, {"context": 0}, {"context": 2.5}, {"sigma": 1.0}]
)
def test_bad_input(options):
    with pytest.raises(ValueError, match=r"choose|whole number|sigma"):
        FlowVAE(2, hidden=[4], **options)


def test_log_weights_needs_a_sample(x):
    with pytest.raises(ValueError, match="at least one sample"):
        FlowVAE(2, hidden=[4]).log_weights(x, 0)
