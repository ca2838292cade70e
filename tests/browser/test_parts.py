"""The parts that explorables are built from, in Chromium: where a chart puts a point, and so on."""

import re

import pytest

from vaeutil.widgets._base import STYLE, library

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Parts</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">
<style>%s</style></head><body><main><h1>Parts</h1></main>
<script>(() => { "use strict"; %s
%s
})();</script></body></html>"""

PARTS = """
const said = {};
const plot = makePlot({ x: [-2, 2], y: [0, 10], xLabel: "z", yLabel: "nats", label: "A chart" });
const curve = plot.curve({ series: 1, fill: true, name: "parabola" });
curve.set([-2, -1, 0, 1, 2], [4, 1, NaN, 1, 4]);
plot.dot({ series: 2 }).set(1, 5);
plot.rule({ axis: "y", series: 3, dashed: true, name: "floor" }).set(2.5);
plot.onDrag((point) => { said.point = point; });
const log = makePlot({
  x: [1, 1e4], y: [1e-2, 1e2], xLabel: "draws", yLabel: "error", label: "Logarithmic",
  xLog: true, yLog: true,
});
log.dot({ series: 1 }).set(100, 1);
const range = makeRange({
  label: "deviation", min: 0.1, max: 10, log: true,
  onInput: (v) => { said.range = v; range.show(v); },
});
range.show(1);
const choice = makeChoice({
  label: "kind", options: ["one", "two"], onInput: (i) => { said.choice = i; },
});
const bars = makeBars({ label: "Terms", min: 0, max: 10, unit: "nats" });
bars.set([{ label: "rate", value: 4, series: 1 }, { label: "gap", value: 2, series: 2, from: 4 }]);
const readout = makeReadout([{ name: "kl", label: "KL", series: 1, unit: "nats" }]);
readout.set({ kl: -0.001 });
const frame = makeFrame({ title: "Parts", parts: [
  make("div", { class: "vae-columns" }, plot.node, log.node),
  make("div", { class: "vae-controls" }, range.node, choice.node), readout.node, bars.node,
] });
document.querySelector("main").append(frame.node);
globalThis.said = said;
"""


@pytest.fixture(params=[1000, 360])
def parts(request, new_page, tmp_path):
    file = tmp_path / "index.html"
    file.write_text(PAGE % (STYLE, library(), PARTS), encoding="utf-8")
    page = new_page(viewport={"width": request.param, "height": 900})
    page.goto(file.as_uri())
    page.wait_for_timeout(100)
    return page


def frame_of(chart):
    """The axes' corner and far end, in the chart's pixels, from the drawn axes."""
    path = chart.locator(".vae-axes").get_attribute("d")
    left, top, bottom, right = map(float, re.findall(r"[\d.]+", path))
    return left, top, right, bottom


def place(chart, selector):
    path = chart.locator(selector).get_attribute("d")
    return [float(number) for number in re.findall(r"-?[\d.]+", path)]


def test_a_point_lies_where_its_numbers_say(parts):
    linear, log = (parts.locator(".vae-chart").nth(i) for i in (0, 1))
    left, top, right, bottom = frame_of(linear)
    x, y, _ = place(linear, ".vae-dots")
    assert x == pytest.approx(left + 0.75 * (right - left), abs=0.1)
    assert y == pytest.approx(0.5 * (top + bottom), abs=0.1)
    left, top, right, bottom = frame_of(log)
    x, y, _ = place(log, ".vae-dots")
    assert x == pytest.approx(0.5 * (left + right), abs=0.1)
    assert y == pytest.approx(0.5 * (top + bottom), abs=0.1)


def test_a_curve_breaks_where_it_has_no_value(parts):
    chart = parts.locator(".vae-chart").first
    path = chart.locator(".vae-line.vae-series-1").get_attribute("d")
    assert (path.count("M"), path.count("L")) == (2, 2)


def test_axes_have_round_numbers_and_a_legend(parts):
    texts = parts.locator(".vae-chart").nth(1).locator("text").all_text_contents()
    assert {"draws", "error", "1", "100", "10,000", "0.01"} <= set(texts)
    assert parts.locator(".vae-legend").first.inner_text().split() == ["parabola", "floor"]


def test_dragging_tells_the_numbers_under_the_pointer(parts):
    chart = parts.locator(".vae-chart").first
    box = chart.bounding_box()
    left, top, right, bottom = frame_of(chart)
    parts.mouse.move(box["x"] + left + 0.25 * (right - left), box["y"] + top + 10)
    parts.mouse.down()
    parts.mouse.move(box["x"] + left + 0.75 * (right - left), box["y"] + 0.5 * (top + bottom))
    parts.mouse.up()
    assert parts.evaluate("said.point") == pytest.approx([1, 5], abs=0.05)


def test_controls_answer_the_keyboard(parts):
    slider = parts.get_by_label("deviation")
    slider.press("End")
    assert parts.evaluate("said.range") == pytest.approx(10)
    assert slider.get_attribute("aria-valuetext") == "10.00"
    parts.get_by_label("kind").select_option("two")
    assert parts.evaluate("said.choice") == 1


def test_bars_stand_on_one_another(parts):
    tracks = parts.locator(".vae-bar-track").all()
    spans = [
        (bar["x"] - track.bounding_box()["x"], bar["width"], track.bounding_box()["width"])
        for track in tracks
        for bar in [track.locator(".vae-bar").bounding_box()]
    ]
    (start, length, whole), (second, _, _) = spans
    assert start == pytest.approx(0, abs=0.5)
    assert length == pytest.approx(0.4 * whole, abs=0.5)
    assert second == pytest.approx(length, abs=0.5)
    assert parts.locator("[data-value=kl]").inner_text() == "0.00"


def test_parts_fit_and_axe_finds_nothing(parts, axe):
    assert parts.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe(parts) == []
