"""The scale that weighs pages: a page whose files are known."""

import gzip

import pytest
import torch
from standalone import write_page
from weight import totals, weigh

from vaeutil.models import VAE
from vaeutil.widgets import LatentExplorer


def test_totals_add_up():
    loaded = [("html", b"a" * 100), ("weights", b"b" * 7), ("html", b"c")]
    found = totals(loaded)
    assert (found["html"], found["weights"], found["scripts"], found["total"]) == (101, 7, 0, 108)
    assert found["compressed"] == sum(len(gzip.compress(body, 6)) for _, body in loaded)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    explorers = [LatentExplorer(VAE(2, hidden=(width,))) for width in (8, 16)]
    write_page(tmp_path, explorers, gap="<div style='height: 9000px'></div>")
    return tmp_path


def test_what_is_far_below_is_loaded_when_it_is_seen(page, serve, folder):
    found = weigh(page, f"{serve(folder)}/index.html")
    sizes = sorted(file.stat().st_size for file in (folder / "weights").iterdir())
    assert found["before"]["html"] == (folder / "index.html").stat().st_size
    assert found["before"]["scripts"] == (folder / "vae_widgets.js").stat().st_size
    assert found["before"]["weights"] == sizes[0]
    assert found["after"]["weights"] == sum(sizes)
    assert found["after"]["total"] - found["before"]["total"] == sizes[1]
