"""Flows: log|det| against autograd, the inverse, densities that integrate to one, bad input."""

import math

import pytest
import torch
import torch.distributions as td
from hypothesis import given
from hypothesis import strategies as st

from vaeutil import flows
from vaeutil.seeding import seeded

CONTEXT = 3
MAKERS = {
    "planar": lambda dim, context: flows.planar(dim, 2, context),
    "coupling": lambda dim, context: flows.coupling(dim, 3, (8,), context),
    "autoregressive": lambda dim, context: flows.autoregressive(dim, 2, (8,), context),
    "reversed": lambda dim, context: flows.Reversed(flows.autoregressive(dim, 2, (8,), context)),
}


def shaken(kind: str, dim: int, context: int, seed: int) -> flows.Flow:
    """A flow in float64, far from the identity."""
    with seeded(seed):
        flow = MAKERS[kind](dim, context).double()
        for parameter in flow.parameters():
            torch.nn.init.normal_(parameter, std=0.7)
    return flow


def inputs(dim: int, context: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(4, dim, generator=generator, dtype=torch.float64)
    beside = torch.randn(4, CONTEXT, generator=generator, dtype=torch.float64)
    return z, (beside if context else None)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("context", [0, CONTEXT])
@given(dim=st.integers(2, 5), seed=st.integers(0, 1000))
def test_log_det_is_that_of_the_jacobian(kind, context, dim, seed):
    flow, (z, beside) = shaken(kind, dim, context, seed), inputs(dim, context, seed)
    y, log_det = flow(z, beside)
    for row in range(len(z)):
        own = None if beside is None else beside[row : row + 1]
        jacobian = torch.autograd.functional.jacobian(
            lambda v, own=own: flow(v[None], own)[0][0], z[row]
        )
        sign, expected = torch.linalg.slogdet(jacobian)
        assert sign != 0
        torch.testing.assert_close(log_det[row], expected, rtol=1e-8, atol=1e-8)
    assert y.shape == z.shape


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("context", [0, CONTEXT])
@given(dim=st.integers(2, 5), seed=st.integers(0, 1000))
def test_the_inverse_leads_back(kind, context, dim, seed):
    flow, (z, beside) = shaken(kind, dim, context, seed), inputs(dim, context, seed)
    y, log_det = flow(z, beside)
    back, log_det_back = flow.inverse(y, beside)
    torch.testing.assert_close(back, z, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(log_det_back, -log_det, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_context_counts_and_broadcasts_over_draws(kind):
    flow, (z, beside) = shaken(kind, 4, CONTEXT, 0), inputs(4, CONTEXT, 0)
    draws = torch.stack([z, z + 1, z - 1])
    y, log_det = flow(draws, beside)
    assert (y.shape, log_det.shape) == ((3, 4, 4), (3, 4))
    torch.testing.assert_close(y[1], flow(z + 1, beside)[0])
    assert not torch.allclose(y, flow(draws, beside + 1)[0])


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("seed", [1, 2])
@torch.no_grad()
def test_the_density_integrates_to_one(kind, seed):
    """By the midpoint rule on a square that holds all but nothing of the mass."""
    flow = shaken(kind, 2, 0, seed)
    for parameter in flow.parameters():
        parameter.data *= 0.3
    law = flows.FlowDistribution(
        td.Independent(td.Normal(torch.zeros(2).double(), torch.ones(2).double()), 1), flow
    )
    points, step = torch.linspace(-12, 12, 301, dtype=torch.float64), 24 / 300
    grid = torch.cartesian_prod(points, points)
    assert law.log_prob(grid).exp().sum() * step**2 == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("kind", ["planar", "coupling", "autoregressive"])
def test_draws_carry_their_own_density(kind):
    flow = shaken(kind, 3, 0, 5)
    base = td.Independent(td.Normal(torch.zeros(3).double(), torch.ones(3).double()), 1)
    law = flows.FlowDistribution(base, flow)
    with seeded(0):
        y, log_q = law.sample_with_log_prob((7,))
    torch.testing.assert_close(log_q, law.log_prob(y), rtol=1e-6, atol=1e-6)
    with seeded(0):
        torch.testing.assert_close(law.rsample((7,)), y)
    assert not law.sample((2,)).requires_grad


@pytest.mark.parametrize("width", [0.1, 4.0])
@pytest.mark.parametrize("depth", [2.0, 20.0])  # from 36 on, float64 has −1 for the exact value
@pytest.mark.parametrize("seed", range(5))
def test_a_planar_layer_never_folds(seed, depth, width):
    """wᵀû = log(1 + e^{wᵀu}) − 1 > −1, for u and w that break the condition by themselves."""
    layer = flows.Planar(3).double()
    with seeded(seed):
        u, w = 8 * torch.randn(3).double(), width * torch.randn(3).double()
    u = u - (u @ w + depth) * w / w.square().sum()  # wᵀu = −depth
    layer.numbers.data = torch.cat([u, w, torch.zeros(1).double()])
    u, w, _ = layer.uwb(None)
    assert (u @ w).item() > -1
    assert (u @ w).item() == pytest.approx(math.log1p(math.exp(-depth)) - 1, abs=1e-12)


def test_affine_flows_begin_as_the_identity():
    z = torch.randn(5, 4)
    for flow in (flows.coupling(4, 1), flows.autoregressive(4, 1)):
        y, log_det = flow(z)
        bias_only = [p for n, p in flow.named_parameters() if n.endswith("bias")]
        assert bias_only
        torch.testing.assert_close(y, z, atol=0.5, rtol=0)
        assert log_det.abs().max() < 1


def test_autoregressive_means_that_later_coordinates_do_not_matter():
    flow = shaken("autoregressive", 5, 0, 1).flows[0]
    jacobian = torch.autograd.functional.jacobian(
        lambda z: flow(z)[0], torch.randn(5, dtype=torch.float64)
    )
    assert (jacobian.triu(1) == 0).all()
    assert (jacobian.tril() != 0).sum() == 15


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: flows.Planar(0), "dimensions"),
        (lambda: flows.Planar(2, -1), "context"),
        (lambda: flows.AffineCoupling(1), "two dimensions"),
        (lambda: flows.planar(2, 0), "depth"),
        (lambda: flows.coupling(2, True), "depth"),
        (lambda: flows.Permutation([0, 0]), "names each once"),
        (lambda: flows.Composition([]), "at least one"),
        (lambda: flows.Composition([flows.Planar(2), flows.Planar(3)]), "one dimension"),
        (lambda: flows.Composition([flows.Planar(2, 1), flows.Planar(2, 2)]), "different sizes"),
        (lambda: flows.planar(2, 1)(torch.zeros(3)), "points of 2"),
        (lambda: flows.planar(2, 1)(torch.zeros(2), torch.zeros(1)), "no context"),
        (lambda: flows.planar(2, 1, 3)(torch.zeros(2)), "context of size 3"),
    ],
)
def test_bad_input_is_told(make, word):
    with pytest.raises(ValueError, match=word):
        make()
