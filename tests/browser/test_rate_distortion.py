"""Rate against distortion on a static page: numbers and pictures, against torch."""

import math

import numpy as np
import pytest
import torch
from standalone import write_page
from test_explorer import NARROW, WIDE, grey_levels, vivid

from vaeutil.models import BetaVAE
from vaeutil.widgets import RateDistortion

POINTS = {0.5: (22.0, 81.0), 1.0: (15.5, 86.25), 4.0: (5.0, 110.0)}


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    models = {b: vivid(BetaVAE(4, hidden=(30,), beta=b)) for b in POINTS}
    x = torch.rand(3, 784).round()
    return models, x, RateDistortion(models, POINTS, x, at=1)


@pytest.fixture
def shown(page, serve, tmp_path, made):
    write_page(tmp_path, [made[2]])
    page.goto(serve(tmp_path))
    element = page.locator("rate-distortion")
    element.scroll_into_view_if_needed()
    element.locator(".vae-picture").first.wait_for()
    return element


def normals(n, seed=0):
    """The page's draws, written anew: mulberry32, then Box–Muller."""
    state, mask = seed, 0xFFFFFFFF

    def uniform():
        nonlocal state
        state = (state + 0x6D2B79F5) & mask
        t = ((state ^ (state >> 15)) * (state | 1)) & mask
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & mask)) & mask
        return ((t ^ (t >> 14)) & mask) / 2**32

    return np.array(
        [
            math.sqrt(-2 * math.log(1 - uniform())) * math.cos(2 * math.pi * uniform())
            for _ in range(n)
        ]
    )


def strip(canvas):
    """The images of a strip, [n, 784]."""
    levels = grey_levels(canvas)
    return np.stack([part.reshape(-1) for part in np.split(levels, levels.shape[1] // 28, axis=1)])


def readout(shown):
    found = shown.locator("[data-value]").evaluate_all(
        "all => all.map(e => [e.dataset.value, e.textContent])"
    )
    return {name: float(text.replace("−", "-")) for name, text in found}


def expect(shown, made, at, image, noise):
    models, x, _ = made
    beta = list(POINTS)[at]
    model, (rate, distortion) = models[beta], POINTS[beta]
    assert readout(shown) == pytest.approx(
        {
            "rate": rate,
            "distortion": distortion,
            "loss": distortion + beta * rate,
            "elbo": distortion + rate,
        },
        abs=0.006,
    )
    eps = torch.tensor(noise.reshape(10, 4), dtype=torch.float32)
    with torch.no_grad():
        q = model.posterior(x[image : image + 1])
        told = torch.cat([q.mean, q.mean + q.stddev * eps[:4]])
        expected = 255 * torch.cat([x[image : image + 1], model.decode(told)])
        invented = 255 * model.decode(eps[4:])
    first, second = shown.locator(".vae-picture").all()
    np.testing.assert_allclose(strip(first), expected, atol=3)
    np.testing.assert_allclose(strip(second), invented, atol=3)
    assert f"β = {beta:g}" in second.get_attribute("aria-label")
    assert f"Test image {image + 1}" in first.get_attribute("aria-label")


def test_the_slider_chooses_the_model_and_keeps_the_noise(shown, made):
    noise = normals(40)
    expect(shown, made, 1, 0, noise)
    slider = shown.get_by_label("β", exact=True)
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "4"
    expect(shown, made, 2, 0, noise)
    slider.press("Home")
    expect(shown, made, 0, 0, noise)


def test_image_and_new_draws(shown, made):
    shown.get_by_label("Image", exact=True).select_option(index=2)
    expect(shown, made, 1, 2, normals(40))
    shown.get_by_role("button", name="New draws").click()
    expect(shown, made, 1, 2, normals(80)[40:])
    assert shown.locator(".vae-spoken").inner_text() == "New draws."


def test_the_price_line_passes_through_the_point_with_its_slope(shown):
    shown.get_by_label("β", exact=True).press("End")
    curve, price, bound = (
        shown.locator("path.vae-line").nth(i).get_attribute("d") for i in range(3)
    )

    def ends(path):
        points = [tuple(map(float, p.split())) for p in path[1:].split("L")]
        return np.array(points)

    knots = ends(curve)  # the three models
    to_nats = [np.polyfit(knots[:, i], [p[i] for p in POINTS.values()], 1) for i in (0, 1)]

    def line(path):
        (x0, y0), (x1, y1) = ends(path)
        rates = np.polyval(to_nats[0], [x0, x1])
        distortions = np.polyval(to_nats[1], [y0, y1])
        return np.polyfit(rates, distortions, 1)

    slope, offset = line(price)
    assert slope == pytest.approx(-4, rel=0.01)
    assert slope * 5.0 + offset == pytest.approx(110.0, abs=0.5)
    assert line(bound)[0] == pytest.approx(-1, rel=0.01)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_fits_and_is_accessible(page, shown, axe, size):
    page.set_viewport_size(size)
    shown.get_by_label("β", exact=True).press("ArrowRight")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert axe(page) == []
    assert page.problems == []
