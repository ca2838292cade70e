"""Names beside the points of a figure, where they cover neither points nor one another."""

import math

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

# Offsets in pixels that are tried in this order: near ones first, right before left.
TRIED = [
    (r * math.cos(angle), r * math.sin(angle))
    for r in (9, 16, 25, 36, 50, 66, 84)
    for angle in (0.3, -0.3, 1.2, -1.2, 2.8, -2.8, 1.9, -1.9)
]
NEAR = 20  # pixels; a name further away gets a line
WIDER = 1.15  # a page's own font may be wider than the one measured


def name_points(axes: Axes, points: dict[str, tuple[float, float]], size: float = 8) -> None:
    """Write each name beside its point (x, y), in the data's units; call it last, limits fixed.

    A name keeps within the axes and off the points and the other names; where that cannot be had
    it covers as little as possible. size: that of the letters, in points.
    """
    figure = axes.figure
    figure.draw_without_rendering()
    renderer, inside = figure.canvas.get_renderer(), axes.get_window_extent()
    spots = {name: axes.transData.transform(point) for name, point in points.items()}
    taken = [Bbox.from_extents(x - 5, y - 5, x + 5, y + 5) for x, y in spots.values()]
    scale = figure.dpi / 72
    for name, (x, y) in spots.items():
        box = axes.text(0, 0, name, size=size)
        extent = box.get_window_extent(renderer)
        width, height = WIDER * extent.width, extent.height
        box.remove()
        places = []
        for dx, dy in TRIED:
            left = x + dx if dx > 0 else x + dx - width
            place = Bbox.from_bounds(left, y + dy - height / 2, width, height)
            places.append((_covered(place, taken, inside), len(places), dx, dy, place))
        _, _, dx, dy, place = min(places)
        taken.append(place)
        line = {"arrowstyle": "-", "lw": 0.6, "shrinkA": 0, "shrinkB": 2}
        axes.annotate(
            name,
            points[name],
            (dx / scale, dy / scale),
            textcoords="offset points",
            ha="left" if dx > 0 else "right",
            va="center",
            size=size,
            arrowprops=line if math.hypot(dx, dy) > NEAR else None,
        )


def _covered(place: Bbox, taken: list[Bbox], inside: Bbox) -> float:
    """The area in square pixels of what `place` covers, and of what of it lies outside."""
    total = place.width * place.height - _area(place, inside)
    return total + sum(_area(place, other) for other in taken)


def _area(one: Bbox, other: Bbox) -> float:
    common = Bbox.intersection(one, other)
    return 0.0 if common is None else common.width * common.height
