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
    """new_page(**options of a browser context) → a page in a context of its own.

    `page.problems` collects console errors and warnings, uncaught exceptions and failed requests;
    `page.requested` every address asked for. Both are lists of strings.
    """
    contexts = []

    def open_page(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.problems, page.requested = [], []
        page.on("console", lambda message: note_console(page, message))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("requestfailed", lambda request: page.problems.append(f"failed: {request.url}"))
        page.on("request", lambda request: page.requested.append(request.url))
        return page

    yield open_page
    for context in contexts:
        context.close()


def note_console(page, message):
    if message.type in ("error", "warning"):
        page.problems.append(f"{message.type}: {message.text}")


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


@pytest.fixture(scope="session")
def axe():
    """axe(page) → what axe finds wrong with the page as it is now, one line an element."""
    from axe_playwright_python.sync_playwright import Axe

    def violations(page) -> list[str]:
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        return [f"{v['id']}: {node['html'][:200]}" for v in found for node in v["nodes"]]

    return violations
