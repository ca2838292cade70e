import json
import math

import numpy as np
import pytest
import traitlets
from sklearn.decomposition import PCA

from vaeutil.widgets import LossLab
from vaeutil.widgets.losslab import PROGRAMS, SIZES


@pytest.fixture(scope="module")
def pixels(blobs):
    return blobs.train.pixels.flatten(1).float() / 255


@pytest.fixture(scope="module")
def lab(pixels):
    return LossLab(pixels, pixels[:3], directions=12)


def test_the_directions_are_those_of_scikit_learn(lab, pixels):
    pca = PCA(12, svd_solver="full").fit(pixels.double().numpy())
    np.testing.assert_allclose(lab.options["variances"], pca.explained_variance_, rtol=1e-9)
    codes = np.array(lab.options["codes"])
    expected = pca.transform(pixels[:3].double().numpy())
    signs = np.sign((codes * expected).sum(0))  # a direction and its opposite are the same
    np.testing.assert_allclose(codes * signs, expected, atol=6e-5)
    assert np.array_equal(np.array(lab.options["x"]), (255 * pixels[:3]).round().numpy())


def test_the_decoder_in_the_bundle_gives_the_image_back(lab, pixels):
    """Mean and directions, read from the bytes: float16, the bias last."""
    numbers = np.frombuffer(lab.weights[-2 * 13 * 784 :], "<f2").astype(float)
    weight, bias = numbers[: 12 * 784].reshape(784, 12), numbers[12 * 784 :]
    np.testing.assert_allclose(bias, pixels.mean(0), atol=1e-3)
    np.testing.assert_allclose(weight.T @ weight, np.eye(12), atol=2e-3)
    pca = PCA(12, svd_solver="full").fit(pixels.numpy())
    told = pca.inverse_transform(pca.transform(pixels[:3].numpy()))
    np.testing.assert_allclose(np.array(lab.options["codes"]) @ weight.T + bias, told, atol=4e-3)


def test_what_the_browser_is_told(lab):
    options = json.loads(json.dumps(lab.options))
    assert options["sizes"] == [list(size) for size in SIZES]
    assert [name for name, _ in options["programs"]] == [name for name, _ in PROGRAMS]
    for _, settings in options["programs"]:
        assert list(settings) == lab.moves[:-1]
        for name, value in settings.items():
            setattr(lab, name, value)  # every program lies within the ranges
    for name, value in options["programs"][0][1].items():
        setattr(lab, name, value)


def test_its_picture_tells_every_beta(lab):
    grey, alt = lab.picture()
    assert grey.dtype == np.uint8
    assert grey.std() > 5
    found = [float(part.split(";")[0].rstrip(".")) for part in alt.split(": β = ")[1:]]
    expected = [1, 784 / 2, 0.00025 * 12288 / 2, 12288 / 2, 0.00025 * 784 / 2, 1 / 64, 1 / 2]
    assert found == pytest.approx(expected, rel=1e-3)
    assert "mean of squares + KL: β = 392;" in alt


def test_traits_are_checked(pixels):
    lab = LossLab(pixels, pixels[:2], directions=5)
    assert (lab.pixels_mean, lab.noise, lab.size, lab.weight) == (False, 0.3, 1, 1.0)
    assert (lab.latent_mean, lab.latent, lab.image) == (False, 10, 0)
    for name, value in (("noise", 0), ("noise", 20.0), ("size", 4), ("latent", 256), ("image", 1)):
        setattr(lab, name, value)
    lab.weight = math.nextafter(1e4, 2e4)  # a slider's rounded end
    for name, value, allowed in (
        ("noise", 0.01, "0 (no σ) or from 0.02 to 20"),
        ("noise", -1.0, "0 (no σ) or from 0.02 to 20"),
        ("noise", math.nan, "0 (no σ) or from 0.02 to 20"),
        ("size", 5, "from 0 to 4"),
        ("size", -1, "from 0 to 4"),
        ("weight", 0.0, "from 1e-05 to 10000"),
        ("weight", 2e4, "from 1e-05 to 10000"),
        ("latent", 0, "from 1 to 256"),
        ("image", 2, "from 0 to 1"),
    ):
        with pytest.raises(traitlets.TraitError) as caught:
            setattr(lab, name, value)
        assert str(caught.value) == f"{name} must be {allowed}, not {value}."
    with pytest.raises(traitlets.TraitError):
        lab.pixels_mean = "mean"


def test_images_that_do_not_fit(pixels):
    x = pixels[:2]
    for bad in (1, 101):
        with pytest.raises(ValueError, match="directions must be from 2 to 100"):
            LossLab(pixels, x, directions=bad)
    with pytest.raises(ValueError, match=r"pixels must be \[n, 784\], not \[600, 28, 28\]"):
        LossLab(pixels.reshape(-1, 28, 28), x)
    with pytest.raises(ValueError, match=r"x must be \[n, 784\], not \[784\]"):
        LossLab(pixels, x[0])
    with pytest.raises(ValueError, match="pixels must be grey levels from 0 to 1: divide"):
        LossLab(255 * pixels, x)
    with pytest.raises(ValueError, match="x must be grey levels"):
        LossLab(pixels, x * math.nan)
    for count in (0, 9):
        with pytest.raises(ValueError, match=f"x needs 1 to 8 images, .* not {count} and 600"):
            LossLab(pixels, pixels[:count])
    for count in (0, 1, 40):
        with pytest.raises(ValueError, match=f"pixels over 40, not 2 and {count}"):
            LossLab(pixels[:count], x)
    with pytest.raises(ValueError, match="vary in fewer than 40 directions"):
        LossLab(pixels[:3].repeat(50, 1), x)
