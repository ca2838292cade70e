"""Completing a digit, in Chromium: every picture and number against torch."""

import json

import numpy as np
import pytest
import torch
from standalone import write_page

from vaeutil.models import CompletionNet, CompletionVAE
from vaeutil.widgets import CompleteDigit

NARROW = {"width": 360, "height": 1000}
X = (torch.rand(3, 784, generator=torch.Generator().manual_seed(1)) < 0.3).float()


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    models = CompletionNet(1, (20,)).eval(), CompletionVAE(1, 3, (20,)).eval()
    for network in (models[0].decoder, models[1].decoder, models[1].prior_net):
        for weight in network.parameters():  # vivid: every code gives another picture
            weight.data = torch.randn(weight.shape) * 1.5 / max(weight.shape[-1], 4) ** 0.5
    return models


def opened(page, serve, folder, models):
    write_page(folder, [CompleteDigit(*models, X, k=50)])
    page.goto(serve(folder))
    widget = page.locator("complete-digit")
    widget.scroll_into_view_if_needed()
    widget.locator("[data-codes]").wait_for()
    return widget


def levels(canvas) -> np.ndarray:
    data = canvas.evaluate("""c => {
        const copy = new OffscreenCanvas(28, 28).getContext("2d", { willReadFrequently: true });
        copy.drawImage(c, 0, 0);
        return [...copy.getImageData(0, 0, 28, 28).data];
    }""")
    return np.array(data).reshape(784, 4)[:, 0]


def expect(widget, models, x):
    """All pictures are those of the models at the seen part of x; returns the noise."""
    network, model = models
    pictures = [levels(widget.locator("canvas").nth(i)) for i in range(9)]
    seen, _ = model.parts(x)
    np.testing.assert_array_equal(pictures[0][model.seen], 255 * seen[0])
    assert len(set(pictures[0][model.hidden_pixels])) == 1  # the rest is not given away
    z = torch.tensor(json.loads(widget.locator("[data-codes]").get_attribute("data-codes")))
    with torch.no_grad():
        answer = network.whole(seen, network.target(seen).mean)[0]
        law = model.prior_of(seen)
        drawn = model.whole(seen, model.target(z[:, None], seen).mean)[:, 0]
    np.testing.assert_allclose(pictures[1], 255 * answer, atol=2)
    for picture, want in zip(pictures[3:], drawn, strict=True):
        np.testing.assert_allclose(picture, 255 * want, atol=3)
    return ((z - law.mean) / law.stddev).numpy(), pictures[2]


def test_images_draws_and_costs(page, serve, tmp_path, models):
    widget = opened(page, serve, tmp_path, models)
    first, truth = expect(widget, models, X[:1])
    np.testing.assert_array_equal(truth, 255 * X[0])
    widget.get_by_role("button", name="Draw z again").press("Enter")
    second, _ = expect(widget, models, X[:1])
    assert abs(first - second).max() > 0.1
    assert abs(np.concatenate([first, second])).max() < 4.5
    widget.get_by_label("Show").select_option("test image 3")
    _, truth = expect(widget, models, X[2:])
    np.testing.assert_array_equal(truth, 255 * X[2])
    costs = CompleteDigit(*models, X, k=50).options["costs"]
    for row, name in zip(costs, ("network", "cvae"), strict=True):
        shown = widget.locator(f"[data-value={name}]").inner_text()
        assert float(shown.replace("−", "-")) == pytest.approx(row[2], abs=0.011)
    with torch.no_grad():
        exact = -models[0].log_weights(X, 1)[0, 2].item()
    assert costs[0][2] == pytest.approx(exact, abs=0.01)
    assert page.problems == []


def test_a_drawing_is_completed(page, serve, tmp_path, models):
    widget = opened(page, serve, tmp_path, models)
    given = widget.locator("canvas").first
    box = given.bounding_box()
    mouse = page.mouse
    mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.6 * box["height"])
    mouse.down()
    mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.9 * box["height"], steps=6)
    mouse.up()
    assert widget.get_by_label("Show").input_value() == "0"
    ink = torch.from_numpy(levels(given) > 128).float()
    assert 10 < ink[models[1].seen].sum() < 100
    expect(widget, models, ink[None])
    assert widget.locator("[data-value=cvae]").inner_text() == "none"
    widget.get_by_role("button", name="Clear").click()
    expect(widget, models, torch.zeros(1, 784))
    assert page.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_and_axe(new_page, serve, tmp_path, models, axe, scheme):
    page = new_page(viewport=NARROW, color_scheme=scheme)
    opened(page, serve, tmp_path, models)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert page.problems == []
