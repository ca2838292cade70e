"""Names beside points: inside the axes, clear of the points and of one another."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

from vaeutil.labels import name_points


@pytest.fixture
def axes():
    figure, axes = plt.subplots(figsize=(6, 4))
    axes.set(xlim=(0, 10), ylim=(0, 10))
    yield axes
    plt.close(figure)


def boxes(axes):
    axes.figure.draw_without_rendering()  # only now annotations have their places
    renderer = axes.figure.canvas.get_renderer()
    # An annotation's own extent would include its line.
    return {t.get_text(): Text.get_window_extent(t, renderer) for t in axes.texts}


@pytest.mark.parametrize("logarithmic", [False, True])
def test_names_of_a_crowd_cover_nothing(axes, logarithmic):
    if logarithmic:
        axes.set(xscale="log", xlim=(1, 100))
    crowd = {f"model {i}": (5 + 0.1 * i, 5 + 0.15 * (i % 3)) for i in range(9)}
    crowd |= {"at the right edge": (9.9, 9.9), "at the left edge": (1.05, 0.1)}
    name_points(axes, crowd)
    found = boxes(axes)
    assert found.keys() == crowd.keys()
    for one, other in itertools.combinations(found.values(), 2):
        assert not one.overlaps(other)
    inside = axes.get_window_extent()
    for name, box in found.items():
        assert (box.min >= inside.min - 1).all(), name
        assert (box.max <= inside.max + 1).all(), name
        for point in axes.transData.transform(np.array(list(crowd.values()))):
            assert not box.contains(*point)


def test_a_name_that_stands_alone_is_beside_its_point(axes):
    name_points(axes, {"alone": (5, 5)})
    (text,) = axes.texts
    x, y = axes.transData.transform((5, 5))
    box = boxes(axes)["alone"]
    assert 0 < box.x0 - x < 15
    assert box.y0 - 5 < y < box.y1 + 5
    assert text.arrow_patch is None
