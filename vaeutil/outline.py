"""The edge of the region where a law in the plane has most of its mass."""

from collections.abc import Callable

import contourpy
import numpy as np
from torch import Tensor

from vaeutil.data.toys import lattice


def outline(
    log_density: Callable[[Tensor], Tensor],
    share: float = 0.9,
    reach: float = 6.0,
    side: int = 160,
) -> list[list[list[float]]]:
    """The edge of the smallest region that holds this share of a law in the plane.

    log_density: [n, 2] → [n], in nats up to a constant; all but nothing of the mass in
    [−reach, reach]². Returns closed curves, each [[x, …], [y, …]]. Raises ValueError for a share
    that is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is a part of the mass, between 0 and 1, not {share}.")
    points, _ = lattice(reach, side)
    mass = log_density(points).double().softmax(0)
    falling = mass.sort(descending=True).values
    level = falling[(falling.cumsum(0) < share).sum()].item()
    ticks = points[::side, 0].numpy()
    field = mass.reshape(side, side).T.numpy()  # rows go with the second coordinate
    lines = contourpy.contour_generator(ticks, ticks, field).lines(level)
    return [np.round(line.T, 2).tolist() for line in lines]
