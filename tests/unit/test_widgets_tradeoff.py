import numpy as np
import pytest
import torch
import traitlets

from vaeutil.models import VAE, BetaVAE
from vaeutil.widgets import RateDistortion, WaterLevel

POINTS = {0.5: (20.0, 80.0), 1.0: (15.0, 84.0), 4.0: (5.0, 110.0)}


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    return {b: BetaVAE(3, hidden=(9,), beta=b) for b in POINTS}


@pytest.fixture(scope="module")
def x():
    return torch.rand(4, 784, generator=torch.Generator().manual_seed(0)).round()


def test_options_hold_the_curve_and_the_codes(models, x):
    widget = RateDistortion(models, POINTS, x, at=1)
    assert (widget.at, widget.image) == (1, 0)
    assert widget.options["betas"] == [0.5, 1.0, 4.0]
    assert widget.options["rates"] == [20.0, 15.0, 5.0]
    assert widget.options["distortions"] == [80.0, 84.0, 110.0]
    for i, model in enumerate(models.values()):
        with torch.no_grad():
            q = model.posterior(x)
        np.testing.assert_allclose(widget.options["means"][i], q.mean, atol=6e-5)
        np.testing.assert_allclose(widget.options["stds"][i], q.stddev, atol=6e-5)
    assert np.array_equal(np.array(widget.options["x"]), (255 * x).numpy())
    assert widget.weights[:4] == b"VAEN"


def test_its_picture_tells_the_numbers(models, x):
    grey, alt = RateDistortion(models, POINTS, x).picture()
    assert grey.dtype == np.uint8
    assert grey.std() > 5
    assert "β 4: rate 5.0, distortion 110.0" in alt


def test_indices_are_checked(models, x):
    widget = RateDistortion(models, POINTS, x)
    widget.at, widget.image = 2, 3
    for name, value in (("at", 3), ("at", -1), ("image", 4)):
        with pytest.raises(traitlets.TraitError, match=f"{name} must be from 0"):
            setattr(widget, name, value)


def test_models_that_do_not_fit(models, x):
    with pytest.raises(ValueError, match="At least two models"):
        RateDistortion({1.0: models[1.0]}, {1.0: (1, 2)}, x)
    with pytest.raises(ValueError, match="β rising"):
        RateDistortion({4.0: models[4.0], 1.0: models[1.0]}, POINTS, x)
    with pytest.raises(ValueError, match="a point for each"):
        RateDistortion(models, {0.5: (1, 2), 1.0: (1, 2)}, x)
    with pytest.raises(ValueError, match="one size"):
        RateDistortion({0.5: models[0.5], 1.0: VAE(2, hidden=(4,))}, {0.5: (1, 2), 1.0: (1, 2)}, x)
    with pytest.raises(ValueError, match="From 1 to 10 images"):
        RateDistortion(models, POINTS, x[:0])


def test_the_water_level():
    widget = WaterLevel([4.0, 1.0, 0.25], sigma=0.5)
    assert (widget.beta, widget.sigma) == (1.0, 0.5)
    assert widget.moves == ["beta", "sigma"]
    widget.beta = 2.0
    grey, alt = widget.picture()
    assert grey.std() > 5
    assert "βσ² = 0.5: 2 of them" in alt


def test_no_water():
    with pytest.raises(ValueError, match="variances must fall"):
        WaterLevel([1.0, 2.0])
    for bad in ([], [1.0, 0.0], [1.0, float("nan")], [1.0] * 61):
        with pytest.raises(ValueError, match="from 1 to 60 positive numbers"):
            WaterLevel(bad)
    with pytest.raises(ValueError, match="range of positive numbers"):
        WaterLevel([1.0], sigmas=(1.0, 0.5))
    widget = WaterLevel([1.0])
    for name, value in (("beta", 17.0), ("sigma", 0.0), ("beta", float("nan"))):
        with pytest.raises(traitlets.TraitError, match=f"{name} must be from"):
            setattr(widget, name, value)
