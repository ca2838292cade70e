"""The posterior explorable in Chromium: its numbers against torch, its controls, keyboard, axe."""

import re
from importlib import resources

import pytest
import torch
from standalone import write_page

from vaeutil.models import load
from vaeutil.widgets import PosteriorFit
from vaeutil.widgets.posterior import points


@pytest.fixture(scope="module")
def fit():
    hero = load(resources.files("vaeutil") / "results" / "hero.safetensors")
    torch.manual_seed(0)
    with torch.no_grad():
        x = hero.likelihood(torch.tensor([[0.4, -0.7], [-1.0, 0.5]])).sample()
    return PosteriorFit(hero, x)


def read(text):
    return float(re.search(r"−?\d+\.\d+", text)[0].replace("−", "-"))


def shown(explorer):
    return {
        name: read(explorer.locator(f'[data-value="{name}"]').inner_text())
        for name in ("evidence", "elbo", "gap")
    }


def drawn_gap(fit, image, q, draws=40_000):
    """The gap by draws instead of quadrature, and its standard error."""
    torch.manual_seed(1)
    epsilon = torch.randn(draws, 2, dtype=torch.float64)
    q = torch.tensor([q], dtype=torch.float64)
    log_q = -0.5 * epsilon.square().sum(1) - 1.8378770664 - q[0, 2:4].log().sum()
    z = points(q, epsilon).expand(len(fit.evidence), -1, 2)
    log_w = torch.cat([fit._joint(part)[image] for part in z.split(4_000, 1)]) - log_q
    return (fit.evidence[image] - log_w.mean()).item(), (log_w.std() / draws**0.5).item()


@pytest.fixture
def open_explorer(new_page, serve, tmp_path, fit):
    pages = []

    def go(width=1280):
        write_page(tmp_path, [fit])
        page = new_page(viewport={"width": width, "height": 1200})
        page.goto(serve(tmp_path))
        pages.append(page)
        explorer = page.locator("posterior-fit")
        explorer.locator(".vae-bar-value").first.wait_for()
        return explorer

    yield go
    for page in pages:
        assert page.problems == []


def slide(explorer, name, value):
    explorer.get_by_role("slider", name=name, exact=True).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )


def test_the_gap_of_every_button_is_that_of_python(open_explorer, fit):
    explorer = open_explorer()
    for image in (0, 1):
        explorer.get_by_role("combobox").select_option(index=image)
        for name, text in [("encoder", "Encoder's q"), ("upright", "Best upright"),
                           ("tilted", "Best tilted"), ("bent", "Best bent")]:  # fmt: skip
            explorer.get_by_role("button", name=text).click()
            numbers = shown(explorer)
            assert numbers["gap"] == pytest.approx(fit.best[image][name][6], abs=0.02)
            assert numbers["evidence"] == pytest.approx(fit.evidence[image].item(), abs=0.006)
            assert numbers["elbo"] + numbers["gap"] == pytest.approx(numbers["evidence"], abs=0.02)


def test_a_q_of_the_reader_against_draws(open_explorer, fit):
    explorer = open_explorer()
    first = fit.best[0]["encoder"]
    slide(explorer, "mean of z₁", round(first[0] / 0.005) * 0.005)
    slide(explorer, "mean of z₂", round(first[1] / 0.005) * 0.005)
    slide(explorer, "tilt", 0.05)
    slide(explorer, "bend", -0.03)
    texts = [one.replace("−", "-") for one in explorer.locator("output").all_inner_texts()]
    gap, error = drawn_gap(fit, 0, [float(one) for one in texts])
    assert shown(explorer)["gap"] == pytest.approx(gap, abs=4 * error + 0.03)


def test_keys_and_dragging_move_q(open_explorer):
    explorer = open_explorer()
    before = shown(explorer)
    explorer.get_by_role("slider", name="tilt").press("ArrowRight")
    assert explorer.locator("output").all_inner_texts()[4] == "0.005"
    box = explorer.locator("svg").first.bounding_box()
    explorer.page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"])
    assert shown(explorer)["gap"] > before["gap"]
    label = explorer.locator("svg").first.get_attribute("aria-label")
    assert "gap" in label


def test_narrow_and_accessible(open_explorer, axe):
    explorer = open_explorer(width=360)
    page = explorer.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert axe(page) == []
