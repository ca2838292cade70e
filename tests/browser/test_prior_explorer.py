"""The prior explorer on a static page: its draws and pictures, against torch."""

import re

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree
from standalone import write_page
from test_explorer import NARROW, WIDE, grey_levels, vivid

from vaeutil.models import VAE, PriorVAE
from vaeutil.seeding import seeded
from vaeutil.widgets import PriorExplorer

SIZE = {"latent": 2, "hidden": (60, 60)}


@pytest.fixture(scope="module")
def made():
    with seeded(0):
        models = {
            "N(0, I)": vivid(VAE(**SIZE)),
            "mixture": vivid(PriorVAE(**SIZE, prior="mixture", components=5)),
            "flow": vivid(PriorVAE(**SIZE, prior="flow")),
        }
        for parameter in models["flow"].learned.parameters():
            parameter.data += 0.2 * torch.randn_like(parameter)
        notes = {"N(0, I)": 1.25, "mixture": 0.5, "flow": 0.375}
        return models, PriorExplorer(models, torch.rand(200, 784), notes=notes, note="KL", draws=6)


def visit(page, serve, tmp_path, widget):
    write_page(tmp_path, [widget])
    page.goto(serve(tmp_path))
    element = page.locator("prior-explorer")
    element.scroll_into_view_if_needed()
    element.locator(".vae-picture[aria-label*='z =']").first.wait_for()
    return element


def draws(element):
    """The codes that the pictures' labels name, [n, 2]."""
    labels = element.locator(".vae-picture").evaluate_all("all => all.map(c => c.ariaLabel)")
    pairs = [re.search(r"\((.*), (.*)\)", label).groups() for label in labels]
    return np.array(pairs, float)


def choose(element, name):
    element.get_by_label("Prior", exact=True).select_option(label=name)
    return draws(element)


def test_every_draw_comes_from_its_prior_and_is_decoded(page, serve, tmp_path, made):
    models, widget = made
    element = visit(page, serve, tmp_path, widget)
    noise = draws(element)
    found = {name: choose(element, name) for name in models}
    np.testing.assert_allclose(found["N(0, I)"], noise)
    assert abs(noise).max() < 5
    assert noise.std() > 0.3
    with torch.no_grad():
        # The flow's draws are the same noise, sent through it.
        flowed = models["flow"].learned.flow(torch.tensor(noise).float())[0].numpy()
        np.testing.assert_allclose(found["flow"], flowed, atol=0.02)
    assert abs(found["flow"] - noise).max() > 0.1
    sampler = widget.options["samplers"][1]
    means, stds = (np.array(sampler[key])[sampler["picks"][:6]] for key in ("means", "stds"))
    np.testing.assert_allclose(found["mixture"], means + stds * noise, atol=2e-3)
    for name, z in found.items():
        choose(element, name)
        with torch.no_grad():
            expected = 255 * models[name].decode(torch.tensor(z).float()).numpy()
        assert expected.std() > 5
        for i in range(6):
            seen = grey_levels(element.locator(".vae-picture").nth(i))
            np.testing.assert_allclose(seen.reshape(-1), expected[i], atol=4)


def test_the_numbers_beside_the_plane(page, serve, tmp_path, made):
    _, widget = made
    element = visit(page, serve, tmp_path, widget)
    for i, (name, note) in enumerate({"N(0, I)": 1.25, "mixture": 0.5, "flow": 0.375}.items()):
        z = choose(element, name)
        near = KDTree(np.array(widget.options["codes"][i]).T).query(z)[0].mean()
        unit = widget.options["spacing"][i]
        told = float(element.locator("[data-value=far]").inner_text())
        assert told == pytest.approx(near / unit, abs=2e-3 / unit + 1e-3)
        shown = element.locator("[data-value=note]").inner_text()
        assert float(shown) == pytest.approx(note, abs=0.006)
        label = element.locator(".vae-chart").get_attribute("aria-label")
        assert label.startswith(f"{name}: codes of 200 test images")


def test_the_button_draws_anew_by_keyboard(page, serve, tmp_path, made):
    element = visit(page, serve, tmp_path, made[1])
    before = draws(element)
    element.get_by_role("button", name="Draw again").press("Enter")
    assert abs(draws(element) - before).max() > 0.1
    assert "6 new draws" in element.locator(".vae-spoken").inner_text()


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page, serve, tmp_path, made, axe, viewport, scheme):
    page = new_page(viewport=viewport, color_scheme=scheme)
    visit(page, serve, tmp_path, made[1])
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.problems == []
