import numpy as np
import pytest
import torch
import traitlets
from scipy.stats import chi2

from vaeutil.models import FVAE, VAE
from vaeutil.widgets import FlowPriorExplorer
from vaeutil.widgets.flow_prior import RADII


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = FVAE(2, hidden=(9,), depth=4, width=(6,))
    for parameter in model.flow.parameters():
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    return model


@pytest.fixture(scope="module")
def x():
    return torch.rand(40, 784, generator=torch.Generator().manual_seed(0))


def test_the_plane_holds_the_codes_and_the_circles_pushed_through(model, x):
    explorer = FlowPriorExplorer(model, x)
    with torch.no_grad():
        np.testing.assert_allclose(explorer.options["codes"], model.encoder(x).T, atol=6e-4)
        start = model.to_w(torch.tensor([[RADII[2], 0.0]]))[0].numpy()
    rings = np.array(explorer.options["rings"])
    assert rings.shape == (3, 2, 97)
    np.testing.assert_allclose(rings[2, :, 0], start, atol=1e-3)
    np.testing.assert_allclose(rings[:, :, 0], rings[:, :, -1], atol=1e-3)
    np.testing.assert_allclose(RADII, chi2.ppf([0.25, 0.75, 0.95], 2) ** 0.5, atol=1e-4)


def test_what_the_reader_moves_is_checked(model, x):
    explorer = FlowPriorExplorer(model, x, z=[1, -1])
    assert (explorer.z, explorer.temperature, explorer.route) == ([1.0, -1.0], 1.0, 0)
    for name, wrong in [
        ("z", [0.0]),
        ("z", [0.0, float("nan")]),
        ("temperature", 1.6),
        ("temperature", -0.1),
        ("route", 2),
    ]:
        with pytest.raises(traitlets.TraitError):
            setattr(explorer, name, wrong)


def test_the_picture_shows_draws_through_the_flow():
    torch.manual_seed(1)
    model = FVAE(3, hidden=(30,))
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(3)
    grey, alt = FlowPriorExplorer(model, title="Ten").picture()
    assert grey.shape == (57, 289)
    assert grey.dtype == np.uint8
    assert grey.std() > 5
    assert alt.startswith("Ten: twenty images")
    noise = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first = model.decode(model.flow(noise[:1])[0]).reshape(28, 28)
    np.testing.assert_allclose(grey[:28, :28] / 255, first, atol=0.01)


def test_bad_input_is_refused(model, x):
    with pytest.raises(ValueError, match="VAE has no flow"):
        FlowPriorExplorer(VAE(3, hidden=(4,)))
    with pytest.raises(ValueError, match="plane of a model of two"):
        FlowPriorExplorer(model)
    with pytest.raises(ValueError, match="plane of a model of two"):
        FlowPriorExplorer(FVAE(3, hidden=(4,)), x)
    with pytest.raises(ValueError, match="from 2 to 1,500"):
        FlowPriorExplorer(model, x[:1])
