"""Pictures of one disc, made by code from three known factors: its place (x, y) and its radius."""

from __future__ import annotations

import torch
from torch import Tensor

from vaeutil.data.images import Images, Provenance, Split

LAWS = ("square", "round")
MIDDLE = 14.0  # of the picture, in pixels
SIDE = 28


def factors(law: str, n: int, seed: int) -> Tensor:
    """x, y and radius of n discs, independent draws, in pixels: [n, 3].

    The radius is uniform on [2.5, 5]. law "square": x and y uniform on [8, 20], independent.
    "round": the place is Gaussian with standard deviation 3 about the middle, drawn again where it
    is more than 9 away: a law that is the same after any turn about the middle.

    Raises ValueError for another law.
    """
    if law not in LAWS:
        raise ValueError(f"law is {law!r}; choose one of {', '.join(LAWS)}.")
    generator = torch.Generator().manual_seed(seed)
    if law == "square":
        place = MIDDLE + 12 * (torch.rand(n, 2, generator=generator) - 0.5)
    else:
        place = 3 * torch.randn(2 * n + 100, 2, generator=generator)  # 1 in 90 lies outside
        place = MIDDLE + place[place.norm(dim=1) < 9][:n]
    radius = 2.5 + 2.5 * torch.rand(n, 1, generator=generator)
    return torch.cat([place, radius], dim=1)


def draw(factors: Tensor) -> Tensor:
    """The discs with these x (to the right), y (down) and radii, [n, 3] → uint8 [n, 28, 28].

    White on black; a pixel on the rim is grey by how far its centre is inside.
    """
    x, y, radius = (column[:, None, None] for column in factors.unbind(1))
    at = torch.arange(SIDE) + 0.5
    distance = ((at[:, None] - y) ** 2 + (at - x) ** 2).sqrt()
    return (255 * (radius - distance + 0.5).clamp(0, 1)).round().to(torch.uint8)


def discs(train: int, valid: int, test: int) -> Images:
    """So many discs of each law, as one set; the label is the law's index in `LAWS`.

    The factors of the test discs are factors(law, test, seed=2); those of the training discs have
    seed 0, those of the validation discs seed 1.
    """
    splits = []
    for seed, n in enumerate((train, valid, test)):
        pixels = torch.cat([draw(factors(law, n, seed)) for law in LAWS])
        splits.append(Split(pixels, torch.arange(len(LAWS)).repeat_interleave(n)))
    return Images("discs", *splits, Provenance("vaeutil.data.discs", {}, "Made by code."))
