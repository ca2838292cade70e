"""The drawing pad on a static page, in Chromium: its pixels and numbers against Python's."""

import json

import numpy as np
import pytest
import torch
from standalone import write_page

from vaeutil.divergences import gaussian_kl
from vaeutil.models import VAE
from vaeutil.widgets import DrawDigit
from vaeutil.widgets.pen import rasterise

NARROW = {"width": 360, "height": 900}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = VAE(4, hidden=(30,))
    for weight in model.decoder.parameters():  # vivid: every code gives another picture
        weight.data = torch.randn(weight.shape) * 2 / max(weight.shape[-1], 4) ** 0.5
    return model.eval()


def pad(model):
    digits = np.stack([255 * rasterise([[[9, 4], [18, 4], [11, 24]]]), np.zeros((28, 28))])
    return DrawDigit(model, digits.astype(np.uint8), ["a seven", "nothing"])


def opened(page, serve, folder, model):
    write_page(folder, [pad(model)])
    page.goto(serve(folder))
    widget = page.locator("draw-digit")
    widget.scroll_into_view_if_needed()
    widget.locator("[data-z]").wait_for()
    return widget


def levels(canvas) -> np.ndarray:
    data = canvas.evaluate("""c => {
        const copy = new OffscreenCanvas(28, 28).getContext("2d", { willReadFrequently: true });
        copy.drawImage(c, 0, 0);
        return [...copy.getImageData(0, 0, 28, 28).data];
    }""")
    return np.array(data).reshape(28, 28, 4)[..., 0]


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def expect_the_models_view(widget, model, x, latent=4):
    """Pictures and numbers on the page are those of the model at x."""
    seen, mean, drawn = (levels(widget.locator("figure canvas").nth(i)) for i in range(3))
    np.testing.assert_array_equal(seen, 255 * x.reshape(28, 28).numpy())
    z = torch.tensor([json.loads(widget.locator("[data-z]").get_attribute("data-z"))])
    with torch.no_grad():
        q = model.posterior(x)
        at_mean, at_draw = (model.decode(code)[0].view(28, 28) for code in (q.mean, z))
        kl = gaussian_kl(q.mean, q.stddev).item()
        reconstruction = -model.likelihood(z).log_prob(x).item()
    np.testing.assert_allclose(mean, 255 * at_mean, atol=2)
    np.testing.assert_allclose(drawn, 255 * at_draw, atol=2)
    shown = {
        name: number(widget.locator(f"[data-value={name}]").inner_text())
        for name in ("kl", "reconstruction", "loss")
    }
    assert shown["kl"] == pytest.approx(kl, rel=0.01, abs=0.02)
    assert shown["reconstruction"] == pytest.approx(reconstruction, rel=0.005)
    assert shown["loss"] == pytest.approx(shown["kl"] + shown["reconstruction"], abs=0.02)
    rows = widget.locator(".vae-draw-value").all_inner_texts()
    for row, m, s in zip(rows, q.mean[0], q.stddev[0], strict=True):
        assert [number(part) for part in row.split(" ± ")] == pytest.approx(
            [m.item(), s.item()], abs=0.02
        )
    assert len(rows) == latent
    noise = (z[0] - q.mean[0]) / q.stddev[0]
    return noise.detach().numpy()


def test_a_test_digit_and_another_draw(page, serve, tmp_path, model):
    widget = opened(page, serve, tmp_path, model)
    explorer = pad(model)
    first = expect_the_models_view(widget, model, explorer.x)
    widget.get_by_role("button", name="Draw z again").press("Enter")
    second = expect_the_models_view(widget, model, explorer.x)
    assert abs(first - second).max() > 0.1
    assert "−ELBO" in widget.locator(".vae-spoken").inner_text()
    widget.get_by_label("Show").select_option("nothing")
    explorer.digit = 1
    expect_the_models_view(widget, model, explorer.x)
    assert page.problems == []


def test_a_drawing_is_seen_as_python_sees_it(page, serve, tmp_path, model):
    widget = opened(page, serve, tmp_path, model)
    box = widget.locator(".vae-pad-ink").bounding_box()
    mouse, corners = page.mouse, [(0.3, 0.2), (0.62, 0.21), (0.45, 0.8)]
    at = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in corners]
    mouse.move(*at[0])
    mouse.down()
    for x, y in at[1:]:
        mouse.move(x, y, steps=6)
    mouse.up()
    strokes = [[[28 * u - 0.5, 28 * v - 0.5] for u, v in corners]]
    explorer = pad(model)
    explorer.strokes, explorer.digit = strokes, -1
    seen = levels(widget.locator("figure canvas").first)
    assert (seen != 255 * explorer.x.reshape(28, 28).numpy()).sum() <= 3  # thresholds just met
    expect_the_models_view(widget, model, torch.from_numpy(seen / 255).float().reshape(1, -1))
    assert widget.get_by_label("Show").input_value() == "0"
    widget.get_by_role("button", name="Clear").click()
    assert not levels(widget.locator("figure canvas").first).any()
    assert page.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_by_touch_on_a_narrow_page_and_axe(new_page, serve, tmp_path, model, axe, scheme):
    page = new_page(viewport=NARROW, has_touch=True, is_mobile=True, color_scheme=scheme)
    widget = opened(page, serve, tmp_path, model)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert axe(page) == []
    widget.locator(".vae-pad-ink").tap(position={"x": 60, "y": 60})
    assert widget.get_by_label("Show").input_value() == "0"
    assert levels(widget.locator("figure canvas").first).any()
    assert page.problems == []
