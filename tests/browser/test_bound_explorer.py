"""The bound explorer in Chromium: its numbers against quadrature, its buttons, keyboard, axe."""

import math
import re

import pytest
from scipy import integrate, optimize, stats
from standalone import write_page

from vaeutil.widgets import BoundExplorer

X, V = 2.0, 0.5


def numbers(mean, sd, w, square):
    """Evidence, ELBO and gap, each by its own integral of scipy's densities."""

    def h(z):
        return z**2 if square else z

    def joint(z):
        return stats.norm.pdf(z) * stats.norm.pdf(X, w * h(z), math.sqrt(V))

    def log_joint(z):
        return stats.norm.logpdf(z) + stats.norm.logpdf(X, w * h(z), math.sqrt(V))

    q = stats.norm(mean, sd)
    marks = [mean - 4 * sd, mean, mean + 4 * sd]
    options = {"points": marks, "limit": 400}
    evidence = math.log(integrate.quad(joint, -8, 8, limit=400, points=[-1, 0, 1])[0])
    span = (mean - 10 * sd, mean + 10 * sd)
    bound = integrate.quad(lambda z: q.pdf(z) * (log_joint(z) - q.logpdf(z)), *span, **options)[0]
    gap = integrate.quad(
        lambda z: q.pdf(z) * (q.logpdf(z) - log_joint(z) + evidence), *span, **options
    )[0]
    return evidence, bound, gap


def read(text):
    return float(re.search(r"−?\d+\.\d+", text)[0].replace("−", "-"))


def shown(explorer):
    """The bars' numbers: evidence, ELBO, gap, reconstruction, minus KL."""
    return [read(text) for text in explorer.locator(".vae-bar-value").all_inner_texts()]


def expect(explorer, mean, sd, w, square=0):
    found = shown(explorer)
    assert found[:3] == pytest.approx(numbers(mean, sd, w, square), abs=0.011)
    assert found[1] + found[2] == pytest.approx(found[0], abs=0.021)
    assert found[3] + found[4] == pytest.approx(found[1], abs=0.021)
    kl = 0.5 * (mean**2 + sd**2 - 1) - math.log(sd)
    assert found[4] == pytest.approx(-kl, abs=0.011)


@pytest.fixture
def open_explorer(new_page, serve, tmp_path):
    pages = []

    def go(width=1280, **options):
        write_page(tmp_path, [BoundExplorer(X, V, **options)])
        page = new_page(viewport={"width": width, "height": 1000})
        page.goto(serve(tmp_path))
        pages.append(page)
        explorer = page.locator("bound-explorer")
        explorer.locator(".vae-bars").wait_for()
        return explorer

    yield go
    for page in pages:
        assert page.problems == []


def slide(explorer, name, value):
    explorer.get_by_role("slider", name=name, exact=True).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )


def change(explorer):
    cells = explorer.locator(".vae-readout [data-value]")
    return {c.get_attribute("data-value"): c.inner_text() for c in cells.all()}


def test_numbers_of_both_decoders(open_explorer):
    explorer = open_explorer(mean=0.5, sd=0.45, w=0.25)
    expect(explorer, 0.5, 0.45, 0.25)
    for name, value in (("mean of q", 1.2), ("sd of q", 0.3), ("w", 2.2)):
        slide(explorer, name, value)
    expect(explorer, 1.2, 0.3, 2.2)
    explorer.get_by_label("Decoder's mean").select_option("1")
    expect(explorer, 1.2, 0.3, 2.2, square=1)


def test_best_q_leaves_the_evidence_and_closes_the_gap(open_explorer):
    explorer = open_explorer(w=1.0)
    before = shown(explorer)
    explorer.get_by_role("button", name="Best q for this w").press("Enter")
    mean, sd = 1 / (1 + V) * X, math.sqrt(V / (1 + V))  # the exact posterior at w = 1
    expect(explorer, mean, sd, 1.0)
    after = shown(explorer)
    assert after[0] == before[0]
    assert after[2] == 0
    told = change(explorer)
    assert told["evidence"] == "0.00"
    assert read(told["elbo"]) == pytest.approx(after[1] - before[1], abs=0.011)
    assert "ELBO" in explorer.locator(".vae-spoken").inner_text()


def test_best_q_of_the_square_is_scipys(open_explorer):
    explorer = open_explorer(w=1.5, square=1, mean=1.0)
    explorer.get_by_role("button", name="Best q for this w").click()

    def loss(p):
        m, s = p[0], math.exp(p[1])
        e2, e4 = m**2 + s**2, m**4 + 6 * m**2 * s**2 + 3 * s**4
        fit = (X**2 - 2 * X * 1.5 * e2 + 1.5**2 * e4) / (2 * V) + 0.5 * math.log(2 * math.pi * V)
        return fit + 0.5 * (m**2 + s**2 - 1) - p[1]

    best = optimize.minimize(loss, [1.0, -1.0], method="Nelder-Mead", options={"xatol": 1e-7}).x
    found = shown(explorer)
    assert found[1] == pytest.approx(-loss(best), abs=0.006)
    assert found[2] > 0.3  # one Gaussian cannot close this gap
    expect(explorer, best[0], math.exp(best[1]), 1.5, square=1)


def test_best_w_raises_the_bound_and_may_lower_the_evidence(open_explorer):
    explorer = open_explorer(mean=0.5, sd=round(math.sqrt(0.2), 2), w=1.87)
    before = shown(explorer)
    explorer.get_by_role("button", name="Best w for this q").click()
    s2 = round(math.sqrt(0.2), 2) ** 2
    w = X * 0.5 / (0.25 + s2)
    expect(explorer, 0.5, math.sqrt(s2), w)
    after = shown(explorer)
    assert after[1] > before[1]
    assert after[0] < before[0]
    explorer.get_by_role("button", name="Reset").click()
    assert shown(explorer) == before


def test_keys_and_dragging_move_q(open_explorer):
    explorer = open_explorer(mean=0.5, sd=0.45, w=1.0)
    explorer.get_by_role("slider", name="mean of q").press("ArrowRight")
    expect(explorer, 0.51, 0.45, 1.0)
    box = explorer.locator("svg").first.bounding_box()
    inner = (box["width"] - 62, box["height"] - 62)  # within the chart's margins
    x = box["x"] + 48 + inner[0] * (1.0 + 3) / 6
    y = box["y"] + 24 + inner[1] * (1 - 1.2 / 1.6)
    explorer.page.mouse.click(x, y)
    sd = 1 / (1.2 * math.sqrt(2 * math.pi))
    text = explorer.locator("output").all_inner_texts()
    assert [float(t) for t in text[:2]] == pytest.approx([1.0, sd], abs=0.03)
    assert (
        explorer.locator("svg").first.get_attribute("aria-label").count("standard deviation") == 1
    )


def test_narrow_and_accessible(open_explorer, axe):
    explorer = open_explorer(width=360)
    page = explorer.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert axe(page) == []
