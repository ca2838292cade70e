"""Two Gaussians, and one for two humps, on a static page: the numbers shown, against torch."""

import re

import numpy as np
import pytest
import torch
import torch.distributions as td
from scipy.optimize import minimize
from standalone import write_page
from test_explorer import NARROW, WIDE

from vaeutil.widgets import GaussianFit, TwoGaussians


@pytest.fixture
def visit(page, serve, tmp_path):
    def go(widget):
        write_page(tmp_path, [widget])
        page.goto(serve(tmp_path))
        element = page.locator(widget.tag)
        element.scroll_into_view_if_needed()
        element.locator(".vae-chart").first.wait_for()
        return element

    yield go
    assert page.problems == []


def number(element, name):
    return float(element.locator(f"[data-value={name}]").inner_text().replace("−", "-"))


def sliders(element):
    return element.locator("input").evaluate_all("all => all.map(i => Number(i.value))")


def expect_divergences(element):
    p_mean, p_std, q_mean, q_std = sliders(element)
    p, q = td.Normal(p_mean, p_std), td.Normal(q_mean, q_std)
    there, back = td.kl_divergence(p, q).item(), td.kl_divergence(q, p).item()
    assert number(element, "there") == pytest.approx(there, abs=0.006)
    assert number(element, "back") == pytest.approx(back, abs=0.006)
    return p, q


def curve(chart, selector):
    """The drawn curve in the numbers of its axes, read off the ticks: x, y."""
    path = chart.locator(selector).first.get_attribute("d")
    points = np.array(re.findall(r"-?[\d.]+", path), dtype=float).reshape(-1, 2)
    texts = chart.locator("text").evaluate_all(
        "all => all.map(t => [t.textContent.replace('−', '-'), t.getAttribute('text-anchor'), "
        "Number(t.getAttribute('x')), Number(t.getAttribute('y'))])"
    )
    ticks = [(float(w), a, x, y) for w, a, x, y in texts if re.fullmatch(r"-?[\d.]+", w)]
    across = [(x, value) for value, anchor, x, _ in ticks if anchor == "middle"]
    up = [(y - 4, value) for value, anchor, _, y in ticks if anchor == "end"]
    scales = [np.polyfit(*np.array(pairs).T, 1) for pairs in (across, up)]
    return [np.polyval(scale, points[:, i]) for i, scale in enumerate(scales)]


def test_sliders_move_both_divergences(visit):
    element = visit(TwoGaussians(p=(-0.5, 1.0), q=(1.0, 0.6)))
    expect_divergences(element)
    for name, key in [("mean of p", "End"), ("std of q", "Home"), ("mean of q", "ArrowLeft")]:
        element.get_by_role("slider", name=name).press(key)
    assert sliders(element) == [4, 1, 0.95, 0.2]
    expect_divergences(element)
    label = element.locator(".vae-chart").last.get_attribute("aria-label")
    assert f"{number(element, 'there'):.2f}" in label


def test_the_area_under_the_shares_is_the_divergence(visit):
    element = visit(TwoGaussians(p=(0.0, 1.0), q=(1.0, 1.5)))
    element.get_by_label("Shares").select_option(index=1)
    p, q = expect_divergences(element)
    chart = element.locator(".vae-chart").last
    x, y = curve(chart, ".vae-line.vae-series-3")
    assert np.trapezoid(y, x) == pytest.approx(td.kl_divergence(p, q).item(), rel=0.01)
    assert y.min() > -0.001
    element.get_by_label("Shares").select_option(index=0)
    assert "negative in places" in chart.get_attribute("aria-label")


def test_equal_laws_have_no_divergence_and_dragging_moves_q(visit):
    element = visit(TwoGaussians())
    element.get_by_role("button", name="Make q equal to p").click()
    assert number(element, "there") == number(element, "back") == 0
    chart = element.locator(".vae-chart").first
    box = chart.bounding_box()
    middle = box["x"] + 48 + (box["width"] - 62) / 2  # x = 0
    element.page.mouse.move(middle, box["y"] + 80)
    element.page.mouse.down()
    element.page.mouse.move(middle + (box["width"] - 62) / 8, box["y"] + 80, steps=4)
    element.page.mouse.up()
    assert sliders(element)[2] == pytest.approx(2, abs=0.11)
    expect_divergences(element)


def quadrature(distance, weight, mean, std):
    """(forward, reverse) of the target and N(mean, std²), in torch."""
    x = torch.linspace(-25, 25, 50_001, dtype=torch.float64)
    humps = td.Normal(torch.tensor([-distance / 2, distance / 2], dtype=torch.float64), 0.5)
    shares = torch.tensor([1 - weight, weight], dtype=torch.float64)
    log_p = (humps.log_prob(x[:, None]) + shares.log()).logsumexp(1)
    log_q = td.Normal(torch.tensor(float(mean)).double(), float(std)).log_prob(x)
    pairs = (log_p, log_q), (log_q, log_p)
    return [torch.trapezoid(a.exp() * (a - b), x).item() for a, b in pairs]


def expect_fit(element):
    forward, reverse = quadrature(*sliders(element))
    assert number(element, "forward") == pytest.approx(forward, abs=0.011)
    assert number(element, "reverse") == pytest.approx(reverse, abs=0.011)


def at_rest(element, button):
    element.get_by_role("button", name=button).click()
    status = element.locator(".vae-spoken", has_text="at rest")
    status.wait_for(state="attached", timeout=20_000)
    said = status.inner_text().replace("−", "-")
    return [float(v) for v in re.findall(r"-?\d+\.\d\d", said)]


def test_the_fits_numbers(visit):
    element = visit(GaussianFit(distance=4.0, q=(0.7, 1.0)))
    expect_fit(element)
    for name, key in [("distance of the humps", "PageUp"), ("weight of the right one", "End")]:
        element.get_by_role("slider", name=name).press(key)
    element.get_by_role("slider", name="std of q").press("ArrowRight")
    assert sliders(element)[1:] == [0.9, 0.7, 1.05]
    expect_fit(element)


def test_forward_descends_to_the_moments(visit):
    element = visit(GaussianFit(distance=4.0, weight=0.3, q=(-3.0, 0.4)))
    mean, std = at_rest(element, "Descend the forward KL")
    assert mean == pytest.approx(-0.8, abs=0.006)
    assert std == pytest.approx((0.25 + 0.3 * 0.7 * 16) ** 0.5, abs=0.006)


@pytest.mark.parametrize("start", [(1.0, 1.0), (-1.0, 1.0), (0.0, 2.5)])
def test_reverse_descends_to_the_nearest_minimum(visit, start):
    element = visit(GaussianFit(distance=4.0, q=start))
    mean, std = at_rest(element, "Descend the reverse KL")

    def loss(at):
        return quadrature(4.0, 0.5, at[0], np.exp(at[1]))[1]

    best = minimize(loss, [mean, np.log(std)], method="Nelder-Mead")
    assert best.x[0] == pytest.approx(mean, abs=0.01)
    assert np.exp(best.x[1]) == pytest.approx(std, abs=0.01)
    assert np.sign(round(mean, 1)) == np.sign(start[0])


@pytest.mark.parametrize("widget", [TwoGaussians(), GaussianFit()], ids=["two", "fit"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_and_narrow_screens(new_page, serve, tmp_path, axe, widget, viewport, scheme):
    write_page(tmp_path, [widget])
    page = new_page(viewport=viewport, color_scheme=scheme)
    page.goto(serve(tmp_path))
    page.locator(f"{widget.tag} .vae-chart").first.wait_for()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.problems == []
