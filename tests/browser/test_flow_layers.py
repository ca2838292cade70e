"""A flow's layers on a static page: the numbers shown, against torch; keyboard, drag, axe."""

import numpy as np
import pytest
import torch
import torch.distributions as td
from standalone import write_page
from test_explorer import NARROW, WIDE

from vaeutil import flows
from vaeutil.widgets import FlowLayers


@pytest.fixture(scope="module")
def shown_flows():
    torch.manual_seed(0)
    found = {
        "Planar": flows.Composition([flows.Scale(2), *flows.planar(2, 4).flows]),
        "Coupling": flows.coupling(2, 3, (9,)),
        "Backwards": flows.Reversed(flows.autoregressive(2, 2, (7,))),
    }
    for flow in found.values():
        for parameter in flow.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
        flow.half().float()  # what the page holds
    return found


@pytest.fixture
def widget(shown_flows):
    return FlowLayers(shown_flows, {"Planar": [[[0, 1, 1, 0], [0, 0, 1, 0]]]}, title="Three flows")


@pytest.fixture
def shown(page, serve, tmp_path, widget):
    return visit(page, serve, tmp_path, widget)


def visit(page, serve, tmp_path, widget):
    write_page(tmp_path, [widget])
    page.goto(serve(tmp_path))
    element = page.locator("flow-layers")
    element.scroll_into_view_if_needed()
    element.locator(".vae-chart").wait_for()
    page.wait_for_function("document.querySelector('.vae-bar-value') !== null")
    return element


def numbers(element):
    """The three bars, then this layer's log|det|, the area's factor and the density."""
    bars = element.locator(".vae-bar-value").all_inner_texts()
    rest = [
        element.locator(f"[data-value={name}]").inner_text() for name in ("own", "area", "density")
    ]
    return [float(text.split()[0].replace("\u2212", "-")) for text in [*bars, *rest]]


def parts(flow):
    return list(flow.flow.flows)[::-1] if isinstance(flow, flows.Reversed) else list(flow.flows)


@torch.no_grad()
def expected(flow, z, layer):
    """The same numbers by torch; the log-density of the start by torch.distributions."""
    at, total, own = torch.tensor([z], dtype=torch.float32), 0.0, 0.0
    back = isinstance(flow, flows.Reversed)
    for part in parts(flow)[:layer]:
        at, log_det = part.inverse(at) if back else part(at)
        own = log_det.item()
        total += own
    start = td.Normal(0.0, 1.0).log_prob(torch.tensor(z)).sum().item()
    return [start, -total, start - total, own, np.exp(total), np.exp(start - total)]


def check(element, flow, z, layer):
    want = expected(flow, z, layer)
    found = numbers(element)
    assert found[:4] == pytest.approx(want[:4], abs=0.012)
    assert found[4] == pytest.approx(want[4], rel=0.01, abs=0.012)
    assert found[5] == pytest.approx(want[5], rel=0.01, abs=2e-4)


def test_the_account_follows_layer_and_point(shown, shown_flows):
    flow = shown_flows["Planar"]
    check(shown, flow, [0.8, 0.4], 0)
    layers = shown.get_by_label("Layers passed")
    for layer in (1, 2, 3):
        layers.press("ArrowRight")
        check(shown, flow, [0.8, 0.4], layer)
    layers.press("End")
    assert layers.get_attribute("aria-valuetext") == "5 of 5"
    check(shown, flow, [0.8, 0.4], 5)
    shown.get_by_role("slider", name="z1").press("Home")
    check(shown, flow, [-3.0, 0.4], 5)
    shown.get_by_role("slider", name="z2").press("ArrowLeft")
    check(shown, flow, [-3.0, 0.35], 5)


@pytest.mark.parametrize(("index", "name", "count"), [(1, "Coupling", 3), (2, "Backwards", 3)])
def test_another_flow_has_its_own_layers(shown, shown_flows, index, name, count):
    shown.get_by_label("Layers passed").press("End")
    shown.get_by_label("Flow", exact=True).select_option(str(index))
    layers = shown.get_by_label("Layers passed")
    assert layers.get_attribute("aria-valuetext") == f"{count} of {count}"
    check(shown, shown_flows[name], [0.8, 0.4], count)
    shown.get_by_role("button", name="Next layer").press("Enter")
    assert shown.locator(".vae-spoken").inner_text() == f"0 of {count} layers passed."
    check(shown, shown_flows[name], [0.8, 0.4], 0)
    shown.get_by_role("button", name="Next layer").click()
    check(shown, shown_flows[name], [0.8, 0.4], 1)


def test_the_point_and_its_patch_are_where_torch_says(shown, shown_flows, widget):
    shown.get_by_label("Layers passed").press("End")
    label = shown.locator(".vae-chart").get_attribute("aria-label").replace("\u2212", "-")
    place = [float(v) for v in label.split("at (")[1].split(")")[0].split(", ")]
    with torch.no_grad():
        y = shown_flows["Planar"](torch.tensor([[0.8, 0.4]]))[0][0]
    assert place == pytest.approx(y.tolist(), abs=0.011)
    path = shown.locator(".vae-chart path.vae-series-4.vae-line").get_attribute("d")
    rim = np.array([p.split() for p in path.replace("M", "L").split("L")[1:]], float)
    box = shown.locator(".vae-chart").bounding_box()
    width, height = box["width"] - 48 - 14, box["height"] - 24 - 38
    x = (rim[:, 0] - 48) / width * 10 - 5
    y = 5 - (rim[:, 1] - 24) / height * 10
    area = 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    turn = np.pi * np.arange(61) / 30
    start = torch.tensor(
        np.stack([0.8 + 0.25 * np.cos(turn), 0.4 + 0.25 * np.sin(turn)], 1)
    ).float()
    with torch.no_grad():
        there = shown_flows["Planar"](start)[0].numpy()
    exact = 0.5 * abs(
        np.sum(there[:, 0] * np.roll(there[:, 1], -1) - there[:, 1] * np.roll(there[:, 0], -1))
    )
    assert area == pytest.approx(exact, rel=0.02)


def test_dragging_takes_the_nearest_draw(shown, shown_flows):
    shown.get_by_label("Layers passed").press("End")
    box = shown.locator(".vae-chart").bounding_box()
    shown.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    z = [float(shown.get_by_role("slider", name=f"z{i}").input_value()) for i in (1, 2)]
    assert z != [0.8, 0.4]
    found = numbers(shown)
    assert found[0] == pytest.approx(-np.log(2 * np.pi) - 0.5 * (z[0] ** 2 + z[1] ** 2), abs=0.1)
    assert found[2] == pytest.approx(found[0] + found[1], abs=0.011)


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page, serve, tmp_path, widget, axe, viewport, scheme):
    page = new_page(viewport=viewport, color_scheme=scheme)
    visit(page, serve, tmp_path, widget)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.problems == []
