"""The water level on a static page: its numbers against a numerical minimisation."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from standalone import write_page
from test_explorer import NARROW, WIDE

from vaeutil.widgets import WaterLevel

VARIANCES = [5.0, 3.0, 1.0, 0.5, 0.2, 0.05]


@pytest.fixture
def shown(page, serve, tmp_path):
    write_page(tmp_path, [WaterLevel(VARIANCES, sigma=0.4)])
    page.goto(serve(tmp_path))
    element = page.locator("water-level")
    element.scroll_into_view_if_needed()
    element.locator(".vae-chart").first.wait_for()
    return element


def read(shown):
    found = shown.locator("[data-value]").evaluate_all(
        "all => all.map(e => [e.dataset.value, e.textContent])"
    )
    return dict(found)


def sliders(shown):
    """β and σ, as the sliders say them."""
    labels = [shown.get_by_label(name, exact=True) for name in ("β", "σ")]
    return [float(label.get_attribute("aria-valuetext")) for label in labels]


def expect(shown):
    """The readout is where error/2σ² + β·rate is least, direction by direction."""
    beta, sigma = sliders(shown)
    errors = []
    for variance in VARIANCES:

        def loss(t, variance=variance):
            return variance * np.exp(-t) / (2 * sigma**2) + beta * 0.5 * t

        best = minimize_scalar(loss, bounds=(0, 40), method="bounded", options={"xatol": 1e-9}).x
        errors.append(variance * np.exp(-best))
    rates = 0.5 * np.log(np.array(VARIANCES) / errors)
    values = read(shown)
    assert float(values["level"]) == pytest.approx(beta * sigma**2, rel=0.02)
    assert float(values["rate"]) == pytest.approx(rates.sum(), abs=0.04)
    assert float(values["error"]) == pytest.approx(sum(errors), rel=0.02)
    assert values["alive"] == f"{(rates > 1e-3).sum()} of 6"
    return values


def test_the_numbers_follow_both_sliders(shown):
    first = expect(shown)
    for name, key, presses in (("β", "ArrowRight", 30), ("σ", "ArrowLeft", 20), ("β", "Home", 1)):
        slider = shown.get_by_label(name, exact=True)
        for _ in range(presses):
            slider.press(key)
        assert expect(shown) != first


def test_only_the_product_counts(shown):
    before = read(shown)
    beta, sigma = sliders(shown)
    shown.get_by_role("button", name="Double β, halve σ²").click()
    after = sliders(shown)
    assert after[0] == pytest.approx(2 * beta, rel=0.03)
    assert after[1] == pytest.approx(sigma / 2**0.5, rel=0.03)
    assert read(shown) == before
    assert "the level is where it was" in shown.locator(".vae-spoken").inner_text()


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_fits_and_is_accessible(page, shown, axe, size):
    page.set_viewport_size(size)
    shown.get_by_label("β", exact=True).press("ArrowRight")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert axe(page) == []
    assert page.problems == []
