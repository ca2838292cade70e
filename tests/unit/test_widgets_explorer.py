"""LatentExplorer in Python: its traits, its errors, and what it puts on a page."""

import base64
import html
import io
import json
import re
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from traitlets import TraitError

from vaeutil.models import AE, VAE
from vaeutil.widgets import LatentExplorer, page_script


class Conditional(nn.Module):
    """A decoder that takes z and a class."""

    def __init__(self, latent=2, classes=10):
        super().__init__()
        self.latent, self.classes = latent, classes
        self.decoder = nn.Sequential(nn.Linear(latent + classes, 784))

    def decode(self, z, y):
        one_hot = nn.functional.one_hot(y, self.classes).to(z)
        return self.decoder(torch.cat([z, one_hot], -1)).sigmoid()


def small(latent=2, **options):
    torch.manual_seed(0)
    return VAE(latent, hidden=(8,), **options)


def grey(model, *arguments):
    with torch.no_grad():
        return np.rint(255 * model.decode(*arguments).numpy()).astype(np.uint8).reshape(-1)


def shown(explorer):
    return np.frombuffer(explorer.image, np.uint8)


@pytest.mark.parametrize(
    "model",
    [
        small(),
        small(likelihood="gaussian"),
        AE(3, hidden=(8,)),
        VAE(4, net="conv", hidden=4),
    ],
)
def test_image_follows_z_at_once(model):
    explorer = LatentExplorer(model)
    assert explorer.z == [0.0] * model.latent
    np.testing.assert_array_equal(shown(explorer), grey(model, torch.zeros(1, model.latent)))
    code = [0.25 * (i + 1) for i in range(model.latent)]
    explorer.z = code
    np.testing.assert_array_equal(shown(explorer), grey(model, torch.tensor([code])))


def test_a_move_of_the_page_reaches_z_and_image():
    model, heard = small(), []
    explorer = LatentExplorer(model)
    explorer.observe(heard.append, "z")
    explorer.set_state({"z": [1, -0.5]})  # what the page's message ends up as; 1 is JSON's 1.0
    assert explorer.z == [1.0, -0.5]
    assert len(heard) == 1
    np.testing.assert_array_equal(shown(explorer), grey(model, torch.tensor([[1.0, -0.5]])))


def test_z_may_start_as_an_array_or_a_tensor():
    for z in ([1, 2], np.array([1.0, 2.0]), torch.tensor([1.0, 2.0])):
        assert LatentExplorer(small(), z=z).z == [1.0, 2.0]


@pytest.mark.parametrize("z", [[1.0], [0.0, 0.0, 0.0], [0.0, float("nan")], [float("inf"), 0.0]])
def test_a_bad_z_is_refused_and_changes_nothing(z):
    explorer = LatentExplorer(small(), z=[0.5, 0.5])
    before = explorer.image
    with pytest.raises(TraitError, match=r"z (needs 2 numbers|must be finite)"):
        explorer.z = z
    assert explorer.z == [0.5, 0.5]
    assert explorer.image == before
    with pytest.raises(TraitError, match=r"z (needs 2 numbers|must be finite)"):
        LatentExplorer(small(), z=z)


def test_image_cannot_be_set():
    with pytest.raises(TraitError, match="read-only"):
        LatentExplorer(small()).image = b""


def test_class_selects_the_image():
    torch.manual_seed(0)
    model = Conditional()
    explorer = LatentExplorer(model)
    assert explorer.y == 0
    explorer.y = 7
    expected = grey(model, torch.zeros(1, 2), torch.tensor([7]))
    np.testing.assert_array_equal(shown(explorer), expected)
    for bad in (10, -1):
        with pytest.raises(TraitError, match="class from 0 to 9"):
            explorer.y = bad
    with pytest.raises(TraitError, match="takes no class"):
        LatentExplorer(small()).y = 3


def test_training_on_does_not_change_an_explorer():
    model = small()
    explorer = LatentExplorer(model)
    before = explorer.image
    model.decoder[0].bias.data += 5
    explorer.z = [0.0, 0.1]
    explorer.z = [0.0, 0.0]
    assert explorer.image == before


class WithoutDecoder(nn.Module):
    latent = 2

    def decode(self, z):
        return z


class Linear(VAE):
    def decode(self, z):
        return self.decoder(z)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (WithoutDecoder, "has no decoder"),
        (lambda: Linear(2, hidden=(8,)), r"decode\(z\) is something else"),
    ],
)
def test_a_model_that_cannot_be_explored_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        LatentExplorer(make())


def test_latent_of_zero_is_refused():
    model = small()
    model.latent = 0
    with pytest.raises(ValueError, match="latent is 0"):
        LatentExplorer(model)


def test_weights_that_are_not_finite_are_refused():
    model = small()
    model.decoder[0].weight.data[0, 0] = float("nan")
    with pytest.raises(ValueError, match="finite"):
        LatentExplorer(model)


def test_a_layer_the_browser_cannot_run_is_refused():
    model = small()
    model.decoder.append(nn.Dropout())
    with pytest.raises(ValueError, match=r"decoder\[3\], Dropout"):
        LatentExplorer(model)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"range": 0}, "step ≤ range"),
        ({"step": -0.1}, "0 < step"),
        ({"range": float("nan")}, "step ≤ range"),
        ({"range": 3.0, "step": 0.7}, "whole number of steps"),
        ({"grid": 2.5}, "grid"),
        ({"grid": -1}, "grid"),
    ],
)
def test_bad_scales_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LatentExplorer(small(), **options)


def test_the_page_gets_element_picture_and_weights():
    explorer = LatentExplorer(small(), z=[0.5, -1.0], title='Digits & "more"')
    data, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    page = data["text/html"]
    element, script = re.fullmatch(
        r"(<latent-explorer .*</latent-explorer>)(<script .*</script>)", page
    ).groups()
    key, weights = re.fullmatch(
        r'<script type="text/plain" id="(lw-\w+)">([\w+/=]+)</script>', script
    ).groups()
    assert base64.b64decode(weights) == explorer.weights
    assert f'data-weights="{key}"' in element
    state = json.loads(html.unescape(re.search(r'data-state="([^"]*)"', element)[1]))
    assert state == {"z": [0.5, -1.0]}
    options = json.loads(html.unescape(re.search(r'data-options="([^"]*)"', element)[1]))
    assert options["title"] == 'Digits & "more"'
    picture = base64.b64decode(re.search(r'src="data:image/png;base64,([^"]*)"', element)[1])
    size = tuple(int(re.search(f'{side}="(\\d+)"', element)[1]) for side in ("width", "height"))
    assert Image.open(io.BytesIO(picture)).size == size
    assert "Digits &amp; &quot;more&quot;: 15 by 15 decoded images" in element


def test_picture_of_two_dimensions_is_the_map():
    model = small()
    tiles, _ = LatentExplorer(model, range=3.0, grid=3).picture()
    right_and_up = grey(model, torch.tensor([[2.0, 2.0]])).reshape(28, 28)
    np.testing.assert_array_equal(tiles[:28, -28:], right_and_up)


@pytest.mark.parametrize(("latent", "rows"), [(1, 1), (3, 3), (20, 10)])
def test_picture_of_other_sizes_has_a_row_a_dimension(latent, rows):
    tiles, alt = LatentExplorer(small(latent)).picture()
    assert tiles.shape == (28 * rows, 28 * 11)
    assert "decoded images" in alt


def test_equal_weights_share_a_key_and_others_do_not():
    model = small()
    keys = [
        re.search(r'data-weights="([^"]*)"', LatentExplorer(m, z=z).to_html())[1]
        for m, z in [(model, [0, 0]), (model, [1, 1]), (small(3), [0, 0, 0])]
    ]
    assert keys[0] == keys[1] != keys[2]


def test_colab_gets_the_live_widget_alone(monkeypatch):
    explorer = LatentExplorer(small())
    monkeypatch.setitem(sys.modules, "google.colab", object())
    assert "text/html" not in explorer._repr_mimebundle_()[0]


def test_page_script_is_one_classic_script():
    script = page_script()
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    assert "</script" not in script  # so that it can also stand inside a page
    # The name of a kind of element, which is never fetched, and no address besides.
    assert set(re.findall(r"https?://[^\"']+", script)) == {"http://www.w3.org/2000/svg"}
