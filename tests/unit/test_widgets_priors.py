import numpy as np
import pytest
import torch
import traitlets
from scipy.stats import multivariate_normal

from vaeutil.models import VAE, PriorVAE
from vaeutil.seeding import seeded
from vaeutil.widgets import PriorExplorer


@pytest.fixture(scope="module")
def models():
    with seeded(0):
        return {
            "N(0, I)": VAE(2, hidden=(9,)),
            "mixture": PriorVAE(2, hidden=(7,), prior="mixture", components=5),
            "VampPrior": PriorVAE(2, hidden=(7,), prior="vamp", components=4),
            "flow": PriorVAE(2, hidden=(7,), prior="flow", depth=2),
        }


@pytest.fixture(scope="module")
def x():
    return torch.rand(40, 784, generator=torch.Generator().manual_seed(0))


def test_the_contours_enclose_their_share_of_the_prior(models, x):
    with seeded(0):
        options = PriorExplorer(models, x).options
    # Of N(0, I) in the plane they are circles of known radius.
    for share, (xs, ys) in zip((0.5, 0.9), options["contours"][0], strict=True):
        radius = np.hypot(np.array(xs[:-1], float), np.array(ys[:-1], float))
        np.testing.assert_allclose(radius, np.sqrt(-2 * np.log(1 - share)), atol=0.06)
    # Of a mixture, every point of a line has one density, by scipy.
    learned = models["mixture"].learned
    weights = learned.logits.softmax(0).tolist()
    laws = [
        multivariate_normal(m, np.diag(s**2))
        for m, s in zip(
            learned.means.detach().numpy(), learned.log_stds.exp().detach().numpy(), strict=True
        )
    ]
    for xs, ys in options["contours"][1]:
        at = [(a, b) for a, b in zip(xs, ys, strict=True) if a is not None]
        density = sum(w * law.pdf(at) for w, law in zip(weights, laws, strict=True))
        np.testing.assert_allclose(density, density.mean(), rtol=0.03)


def test_what_the_page_draws_from_is_the_models_prior(models, x):
    options = PriorExplorer(models, x, notes={"flow": 0.25}, note="KL").options
    kinds = [sampler["kind"] for sampler in options["samplers"]]
    assert kinds == ["standard", "mixture", "mixture", "flow"]
    vamp = options["samplers"][2]
    with torch.no_grad():
        q = models["VampPrior"].posterior(models["VampPrior"].learned.inputs)
    np.testing.assert_allclose(vamp["means"], q.mean, atol=1e-4)
    np.testing.assert_allclose(vamp["stds"], q.stddev, atol=1e-4)
    assert set(vamp["picks"]) == set(range(4))
    assert np.bincount(vamp["picks"]) == pytest.approx(150, abs=60)
    assert options["notes"] == [None, None, None, 0.25]
    assert np.shape(options["codes"]) == (4, 2, 40)


def test_the_picture_and_the_choice(models, x):
    explorer = PriorExplorer(models, x)
    grey, alt = explorer.picture()
    assert grey.dtype == np.uint8
    assert grey.std() > 5
    assert "40 images" in alt
    assert "VampPrior" in alt
    explorer.chosen = 3
    for wrong in (-1, 4):
        with pytest.raises(traitlets.TraitError):
            explorer.chosen = wrong


def test_bad_input_is_refused(models, x):
    with pytest.raises(ValueError, match="two latent dimensions"):
        PriorExplorer({"VAE": VAE(3, hidden=(5,))}, x)
    with pytest.raises(ValueError, match="at least one"):
        PriorExplorer({}, x)
    with pytest.raises(ValueError, match="from 2 to 1,500"):
        PriorExplorer(models, x[:1])

    class Strange(VAE):
        prior = torch.distributions.Uniform(torch.zeros(2), torch.ones(2))

    with pytest.raises(ValueError, match="cannot draw from a Uniform"):
        PriorExplorer({"strange": Strange(2, hidden=(5,))}, x)
