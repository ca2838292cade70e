"""The explorable of one code and several decoders, in Chromium: its pictures against torch."""

import numpy as np
import pytest
import torch
from standalone import write_page
from test_explorer import NARROW, WIDE, grey_levels, vivid

from vaeutil.models import AE, VAE
from vaeutil.widgets import SameCode


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    found = {"one": vivid(VAE(3, hidden=(20,))), "two": vivid(AE(3, hidden=(30, 20)))}
    for model in found.values():
        for weight in model.decoder.parameters():
            weight.data = weight.data.half().float()  # as they travel
    return found


def started(page):
    explorer = page.locator("same-code")
    explorer.scroll_into_view_if_needed()
    explorer.locator("canvas[aria-label*='decoded at']").last.wait_for()
    return explorer


@pytest.fixture
def opened(page, serve, tmp_path, models):
    write_page(tmp_path, [SameCode(models)])
    page.goto(serve(tmp_path))
    return started(page)


def expect(explorer, models, z):
    with torch.no_grad():
        wanted = [255 * model.decode(torch.tensor([z]))[0] for model in models.values()]
    for i, image in enumerate(wanted):
        shown = grey_levels(explorer.locator("canvas").nth(i)).reshape(-1)
        np.testing.assert_allclose(shown, image, atol=1.5)


def code(explorer):
    return [float(text.replace("−", "-")) for text in explorer.locator("output").all_inner_texts()]


def test_every_image_decodes_the_code_that_is_shown(opened, models):
    expect(opened, models, [0.0, 0.0, 0.0])
    slider = opened.get_by_role("slider").nth(1)
    for _ in range(7):
        slider.press("ArrowRight")
    assert code(opened) == [0.0, 0.35, 0.0]
    expect(opened, models, [0.0, 0.35, 0.0])
    assert "0.35" in opened.locator("canvas").first.get_attribute("aria-label")


def test_the_buttons_draw_a_code_and_set_it_to_zero(opened, models):
    opened.get_by_role("button", name="Random z").press("Enter")
    drawn = code(opened)
    assert all(abs(v) <= 3 for v in drawn)
    assert len(set(drawn)) == 3
    expect(opened, models, drawn)
    opened.get_by_role("button", name="All zero").press("Space")
    assert code(opened) == [0.0, 0.0, 0.0]
    expect(opened, models, [0.0, 0.0, 0.0])


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page, serve, tmp_path, models, axe, viewport, scheme):
    write_page(tmp_path, [SameCode(models)])
    page = new_page(viewport=viewport, color_scheme=scheme)
    page.goto(serve(tmp_path))
    started(page)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.problems == []
