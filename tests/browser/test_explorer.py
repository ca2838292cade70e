"""The explorer on a static page, in Chromium: every control, both ways to open a page, axe."""

import numpy as np
import pytest
import torch
from standalone import write_page
from torch import nn

from vaeutil.models import AE, VAE
from vaeutil.widgets import LatentExplorer

TALL = '<div style="height: 4000px"></div>'
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 780}


class Conditional(nn.Module):
    """A decoder that takes z and a class."""

    latent, classes = 2, 10

    def __init__(self):
        super().__init__()
        self.decoder = nn.Sequential(nn.Linear(12, 40), nn.GELU(), nn.Linear(40, 784))

    def decode(self, z, y):
        return self.decoder(torch.cat([z, nn.functional.one_hot(y, 10).to(z)], -1)).sigmoid()


def vivid(model):
    """Large random weights, so that every code gives a picture and every move changes it."""
    for weight in model.decoder.parameters():
        fan_in = weight[0].numel() if weight.ndim > 1 else 2
        weight.data = torch.randn(weight.shape) * 2 / fan_in**0.5
    return model


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    return {
        "plane": vivid(VAE(2, hidden=(60, 60))),
        "many": vivid(VAE(20, hidden=(60,))),
        "conv": vivid(AE(3, net="conv", hidden=4)),
        "class": vivid(Conditional()),
    }


def grey_levels(canvas) -> np.ndarray:
    """[height, width], read from a copy: reading the page's own canvas earns a console warning."""
    levels = canvas.evaluate("""c => {
        const copy = new OffscreenCanvas(c.width, c.height);
        const context = copy.getContext("2d", { willReadFrequently: true });
        context.drawImage(c, 0, 0);
        return [c.width, ...context.getImageData(0, 0, c.width, c.height).data];
    }""")
    return np.array(levels[1:]).reshape(-1, levels[0], 4)[..., 0]


def expect_decoded(explorer, model, z, y=None):
    """The canvas is torch's decode(z) within two grey levels."""
    shown = grey_levels(explorer.locator(".vae-picture"))
    label = [] if y is None else [torch.tensor([y])]
    with torch.no_grad():
        expected = 255 * model.decode(torch.tensor([z]), *label)[0].numpy()
    assert expected.std() > 5, "a flat picture proves nothing"
    np.testing.assert_allclose(shown.reshape(-1), expected, atol=2)


def values(explorer) -> list[float]:
    return explorer.locator("input").evaluate_all("all => all.map(i => Number(i.value))")


def started(page, nth=0):
    explorer = page.locator("latent-explorer").nth(nth)
    explorer.scroll_into_view_if_needed()
    explorer.locator(".vae-picture").wait_for()
    return explorer


@pytest.fixture(params=["http", "file"])
def visit(request, page, serve, tmp_path):
    """visit(*explorers) → the page that shows them, over http or from file://."""

    def go(*explorers, **options):
        path = write_page(tmp_path, explorers, **options)
        root = serve(tmp_path) if request.param == "http" else tmp_path.as_uri()
        page.goto(f"{root}/{path.name}")
        page.root = root
        return page

    yield go
    assert page.problems == []
    assert [url for url in page.requested if not url.startswith((page.root, "data:"))] == []


def test_sliders_by_key(visit, models):
    explorer = started(visit(LatentExplorer(models["conv"], z=[0.5, 0, -1])))
    expect_decoded(explorer, models["conv"], [0.5, 0, -1])
    for i in range(3):
        explorer.locator("input").nth(i).press("ArrowRight")
    explorer.get_by_role("slider", name="z1").press("Home")
    assert values(explorer) == [-3, 0.05, -0.95]
    assert explorer.get_by_role("slider", name="z3").get_attribute("aria-valuetext") == "−0.95"
    assert explorer.locator("output").all_inner_texts() == ["−3.00", "0.05", "−0.95"]
    expect_decoded(explorer, models["conv"], [-3, 0.05, -0.95])


def test_sliders_by_pointer(visit, models):
    explorer = started(visit(LatentExplorer(models["many"])))
    for i in (0, 7, 19):
        box = explorer.locator("input").nth(i).bounding_box()
        mouse = explorer.page.mouse
        mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        mouse.down()
        mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=5)
        mouse.up()
    z = values(explorer)
    assert [i for i in range(20) if z[i] > 1] == [0, 7, 19]
    expect_decoded(explorer, models["many"], z)


def test_pad_by_key_and_pointer(visit, models):
    explorer = started(visit(LatentExplorer(models["plane"], z=[1.0, 1.0])))
    pad = explorer.get_by_role("slider", name="Map of decoded images")
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp", "Shift+ArrowRight", "ArrowDown"):
        pad.press(key)
    assert values(explorer) == [1.45, 1.05]
    assert pad.get_attribute("aria-valuetext") == "z1 1.45, z2 1.05"
    expect_decoded(explorer, models["plane"], [1.45, 1.05])
    box = pad.bounding_box()
    pad.click(position={"x": box["width"] / 4, "y": box["height"] / 6})
    assert values(explorer) == pytest.approx([-1.5, 2.0], abs=0.051)
    mouse = explorer.page.mouse
    mouse.down()
    mouse.move(box["x"] + box["width"] + 50, box["y"] + box["height"] + 50, steps=4)
    mouse.up()
    assert values(explorer) == [3.0, -3.0]  # beyond the edge counts as the edge
    expect_decoded(explorer, models["plane"], [3.0, -3.0])


def test_pad_by_touch(new_page, serve, tmp_path, models):
    write_page(tmp_path, [LatentExplorer(models["plane"])])
    page = new_page(viewport=NARROW, has_touch=True, is_mobile=True)
    page.goto(serve(tmp_path))
    explorer = started(page)
    pad = explorer.get_by_role("slider", name="Map of decoded images")
    box = pad.bounding_box()
    pad.tap(position={"x": box["width"] * 0.75, "y": box["height"] / 2})
    assert values(explorer) == pytest.approx([1.5, 0], abs=0.051)
    expect_decoded(explorer, models["plane"], values(explorer))


def test_the_pad_shows_the_decoded_map(visit, models):
    explorer = started(visit(LatentExplorer(models["plane"], grid=5)))
    explorer.locator(".vae-pad[data-complete]").wait_for()
    drawn = grey_levels(explorer.locator(".vae-map canvas"))
    expected, _ = LatentExplorer(models["plane"], grid=5).picture()
    np.testing.assert_allclose(drawn, expected, atol=2)


def test_random_is_the_same_for_every_reader_and_reset_goes_back(visit, models):
    page = visit(LatentExplorer(models["plane"], z=[0.5, -0.5], grid=0))
    explorer = started(page)
    explorer.get_by_role("button", name="Random z").click()
    first = values(explorer)
    expect_decoded(explorer, models["plane"], first)
    assert explorer.locator(".vae-spoken").inner_text().startswith("Random draw: z = (")
    explorer.get_by_role("button", name="Random z").press("Enter")
    assert values(explorer) != first
    explorer.get_by_role("button", name="Reset").press("Space")
    assert values(explorer) == [0.5, -0.5]
    page.reload()
    explorer = started(page)
    explorer.get_by_role("button", name="Random z").click()
    assert values(explorer) == first


def test_class_selector(visit, models):
    explorer = started(visit(LatentExplorer(models["class"], z=[1.0, -1.0])))
    expect_decoded(explorer, models["class"], [1.0, -1.0], y=0)
    explorer.get_by_label("Class", exact=True).select_option("7")
    expect_decoded(explorer, models["class"], [1.0, -1.0], y=7)
    explorer.get_by_label("Class", exact=True).press("ArrowDown")
    expect_decoded(explorer, models["class"], [1.0, -1.0], y=8)
    explorer.locator(".vae-pad[data-complete]").wait_for()


def test_weights_inside_the_page(visit, models):
    explorer = started(visit(LatentExplorer(models["plane"]), inline=True))
    explorer.get_by_role("slider", name="z2").press("ArrowRight")
    expect_decoded(explorer, models["plane"], [0, 0.05])


def test_weights_load_once_and_only_when_seen(visit, models):
    twins = [LatentExplorer(models["plane"]), LatentExplorer(models["plane"], z=[1.0, 1.0])]
    page = visit(*twins, LatentExplorer(models["many"]), gap=TALL)
    started(page)

    def loaded():
        return [url for url in page.requested if "/weights/" in url]

    assert len(loaded()) == 1
    assert page.locator("latent-explorer").nth(2).locator("img").count() == 1
    second = started(page, 1)
    expect_decoded(second, models["plane"], [1.0, 1.0])
    assert len(loaded()) == 1
    expect_decoded(started(page, 2), models["many"], [0.0] * 20)
    assert len(loaded()) == 2


def test_missing_weights_leave_the_picture_and_say_so(page, serve, tmp_path, models):
    write_page(tmp_path, [LatentExplorer(models["plane"])])
    for file in (tmp_path / "weights").iterdir():
        file.unlink()
    page.goto(serve(tmp_path))
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "did not load" in alert.inner_text()
    assert page.locator("latent-explorer img").is_visible()
    assert page.problems


def test_without_javascript_there_is_a_picture(new_page, serve, tmp_path, models):
    write_page(tmp_path, [LatentExplorer(m) for m in models.values()])
    page = new_page(java_script_enabled=False, viewport=NARROW)
    page.goto(serve(tmp_path))
    pictures = page.locator("latent-explorer img")
    assert pictures.count() == 4
    for i in range(4):
        assert "decoded images" in pictures.nth(i).get_attribute("alt")
        box = pictures.nth(i).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW["width"]


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page, serve, tmp_path, models, axe, viewport, scheme):
    write_page(tmp_path, [LatentExplorer(m, title=f"Of {k}") for k, m in models.items()])
    page = new_page(viewport=viewport, color_scheme=scheme)
    page.goto(serve(tmp_path))
    for i in range(len(models)):
        started(page, i)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.problems == []


def test_focus_is_visible_on_every_control(page, serve, tmp_path, models):
    write_page(tmp_path, [LatentExplorer(models["class"])])
    page.goto(serve(tmp_path))
    explorer = started(page)
    names = []
    while True:
        page.keyboard.press("Tab")
        focused = explorer.locator(":focus")
        if focused.count() == 0:
            break
        names.append(focused.evaluate("e => e.className || e.tagName"))
        assert focused.evaluate("e => getComputedStyle(e).outlineWidth") == "3px"
        assert focused.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert names == ["vae-map", "SELECT", "vae-button", "vae-button", "INPUT", "INPUT"]


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
def test_nothing_moves_when_the_controls_come(new_page, serve, tmp_path, models, viewport):
    write_page(tmp_path, [LatentExplorer(models["plane"]), LatentExplorer(models["many"])])
    page = new_page(viewport=viewport)
    page.add_init_script(
        "globalThis.shift = 0; new PerformanceObserver(list => list.getEntries().forEach("
        "e => { shift += e.value; })).observe({type: 'layout-shift', buffered: true});"
    )
    page.goto(serve(tmp_path))
    started(page)
    page.locator(".vae-pad[data-complete]").wait_for()
    page.wait_for_timeout(200)
    assert page.evaluate("shift") < 0.02
