"""DrawDigit and its pen in Python: strokes become digits of MNIST's size, place and ink."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from vaeutil.models import AE, VAE
from vaeutil.widgets import DrawDigit
from vaeutil.widgets.pen import rasterise

SLASH = [[5.0, 20.0], [9.0, 4.0]]


def centre_of_mass(levels):
    rows, columns = np.indices(levels.shape)
    return (levels * rows).sum() / levels.sum(), (levels * columns).sum() / levels.sum()


def pad(digits=None, names=("seven",)):
    torch.manual_seed(0)
    if digits is None:
        digits = np.random.default_rng(1).integers(0, 256, (len(names), 28, 28), dtype=np.uint8)
    return DrawDigit(VAE(3, hidden=(8,)), digits, names)


def test_a_digit_fits_the_box_and_is_centred_by_mass():
    levels = rasterise([SLASH, [[5, 20], [14, 20]]])
    assert centre_of_mass(levels) == pytest.approx((14, 14), abs=0.1)
    inked = np.argwhere(levels > 0)
    assert np.ptp(inked, axis=0).max() + 1 in (19, 20, 21)


def test_the_pen_covers_half_a_pixel_at_its_edge():
    levels = rasterise([[[0, 0], [0, 16.4]]])  # a vertical stroke, already of the box's height
    across = levels[14]
    np.testing.assert_allclose(across[12:17], [0, 0.8, 1, 0.8, 0], atol=1e-9)
    assert across.sum() == pytest.approx(2.6)


corner = st.tuples(st.floats(0, 28), st.floats(0, 28))


@settings(max_examples=25, deadline=None)
@given(st.lists(corner, min_size=2, max_size=5), st.floats(0.5, 3), corner)
def test_place_and_scale_do_not_matter(points, scale, shift):
    points = np.array(points)
    if np.ptp(points, axis=0).max() < 8:  # small drawings are not blown up without limit
        return
    moved = scale * points + np.array(shift)
    np.testing.assert_allclose(rasterise([points.tolist()]), rasterise([moved.tolist()]), atol=1e-6)


def test_no_ink_a_dot_and_points_that_are_none():
    assert not rasterise([]).any()
    assert rasterise([[[3.0, 3.0]]]).sum() == pytest.approx(np.pi * 1.3**2, rel=0.1)
    for bad in ([[[1, 2, 3]]], [[[1.0, float("nan")]]]):
        with pytest.raises(ValueError, match="two finite numbers"):
            rasterise(bad)


def test_the_pixels_are_on_as_often_as_they_are_grey():
    flat = np.full((1, 28, 28), 100, np.uint8)
    assert pad(flat).x.mean().item() == pytest.approx(100 / 255, abs=4 * 0.5 / 28)
    assert not pad(np.zeros((1, 28, 28), np.uint8)).x.any()
    assert pad(np.full((1, 28, 28), 255, np.uint8)).x.all()


def test_a_drawing_takes_the_place_of_the_digit():
    explorer = pad()
    before = explorer.x
    explorer.strokes = [SLASH]
    explorer.digit = -1
    np.testing.assert_array_equal(explorer.grey, np.rint(255 * rasterise([SLASH])))
    assert explorer.x.shape == (1, 784)
    assert not torch.equal(explorer.x, before)


def test_the_picture_holds_image_pixels_and_reconstruction():
    explorer = pad()
    tiles, alt = explorer.picture()
    assert tiles.shape == (112, 336)
    assert alt.startswith("Draw a digit")
    shown = explorer._model.reconstruct(explorer.x)[0, :3].numpy()
    np.testing.assert_allclose(tiles[0, 224:236:4], 255 * shown, atol=0.51)
    assert 'data-options="' in explorer.to_html()


def test_what_cannot_be_drawn_on_is_refused():
    with pytest.raises(ValueError, match="binary pixels"):
        DrawDigit(AE(2, hidden=(8,)), np.zeros((1, 784), np.uint8), ["zero"])
    with pytest.raises(ValueError, match="binary pixels"):
        DrawDigit(VAE(2, hidden=(8,), likelihood="gaussian"), np.zeros((1, 784), np.uint8), ["0"])
    for digits, names in [(np.zeros((1, 784)), ["0"]), (np.zeros((2, 784), np.uint8), ["0"])]:
        with pytest.raises(ValueError, match="one image for each"):
            pad(digits, names)
    with pytest.raises(TraitError, match="from −1 to 0"):
        pad().digit = 1
