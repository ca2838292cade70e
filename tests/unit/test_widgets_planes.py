import numpy as np
import pytest
import torch
import traitlets
from scipy.spatial import KDTree

from vaeutil.models import AE, VAE
from vaeutil.widgets import CodePlanes


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    return {"Autoencoder": AE(2, hidden=(9,)), "VAE": VAE(2, hidden=(7,))}


@pytest.fixture(scope="module")
def x():
    return torch.rand(40, 784, generator=torch.Generator().manual_seed(0))


def test_options_hold_each_models_codes(models, x):
    planes = CodePlanes(models, x, pairs=[(3, 5), (0, 1)])
    assert planes.options["names"] == ["Autoencoder", "VAE"]
    for i, model in enumerate(models.values()):
        with torch.no_grad():
            z = model.encode(x).numpy()
        np.testing.assert_allclose(np.array(planes.options["codes"][i]).T, z, atol=6e-4)
        np.testing.assert_allclose(planes.points[i], z[3], atol=6e-4)
        near = KDTree(z).query(z, k=2)[0][:, 1]
        assert planes.options["spacing"][i] == pytest.approx(np.sort(near)[19], rel=1e-3)
        (left, right), (low, high) = planes.options["spans"][i]
        assert max(left, low) < -2.45 < 2.45 < min(right, high)
    assert planes.weights[:4] == b"VAEN"


def test_points_can_be_set_and_are_checked(models, x):
    planes = CodePlanes(models, x)
    planes.points = [[0.5, 1], [2, -3]]
    assert planes.points == [[0.5, 1.0], [2.0, -3.0]]
    for wrong in ([[0.0, 0.0]], [[0.0], [1.0]], [[0.0, float("nan")], [0.0, 0.0]]):
        with pytest.raises(traitlets.TraitError):
            planes.points = wrong


def test_the_picture_shows_both_planes(models, x):
    grey, alt = CodePlanes(models, x).picture()
    assert grey.dtype == np.uint8
    assert grey.shape[1] > 1.8 * grey.shape[0] > 300
    assert grey.std() > 5
    assert "40 images" in alt
    assert "Autoencoder and VAE" in alt


def test_bad_input_is_refused(models, x):
    with pytest.raises(ValueError, match="two latent dimensions"):
        CodePlanes({"AE": AE(3, hidden=(5,))}, x)
    with pytest.raises(ValueError, match="at least one"):
        CodePlanes({}, x)
    with pytest.raises(ValueError, match="from 2 to 1,500"):
        CodePlanes(models, x[:1])
    for pairs in ([], [(0, 40)], [(2, 2)], [(-1, 0)]):
        with pytest.raises(ValueError, match="two different indices"):
            CodePlanes(models, x, pairs)
