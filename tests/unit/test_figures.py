import base64
import io
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from vaeutil import _svg, figures
from vaeutil.history import History
from vaeutil.models import VAE

mpl.use("agg")


@pytest.fixture(autouse=True)
def book_style():
    with mpl.rc_context():
        figures.use()
        yield
    plt.close("all")


def svg(figure) -> ET.Element:
    page = _svg.to_html(figure)
    return ET.fromstring(page)[0]


def history():
    h = History()
    for step in range(50, 2_050, 50):
        loss = 100 + 4_000 / step
        terms = {"loss": loss, "reconstruction": loss - 20, "kl": 20.0, "gradient norm": 3.0}
        h.add(step, terms)
    h.valid = [(1_000, -110.0, 0.5), (2_000, -104.0, 0.5)]
    return h


def every_figure():
    x = torch.rand(12, 784)
    torch.manual_seed(0)
    return [
        figures.digits(x, columns=5, alt="digits"),
        figures.compare({"original": x[:6], "reconstruction": x[6:]}, alt="rows"),
        figures.manifold(VAE(2, hidden=(8,)), n=4, alt="plane"),
        figures.curves(history(), alt="curves"),
    ]


def test_every_figure_is_named_and_takes_the_colour_of_the_page():
    for figure in every_figure():
        page = _svg.to_html(figure)
        element = svg(figure)
        assert element.get("role") == "img"
        assert element.get("aria-label") == figure.get_label()
        assert "currentColor" in page or figure.get_label() == "digits"
        assert _svg.INK not in page
        assert "#000000" not in page  # black on a dark page
        assert "#ffffff" not in page  # a white sheet on a dark page


def test_ids_do_not_clash_between_figures_and_every_use_has_its_target():
    pages = [_svg.to_html(figure) for figure in every_figure()]
    ids = [set(re.findall(r'\bid="([^"]+)"', page)) for page in pages]
    for i, some in enumerate(ids):
        assert not any(some & other for other in ids[i + 1 :])
        used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', pages[i]))
        assert {a or b for a, b in used} <= some


def test_the_same_figure_gives_the_same_bytes():
    one, two = (_svg.to_html(figures.digits(torch.ones(3, 784), alt="a")) for _ in range(2))
    assert one == two


def test_embedded_digits_keep_every_grey_level_in_one_channel():
    x = torch.randint(0, 256, (4, 784)) / 255
    page = _svg.to_html(figures.digits(x, columns=3, alt="digits"))
    (png,) = re.findall(r"base64,([^\"]+)", page)
    image = Image.open(io.BytesIO(base64.b64decode(png)))
    assert image.mode == "LA"  # the gaps are clear
    grey = np.asarray(image)[..., 0]
    shown = figures.tile(x, columns=3)
    assert grey.shape == shown.shape
    np.testing.assert_allclose(grey[:28, :28], 255 * shown[:28, :28], atol=1)


def test_a_coloured_picture_stays_as_it_is():
    figure, axes = figures.new(alt="colours")
    axes.imshow(np.random.default_rng(0).random((5, 5, 3)), interpolation="none")
    (png,) = re.findall(r"base64,([^\"]+)", _svg.to_html(figure))
    assert Image.open(io.BytesIO(base64.b64decode(png))).mode == "RGBA"


def test_alt_text_is_escaped_and_required():
    figure, _ = figures.new(alt='q(z | x) < "1"')
    assert 'aria-label="q(z | x) &lt; &quot;1&quot;"' in _svg.to_html(figure)
    with pytest.raises(ValueError, match="cannot be empty"):
        figures.new(alt=" ")
    with pytest.raises(ValueError, match="no alt text"):
        _svg.to_html(plt.figure())


def test_tile_puts_images_in_reading_order():
    x = torch.arange(5.0)[:, None].expand(5, 784)
    picture = figures.tile(x, columns=3)
    assert picture.shape == (2 * 28 + 1, 3 * 28 + 2)
    assert picture[0, 0] == 0
    assert picture[0, 29] == 1
    assert picture[29, 0] == 3
    assert np.isnan(picture[0, 28])  # the gap
    assert np.isnan(picture[29, 58])  # no sixth image


def test_manifold_shows_quantiles_of_the_prior_with_z2_upwards(monkeypatch):
    model = VAE(2, hidden=(8,))
    seen = []
    monkeypatch.setattr(model, "decode", lambda z: seen.append(z) or torch.zeros(len(z), 784))
    figure = figures.manifold(model, n=4, alt="plane")
    z = seen[0].view(4, 4, 2)
    quantiles = torch.tensor([-1.1503, -0.3186, 0.3186, 1.1503])
    torch.testing.assert_close(z[0, :, 0], quantiles, atol=1e-4, rtol=0)  # z₁ grows rightwards
    torch.testing.assert_close(z[:, 0, 1], -quantiles, atol=1e-4, rtol=0)  # z₂ falls downwards
    ticks = figure.axes[0].get_yticks(), figure.axes[0].get_yticklabels()
    marks = {label.get_text(): place for place, label in zip(*ticks, strict=True)}
    assert marks["0"] == pytest.approx(2 * 28 - 0.5)  # the middle of four rows
    assert marks["1"] == pytest.approx((1 - 0.8413447) * 4 * 28 - 0.5)  # P(z > 1) from the top


def test_manifold_needs_two_dimensions():
    with pytest.raises(ValueError, match="this model has 3"):
        figures.manifold(VAE(3, hidden=(8,)), alt="plane")


def test_curves_shows_minus_the_validation_elbo():
    figure = figures.curves(history(), alt="curves")
    assert [ax.get_title() for ax in figure.axes] == ["loss", "reconstruction", "kl"]
    points = figure.axes[0].containers[0].lines[0].get_ydata()
    np.testing.assert_allclose(points, [110, 104])
    assert figure.axes[0].get_ylabel() == "nats"


def test_live_curves_replace_one_picture(run_cell):
    code = """
from vaeutil import figures
from vaeutil.history import History
figures.use()
live, h = figures.LiveCurves(alt="curves"), History()
for step in (50, 100, 150):
    h.add(step, {"loss": 100.0 - step / 10, "kl": 20.0, "gradient norm": 3.0})
    h.valid.append((step, -100.0, 0.5))
    live(h)
"""
    (output,) = run_cell(code)
    assert output["data"]["text/plain"] == "curves"
    assert output["data"]["text/html"].count("<svg") == 1
    assert "image/png" not in output["data"]


@pytest.mark.parametrize("last", ["", "fig", "figures.plt.show()"])
def test_a_notebook_shows_a_figure_once(last, run_cell):
    source = f"from vaeutil import figures\nfigures.use()\nfig, _ = figures.new(alt='axes')\n{last}"
    assert ["text/html" in output["data"] for output in run_cell(source)] == [True]
