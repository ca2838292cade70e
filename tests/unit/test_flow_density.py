"""Scale and FlowDensity against zuko and torch.distributions; the experiment of the energies."""

import json

import numpy as np
import pytest
import torch
import torch.distributions as td
import zuko
from hypothesis import given
from hypothesis import strategies as st

from vaeutil import experiments, flows, models
from vaeutil.data.toys import lattice
from vaeutil.experiments import energies
from vaeutil.models import FlowDensity
from vaeutil.seeding import seeded


def shaken(kind: str, depth: int = 3, dim: int = 2, seed: int = 0) -> FlowDensity:
    with seeded(seed):
        model = FlowDensity(dim, kind, depth, hidden=(8,)).double()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def test_depth_zero_is_a_diagonal_gaussian():
    model = shaken("planar", 0, dim=3)
    scale = model.flow.flows[0]
    law = td.Independent(td.Normal(scale.shift, scale.log_scale.exp()), 1)
    y = torch.randn(7, 3).double()
    torch.testing.assert_close(model.log_prob(y), law.log_prob(y))
    fresh = FlowDensity(3, "planar", 0)
    torch.testing.assert_close(
        fresh.log_prob(y.float()), td.Normal(0.0, 1.0).log_prob(y.float()).sum(1)
    )


@pytest.mark.parametrize("kind", ["planar", "coupling", "autoregressive"])
def test_the_density_integrates_to_one_and_draws_carry_it(kind):
    model = shaken(kind)
    points, area = lattice(10.0, 300)
    with torch.no_grad():
        assert model.log_prob(points).exp().sum().item() * area == pytest.approx(1, abs=2e-3)
        with seeded(1):
            y, log_p = model.sample_with_log_prob(6)
        torch.testing.assert_close(model.log_prob(y), log_p, rtol=1e-6, atol=1e-6)


def test_a_stored_density_comes_back(tmp_path):
    model = shaken("coupling").float()
    models.save(model, tmp_path / "d.safetensors")
    again = models.load(tmp_path / "d.safetensors")
    y = torch.randn(5, 2)
    torch.testing.assert_close(again.log_prob(y), model.log_prob(y))
    assert again.config == {"dim": 2, "kind": "coupling", "depth": 3, "hidden": [8]}


def test_bad_input():
    with pytest.raises(ValueError, match="choose one of planar, coupling, autoregressive"):
        FlowDensity(2, "radial", 3)
    for depth in (-1, 1.5, True):
        with pytest.raises(ValueError, match="depth"):
            FlowDensity(2, "planar", depth)
    with pytest.raises(ValueError, match="points of 3"):
        flows.Scale(3)(torch.zeros(2))
    with pytest.raises(ValueError, match="no context"):
        flows.Scale(3).inverse(torch.zeros(3), torch.zeros(1))


# What zuko, a library of flows, says of the same maps.


def spread(layer: flows.Flow, seed: int) -> flows.Flow:
    with seeded(seed):
        for parameter in layer.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    return layer.double()


def affine(numbers: torch.Tensor):
    """zuko's affine map with our shift and our bounded log-scale; zuko's own bound is undone."""
    shift, log_scale = numbers.chunk(2, -1)
    log_scale = 3 * torch.tanh(log_scale / 3)
    free = log_scale / (1 - (log_scale / np.log(1e-3)).abs())
    transform = zuko.transforms.MonotonicAffineTransform(shift, free)
    return zuko.transforms.DependentTransform(transform, 1)


def same(layer: flows.Flow, theirs, z: torch.Tensor) -> None:
    with torch.no_grad():
        expected, expected_log_det = theirs.call_and_ladj(z)
        y, log_det = layer(z)
        torch.testing.assert_close(y, expected, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(log_det, expected_log_det, rtol=1e-9, atol=1e-9)
        back, log_det_back = layer.inverse(y)
        torch.testing.assert_close(back, theirs.inv(y), rtol=1e-7, atol=1e-7)
        torch.testing.assert_close(log_det_back, -expected_log_det, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("flip", [False, True])
@given(dim=st.integers(2, 6), seed=st.integers(0, 100))
def test_a_coupling_against_zuko(flip, dim, seed):
    layer = spread(flows.AffineCoupling(dim, (8,), flip=flip), seed)
    stays = torch.arange(dim) < layer.sizes[0]
    mask = ~stays if flip else stays
    theirs = zuko.transforms.CouplingTransform(lambda kept: affine(layer.net(kept)), mask)
    same(layer, theirs, torch.randn(6, dim, generator=torch.Generator().manual_seed(seed)).double())


@given(dim=st.integers(1, 6), seed=st.integers(0, 100))
def test_an_autoregressive_layer_against_zuko(dim, seed):
    layer = spread(flows.Autoregressive(dim, (9, 7)), seed)

    def meta(z):
        hidden = layer.layers[0](z)
        for part in layer.layers[1:]:
            hidden = part(torch.nn.functional.gelu(hidden))
        return affine(hidden)

    theirs = zuko.transforms.AutoregressiveTransform(meta, passes=dim)
    same(layer, theirs, torch.randn(6, dim, generator=torch.Generator().manual_seed(seed)).double())


def test_a_permutation_and_a_composition_against_zuko():
    order = [2, 0, 3, 1]
    same(
        flows.Permutation(order),
        zuko.transforms.PermutationTransform(torch.tensor(order)),
        torch.randn(5, 4).double(),
    )
    composed = spread(flows.coupling(4, 5, (6,)), 2)
    parts = []
    for part in composed.flows:
        if isinstance(part, flows.Permutation):
            parts.append(zuko.transforms.PermutationTransform(part.order))
            continue
        stays = torch.arange(4) < part.sizes[0]
        mask = ~stays if part.flip else stays
        meta = lambda kept, part=part: affine(part.net(kept))  # noqa: E731
        parts.append(zuko.transforms.CouplingTransform(meta, mask))
    same(composed, zuko.transforms.ComposedTransform(*parts), torch.randn(5, 4).double())


def test_the_law_of_a_flow_against_zuko():
    """zuko defines its flows from the points to the noise: ours, reversed."""
    layer = spread(flows.AffineCoupling(3, (8,)), 1)
    mask = torch.tensor([True, True, False])
    forward = zuko.transforms.CouplingTransform(lambda kept: affine(layer.net(kept)), mask)
    base = td.Independent(td.Normal(torch.zeros(3).double(), torch.ones(3).double()), 1)
    theirs = zuko.distributions.NormalizingFlow(forward.inv, base)
    ours = flows.FlowDistribution(base, layer)
    y = torch.randn(6, 3).double()
    with torch.no_grad():
        torch.testing.assert_close(ours.log_prob(y), theirs.log_prob(y), rtol=1e-7, atol=1e-7)


# The experiment.


def test_the_measured_kl_is_that_of_quadrature():
    model = FlowDensity(2, "planar", 0).double()
    with torch.no_grad():
        model.flow.flows[0].log_scale.copy_(torch.tensor([0.8, 0.1]))
    figures, errors = energies.measure(model.float(), "U2", draws=100_000, side=400)
    points, area = lattice(12.0, 1_000)
    with torch.no_grad():
        log_q = model.double().log_prob(points)
    log_p = -energies.energy("U2")(points)
    log_p = log_p - (log_p.logsumexp(0) + np.log(area))
    exact = (log_q.exp() * (log_q - log_p)).sum().item() * area
    assert figures["kl"] == pytest.approx(exact, abs=4 * errors["kl"])
    assert figures["target_left"] == pytest.approx(0.5, abs=1e-3)
    assert figures["left"] == pytest.approx(0.5, abs=0.01)


def test_training_comes_closer():
    with seeded(0):
        model = FlowDensity(2, "planar", 2)
        before = energies.measure(model, "U2", draws=4_000, side=200)[0]["kl"]
        losses = energies.train(model, "U2", steps=150, batch=128, lr=0.03)
    assert len(losses) == 150
    assert energies.measure(model, "U2", draws=4_000, side=200)[0]["kl"] < before - 0.2


def test_a_smoke_run(monkeypatch, tmp_path):
    monkeypatch.setenv("VAEUTIL_PROFILE", "smoke")
    monkeypatch.setattr(energies, "RUNS", [r for r in energies.RUNS if r["seed"] == 0])
    path = experiments.reproduce("energies", work=tmp_path)
    found = json.loads(path.read_text())
    assert [run["run"] for run in found["runs"]] == energies.RUNS
    assert {"kl", "left", "target_left", "parameters", "training_seconds"} == set(
        found["runs"][0]["figures"]
    )
    for file, run in energies.WEIGHTS.items():
        model = models.load(path.parent / file)
        assert (model.config["kind"], model.config["depth"]) == energies.FITS[run["fit"]][:2]


@pytest.mark.parametrize("dim", [2, 3, 4, 5])
def test_couplings_leave_no_coordinate_behind(dim):
    """After a few layers every coordinate depends on every other."""
    flow = spread(flows.coupling(dim, 6, (8,)), 0)
    point = torch.randn(dim, generator=torch.Generator().manual_seed(1)).double()
    jacobian = torch.autograd.functional.jacobian(lambda z: flow(z)[0], point)
    assert (jacobian.abs() > 1e-12).all()
