import numpy as np
import pytest
import torch
import traitlets

from vaeutil.aggregate import posteriors
from vaeutil.data import Split
from vaeutil.models import VAE, InfoVAE
from vaeutil.widgets import PriceGrid

GRID = [(alpha, lam) for alpha in (0.0, 1.0) for lam in (1.0, 50.0)]
MEASURED = {
    pair: {"mutual_information": 3.0 + i, "aggregate_kl": 0.5 * i, "distortion": 150.0 - i}
    for i, pair in enumerate(GRID)
}


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    return {(a, b): InfoVAE(2, hidden=(9,), alpha=a, lam=b) for a, b in GRID}


@pytest.fixture(scope="module")
def split():
    pixels = torch.randint(0, 256, (12, 28, 28), generator=torch.Generator().manual_seed(0))
    return Split(pixels.to(torch.uint8), torch.zeros(12, dtype=torch.int64))


def test_options_hold_the_codes_and_the_figures(models, split):
    widget = PriceGrid(models, MEASURED, split)
    assert (widget.alpha, widget.lam, widget.bandwidth, widget.point) == (0, 0, 1.0, [0.0, 0.0])
    assert widget.options["alphas"] == [0.0, 1.0]
    assert widget.options["lams"] == [1.0, 50.0]
    assert widget.options["measured"][1] == [4.0, 0.5, 149.0]
    noise = None
    for i, pair in enumerate(GRID):
        mean, std = posteriors(models[pair], split)
        shown = torch.tensor(widget.options["codes"][i], dtype=torch.float64).T
        torch.testing.assert_close(shown, widget.codes[pair], atol=6e-5, rtol=0)
        found = (widget.codes[pair] - mean) / std
        if noise is not None:
            torch.testing.assert_close(found, noise)
        noise = found
    assert widget.weights[:4] == b"VAEN"


def test_its_picture(models, split):
    grey, alt = PriceGrid(models, MEASURED, split).picture()
    assert grey.dtype == np.uint8
    assert grey.std() > 5
    assert "4 models" in alt


def test_values_are_checked(models, split):
    widget = PriceGrid(models, MEASURED, split)
    widget.alpha, widget.lam, widget.bandwidth, widget.point = 1, 1, 20.0, [1.0, -9.0]
    for name, value in (
        ("alpha", 2), ("lam", -1), ("bandwidth", 0.0), ("bandwidth", float("nan")),
        ("point", [1.0]), ("point", [0.0, float("inf")]),
    ):  # fmt: skip
        with pytest.raises(traitlets.TraitError, match=f"{name} must be"):
            setattr(widget, name, value)


def test_what_does_not_fit(models, split):
    holes = {pair: models[pair] for pair in GRID[:3]}
    with pytest.raises(ValueError, match="every pair"):
        PriceGrid(holes, {pair: MEASURED[pair] for pair in holes}, split)
    with pytest.raises(ValueError, match="every pair"):
        PriceGrid(models, {GRID[0]: MEASURED[GRID[0]]}, split)
    with pytest.raises(ValueError, match="two latent dimensions"):
        PriceGrid(models | {GRID[0]: VAE(3, hidden=(4,))}, MEASURED, split)
    with pytest.raises(ValueError, match="from 10 to 400 images"):
        PriceGrid(models, MEASURED, split[:9])
