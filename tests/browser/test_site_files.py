"""The files of the built site: links, names, weights."""

import re
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
from bs4 import BeautifulSoup
from pages import CHAPTERS, PAGES


@pytest.fixture(scope="session")
def soups(site):
    """Every page, parsed: {path relative to the site: soup}."""
    return {
        path.relative_to(site).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }


def test_the_site_has_the_pages_of_the_contents(soups):
    assert set(soups) == {*PAGES, "index.html"}


def test_every_internal_link_resolves(site, soups):
    ids = {name: {e["id"] for e in soup.find_all(id=True)} for name, soup in soups.items()}
    broken = []
    for name, soup in soups.items():
        for element in soup.find_all(["a", "link", "script", "img"]):
            address = element.get("href") or element.get("src") or ""
            if re.match(r"[a-z]+:", address):
                continue
            file, fragment = urldefrag(address.partition("?")[0])
            fragment = urldefrag(address).fragment
            target = (site / name).parent / unquote(file) if file else site / name
            if not target.is_file():
                broken.append(f"{name}: {address}")
            elif fragment and target.suffix == ".html":
                known = ids[target.resolve().relative_to(site).as_posix()]
                if unquote(fragment) not in known:
                    broken.append(f"{name}: {address}")
    assert broken == []


def test_ids_are_unique(soups):
    """Or a link, or a label, would lead to the first of two places."""
    for name, soup in soups.items():
        ids = [element["id"] for element in soup.find_all(id=True)]
        assert sorted(ids) == sorted(set(ids)), name


def test_nothing_is_loaded_from_another_host(soups):
    for name, soup in soups.items():
        for element in soup.find_all(["link", "script", "img", "iframe", "source"]):
            address = element.get("src") or element.get("href") or ""
            assert not re.match(r"(https?:)?//", address), f"{name}: {address}"


def test_every_figure_has_a_name(soups):
    for name, soup in soups.items():
        for figure in soup.select(".vae-figure svg"):
            assert figure["role"] == "img"
            assert figure.get("aria-label", "").strip(), f"{name}: a figure without words"
        for image in soup.select("main img"):
            assert image.get("alt"), f"{name}: an image without words: {image['src'][:60]}"


def test_weights_are_beside_the_pages_not_in_them(site, soups):
    named = 0
    for name, soup in soups.items():
        assert not soup.select('script[type="text/plain"]'), name
        for element in soup.select("[data-weights]"):
            named += 1
            script = (site / name).parent / element["data-weights-src"]
            assert f'"{element["data-weights"]}"' in script.read_text()
    assert named > 0


def test_references_are_links(soups):
    """In the chapters, Eq. (5.3), Figure 5.2 and Exercise 5.1 lead to their places."""
    for name in CHAPTERS:
        soup = soups[f"{name}.html"]
        links = [a for a in soup.select("a.book-ref") if "#eq-" in a["href"]]
        assert links, f"{name} refers to no equation"


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_notebook_can_be_downloaded(site, soups, name):
    link = soups[f"{name}.html"].select_one(".chapter-line a[download]")
    notebook = nbformat.read((site / name).parent / link["href"], as_version=4)
    assert notebook.cells
