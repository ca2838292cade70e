"""A browser for the tests: pages that remember what went wrong and what they asked for.

Without Chromium these tests are skipped; where REQUIRE_BROWSER is set, that is a failure.
"""

import functools
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import chromium
import pytest
from browsing import pages_of

SITE = Path(__file__).parents[2] / "_build" / "html"


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def missing(reason: str):
    """Skip, or fail where the browser tests are required."""
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser():
    """Chromium, headless, for the whole session."""
    path = chromium.find()
    if path is None:
        missing(chromium.HOW_TO_GET_ONE)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def new_page(browser):
    """Pages for one test, as `pages_of` opens them."""
    with pages_of(browser) as open_page:
        yield open_page


@pytest.fixture
def page(new_page):
    """One page, 1280 × 900, light."""
    return new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site."""
    if not (SITE / "index.html").exists():
        missing("the site is not built: run `make book` first")
    return SITE


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def serve():
    """serve(folder) → the address of a server on loopback that gives out the folder's files."""
    servers = []

    def start(folder) -> str:
        handler = functools.partial(QuietHandler, directory=str(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


# axe looks at every element anew. Most elements of a chapter are the letters of typeset maths, the
# strokes of figures that are one image to a screen reader, and tokens of code in the same few
# colours: one token of each class stays in each scheme.
THIN = """() => {
  for (const maths of document.querySelectorAll("mjx-container")) maths.replaceChildren("x");
  for (const stroke of document.querySelectorAll(".vae-figure svg > g")) stroke.remove();
  const seen = new Set();
  for (const token of document.querySelectorAll(".highlight pre span")) {
    if (seen.has(token.className)) token.replaceWith(token.textContent);
    seen.add(token.className);
  }
  document.querySelectorAll(".highlight pre").forEach(code => code.normalize());
}"""


@pytest.fixture(scope="session")
def axe():
    """axe(page) → what axe finds wrong with the page as it is now, one line an element.

    It thins the page out first: look at nothing else on it afterwards.
    """
    from axe_playwright_python.sync_playwright import Axe

    def violations(page) -> list[str]:
        # Colours in transition, or under a button that the pointer calls up, are nobody's fault.
        page.mouse.move(0, 0)
        page.add_style_tag(content="* { transition: none !important; animation: none !important }")
        page.evaluate(THIN)
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        return [
            f"{v['id']}: {node['html'][:200]} {[one['message'] for one in node['any']]}"
            for v in found
            for node in v["nodes"]
        ]

    return violations
