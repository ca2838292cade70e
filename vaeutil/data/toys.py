"""Laws in the plane with a shape: point clouds to fit a density to, energies to fit draws to.

The energies are the four of Rezende & Mohamed (2015, arXiv:1505.05770, table 1). Three of them go
on for ever along the first axis, where e^{−U} has no finite integral; a soft wall ends them here.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

CLOUDS = ("moons", "rings", "checkerboard")
WALL_AT, WALL_WIDTH = 4.0, 0.4
REACH = 8.0  # beyond this every energy is above 45: less than e⁻⁴⁰ of the mass


def cloud(name: str, n: int, seed: int) -> Tensor:
    """n independent points of a law, float32 [n, 2]; the same seed gives the same points.

    "moons": two half circles of radius 2 that reach into each other, with noise 0.15; "rings": two
    circles, of radius 1 and 2.5, with noise 0.12; "checkerboard": uniform on the eight dark fields
    of [−3, 3]². Raises ValueError for another name, or n below one.
    """
    if name not in CLOUDS:
        raise ValueError(f"There is no cloud {name!r}; choose one of {', '.join(CLOUDS)}.")
    if n < 1:
        raise ValueError(f"A cloud has at least one point, not {n}.")
    generator = torch.Generator().manual_seed(seed)
    part = torch.randint(2, (n,), generator=generator)
    along = torch.rand(n, generator=generator)
    noise = torch.randn(n, 2, generator=generator)
    if name == "moons":
        angle, sign = math.pi * along, 1.0 - 2.0 * part
        x, y = 2 * angle.cos() + sign * -1.0, sign * (2 * angle.sin() - 0.5)
        return torch.stack([x, y], 1) + 0.15 * noise
    if name == "rings":
        angle, radius = 2 * math.pi * along, 1 + 1.5 * part
        return torch.stack([radius * angle.cos(), radius * angle.sin()], 1) + 0.12 * noise
    column = torch.randint(4, (n,), generator=generator)
    row = 2 * part + column % 2
    inside = torch.rand(n, 2, generator=generator)
    return 1.5 * (torch.stack([column, row], 1) + inside) - 3


def _bump(x: Tensor, centre: float, width: float) -> Tensor:
    """Minus the exponent of a Gaussian bump: ½ ((x − centre) / width)²."""
    return 0.5 * ((x - centre) / width).square()


def _either(one: Tensor, other: Tensor) -> Tensor:
    """−log(e^{−one} + e^{−other}): the energy of two bumps added."""
    return -torch.logaddexp(-one, -other)


def _wall(z: Tensor) -> Tensor:
    """Zero for |z₁| ≤ 4, then a parabola: nothing jumps, and all of the plane stays possible."""
    return 0.5 * ((z[..., 0].abs() - WALL_AT).clamp(min=0) / WALL_WIDTH).square()


def _wave(z: Tensor) -> Tensor:
    return torch.sin(math.pi * z[..., 0] / 2)


def _u1(z: Tensor) -> Tensor:
    ring = _bump(z.norm(dim=-1), 2.0, 0.4)
    return ring + _either(_bump(z[..., 0], 2.0, 0.6), _bump(z[..., 0], -2.0, 0.6))


def _u2(z: Tensor) -> Tensor:
    return _bump(z[..., 1] - _wave(z), 0.0, 0.4) + _wall(z)


def _u3(z: Tensor) -> Tensor:
    offset = z[..., 1] - _wave(z)
    dip = 3 * torch.exp(-_bump(z[..., 0], 1.0, 0.6))
    return _either(_bump(offset, 0.0, 0.35), _bump(offset + dip, 0.0, 0.35)) + _wall(z)


def _u4(z: Tensor) -> Tensor:
    offset = z[..., 1] - _wave(z)
    step = 3 * torch.sigmoid((z[..., 0] - 1) / 0.3)
    return _either(_bump(offset, 0.0, 0.4), _bump(offset + step, 0.0, 0.35)) + _wall(z)


ENERGIES: dict[str, Callable[[Tensor], Tensor]] = {"U1": _u1, "U2": _u2, "U3": _u3, "U4": _u4}


def energy(name: str) -> Callable[[Tensor], Tensor]:
    """The function U, [..., 2] → [...] in nats, with p(z) ∝ e^{−U(z)}.

    U2, U3, U4 have a soft wall added, ½ ((|z₁| − 4) / 0.4)² where |z₁| > 4. Without it they have
    no normaliser; with a hard box instead, any draw outside it makes D_KL(q ‖ p) infinite.
    Raises ValueError for another name.
    """
    if name not in ENERGIES:
        raise ValueError(f"There is no energy {name!r}; choose one of {', '.join(ENERGIES)}.")
    return ENERGIES[name]


def lattice(reach: float, side: int) -> tuple[Tensor, float]:
    """The midpoints of side × side squares that fill [−reach, reach]², and the area of one.

    float64 [side², 2]; the second coordinate runs fastest.
    """
    step = 2 * reach / side
    ticks = -reach + step * (torch.arange(side, dtype=torch.float64) + 0.5)
    return torch.cartesian_prod(ticks, ticks), step**2


def log_normaliser(name: str, side: int = 1_600) -> float:
    """log ∫ e^{−U(z)} dz in nats, by the midpoint rule on [−8, 8]² (error below 1e-6 nats)."""
    points, area = lattice(REACH, side)
    return (-energy(name)(points)).logsumexp(0).item() + math.log(area)
