"""AuxiliaryVAE against quadrature over z and u, its gradient by differences, bad input."""

import math

import pytest
import torch

from vaeutil.evaluation import nll
from vaeutil.experiments import auxiliary
from vaeutil.importance import log_mean, log_mean_error
from vaeutil.models import VAE, AuxiliaryVAE, load, save
from vaeutil.seeding import seeded


@pytest.fixture(scope="module")
def model():
    """One latent, one auxiliary variable, networks shaken so that u matters."""
    with seeded(3):
        made = AuxiliaryVAE(1, hidden=[6], auxiliary=1, context=3, width=5)
        for net in (made.guess_z, made.guess_u, made.head):
            for parameter in net.parameters():
                torch.nn.init.normal_(parameter, std=0.35)
        for parameter in made.decoder.parameters():
            parameter.data *= 0.5
        # Both laws of q wide enough for weights that have a variance: the spread of z is the
        # encoder's for every u, that of u larger than the model's guess.
        for net, spread in ((made.guess_z, 0.0), (made.guess_u, -0.5)):
            net[-1].weight.data[1] = 0
            net[-1].bias.data[1] = spread
        made.head.weight.data[1] = 0
        made.head.bias.data[1] = 0.5
        made.encoder[-1].bias.data[1] += 1.0
    return made.eval()


@pytest.fixture(scope="module")
def x():
    generator = torch.Generator().manual_seed(1)
    return (torch.rand(3, 784, generator=generator) < 0.3).float()


GRID = torch.linspace(-9, 9, 721)
STEP = GRID[1] - GRID[0]


def tables(model, x):
    """log p(x, z) [z, batch]; log q(u | x) [u, batch]; log q(z | u, x), log p(u | x, z)."""
    flat = GRID[:, None, None].expand(-1, len(x), 1)
    with torch.no_grad():
        choice = model.choice(x)
        joint = model.likelihood(flat).log_prob(x) + model.prior.log_prob(flat)
        q_u = model.law_of_u(choice).log_prob(flat)
        q_z = torch.stack(
            [model.law_of_z(choice, u.expand(len(x), 1)).log_prob(flat) for u in GRID]
        )
        p_u = torch.stack(
            [model.model_of_u(choice, z.expand(len(x), 1)).log_prob(flat) for z in GRID], 1
        )
    return [table.double() for table in (joint, q_u, q_z, p_u)]


@torch.no_grad()
def test_the_mean_weight_is_the_evidence(model, x):
    exact = tables(model, x)[0].logsumexp(0) + STEP.log()
    with seeded(0):
        log_w = model.log_weights(x, 40_000).double()
    error = log_mean_error(log_w)
    assert ((log_mean(log_w) - exact).abs() < 4 * error + 1e-6).all()


@torch.no_grad()
def test_the_bound_is_the_evidence_minus_gap_minus_penalty(model, x):
    """Every term by quadrature; the bound by draws, and by −loss."""
    joint, q_u, q_z, p_u = tables(model, x)
    log_both = q_u[:, None] + q_z  # q(u, z | x)
    log_z = log_both.logsumexp(0) + STEP.log()  # q(z | x)
    evidence = joint.logsumexp(0) + STEP.log()
    gap = (log_z.exp() * (log_z - joint + evidence)).sum(0) * STEP
    penalty = (log_both.exp() * (log_both - log_z - p_u)).sum((0, 1)) * STEP**2
    assert (penalty > 0.01).all()
    exact = evidence - gap - penalty
    with seeded(1):
        log_w = model.log_weights(x, 40_000).double()
    assert ((log_w.mean(0) - exact).abs() < 4 * log_w.std(0) / 200).all()
    with seeded(2):
        losses = torch.stack([model.loss(x)["loss"] for _ in range(2_000)]).double()
    assert -losses.mean().item() == pytest.approx(
        exact.mean().item(), abs=4 * losses.std().item() / math.sqrt(2_000)
    )
    with seeded(3):
        least, most = auxiliary.penalty(model, x, 4_000, 1_000)
    assert (least < penalty + 0.1).all()
    assert (most > penalty - 0.1).all()
    assert (most - least < 0.1).all()


@torch.no_grad()
def test_spread_is_the_law_of_total_variance(model, x):
    _, q_u, q_z, _ = tables(model, x)
    density = (q_u[:, None] + q_z).exp().sum(0) * STEP
    mean = (density * GRID[:, None]).sum(0) * STEP
    variance = (density * (GRID[:, None] - mean) ** 2).sum(0) * STEP
    with seeded(0):
        by_u, rest = auxiliary.spread(model, x, 40_000)
    torch.testing.assert_close((by_u + rest)[:, 0].double(), variance, rtol=0.03, atol=1e-3)


class Loss(torch.nn.Module):
    """So that functional_call calls the loss."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model.loss(x)


def test_the_gradient_of_the_loss_by_differences(model, x):
    """Along the gradient of each parameter, where the slope is the gradient's length."""
    names = dict(model.named_parameters())
    model.zero_grad()
    with seeded(5):
        model.loss(x)["loss"].backward()
    for name in ("guess_z.0.weight", "guess_u.2.bias", "head.weight", "decoder.0.weight"):
        slope, values, step = names[name].grad.norm().item(), [], 1e-2
        for sign in (1, -1):
            moved = names[name] + sign * step * names[name].grad / slope
            with seeded(5), torch.no_grad():
                terms = torch.func.functional_call(Loss(model), {f"model.{name}": moved}, x)
            values.append(terms["loss"].double().item())
        assert slope == pytest.approx((values[0] - values[1]) / (2 * step), rel=0.02)


def test_without_u_in_z_it_is_the_vae():
    """Under one seed both begin with the same weights; a silent u costs nothing."""
    with seeded(0):
        plain = VAE(2, hidden=[8])
    with seeded(0):
        made = AuxiliaryVAE(2, hidden=[8], auxiliary=3)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(made.state_dict()[name], value)
    for parameter in (
        *made.guess_z[-1].parameters(),
        *made.guess_u[-1].parameters(),
        *made.head.parameters(),
    ):
        torch.nn.init.zeros_(parameter)
    x = (torch.rand(4, 784) < 0.5).float()
    mean = plain.posterior(x).mean
    torch.testing.assert_close(made.encode(x), mean)
    terms = made.loss(x)
    assert terms["auxiliary"].item() == pytest.approx(0, abs=1e-5)


def test_it_is_measured_and_kept_like_every_model(blobs, tmp_path):
    model = AuxiliaryVAE(2, hidden=[8], auxiliary=3)
    assert nll(model, blobs.test[:4], k=3).mean > 0
    save(model, tmp_path / "a.safetensors")
    assert load(tmp_path / "a.safetensors").config == model.config


@pytest.mark.parametrize("bad", [{"auxiliary": 0}, {"context": 1.5}, {"width": True}])
def test_bad_sizes_are_told(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))} must be"):
        AuxiliaryVAE(2, hidden=[8], **bad)


def test_what_it_cannot_give_is_told(blobs):
    model = AuxiliaryVAE(2, hidden=[8])
    with pytest.raises(TypeError, match="integral over u"):
        model.posterior(torch.zeros(1, 784))
    with pytest.raises(ValueError, match="at least one sample"):
        model.log_weights(torch.zeros(1, 784), 0)
