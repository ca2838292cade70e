"""WeightedBound in Chromium: its numbers against draws and scipy, its button, keyboard, axe."""

import math
import re

import numpy as np
import pytest
import torch
from scipy import integrate, optimize, special, stats
from standalone import write_page

from vaeutil.widgets import WeightedBound

X, V = 2.0, 0.5


def evidence(square):
    def joint(z):
        mean = z**2 if square else z
        return stats.norm.pdf(z) * stats.norm.pdf(X, mean, math.sqrt(V))

    return math.log(integrate.quad(joint, -8, 8, limit=400, points=[-1.3, 0, 1.3])[0])


def log_weights(mean, sd, square, shape):
    z = mean + sd * np.random.default_rng(0).normal(size=shape)
    log_joint = stats.norm.logpdf(z) + stats.norm.logpdf(X, z**2 if square else z, math.sqrt(V))
    return log_joint - stats.norm.logpdf(z, mean, sd)


def number(explorer, name):
    text = explorer.locator(f"[data-value={name}]").inner_text()
    return float(re.search(r"−?\d+\.\d+", text)[0].replace("−", "-"))


def expect(explorer, k, mean, sd, square=0):
    """Evidence by quadrature; ELBO, bound and the chosen draw's ELBO by 100,000 times k draws."""
    assert number(explorer, "evidence") == pytest.approx(evidence(square), abs=0.006)
    log_w = log_weights(mean, sd, square, (100_000, k))
    bounds = special.logsumexp(log_w, axis=1) - math.log(k)
    for name, values in (("first", log_w.mean(1)), ("bound", bounds)):
        error = values.std() / 100_000**0.5
        assert number(explorer, name) == pytest.approx(values.mean(), abs=0.006 + 4 * error)
    assert number(explorer, "bound") - 0.011 <= number(explorer, "chosen")
    assert number(explorer, "chosen") <= number(explorer, "evidence") + 0.011


@pytest.fixture
def open_explorer(new_page, serve, tmp_path):
    pages = []

    def go(width=1280, **options):
        write_page(tmp_path, [WeightedBound(X, V, **options)])
        page = new_page(viewport={"width": width, "height": 1000})
        page.goto(serve(tmp_path))
        pages.append(page)
        explorer = page.locator("weighted-bound")
        explorer.locator(".vae-readout").wait_for()
        return explorer

    yield go
    for page in pages:
        assert page.problems == []


def slide(explorer, name, value):
    explorer.get_by_role("slider", name=name, exact=True).evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )


def test_numbers_of_both_decoders(open_explorer):
    explorer = open_explorer(k=10, mean=0.8, sd=0.4)
    expect(explorer, 10, 0.8, 0.4)
    slide(explorer, "mean of q", 1.1)
    slide(explorer, "sd of q", 0.7)
    expect(explorer, 10, 1.1, 0.7)
    explorer.get_by_label("Decoder's mean").select_option("1")
    expect(explorer, 10, 1.1, 0.7, square=1)


def test_the_page_says_what_python_says(open_explorer):
    options = {"k": 4, "mean": -0.5, "sd": 1.8, "square": 1}
    explorer, same = open_explorer(**options), WeightedBound(**options)
    assert number(explorer, "bound") == pytest.approx(same.bound(), abs=0.006)
    z = torch.linspace(-10, 10, 4_001, dtype=torch.float64)
    chosen = same.implied(z)
    log_joint = same.log_weight(z) + torch.distributions.Normal(-0.5, 1.8).log_prob(z)
    elbo = torch.trapezoid(chosen * log_joint - torch.xlogy(chosen, chosen), z).item()
    assert number(explorer, "chosen") == pytest.approx(elbo, abs=0.006)


def test_k_by_the_keyboard(open_explorer):
    explorer = open_explorer(k=10, mean=0.8, sd=0.4)
    slider = explorer.get_by_role("slider", name="samples k", exact=True)
    slider.press("Home")
    assert slider.get_attribute("aria-valuetext") == "1"
    for name in ("bound", "chosen"):
        assert number(explorer, name) == number(explorer, "first")
    slider.press("End")
    assert slider.get_attribute("aria-valuetext") == "1000"
    assert number(explorer, "bound") > number(explorer, "first") + 0.1
    assert "k = 1000" in explorer.get_by_role("img").last.get_attribute("aria-label")


def test_the_best_q_depends_on_k(open_explorer):
    explorer = open_explorer(k=1, mean=0.9, sd=0.4, square=1)
    explorer.get_by_role("button", name="Best q for this k").press("Enter")

    def gap(at):
        eps = np.linspace(-8, 8, 4_001)
        z = at[0] + math.exp(at[1]) * eps
        log_joint = stats.norm.logpdf(z) + stats.norm.logpdf(X, z**2, math.sqrt(V))
        weight = stats.norm.pdf(eps) * (eps[1] - eps[0])
        return -(weight * (log_joint - stats.norm.logpdf(z, at[0], math.exp(at[1])))).sum()

    best = optimize.minimize(gap, [1.2, -1.0], method="Nelder-Mead")
    assert number(explorer, "bound") == pytest.approx(-best.fun, abs=0.011)
    narrow = float(
        explorer.get_by_role("slider", name="sd of q", exact=True).get_attribute("aria-valuetext")
    )
    assert narrow == pytest.approx(math.exp(best.x[1]), abs=0.02)
    slide(explorer, "samples k", 10_000)  # the far end: 1,000 samples
    explorer.get_by_role("button", name="Best q for this k").click()
    wide = explorer.get_by_role("slider", name="sd of q", exact=True).get_attribute(
        "aria-valuetext"
    )
    assert float(wide) > 2 * narrow
    assert "bound" in explorer.locator(".vae-spoken").inner_text()
    explorer.get_by_role("button", name="Reset").click()
    expect(explorer, 1, 0.9, 0.4, square=1)


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_axe_finds_nothing(open_explorer, axe, width):
    explorer = open_explorer(width=width)
    wide = explorer.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert axe(explorer.page) == []
