"""Code planes on a static page: the numbers and pictures shown, against torch and scipy."""

import re

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree
from standalone import write_page
from test_explorer import NARROW, WIDE, grey_levels, vivid

from vaeutil.models import AE, VAE
from vaeutil.widgets import CodePlanes


@pytest.fixture(scope="module")
def planes():
    torch.manual_seed(0)
    models = {
        "Autoencoder": vivid(AE(2, hidden=(60, 60))),
        "VAE": vivid(VAE(2, hidden=(60, 60))),
    }
    models["Autoencoder"].encoder[-1].weight.data *= 8
    x = torch.rand(200, 784)
    return models, CodePlanes(models, x, pairs=[(3, 9), (4, 11)], title="Two planes")


@pytest.fixture
def shown(page, serve, tmp_path, planes):
    return visit(page, serve, tmp_path, planes[1])


def visit(page, serve, tmp_path, widget):
    write_page(tmp_path, [widget])
    page.goto(serve(tmp_path))
    element = page.locator("code-planes")
    element.scroll_into_view_if_needed()
    element.locator(".vae-picture").first.wait_for()
    return element


def point(plane):
    """Where the plane's point is, as its sliders say."""
    return plane.locator("input").evaluate_all("all => all.map(i => Number(i.value))")


def expect(element, planes, i, z):
    """Plane i shows the decoded image of z and its distance to the nearest code, in spacings."""
    models, widget = planes
    name = widget.options["names"][i]
    plane = element.get_by_role("group", name=name, exact=True)
    with torch.no_grad():
        expected = 255 * models[name].decode(torch.tensor(np.array([z])).float())[0].numpy()
    assert expected.std() > 5
    seen = grey_levels(plane.locator(".vae-picture"))
    np.testing.assert_allclose(seen.reshape(-1), expected, atol=3)
    codes = np.array(widget.options["codes"][i]).T
    near = KDTree(codes).query(z)[0] / widget.options["spacing"][i]
    assert float(plane.locator("[data-value=near]").inner_text()) == pytest.approx(near, abs=0.011)
    return plane


def test_a_walk_moves_both_points_along_straight_lines(shown, planes):
    codes = [np.array(c).T for c in planes[1].options["codes"]]
    walk = shown.get_by_label("Walk between two test images")
    for i in (0, 1):
        expect(shown, planes, i, codes[i][3])
    walk.press("End")
    for i in (0, 1):
        expect(shown, planes, i, codes[i][9])
    for _ in range(40):
        walk.press("ArrowLeft")
    assert walk.get_attribute("aria-valuetext") == "60 %"
    for i in (0, 1):
        expect(shown, planes, i, 0.4 * codes[i][3] + 0.6 * codes[i][9])
    shown.get_by_role("button", name="Another pair of images").click()
    for i in (0, 1):
        expect(shown, planes, i, codes[i][4])


def test_a_slider_moves_one_point(shown, planes):
    codes = [np.array(c).T for c in planes[1].options["codes"]]
    first = shown.get_by_role("group", name="Autoencoder")
    first.get_by_role("slider", name="z1").press("Home")
    left = planes[1].options["spans"][0][0][0]
    expect(shown, planes, 0, [left, codes[0][3][1]])
    expect(shown, planes, 1, codes[1][3])


def test_a_draw_puts_one_z_into_both_planes(shown, planes):
    shown.get_by_role("button", name="Draw z from N(0, I)").press("Enter")
    said = shown.locator(".vae-spoken").inner_text().replace("\u2212", "-")
    z = [float(number) for number in re.search(r"\((.*), (.*)\)", said).groups()]
    label = shown.locator(".vae-picture").first.get_attribute("aria-label")
    assert label.replace("\u2212", "-").endswith(f"z = ({z[0]:.2f}, {z[1]:.2f})")
    for i in (0, 1):  # the page says z with two decimals, and so do its neighbours' distances
        name = planes[1].options["names"][i]
        plane = shown.get_by_role("group", name=name, exact=True)
        codes = np.array(planes[1].options["codes"][i]).T
        near, unit = KDTree(codes).query(z)[0], planes[1].options["spacing"][i]
        told = float(plane.locator("[data-value=near]").inner_text())
        assert told == pytest.approx(near / unit, abs=0.008 / unit + 0.01)


def test_dragging_over_a_plane(shown, planes):
    plane = shown.get_by_role("group", name="VAE")
    box = plane.locator(".vae-chart").bounding_box()
    mouse = shown.page.mouse
    mouse.move(box["x"] + 60, box["y"] + 60)
    mouse.down()
    mouse.move(box["x"] + 120, box["y"] + 150, steps=3)
    mouse.up()
    inner = (box["width"] - 48 - 14, box["height"] - 24 - 38)
    share = ((120 - 48) / inner[0], (box["height"] - 150 - 38) / inner[1])
    spans = planes[1].options["spans"][1]
    z = [lo + s * (hi - lo) for s, (lo, hi) in zip(share, spans, strict=True)]
    expect(shown, planes, 1, z)
    label = plane.locator(".vae-chart").get_attribute("aria-label")
    assert label.startswith("VAE: codes of 200 test images; the point is at z = (")


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page, serve, tmp_path, planes, axe, viewport, scheme):
    page = new_page(viewport=viewport, color_scheme=scheme)
    visit(page, serve, tmp_path, planes[1])
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.problems == []
