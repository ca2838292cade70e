"""One hand, ten digits, in Chromium: what the page shows against torch."""

import numpy as np
import pytest
import torch
from standalone import write_page

from vaeutil.models import CVAE
from vaeutil.widgets import OneHand

NARROW = {"width": 360, "height": 900}
X = (torch.rand(3, 784, generator=torch.Generator().manual_seed(1)) < 0.3).float()
Y = torch.tensor([3, 1, 4])


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = CVAE(4, hidden=(30,))
    for weight in model.decoder.parameters():  # vivid: every code gives another picture
        weight.data = torch.randn(weight.shape) * 2 / max(weight.shape[-1], 4) ** 0.5
    return model.eval()


def opened(page, serve, folder, model):
    write_page(folder, [OneHand(model, X, Y)])
    page.goto(serve(folder))
    widget = page.locator("one-hand")
    widget.scroll_into_view_if_needed()
    widget.locator("[data-shown]").wait_for()
    return widget


def levels(canvas) -> np.ndarray:
    """[height, width] grey levels of a canvas."""
    data = canvas.evaluate("""c => {
        const copy = new OffscreenCanvas(c.width, c.height);
        const context = copy.getContext("2d", { willReadFrequently: true });
        context.drawImage(c, 0, 0);
        return [c.width, ...context.getImageData(0, 0, c.width, c.height).data];
    }""")
    return np.array(data[1:]).reshape(-1, data[0], 4)[..., 0]


def values(widget) -> list[float]:
    return widget.locator("input").evaluate_all("all => all.map(i => Number(i.value))")


def expect(widget, model, z, y, hand):
    """The three pictures are those of the model at z in every class, and of the image."""
    assert values(widget) == pytest.approx(z, abs=0.026)
    original, large, strip = (levels(widget.locator("canvas").nth(i)) for i in range(3))
    with torch.no_grad():
        rows = model.decode(torch.tensor([z]).repeat(10, 1), torch.arange(10)).reshape(10, 28, 28)
    np.testing.assert_array_equal(original, 255 * X[hand].reshape(28, 28))
    np.testing.assert_allclose(strip, 255 * torch.cat(list(rows), 1), atol=2)
    np.testing.assert_allclose(large, 255 * rows[y], atol=2)
    assert widget.locator("canvas").nth(1).get_attribute("aria-label") == f"z as a {y}"


def test_class_hand_and_sliders(page, serve, tmp_path, model):
    widget = opened(page, serve, tmp_path, model)
    codes = OneHand(model, X, Y).codes
    expect(widget, model, codes[0], 3, 0)
    widget.get_by_label("Class", exact=True).select_option("8")
    expect(widget, model, codes[0], 8, 0)
    widget.get_by_label("Hand of").select_option("2")
    expect(widget, model, codes[2], 4, 2)
    slider = widget.get_by_role("slider", name="z2")
    slider.press("End")
    slider.press("ArrowLeft")
    moved = [codes[2][0], 2.95, *codes[2][2:]]
    expect(widget, model, moved, 4, 2)
    widget.get_by_role("button", name="Back to the hand").press("Enter")
    expect(widget, model, codes[2], 4, 2)
    widget.get_by_role("button", name="Random z").click()
    assert widget.locator(".vae-spoken").inner_text().startswith("Random draw: z = (")
    drawn = values(widget)
    assert drawn != pytest.approx(codes[2], abs=0.1)
    expect(widget, model, drawn, 4, 2)
    assert page.problems == []


def test_a_click_into_the_strip_chooses_the_class(page, serve, tmp_path, model):
    widget = opened(page, serve, tmp_path, model)
    strip = widget.locator("canvas").nth(2)
    box = strip.bounding_box()
    strip.click(position={"x": box["width"] * 0.75, "y": box["height"] / 2})
    expect(widget, model, OneHand(model, X, Y).codes[0], 7, 0)
    assert widget.get_by_label("Class", exact=True).input_value() == "7"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_and_axe(new_page, serve, tmp_path, model, axe, scheme):
    page = new_page(viewport=NARROW, color_scheme=scheme)
    opened(page, serve, tmp_path, model)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert page.problems == []
