"""Laws in the plane: clouds against their definition, energies against the paper's formulas."""

import math

import numpy as np
import pytest
import scipy.integrate
import torch

from vaeutil.data import toys


@pytest.mark.parametrize("name", toys.CLOUDS)
def test_a_cloud_is_what_its_seed_says(name):
    points = toys.cloud(name, 4_000, seed=3)
    assert points.shape == (4_000, 2)
    assert points.dtype == torch.float32
    assert torch.equal(points, toys.cloud(name, 4_000, seed=3))
    assert not torch.equal(points, toys.cloud(name, 4_000, seed=4))
    assert points.mean(0).abs().max() < 0.15


def test_rings_have_two_radii():
    radius = toys.cloud("rings", 20_000, 0).norm(dim=1)
    inner = radius < 1.75
    assert inner.float().mean().item() == pytest.approx(0.5, abs=0.02)
    assert radius[inner].mean().item() == pytest.approx(1.0, abs=0.02)
    assert radius[~inner].mean().item() == pytest.approx(2.5, abs=0.02)


def test_moons_turn_into_each_other_by_half_a_turn():
    points = toys.cloud("moons", 20_000, 0)
    upper = points[:, 1] > 0
    for moon, sign in ((points[upper], 1), (-points[~upper], -1)):
        centre = torch.tensor([-1.0, -0.5])
        far = (moon - centre).norm(dim=1)
        assert far.median().item() == pytest.approx(2.0, abs=0.05), sign


def test_the_checkerboard_has_eight_fields():
    fields = ((toys.cloud("checkerboard", 20_000, 0) + 3) / 1.5).floor().long()
    assert ((fields >= 0) & (fields < 4)).all()
    assert ((fields.sum(1) % 2) == 0).all()
    counts = torch.bincount(fields[:, 0] * 4 + fields[:, 1], minlength=16)
    assert (counts[counts > 0] / 20_000).numpy() == pytest.approx(np.full(8, 1 / 8), abs=0.012)


def paper(name, x, y):
    """U of Rezende & Mohamed 2015, table 1, term by term."""
    wave = math.sin(2 * math.pi * x / 4)
    if name == "U1":
        two = math.exp(-0.5 * ((x - 2) / 0.6) ** 2) + math.exp(-0.5 * ((x + 2) / 0.6) ** 2)
        return 0.5 * ((math.hypot(x, y) - 2) / 0.4) ** 2 - math.log(two)
    if name == "U2":
        return 0.5 * ((y - wave) / 0.4) ** 2
    if name == "U3":
        other, width = wave - 3 * math.exp(-0.5 * ((x - 1) / 0.6) ** 2), 0.35
    else:
        other, width = wave - 3 / (1 + math.exp(-(x - 1) / 0.3)), 0.4
    return -math.log(
        math.exp(-0.5 * ((y - wave) / width) ** 2) + math.exp(-0.5 * ((y - other) / 0.35) ** 2)
    )


@pytest.mark.parametrize("name", toys.ENERGIES)
def test_energies_are_those_of_the_paper_inside_the_wall(name):
    points = 4 * (2 * torch.rand(50, 2, generator=torch.Generator().manual_seed(0)) - 1).double()
    points[:, 1] *= 0.7
    expected = [paper(name, x, y) for x, y in points.tolist()]
    np.testing.assert_allclose(toys.energy(name)(points), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["U2", "U3", "U4"])
def test_the_wall_is_soft(name):
    """It begins with slope zero, grows as a parabola, and leaves every point possible."""
    u = toys.energy(name)
    x = torch.tensor([4.0, 4.001, 4.4, 6.0], dtype=torch.float64, requires_grad=True)
    at = torch.stack([x, torch.sin(math.pi * x.detach() / 2)], 1)
    bare = torch.tensor([paper(name, *point) for point in at.tolist()], dtype=torch.float64)
    np.testing.assert_allclose((u(at) - bare).detach(), [0, 3.125e-6, 0.5, 12.5], atol=1e-8)
    assert u(torch.tensor([60.0, 0.0])).isfinite()


@pytest.mark.parametrize("name", toys.ENERGIES)
def test_the_normaliser_against_simpsons_rule(name):
    u = toys.energy(name)
    x, y = np.linspace(-8, 8, 1_201), np.linspace(-8, 8, 1_001)
    points = torch.tensor(np.stack(np.meshgrid(x, y, indexing="ij"), -1))
    columns = scipy.integrate.simpson((-u(points)).exp().numpy(), x=y, axis=1)
    total = scipy.integrate.simpson(columns, x=x)
    assert toys.log_normaliser(name, 800) == pytest.approx(math.log(total), abs=1e-5)


def test_a_lattice_fills_the_square():
    points, area = toys.lattice(2.0, 4)
    assert points.shape == (16, 2)
    assert area == 1.0
    assert points[0].tolist() == [-1.5, -1.5]
    assert points.mean(0).abs().max() < 1e-12


def test_bad_names_and_sizes():
    for make, words in [
        (lambda: toys.cloud("spiral", 5, 0), "choose one of moons, rings, checkerboard"),
        (lambda: toys.cloud("moons", 0, 0), "at least one point"),
        (lambda: toys.energy("U5"), "choose one of U1, U2, U3, U4"),
    ]:
        with pytest.raises(ValueError, match=words):
            make()
