"""The static page in headless Chromium: `python tests/bench_page.py [--save]`.

- first picture: from the start of the navigation to the first decoded image on the canvas, page,
  script and weights coming from a server on loopback, in a browser started for each run;
- key to picture: from a key press on a slider to the end of the frame that shows the new image
  (decoding, style, layout and paint). The browser's frame clock is off: a screen of 60 Hz adds
  between 0 and 16.7 ms of waiting to any page, whatever the page does;
- weight: the bytes that each chapter of the site in _build/html loads, before its explorables are
  seen and after (tests/browser/weight.py). A site that lacks chapters is not weighed.

The decoder that is timed has the size of a trained one (20-500-500-784); its weights are random,
which costs the same. --save writes the figures into vaeutil/results/bench/page.json.
"""

import argparse
import statistics
import sys
import tempfile
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "browser"))

import chromium
from browsing import pages_of
from pages import CHAPTERS, ROOT
from standalone import write_page
from weight import weigh

from vaeutil import bench
from vaeutil.bench.report import machine_lines, target_lines
from vaeutil.bench.targets import judged
from vaeutil.models import VAE
from vaeutil.widgets import LatentExplorer

SITE = ROOT / "_build" / "html"
PRESSES = 240
STARTS = 5
TARGETS = {
    "key_median_ms": ("key to picture, median", 8.0),
    "key_p95_ms": ("key to picture, 95th percentile", 16.0),
    "first_picture_ms": ("first picture, the slowest start", 1500.0),
}

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


def timed(playwright, path) -> dict:
    """The times of the sliders, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        write_page(Path(folder), [LatentExplorer(VAE(20, hidden=(500, 500)))])
        with served(folder) as url:
            keys = key_times(playwright, path, url)
            starts = [first_picture(playwright, path, url) for _ in range(STARTS)]
    return {
        "decoder": "20-500-500-784",
        "key_median_ms": statistics.median(keys),
        "key_p95_ms": statistics.quantiles(keys, n=20)[-1],
        "key_presses": len(keys),
        "first_picture_ms": max(starts),
        "first_picture_fastest_ms": min(starts),
        "browser_starts": len(starts),
    }


def weighed(playwright, path, site: Path = SITE) -> dict:
    """{"weight": {chapter: bytes before and after}, "heaviest": its name}, or why not."""
    missing = [name for name in CHAPTERS if not (site / f"{name}.html").exists()]
    if missing:
        lacks = f"the built site lacks {len(missing)} of {len(CHAPTERS)} chapters"
        return {"weight": None, "heaviest": None, "not_weighed": f"{lacks}: run make book"}
    browser = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
    found = {}
    with served(site) as url:
        for name in CHAPTERS:
            with pages_of(browser) as open_page:  # a context of its own: nothing is cached
                page = open_page(viewport={"width": 1280, "height": 900})
                found[name] = weigh(page, f"{url}/{name}.html")
    browser.close()
    heaviest = max(found, key=lambda name: found[name]["after"]["total"])
    return {"weight": found, "heaviest": heaviest, "not_weighed": None}


def measure() -> dict:
    """All figures with the machine. Raises FileNotFoundError without a browser."""
    path = chromium.find()
    if path is None:
        raise FileNotFoundError(chromium.HOW_TO_GET_ONE)
    from playwright.sync_api import sync_playwright

    about = bench.header()
    with sync_playwright() as playwright:
        times = timed(playwright, path)
        targets = [judged(what, "ms", most, times[name]) for name, (what, most) in TARGETS.items()]
        return {**about, **times, **weighed(playwright, path), "targets": targets}


def weight_lines(figures: dict) -> list[str]:
    """The heaviest page, or why there is none."""
    if figures["weight"] is None:
        return [f"weight: not measured: {figures['not_weighed']}"]
    heaviest = figures["heaviest"]
    lines = [f"weight of the heaviest of {len(figures['weight'])} chapters, {heaviest}, in MB:"]
    for when, found in figures["weight"][heaviest].items():
        parts = ", ".join(f"{what} {size / 1e6:.2f}" for what, size in found.items())
        lines.append(f"    {when} its explorables are seen: {parts}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the sliders, weigh the pages.")
    parser.add_argument("--save", action="store_true", help=f"write page.json to {bench.SAVED}")
    save = parser.parse_args().save
    figures = measure()
    lines = [*machine_lines(figures), f"sliders, {figures['decoder']}", *weight_lines(figures)]
    print("\n".join([*lines, *target_lines(figures)]), flush=True)
    if save:
        bench.save("page", figures)


if __name__ == "__main__":
    main()
