"""The blur explorer on a static page, in Chromium: its numbers against torch."""

import re

import numpy as np
import pytest
import torch
from standalone import write_page
from test_explorer import NARROW, WIDE, grey_levels, vivid

from vaeutil.models import VAE
from vaeutil.sharpness import PAIRS, gradient_energy
from vaeutil.widgets import BlurExplorer


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    found = {}
    for sigma in (0.1, 0.4):
        model = vivid(VAE(4, hidden=(30,), likelihood="gaussian", sigma=sigma))
        for weight in model.decoder.parameters():
            weight.data = weight.data.half().float()  # as they travel
        found[f"σ = {sigma}"] = model
    return found


@pytest.fixture(scope="module")
def x():
    soft = torch.rand(3, 49, generator=torch.Generator().manual_seed(2))
    return soft.view(3, 7, 7).repeat_interleave(4, 1).repeat_interleave(4, 2).flatten(1)


@pytest.fixture
def opened(page, serve, tmp_path, models, x):
    write_page(tmp_path, [BlurExplorer(models, x)])
    page.goto(serve(tmp_path))
    return started(page)


def started(page):
    explorer = page.locator("blur-explorer")
    explorer.scroll_into_view_if_needed()
    explorer.locator(".vae-explorer:visible [data-value=cost]:not(:empty)").wait_for()
    return explorer


def number(explorer, name) -> float:
    return float(explorer.locator(f"[data-value={name}]").inner_text().replace("−", "-"))


def expect(explorer, model, image, sigma):
    """Every picture and number of the page for this image (1, 784) and σ, but for the draw."""
    with torch.no_grad():
        mean = model.reconstruct(image)
    cost = -torch.distributions.Normal(mean, sigma).log_prob((255 * image).round() / 255).sum()
    error = (image - mean).square().mean().sqrt().item()
    assert number(explorer, "cost") == pytest.approx(cost.item(), rel=5e-3, abs=1.5)
    assert number(explorer, "best") == pytest.approx(error, abs=2e-3)
    assert number(explorer, "real") == pytest.approx(gradient_energy(image).item(), rel=0.01)
    assert number(explorer, "soft") == pytest.approx(gradient_energy(mean).item(), rel=0.01)
    rough = gradient_energy(mean).item() + 2 * sigma**2 * PAIRS  # the noise's own energy, expected
    assert number(explorer, "rough") == pytest.approx(rough, rel=0.2)
    shown = [grey_levels(explorer.locator("canvas").nth(i)).reshape(-1) for i in range(3)]
    np.testing.assert_allclose(shown[0], 255 * image[0], atol=1)
    np.testing.assert_allclose(shown[1], 255 * mean[0], atol=2)
    inside = (mean[0] > 0.3) & (mean[0] < 0.7)  # where little of the noise is cut off
    noise = (shown[2] - shown[1])[inside.numpy()] / 255
    if sigma < 0.15:
        assert noise.std() == pytest.approx(sigma, rel=0.25)


def test_the_numbers_are_those_of_torch(opened, models, x):
    first, second = models.values()
    expect(opened, first, x[:1], 0.1)
    opened.get_by_label("Trained with", exact=True).select_option(value="1")
    expect(opened, second, x[:1], 0.4)
    opened.get_by_label("Image", exact=True).select_option(label="3")
    expect(opened, second, x[2:], 0.4)


def test_sigma_moves_by_the_keyboard_and_leaves_the_mean(opened, models, x):
    soft = number(opened, "soft")
    slider = opened.get_by_role("slider", name="σ in use")
    before = number(opened, "rough")
    for _ in range(20):
        slider.press("ArrowRight")
    sigma = float(opened.locator("output").inner_text())
    # A slider's steps are counted from its lowest value, and a log slider's are 1/200 of the whole.
    assert sigma == pytest.approx(0.1 * 50 ** (20 / 200), rel=0.02)
    assert number(opened, "soft") == soft
    assert number(opened, "rough") > before
    expect(opened, next(iter(models.values())), x[:1], sigma)
    label = opened.locator(".vae-chart").get_attribute("aria-label")
    assert float(re.search(r"least at ([\d.]+)", label)[1]) == number(opened, "best")


def test_the_button_sets_sigma_to_the_error_where_the_cost_is_least(opened, models, x):
    opened.get_by_role("button", name="σ to the error").press("Enter")
    sigma, cost = number(opened, "best"), number(opened, "cost")
    assert float(opened.locator("output").inner_text()) == pytest.approx(sigma, abs=1e-3)
    expect(opened, next(iter(models.values())), x[:1], sigma)
    for key in ("ArrowRight", "ArrowLeft"):
        opened.get_by_role("slider", name="σ in use").press(key)
        assert number(opened, "cost") >= cost - 0.5
    assert "σ in use is" in opened.locator(".vae-spoken").inner_text()


def test_draw_again_changes_the_draw_alone(opened):
    def pictures():
        return [grey_levels(opened.locator("canvas").nth(i)) for i in range(3)]

    before = pictures()
    opened.get_by_role("button", name="Draw again").press("Space")
    after = pictures()
    assert (before[0] == after[0]).all()
    assert (before[1] == after[1]).all()
    assert (before[2] != after[2]).mean() > 0.5


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page, serve, tmp_path, models, x, axe, viewport, scheme):
    write_page(tmp_path, [BlurExplorer(models, x)])
    page = new_page(viewport=viewport, color_scheme=scheme)
    page.goto(serve(tmp_path))
    started(page)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.problems == []
