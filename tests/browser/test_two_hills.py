"""The auxiliary explorer in Chromium: its numbers against quadrature, its buttons, narrow, axe."""

import re

import pytest
from standalone import write_page

from vaeutil.widgets import AuxiliaryExplorer


@pytest.fixture
def open_explorer(new_page, serve, tmp_path):
    pages = []

    def go(width=1280, scheme="light", **start):
        write_page(tmp_path, [AuxiliaryExplorer(**start)])
        page = new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
        page.goto(serve(tmp_path))
        pages.append(page)
        explorer = page.locator("auxiliary-explorer")
        explorer.locator(".vae-bars").wait_for()
        return explorer

    yield go
    for page in pages:
        assert page.problems == []


def shown(explorer):
    texts = explorer.locator(".vae-bar-value").all_inner_texts()
    return [float(re.search(r"−?\d+\.\d+", text)[0].replace("−", "-")) for text in texts]


def expect(explorer, **at):
    terms = AuxiliaryExplorer(**at).terms()
    wanted = [terms[name] for name in ("gap", "penalty", "total")]
    assert shown(explorer) == pytest.approx(wanted, abs=0.011)


def slide(explorer, name, value):
    explorer.get_by_role("slider", name=name).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )


def test_numbers_follow_the_sliders(open_explorer):
    explorer = open_explorer(offset=0.0, sd=2.0, slope=0.0)
    expect(explorer, offset=0.0, sd=2.0, slope=0.0)
    for name, value in (("offset", 1.5), ("sd of each", 0.7), ("slope", 2.5)):
        slide(explorer, name, value)
    expect(explorer, offset=1.5, sd=0.7, slope=2.5)


def test_buttons(open_explorer):
    explorer = open_explorer(offset=0.5, sd=1.0)
    explorer.get_by_role("button", name="Two Gaussians on the hills").press("Enter")
    expect(explorer, offset=2.0, sd=0.5, slope=0.0)
    explorer.get_by_role("button", name="Best slope for this q").press("Enter")
    expect(explorer, offset=2.0, sd=0.5, slope=16.0)
    assert "0.00 nats" in explorer.locator(".vae-spoken").inner_text()
    explorer.get_by_role("button", name="Reset").click()
    expect(explorer, offset=0.5, sd=1.0, slope=0.0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_by_keyboard_and_axe(open_explorer, axe, scheme):
    explorer = open_explorer(width=360, scheme=scheme, offset=2.0, sd=0.5)
    page = explorer.page
    slope = explorer.get_by_role("slider", name="slope")
    slope.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(explorer, offset=2.0, sd=0.5, slope=0.5)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert axe(page) == []
