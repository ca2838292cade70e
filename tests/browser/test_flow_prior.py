"""The flow explorer on a static page: its numbers and pictures, against torch."""

import re

import numpy as np
import pytest
import torch
from standalone import write_page
from test_explorer import NARROW, WIDE, grey_levels, vivid

from vaeutil.models import FVAE
from vaeutil.widgets import FlowPriorExplorer


def bent(latent):
    torch.manual_seed(latent)
    model = vivid(FVAE(latent, hidden=(60, 60), depth=4, width=(8,)))
    for parameter in model.flow.parameters():
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    return model


@pytest.fixture(scope="module")
def flat():
    model = bent(2)
    return model, FlowPriorExplorer(model, torch.rand(150, 784), z=[0.5, -1.0], draws=6)


@pytest.fixture(scope="module")
def deep():
    model = bent(5)
    return model, FlowPriorExplorer(model, draws=4, title="Five numbers")


def visit(page, serve, tmp_path, widget):
    write_page(tmp_path, [widget])
    page.goto(serve(tmp_path))
    element = page.locator("flow-prior")
    element.scroll_into_view_if_needed()
    element.locator("[data-value=logdet]:not(:empty)").wait_for()
    return element


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+\.\d+", text.replace("\u2212", "-"))]


def expect(element, model, z, route=0):
    """w, log|det ∂w/∂z| (by autograd) and the image of z."""
    z = torch.tensor(z, dtype=torch.float32)
    with torch.no_grad():
        w = model.flow(z)[0] if route == 0 else z
        image = 255 * model.decode(w).numpy()
    log_det = 0.0
    if route == 0:
        jacobian = torch.autograd.functional.jacobian(lambda v: model.flow(v)[0], z)
        log_det = jacobian.det().abs().log().item()
    assert image.std() > 5
    np.testing.assert_allclose(
        numbers(element.locator("[data-value=w]").inner_text()), w.numpy(), atol=0.011
    )
    told = numbers(element.locator("[data-value=logdet]").inner_text())
    assert told == pytest.approx([log_det], abs=0.011)
    seen = grey_levels(element.locator(".vae-view .vae-picture"))
    np.testing.assert_allclose(seen.reshape(-1), image, atol=4)


def test_sliders_go_through_the_flow_or_past_it(page, serve, tmp_path, flat):
    model, widget = flat
    element = visit(page, serve, tmp_path, widget)
    expect(element, model, [0.5, -1.0])
    element.get_by_role("slider", name="z1").press("End")
    expect(element, model, [3.0, -1.0])
    element.get_by_role("slider", name="z2").press("ArrowRight")
    expect(element, model, [3.0, -0.95])
    element.get_by_label("From z to w").select_option(index=1)
    expect(element, model, [3.0, -0.95], route=1)


def test_the_draws_cool_down(page, serve, tmp_path, deep):
    model, widget = deep
    element = visit(page, serve, tmp_path, widget)
    sheet = element.get_by_label("A decoded draw")
    assert sheet.count() == 4
    warm = [grey_levels(sheet.nth(i)).reshape(-1) for i in range(4)]
    assert np.abs(warm[0].astype(float) - warm[1]).max() > 10
    element.get_by_label("Temperature of the draws").press("Home")
    with torch.no_grad():
        frozen = 255 * model.decode(model.flow(torch.zeros(5))[0]).numpy()
    for i in range(4):
        np.testing.assert_allclose(grey_levels(sheet.nth(i)).reshape(-1), frozen, atol=4)
    element.get_by_label("Temperature of the draws").press("End")
    element.get_by_role("button", name="New draws").press("Enter")
    again = grey_levels(sheet.first).reshape(-1)
    assert np.abs(again.astype(float) - warm[0]).max() > 10
    # Four of its numbers are told beside each draw.
    label = sheet.first.get_attribute("aria-label")
    assert len(numbers(label)) == 4


def test_a_random_z_is_shown_everywhere(page, serve, tmp_path, deep):
    model, widget = deep
    element = visit(page, serve, tmp_path, widget)
    element.get_by_role("button", name="Random z").press("Enter")
    z = element.locator(".vae-sliders input").evaluate_all("all => all.map(i => Number(i.value))")
    assert len(set(z)) > 3
    expect(element, model, z)


def test_dragging_over_the_plane_of_z(page, serve, tmp_path, flat):
    model, widget = flat
    element = visit(page, serve, tmp_path, widget)
    chart = element.locator(".vae-chart").first
    box = chart.bounding_box()
    page.mouse.click(box["x"] + 120, box["y"] + 100)
    z = element.locator(".vae-sliders input").evaluate_all("all => all.map(i => Number(i.value))")
    assert z != [0.5, -1.0]
    expect(element, model, z)
    said = chart.get_attribute("aria-label").replace("\u2212", "-")
    assert f"({z[0]:.2f}, {z[1]:.2f})" in said


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page, serve, tmp_path, flat, axe, viewport, scheme):
    page = new_page(viewport=viewport, color_scheme=scheme)
    visit(page, serve, tmp_path, flat[1])
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.problems == []
