"""The explorables of chapter 3 on a static page: their numbers, their keys, axe."""

import math
import re

import numpy as np
import pytest
import scipy.stats
from scipy.special import logsumexp
from standalone import write_page

from vaeutil.widgets import PiExplorer, WeightsExplorer
from vaeutil.widgets.rain import uniforms

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 780}


@pytest.fixture
def visit(page, serve, tmp_path):
    def go(explorer):
        write_page(tmp_path, [explorer])
        page.goto(serve(tmp_path))
        host = page.locator(explorer.tag)
        host.locator(".vae-explorer").wait_for()
        return host

    yield go
    assert page.problems == []


def shown(host, name) -> str:
    return host.locator(f"[data-value={name}]").inner_text()


def number(host, name) -> float:
    return float(shown(host, name).replace("−", "-").replace(",", ""))


def expect_rain(host, n, run=1):
    """The page's numbers are those of the points, counted by numpy."""
    inside = int(((uniforms(run, 2 * n).reshape(-1, 2) ** 2).sum(1) <= 1).sum())
    assert shown(host, "inside") == f"{inside:,} of {n:,}"
    assert number(host, "estimate") == pytest.approx(4 * inside / n, abs=6e-6)
    assert number(host, "error") == pytest.approx(abs(4 * inside / n - math.pi), abs=6e-6)
    assert number(host, "se") == pytest.approx(math.sqrt(math.pi * (4 - math.pi) / n), abs=6e-6)


def test_points_are_counted_as_numpy_counts_them(visit):
    host = visit(PiExplorer(n=1_000))
    expect_rain(host, 1_000)
    slider = host.get_by_role("slider", name="Points n")
    slider.press("End")
    expect_rain(host, 100_000)
    host.get_by_label("Run", exact=True).select_option(label="8")
    expect_rain(host, 100_000, run=8)
    slider.press("Home")
    expect_rain(host, 1, run=8)
    assert "1 points" in host.locator("canvas").get_attribute("aria-label")


def test_points_fall_until_paused_and_start_again(visit):
    host = visit(PiExplorer(n=100))
    host.get_by_role("button", name="Let them fall").press("Enter")
    host.page.wait_for_function(
        "document.querySelector('[data-value=inside]').innerText.length > 12"
    )
    host.get_by_role("button", name="Pause").click()
    n = int(re.search(r"of ([\d,]+)", shown(host, "inside"))[1].replace(",", ""))
    assert n > 100
    expect_rain(host, n)
    assert f"{n:,} points" in host.locator(".vae-spoken").inner_text()
    host.get_by_role("button", name="Start again").click()
    expect_rain(host, 100)


def test_blue_points_are_inside_the_arc(visit):
    host = visit(PiExplorer(n=5_000))
    pixels = host.locator("canvas").evaluate("""c => {
        const copy = new OffscreenCanvas(c.width, c.height);
        const context = copy.getContext("2d", { willReadFrequently: true });
        context.drawImage(c, 0, 0);
        return [c.width, ...context.getImageData(0, 0, c.width, c.height).data];
    }""")
    side = pixels[0]
    colours = np.array(pixels[1:]).reshape(side, side, 4)
    u, v = np.meshgrid(np.arange(side) / side, 1 - np.arange(side) / side)
    radius = np.hypot(u, v)
    blue = np.abs(colours - [0x2F, 0x7E, 0xD8, 255]).max(-1) < 3
    orange = np.abs(colours - [0xD9, 0x66, 0x1F, 255]).max(-1) < 3
    assert blue.sum() > 5_000
    assert orange.sum() > 2_000
    assert radius[blue].max() < 1.02
    assert radius[orange].min() > 0.98


def normals(n):
    """makeNormal(0) of the page: mulberry32, then Box–Muller."""
    state, found = 0, []

    def uniform():
        nonlocal state
        state = (state + 0x6D2B79F5) % 2**32
        value = ((state ^ state >> 15) * (state | 1)) % 2**32
        value ^= (value + (value ^ value >> 7) * (value | 61)) % 2**32
        return (value ^ value >> 14) / 2**32

    for _ in range(n):
        radius = math.sqrt(-2 * math.log(1 - uniform()))
        found.append(radius * math.cos(2 * math.pi * uniform()))
    return np.array(found)


def expect_weights(host, eps, d, mean, width, noise, x):
    """Estimate, exact value, effective sample size and draws needed, by scipy."""
    norm = scipy.stats.norm
    z = mean + width * eps[:, :d]
    log_w = norm.logpdf(x, z, math.sqrt(noise)) + norm.logpdf(z) - norm.logpdf(z, mean, width)
    log_w = log_w.sum(1)
    estimate = logsumexp(log_w) - math.log(1_000)
    assert number(host, "estimate") == pytest.approx(estimate, abs=0.006)
    exact = d * norm.logpdf(x, 0, math.sqrt(1 + noise))
    assert number(host, "exact") == pytest.approx(exact, abs=0.006)
    ess = math.exp(2 * logsumexp(log_w) - logsumexp(2 * log_w))
    assert number(host, "ess") == pytest.approx(ess, abs=0.06)
    needed = WeightsExplorer(d=d, mean=mean, width=width, noise=noise, x=x).needed()
    if needed == math.inf:
        assert shown(host, "needed") == "infinitely many"
    else:
        assert number(host, "needed") == pytest.approx(needed, rel=0.06, abs=1)


def test_weights_are_scipys(visit):
    eps = normals(40_000).reshape(1_000, 40)
    explorer = WeightsExplorer(d=5, noise=0.2, x=1.1)
    host = visit(explorer)
    expect_weights(host, eps, 5, 0, 1, 0.2, 1.1)
    host.get_by_role("slider", name="Dimensions d").press("ArrowRight")
    host.get_by_role("slider", name="Mean of q").press("ArrowRight")
    host.get_by_role("slider", name="Width of q").press("ArrowLeft")
    expect_weights(host, eps, 6, 0.05, 0.95, 0.2, 1.1)
    host.get_by_role("slider", name="Width of q").press("Home")
    expect_weights(host, eps, 6, 0.05, 0.1, 0.2, 1.1)
    mean, std = explorer.posterior()
    host.get_by_role("button", name="The posterior").click()
    assert number(host, "estimate") == number(host, "exact")
    assert number(host, "ess") == 1_000
    host.get_by_role("button", name="Posterior, twice as wide").press("Enter")
    expect_weights(host, eps, 6, mean, 2 * std, 0.2, 1.1)
    assert "effective sample size" in host.locator(".vae-spoken").inner_text()


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page, serve, tmp_path, axe, viewport, scheme):
    write_page(tmp_path, [PiExplorer(n=2_000), WeightsExplorer(d=5)])
    page = new_page(viewport=viewport, color_scheme=scheme)
    page.goto(serve(tmp_path))
    page.locator("importance-weights .vae-explorer").wait_for()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.problems == []
