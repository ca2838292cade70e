"""The built site in Chromium: every page, wide and narrow, light and dark."""

import base64
import gzip
import io

import numpy as np
import pytest
import torch
from browsing import pages_of
from pages import CHAPTERS, PAGES, ROOT, WELCOME
from PIL import Image

from vaeutil import models

MEGABYTE = 1_000_000
HERO = ROOT / "vaeutil" / "results" / "hero.safetensors"

# Text of the page that is neither code nor typeset maths.
PROSE = """() => {
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode())
    if (!walker.currentNode.parentElement.closest("pre, code, script, style, mjx-container"))
      texts.push(walker.currentNode.data);
  return texts;
}"""
# Read from a copy: Chromium warns of a canvas that is read again and again.
GREYS = """source => {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [source.width, source.height];
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0);
  const data = context.getImageData(0, 0, copy.width, copy.height).data;
  return Array.from(data).filter((_, i) => i % 4 === 0); }"""
# Whether what an explorable shows besides its sliders - pictures, curves, numbers - is another than
# when this was last asked. The page remembers: pictures take long to travel.
CHANGED = """host => {
  const canvases = Array.from(host.querySelectorAll("canvas"), canvas => {
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [canvas.width, canvas.height];
    copy.getContext("2d").drawImage(canvas, 0, 0);
    return copy.toDataURL();
  });
  const drawn = Array.from(host.querySelectorAll("svg, dl, .vae-bars"), node => node.outerHTML);
  const [before, now] = [host.shown, JSON.stringify([canvases, drawn])];
  host.shown = now;
  return now !== before;
}"""


@pytest.fixture(scope="session")
def root(site, serve) -> str:
    return serve(site)


def visit(page, address):
    """Open a page and wait until its maths is typeset."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.evaluate("() => window.MathJax?.startup?.promise")
    return page


def wake(page):
    """Unfold everything, and scroll to every explorable, so that it starts."""
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    for explorable in page.locator(".vae-host").all():
        explorable.scroll_into_view_if_needed()
        explorable.locator(".vae-explorer").first.wait_for()
    page.evaluate("() => window.scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")


# Each page wide and light, and narrow and dark; one load serves all tests of a look.
LOOKS = [
    pytest.param(
        (name, width, scheme),
        id=f"{name}-{width}-{scheme}",
        marks=pytest.mark.xdist_group(f"{name}-{width}"),
    )
    for name in PAGES
    for width, scheme in [(1280, "light"), (360, "dark")]
]


@pytest.fixture(scope="module", params=LOOKS)
def opened(request, browser, root):
    """A page of the site, opened once in each look; what tests do to it stays for those below."""
    name, width, scheme = request.param
    with pages_of(browser) as open_page:
        page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.name, page.scheme, page.before = name, scheme, []
        note = lambda response: page.before.append(response)  # noqa: E731 - a method will not do
        page.on("response", note)
        visit(page, f"{root}/{name}")
        page.remove_listener("response", note)
        yield page


def is_chapter(page) -> bool:
    return page.name.removesuffix(".html") in CHAPTERS


def test_page_is_light_before_a_widget_is_seen(opened, root):
    """Without the decoders, which have files of their own, less than 3 MB: what is the page's own
    (the theme and MathJax are the same files on every page), and all of a first visit as a host
    sends it, compressed.
    """
    weights = [response for response in opened.before if "/weights/" in response.url]
    bodies = [response for response in opened.before if "/weights/" not in response.url]
    assert sum(len(r.body()) for r in bodies if "/_static/" not in r.url) < 3 * MEGABYTE
    assert sum(len(gzip.compress(r.body(), 6)) for r in bodies) < 3 * MEGABYTE
    assert all(response.request.resource_type == "script" for response in weights)


def test_page_is_sound(opened, root):
    assert opened.evaluate("document.documentElement.dataset.theme") == opened.scheme
    wake(opened)
    assert opened.problems == []
    assert [u for u in opened.requested if not u.startswith((root, "data:", "blob:"))] == []
    assert opened.locator("mjx-merror, [data-mjx-error]").count() == 0
    assert [text for text in opened.evaluate(PROSE) if "$" in text] == []
    overflow = opened.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"the page is {overflow} pixels wider than the window"


def test_equations_show_their_numbers_on_a_wide_page(opened):
    """On a narrow one a long equation scrolls; here nothing of it is hidden."""
    if opened.viewport_size["width"] < 1000:
        return
    cut = opened.evaluate(
        "() => [...document.querySelectorAll('div.math')]"
        ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.id)"
    )
    assert cut == []


def test_equations_carry_their_tags(opened):
    tagged = opened.locator("div.math[id^=eq-]").evaluate_all(
        "all => all.map(div => [div.id, div.querySelectorAll('mjx-labels').length])"
    )
    assert bool(tagged) == is_chapter(opened)
    assert [name for name, labels in tagged if labels != 1] == []


def test_long_equations_can_be_read_from_their_beginning(opened):
    hidden = opened.locator("div.math").evaluate_all(
        """all => all.map(div => [div.textContent, div.querySelector("mjx-container")
             .getBoundingClientRect().x - div.getBoundingClientRect().x])"""
    )
    assert [text for text, left in hidden if left < -1] == []


def test_code_can_be_copied(opened):
    cells, buttons = (
        opened.locator(f"div.cell_input {part}") for part in ("pre", "button.copybtn")
    )
    assert cells.count() == buttons.count()
    assert (cells.count() > 0) == is_chapter(opened)


def test_figures_take_the_colours_of_the_page(opened):
    text = opened.evaluate("getComputedStyle(document.querySelector('main')).color")
    figures = opened.locator(".vae-figure svg")
    assert figures.count() > 0 or not is_chapter(opened)
    colours = figures.evaluate_all("all => all.map(svg => getComputedStyle(svg).color)")
    assert set(colours) <= {text}
    behind = """all => all.flatMap(svg => { const found = [];
      for (let e = svg; e.tagName !== "MAIN"; e = e.parentElement)
        found.push(getComputedStyle(e).backgroundColor);
      return found.filter(c => !/^rgba\\(.*, 0\\)$/.test(c)); })"""
    assert figures.evaluate_all(behind) == []


def test_maps_are_the_pictures_that_torch_drew(opened, new_page, site, root):
    """The map that the browser decodes equals the picture for readers without JavaScript."""
    if "<latent-explorer" not in (site / opened.name).read_text("utf-8"):
        assert opened.locator("latent-explorer").count() == 0
        return
    still = new_page(java_script_enabled=False)
    still.goto(f"{root}/{opened.name}")
    assert all(image.is_visible() for image in still.locator("latent-explorer > img").all())
    pictures = [picture_of(image) for image in still.locator("latent-explorer > img").all()]
    explorers = opened.locator("latent-explorer").all()
    assert len(explorers) == len(pictures)
    for explorer, picture in zip(explorers, pictures, strict=True):
        explorer.scroll_into_view_if_needed()
        explorer.locator(".vae-picture").wait_for()
        if explorer.locator("input[type=range]").count() != 2:
            continue
        canvas = explorer.locator("canvas:not(.vae-picture)").first
        for _ in range(50):  # the map is painted row by row
            drawn = greys(canvas).reshape(picture.shape)
            if abs(drawn - picture).max() <= 2:
                break
            opened.wait_for_timeout(100)
        assert abs(drawn - picture).max() <= 2


def test_every_slider_moves(opened):
    """Without a kernel: a key changes what a slider says, and what its explorable shows."""
    explorables = opened.locator(".vae-host")
    assert explorables.count() > 0 or not is_chapter(opened)
    for explorable in explorables.all():
        explorable.evaluate(CHANGED)
        for slider in explorable.locator("input[type=range]:enabled").all():
            said = slider.get_attribute("aria-valuetext")
            at_end = slider.evaluate("input => Number(input.value) === Number(input.max)")
            slider.press("ArrowLeft" if at_end else "ArrowRight")
            assert slider.get_attribute("aria-valuetext") != said
            opened.wait_for_timeout(50)
            assert explorable.evaluate(CHANGED), "the slider moved, and nothing else did"
    assert opened.problems == []


def test_axe_finds_nothing(opened, axe):
    """Last, for axe thins the page out."""
    assert axe(opened) == []


def test_search_finds_a_page(page, root):
    visit(page, f"{root}/{WELCOME}.html")
    page.locator(".search-button-field").click()
    field = page.locator("#pst-search-dialog input, .search-button__search-container input").first
    field.fill("reparameterisation")
    field.press("Enter")
    page.wait_for_url("**/search.html**")
    result = page.locator("#search-results li a").first
    result.wait_for()
    result.click()
    page.wait_for_url(lambda url: "search.html" not in url)
    assert "reparameteri" in page.locator("main").inner_text().lower()
    assert page.problems == []


def test_dark_mode_toggles_and_stays(page, root):
    visit(page, f"{root}/{WELCOME}.html")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    switch = page.locator(".theme-switch-button").first
    for _ in range(3):
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
        switch.click()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == dark


def greys(canvas) -> np.ndarray:
    return np.array(canvas.evaluate(GREYS))


@pytest.mark.parametrize("way", ["http", "file"])
def test_the_welcome_page_decodes(page, site, root, way):
    """By key and by pointer, the picture is torch's to two grey levels; also from file://."""
    start = root if way == "http" else site.as_uri()
    page.goto(f"{start}/{WELCOME}.html")
    explorer = page.locator("latent-explorer").first
    canvas, sliders = explorer.locator(".vae-picture"), explorer.locator("input[type=range]")
    canvas.wait_for()
    model = models.load(HERO)
    assert sliders.count() == model.latent == 2
    pad = explorer.locator("canvas:not(.vae-picture)").first

    def expect_decoded():
        z = sliders.evaluate_all("all => all.map(slider => Number(slider.value))")
        with torch.no_grad():
            expected = 255 * model.decode(torch.tensor([z], dtype=torch.float32))[0].numpy()
        np.testing.assert_allclose(greys(canvas), expected, atol=2)
        return z

    seen = [expect_decoded()]
    for place in (0, 1):
        sliders.nth(place).focus()
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        seen.append(expect_decoded())
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.3, steps=4)
    page.mouse.up()
    seen.append(expect_decoded())
    assert len({tuple(z) for z in seen}) == len(seen), "a control did not move the code"
    assert page.problems == []
    assert all(url.startswith((start, "data:", "blob:")) for url in page.requested)


def picture_of(image) -> np.ndarray:
    """The grey levels, int [height, width], of an <img> with a data: address."""
    _, _, data = image.get_attribute("src").partition("base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L")).astype(int)
