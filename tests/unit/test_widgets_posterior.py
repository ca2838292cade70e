"""PosteriorFit in Python: evidence and gaps against other ways to compute them, and its errors."""

import math
from importlib import resources

import numpy as np
import pytest
import torch
from scipy import optimize
from traitlets import TraitError

from vaeutil.models import VAE, FlowVAE, load
from vaeutil.refine import guess, log_weights
from vaeutil.widgets import PosteriorFit
from vaeutil.widgets.posterior import points


@pytest.fixture(scope="module")
def hero():
    return load(resources.files("vaeutil") / "results" / "hero.safetensors")


@pytest.fixture(scope="module")
def x(hero):
    """Two images from the model itself."""
    torch.manual_seed(0)
    with torch.no_grad():
        return hero.likelihood(torch.tensor([[0.4, -0.7], [-1.0, 0.5]])).sample()


@pytest.fixture(scope="module")
def fit(hero, x):
    return PosteriorFit(hero, x)


def test_evidence_against_importance_sampling(hero, x, fit):
    torch.manual_seed(0)
    with torch.no_grad():
        log_w = hero.log_weights(x, 4_000).double()
    share = (log_w - log_w.max(0).values).exp()
    error = share.std(0) / share.mean(0) / 4_000**0.5
    found = log_w.logsumexp(0) - math.log(4_000)
    assert ((fit.evidence - found).abs() < 4 * error + 0.05).all()  # 0.05: float16 weights


def test_the_encoders_gap_against_draws(hero, x, fit):
    torch.manual_seed(0)
    with torch.no_grad():
        log_w = log_weights(hero, x, guess(hero, x), 4_000).double()
    gap = fit.evidence - log_w.mean(0)
    stored = torch.tensor([best["encoder"][6] for best in fit.best])
    assert ((gap - stored).abs() < 4 * log_w.std(0) / 4_000**0.5 + 0.05).all()


def test_a_larger_family_is_never_worse(fit):
    for best in fit.best:
        gaps = [best[name][6] for name in ("encoder", "upright", "tilted", "bent")]
        assert gaps == sorted(gaps, reverse=True)
        assert gaps[-1] > -1e-3  # quadrature is not exact
        assert best["upright"][4:6] == [0, 0]
        assert best["tilted"][5] == 0


def test_the_best_upright_against_scipy(fit):
    def gap(p):
        q = torch.tensor([[*p[:2], *np.exp(p[2:]), 0.0, 0.0]]).double().expand(2, -1)
        return fit.gaps(q)[0].item()

    best = fit.best[0]["upright"]
    start = np.array([*best[:2], *np.log(best[2:4])])
    start += 0.1
    found = optimize.minimize(gap, start, method="Nelder-Mead", options={"maxiter": 300})
    assert best[6] == pytest.approx(found.fun, abs=2e-3)


def test_the_bend_keeps_areas():
    q = torch.tensor([[0.1, 0.2, 0.5, 0.3, 0.7, -0.4]]).double()
    jacobian = torch.autograd.functional.jacobian(
        lambda e: points(q, e[None])[0, 0], torch.tensor([0.6, -1.1]).double()
    )
    assert torch.linalg.det(jacobian).item() == pytest.approx(0.5 * 0.3)


def test_it_starts_at_the_encoder_and_shows_a_picture(hero, x, fit):
    with torch.no_grad():
        assert fit.mean == pytest.approx(hero.posterior(x).mean[0].tolist())
    grey, alt = fit.picture()
    assert grey.dtype == np.uint8
    assert "best bent" in alt
    assert fit.to_html().startswith("<posterior-fit ")


@pytest.mark.parametrize(
    "change", [{"image": 2}, {"mean": [0.0]}, {"sd": [0.0, 1.0]}, {"bend": 3.0}]
)
def test_what_is_out_of_range_is_refused(fit, change):
    with pytest.raises(TraitError):
        fit.set_trait(*change.popitem())


def test_other_models_and_images_are_refused(hero, x):
    for model in (VAE(3, hidden=[4]), FlowVAE(2, hidden=[4]), VAE(2, likelihood="gaussian")):
        with pytest.raises(ValueError, match="Bernoulli VAE with a Gaussian q"):
            PosteriorFit(model, x)
    for images in (x[0], x / 2, x.repeat(5, 1)):
        with pytest.raises(ValueError, match="binary images"):
            PosteriorFit(hero, images)
