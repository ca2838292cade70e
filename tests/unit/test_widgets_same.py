"""SameCode in Python: its trait, its errors, and its picture."""

import numpy as np
import pytest
import torch
from traitlets import TraitError

from vaeutil.models import AE, CVAE, VAE
from vaeutil.widgets import SameCode


def pair(latent=3):
    torch.manual_seed(0)
    return {"one": VAE(latent, hidden=(8,)).eval(), "two": AE(latent, hidden=(8,)).eval()}


def test_the_images_follow_the_code():
    models = pair()
    explorer = SameCode(models, z=[0.5, -1, 2])
    for code in ([0.5, -1.0, 2.0], [0.0, 3.0, -0.05]):
        explorer.set_state({"z": code})
        with torch.no_grad():
            wanted = [torch.sigmoid(m.decoder(torch.tensor(code))) for m in models.values()]
        np.testing.assert_allclose(explorer.images, torch.stack(wanted), atol=1e-6)


@pytest.mark.parametrize("z", [[], [0.0, 1.0], [0.0, 1.0, float("nan")], [0.0, 1.0, float("inf")]])
def test_a_code_that_is_none_is_refused_and_changes_nothing(z):
    explorer = SameCode(pair())
    with pytest.raises(TraitError, match="3 finite numbers"):
        explorer.z = z
    assert explorer.z == [0, 0, 0]


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        ({}, "one latent size"),
        ({**pair(), "other": VAE(2, hidden=(8,))}, "one latent size"),
        ({"linear": torch.nn.Linear(3, 784)}, "one latent size"),
        ({"class": CVAE(3, hidden=(8,))}, "no class"),
    ],
)
def test_other_models_are_refused(models, reason):
    with pytest.raises(ValueError, match=reason):
        SameCode(models)


def test_the_picture_has_a_row_for_each_model():
    models = pair()
    grey, alt = SameCode(models, z=[1, 1, 1], title="Two").picture()
    assert grey.shape == (2 * 28, 8 * 28)
    assert grey.dtype == np.uint8
    with torch.no_grad():
        second = models["two"].decode(torch.ones(1, 3)).view(28, 28)
    np.testing.assert_allclose(grey[28:, :28], 255 * second, atol=0.51)
    assert alt.startswith("Two: a row")
    assert "one, two" in alt
