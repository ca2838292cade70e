"""The number ruler and the nested samples on a static page: what they show, by key, narrow, axe."""

import math

import pytest
from standalone import write_page

from vaeutil.experiments import result
from vaeutil.published import PUBLISHED
from vaeutil.widgets import NestedSamples, NumberRuler
from vaeutil.widgets.nested import from_result

ROWS = [
    {"label": f"{p.model}, {p.source}", "data": p.data, "measure": p.measure, "value": p.value}
    for p in PUBLISHED
] + [{"label": "floor", "data": "any", "measure": "any", "value": 45.53}]
FLOOR = {"floor": 45.53, "alone": 206.5}


def shown(value):
    return f"{value:.2f}".replace("-", "−")


def ruler(**state):
    return NumberRuler(ROWS, **FLOOR, **state)


def nested():
    labels = {"vae": "20 latents", "hero": "2 latents"}
    return from_result(result("nested"), labels)


@pytest.fixture
def visit(page, serve, tmp_path):
    def go(*explorables):
        write_page(tmp_path, explorables)
        page.goto(serve(tmp_path))
        page.locator(".vae-explorer").first.wait_for()
        return page

    yield go
    assert page.problems == []


def bars(page):
    """[(label, number)] as the page shows them, from the top."""
    rows = page.locator(".vae-bar-row")
    texts = rows.evaluate_all(
        "all => all.map(r => [r.children[0].textContent, r.children[2].textContent])"
    )
    return [(label, float(value.split("\u00a0")[0])) for label, value in texts]


def expected(value, data, measure):
    rows = [
        (r["label"], r["value"])
        for r in ROWS
        if {r["data"], r["measure"]} <= {data, measure, "any"}
    ]
    return sorted([("your number", value), *rows], key=lambda row: row[1])


def test_the_number_takes_its_place(visit):
    page = visit(ruler())
    assert bars(page) == expected(95.0, "dynamic", "negative elbo")
    field = page.get_by_label("Your number, in nats")
    field.fill("86.5")
    assert bars(page) == expected(86.5, "dynamic", "negative elbo")
    page.get_by_label("Measure").select_option("NLL")
    assert bars(page) == expected(86.5, "dynamic", "nll")
    page.get_by_label("Data").press("ArrowDown")
    assert bars(page) == expected(86.5, "static", "nll")
    field.press("ArrowUp")  # a step of one
    assert float(field.input_value()) > 86.5


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0.12", f"Times 784 it is {shown(784 * 0.12)} nats"),
        ("40", "Below the floor"),
        ("230", "Worse than independent pixels, 206.50 nats"),
        ("600", f"a fair coin for each pixel costs {shown(784 * math.log(2))} nats"),
        ("95", f"{shown(95 - 45.53)} nats above the floor. {shown(95 - 84.08)} more than"),
        ("95", f"{95 / math.log(2) / 784:.4f} bits per pixel"),
    ],
)
def test_what_the_ruler_says(visit, typed, words):
    page = visit(ruler(value=90.0))
    page.get_by_label("Your number, in nats").fill(typed)
    assert words in page.locator(".vae-verdict").inner_text()


def test_a_number_that_is_none_changes_nothing(visit):
    page = visit(ruler())
    before = bars(page)
    for bad in ("", "-3", "0"):
        page.get_by_label("Your number, in nats").fill(bad)
        assert bars(page) == before
        assert "positive number" in page.locator(".vae-spoken").inner_text()


def test_nested_samples_show_the_stored_numbers(visit):
    models = nested()
    page = visit(NestedSamples(models, at=8))

    def expect(at, model):
        row = models[model]
        values = {
            "nll": f"{shown(row['nll'][at])}",
            "gain": f"{shown(row['nll'][0] - row['nll'][at])}",
            "excess": f"{shown(row['excess'][at])} ± {shown(row['se'][at])}",
            "far": f"{100 * row['far'][at]:.1f}\u00a0%",
        }
        for name, value in values.items():
            assert page.locator(f"[data-value={name}]").inner_text() == value
        words = page.locator("svg[role=img]").get_attribute("aria-label")
        assert f"k = {row['k'][at]:,} samples the NLL estimate is {shown(row['nll'][at])}" in words

    expect(8, 0)
    slider = page.get_by_role("slider", name="samples k")
    assert slider.get_attribute("aria-valuetext") == "500"
    slider.press("ArrowLeft")
    expect(7, 0)
    slider.press("Home")
    expect(0, 0)
    slider.press("End")
    expect(11, 0)
    assert page.locator("[data-value=exact]").inner_text() == "not known"
    page.get_by_label("Model").select_option("2 latents")
    expect(11, 1)
    above = models[1]["nll"][-1] - models[1]["exact"]
    assert page.locator("[data-value=exact]").inner_text() == f"{shown(above)}\u00a0nats"


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_and_width(new_page, serve, tmp_path, axe, width, scheme):
    write_page(tmp_path, [ruler(), NestedSamples(nested())])
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(serve(tmp_path))
    page.locator(".vae-explorer").nth(1).scroll_into_view_if_needed()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.problems == []


def test_without_javascript_there_is_a_picture(new_page, serve, tmp_path):
    write_page(tmp_path, [ruler(), NestedSamples(nested())])
    page = new_page(java_script_enabled=False)
    page.goto(serve(tmp_path))
    words = [page.locator("img").nth(i).get_attribute("alt") for i in range(2)]
    assert "your number 95.00" in words[0]
    assert "falls from" in words[1]
