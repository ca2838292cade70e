"""Prices on a static page: numbers and pictures, against vaeutil.mmd and torch."""

import numpy as np
import pytest
import torch
from standalone import write_page
from test_explorer import NARROW, WIDE, vivid
from test_rate_distortion import normals, readout, strip

from vaeutil.data import Split
from vaeutil.mmd import normal_mmd2
from vaeutil.models import InfoVAE
from vaeutil.widgets import PriceGrid

GRID = [(alpha, lam) for alpha in (0.0, 0.5, 1.0) for lam in (1.0, 100.0)]
MEASURED = {
    pair: {"mutual_information": 3.0 + i, "aggregate_kl": 0.5 * i, "distortion": 150.0 - i}
    for i, pair in enumerate(GRID)
}


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    models = {(a, b): vivid(InfoVAE(2, hidden=(20,), alpha=a, lam=b)) for a, b in GRID}
    pixels = torch.randint(0, 256, (60, 28, 28)).to(torch.uint8)
    widget = PriceGrid(models, MEASURED, Split(pixels, torch.zeros(60, dtype=torch.int64)))
    return models, widget


@pytest.fixture
def shown(page, serve, tmp_path, made):
    write_page(tmp_path, [made[1]])
    page.goto(serve(tmp_path))
    element = page.locator("price-grid")
    element.scroll_into_view_if_needed()
    element.locator(".vae-picture").first.wait_for()
    return element


def expect(shown, made, pair, bandwidth, point, noise):
    models, widget = made
    codes = torch.tensor(widget.options["codes"][GRID.index(pair)], dtype=torch.float64).T
    told = MEASURED[pair]
    assert readout(shown) == pytest.approx(
        {
            "rate": told["mutual_information"] + told["aggregate_kl"],
            "distortion": told["distortion"],
            "mmd": 1000 * normal_mmd2(codes, bandwidth).item(),
            "outside": 100 * (codes.abs().amax(1) > 5).double().mean().item(),
        },
        abs=0.006,
    )
    with torch.no_grad():
        decoded = models[pair].decode(torch.tensor([point]))
        invented = models[pair].decode(torch.tensor(noise.reshape(8, 2), dtype=torch.float32))
    first, second = shown.locator(".vae-picture").all()
    np.testing.assert_allclose(strip(first), 255 * decoded, atol=3)
    np.testing.assert_allclose(strip(second), 255 * invented, atol=3)
    for canvas in (first, second):
        assert f"α = {pair[0]:g}, λ = {pair[1]:g}" in canvas.get_attribute("aria-label")


def test_the_prices_choose_the_model(shown, made):
    noise = normals(16)
    expect(shown, made, (0.0, 1.0), 1.0, [0.0, 0.0], noise)
    shown.get_by_label("α", exact=True).press("ArrowRight")
    expect(shown, made, (0.5, 1.0), 1.0, [0.0, 0.0], noise)
    lam = shown.get_by_label("λ", exact=True)
    lam.press("End")
    assert lam.get_attribute("aria-valuetext") == "100"
    expect(shown, made, (0.5, 100.0), 1.0, [0.0, 0.0], noise)


def test_bandwidth_point_and_draws(shown, made):
    shown.get_by_label("Bandwidth h of the MMD").press("Home")
    expect(shown, made, (0.0, 1.0), 0.05, [0.0, 0.0], normals(16))
    shown.get_by_label("Bandwidth h of the MMD").press("End")
    shown.get_by_label("z1", exact=True).press("End")
    expect(shown, made, (0.0, 1.0), 20.0, [5.0, 0.0], normals(16))
    shown.get_by_role("button", name="New draws").click()
    expect(shown, made, (0.0, 1.0), 20.0, [5.0, 0.0], normals(32)[16:])
    assert shown.locator(".vae-spoken").inner_text() == "New draws."


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_fits_and_is_accessible(page, shown, axe, size):
    page.set_viewport_size(size)
    shown.get_by_label("λ", exact=True).press("ArrowRight")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert axe(page) == []
    assert page.problems == []
