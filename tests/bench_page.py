"""Times the sliders on a static page, in headless Chromium: `python tests/bench_page.py [--json]`.

- first picture: from the start of the navigation to the first decoded image on the canvas, page,
  script and weights coming from a server on loopback, in a browser started for each run;
- key to picture: from a key press on a slider to the end of the frame that shows the new image
  (decoding, style, layout and paint). The browser's frame clock is off: a screen of 60 Hz adds
  between 0 and 16.7 ms of waiting to any page, whatever the page does.

The decoder has the size of a trained one (20-500-500-784); its weights are random, which costs
the same.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "browser"))

import chromium
from standalone import write_page

from vaeutil.models import VAE
from vaeutil.widgets import LatentExplorer

PRESSES = 240
STARTS = 5
TARGETS = {"key_median_ms": 8.0, "key_p95_ms": 16.0, "first_picture_ms": 1500.0}

# The first draw is noted in the frame in which it happens; the canvas comes with the controls.
FIRST_PICTURE = """new MutationObserver((_, observer) => {
  if (!document.querySelector("latent-explorer .vae-picture")) return;
  if (document.querySelector(".vae-measured")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { globalThis.firstPicture = performance.now(); }));
}).observe(document, { childList: true, subtree: true });"""

# A message posted in a frame's callback arrives when the frame's style, layout and paint are done.
KEY_TO_PICTURE = """globalThis.times = [];
document.addEventListener("keydown", (event) => {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => times.push(performance.now() - event.timeStamp);
    port2.postMessage(null);
  });
});"""


@contextmanager
def served(folder):
    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@contextmanager
def page_in_new_browser(playwright, path):
    flags = [*chromium.ARGUMENTS, "--disable-gpu-vsync", "--disable-frame-rate-limit"]
    browser = playwright.chromium.launch(executable_path=path, args=flags)
    yield browser.new_page(viewport={"width": 1280, "height": 900})
    browser.close()


def first_picture(playwright, path, url) -> float:
    with page_in_new_browser(playwright, path) as page:
        page.add_init_script(FIRST_PICTURE)
        page.goto(url)
        page.wait_for_function("globalThis.firstPicture")
        return page.evaluate("firstPicture")


def key_times(playwright, path, url) -> list[float]:
    with page_in_new_browser(playwright, path) as page:
        page.goto(url)
        page.locator("latent-explorer .vae-picture").wait_for()
        page.evaluate(KEY_TO_PICTURE)
        page.get_by_role("slider", name="z1", exact=True).focus()
        for i in range(PRESSES):
            page.keyboard.press("ArrowLeft" if i // 40 % 2 else "ArrowRight")
            page.wait_for_function(f"times.length === {i + 1}")
        return page.evaluate("times")


def bench() -> dict:
    """The figures in milliseconds. Raises FileNotFoundError without a browser."""
    path = chromium.find()
    if path is None:
        raise FileNotFoundError(chromium.HOW_TO_GET_ONE)
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        write_page(Path(folder), [LatentExplorer(VAE(20, hidden=(500, 500)))])
        with served(folder) as url, sync_playwright() as playwright:
            keys = key_times(playwright, path, url)
            starts = [first_picture(playwright, path, url) for _ in range(STARTS)]
    return {
        "key_median_ms": statistics.median(keys),
        "key_p95_ms": statistics.quantiles(keys, n=20)[-1],
        "key_presses": len(keys),
        "first_picture_ms": max(starts),
        "browser_starts": len(starts),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the sliders on a static page.")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    as_json = parser.parse_args().json
    figures = bench()
    if as_json:
        print(json.dumps(figures))
        return
    print(f"sliders on a page, 20-500-500-784, {figures['key_presses']} key presses")
    for name, target in TARGETS.items():
        verdict = "reached" if figures[name] <= target else "MISSED"
        print(f"  {name:17} {figures[name]:7.1f}   target {target:6.0f}   {verdict}")


if __name__ == "__main__":
    main()
