"""The experiment `bound`: its grid against quadrature and sampling, and a small run."""

import numpy as np
import pytest
import torch

from vaeutil.experiments import bound
from vaeutil.models import VAE


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return VAE(2, hidden=(16,))


@pytest.fixture(scope="module")
def x():
    return (torch.rand(6, 784, generator=torch.Generator().manual_seed(1)) < 0.3).float()


def test_evidence_by_gauss_hermite(model, x):
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    z = torch.cartesian_prod(*[torch.tensor(nodes)] * 2).float()
    log_weight = torch.tensor(np.log(np.outer(weights, weights) / (2 * np.pi))).flatten()
    with torch.no_grad():
        log_lik = torch.stack([model.likelihood(z).log_prob(image) for image in x]).double()
    exact = (log_lik + log_weight).logsumexp(1)
    torch.testing.assert_close(bound.evidence(model, x), exact, atol=2e-3, rtol=0)


def test_a_finer_grid_gives_the_same(model, x):
    coarse, fine = bound.evidence(model, x), bound.evidence(model, x, 6.0, 301)
    torch.testing.assert_close(coarse, fine, atol=2e-3, rtol=0)


def test_elbo_is_the_evaluations_and_below_the_evidence(model, x):
    found = bound.elbo(model, x, 400)
    assert torch.equal(found, bound.elbo(model, x, 400))
    assert (found < bound.evidence(model, x)).all()
    with torch.no_grad():
        torch.manual_seed(7)
        other = model.log_weights(x, 400).double()
    error = (other.std(0) * (2 / 400) ** 0.5).clamp(min=1e-6)
    assert ((other.mean(0) - found).abs() / error).max() < 5


def test_a_run_adds_up_and_a_frozen_decoder_keeps_its_evidence(blobs, tmp_path):
    config = {
        name: {**values, **bound.SMOKE.get(name, {})} for name, values in bound.CONFIG.items()
    }
    config["model"] = {"latent": 2, "hidden": [8]}
    figures = bound.run(blobs, config, tmp_path / "none", seed=0).figures
    for name in ("encoder", "decoder", "both"):
        change = {part: figures[f"{name}: {part}"] for part in ("elbo", "evidence", "gap")}
        assert change["evidence"] == pytest.approx(change["elbo"] + change["gap"])
    assert figures["encoder: evidence"] == 0
    assert figures["decoder: evidence"] != 0
    assert {"evidence, step 0", "evidence, step 10", "elbo, step 5"} <= figures.keys()
