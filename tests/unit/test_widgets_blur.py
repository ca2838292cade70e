"""BlurExplorer in Python: its traits, its errors, and its picture."""

import numpy as np
import pytest
import torch
from traitlets import TraitError

from vaeutil.models import VAE
from vaeutil.widgets import BlurExplorer


def models(**options):
    torch.manual_seed(0)
    options = {"likelihood": "gaussian", **options}
    return {f"σ = {s}": VAE(3, hidden=(8,), sigma=s, **options).eval() for s in (0.1, 0.5)}


X = torch.rand(4, 784, generator=torch.Generator().manual_seed(1))


def test_it_starts_at_the_models_own_sigma_and_takes_moves():
    explorer = BlurExplorer(models(), X, trained=1)
    assert explorer.sigma == pytest.approx(0.5)
    explorer.set_state({"trained": 0, "image": 3, "sigma": 0.05})
    assert (explorer.trained, explorer.image, explorer.sigma) == (0, 3, 0.05)


@pytest.mark.parametrize(
    ("name", "value"),
    [("trained", 2), ("trained", -1), ("image", 4), ("image", -1)]
    + [("sigma", v) for v in (0.0, 0.019, 1.01, -0.1, float("nan"), float("inf"))],
)
def test_a_value_out_of_range_is_refused_and_changes_nothing(name, value):
    explorer = BlurExplorer(models(), X)
    before = getattr(explorer, name)
    with pytest.raises(TraitError, match=f"{name} must be from"):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before
    with pytest.raises(TraitError, match="trained must be from"):
        BlurExplorer(models(), X, trained=2)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"a": VAE(3, hidden=(8,))},
        {**models(), "b": VAE(2, hidden=(8,), likelihood="gaussian")},
        {"c": torch.nn.Linear(3, 784)},
    ],
)
def test_models_that_have_no_gaussian_decoder_are_refused(bad):
    with pytest.raises(ValueError, match="Gaussian decoders of one latent size"):
        BlurExplorer(bad, X)


@pytest.mark.parametrize("x", [X[0], X[:0], torch.rand(13, 784)])
def test_too_few_or_too_many_images_are_refused(x):
    with pytest.raises(ValueError, match="from 1 to 12 images"):
        BlurExplorer(models(), x)


def test_the_picture_is_images_means_and_draws():
    pair = models()
    grey, alt = BlurExplorer(pair, X, title="Both").picture()
    assert grey.shape == (4 * 28, 5 * 28)
    np.testing.assert_allclose(grey[:28, :28], 255 * X[0].view(28, 28), atol=0.51)
    with torch.no_grad():
        second = list(pair.values())[1].reconstruct(X)[2].view(28, 28)
    np.testing.assert_allclose(grey[56:84, 84:112], 255 * second, atol=0.51)
    drawn = grey[:, 28:].reshape(4, 28, 4, 28).astype(float) / 255
    assert drawn[:, :, 1].std() < drawn[:, :, 3].std()
    assert alt.startswith("Both: rows of images")
    assert "σ = 0.1, σ = 0.5" in alt
