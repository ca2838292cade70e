"""The explorer in a real JupyterLab with a kernel: the page moves z, and z moves the page."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

SHOW = """\
import torch
from vaeutil.models import VAE
from vaeutil.widgets import LatentExplorer
torch.manual_seed(0)
explorer = LatentExplorer(VAE(2, hidden=(8,)), grid=3)
explorer
"""
CELLS = [
    SHOW,
    'print("z is", explorer.z, "grey", sum(explorer.image))',
    "explorer.z = [-1.5, 2.0]",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab server in an empty folder, without settings or a token."""
    home = tmp_path_factory.mktemp("jupyter")
    (home / "work").mkdir()
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(
        cells=[new_code_cell(source) for source in CELLS], metadata={"kernelspec": kernel}
    )
    nbformat.write(notebook, home / "work/drag.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        f"{name}_DIR": str(home / name.lower())
        for name in ("JUPYTER_CONFIG", "JUPYTER_DATA", "JUPYTER_RUNTIME", "IPYTHON")
    }
    environment["JUPYTERLAB_SETTINGS_DIR"] = str(settings(home))
    log = (home / "log").open("w")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
            *("--ServerApp.token=", "--ServerApp.password=", "--LabApp.extension_manager=readonly"),
            f"--ServerApp.root_dir={home / 'work'}",
        ],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, server, home / "log")
        yield address
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def settings(home):
    """JupyterLab asks another host for its news unless it is told not to."""
    folder = home / "settings/@jupyterlab/apputils-extension"
    folder.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    return home / "settings"


def wait_for(address, server, log, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not answer within {seconds} s:\n{log.read_text()}")


def test_slider_and_python_follow_each_other(lab, page):
    page.set_default_timeout(60_000)
    page.goto(f"{lab}/lab/tree/drag.ipynb?reset")
    cells = page.locator(".jp-CodeCell")
    cells.nth(2).wait_for()
    page.get_by_text("(ipykernel) | Idle").wait_for()
    run(page, cells.nth(0))
    explorer = page.locator(".vae-explorer")
    explorer.locator(".vae-pad[data-complete]").wait_for()

    def printed():
        output = cells.nth(1).locator(".jp-OutputArea-output")
        before = output.inner_text() if output.count() else ""
        run(page, cells.nth(1))
        page.wait_for_function(
            "([cell, before]) => { const now = cell.querySelector('.jp-OutputArea-output');"
            " return now && now.innerText !== before; }",
            arg=[cells.nth(1).element_handle(), before],
        )
        return output.inner_text()

    start = printed()
    assert start.startswith("z is [0.0, 0.0]")

    # A click on the output leaves JupyterLab in command mode, where it takes the arrow keys.
    explorer.locator(".vae-title").click()
    explorer.get_by_role("slider", name="z1").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    explorer.get_by_role("slider", name="Map of decoded images").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(300)  # the page tells Python at most every 50 ms
    moved = printed()
    assert moved.startswith("z is [0.15, -0.05]")
    assert moved.split()[-1] != start.split()[-1], "image did not follow z"

    run(page, cells.nth(2))
    page.wait_for_function("document.querySelector('.vae-slider input').value === '-1.5'")
    assert explorer.locator("output").all_inner_texts() == ["−1.50", "2.00"]
    assert [text for text in page.problems if "vae" in text.lower()] == []


def run(page, cell):
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+Enter")
