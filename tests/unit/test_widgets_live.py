"""Plain ipywidgets beside what a static page shows in their place."""

import sys

import ipywidgets
import pytest

from vaeutil.models import VAE
from vaeutil.widgets import LatentExplorer, live, show_live


@pytest.fixture
def shown(monkeypatch):
    """What show_live hands to the notebook: a list of bundles by media type."""
    bundles = []
    monkeypatch.setattr(live, "display", lambda data, raw: bundles.append(data))
    return bundles


def test_the_notebook_gets_the_panel_and_the_page_ours(shown):
    panel = ipywidgets.HBox([ipywidgets.FloatSlider()])
    ours = LatentExplorer(VAE(2, hidden=(8,)))
    show_live(panel, instead=ours)
    (data,) = shown
    view = data["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == panel.model_id
    assert data["text/html"] == ours.to_html()


def test_colab_gets_the_panel_alone(shown, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", object())
    show_live(ipywidgets.FloatSlider(), instead=LatentExplorer(VAE(2, hidden=(8,))))
    assert "text/html" not in shown[0]
    assert "application/vnd.jupyter.widget-view+json" in shown[0]


def test_a_panel_that_is_no_widget_is_refused():
    with pytest.raises(TypeError, match="not list"):
        show_live([], instead=LatentExplorer(VAE(2, hidden=(8,))))
