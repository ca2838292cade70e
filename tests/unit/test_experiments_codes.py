import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from vaeutil import experiments
from vaeutil.data import observe
from vaeutil.experiments import codes, twin
from vaeutil.models import AE, VAE, load

LAWS = ("prior", "gaussian", "mixture", "reconstruction", "floor")


@pytest.fixture
def tiny():
    config = {**codes.CONFIG, **codes.SMOKE}
    config["model"] = {"hidden": [8]}
    config["training"] = {"steps": 4, "batch": 16, "lr": 1e-3, "progress": False}
    return config


@pytest.mark.parametrize("kind", ["AE", "VAE"])
def test_a_run_judges_every_law(kind, tiny, blobs, tmp_path):
    outcome = codes.run(blobs, tiny, tmp_path / "c", model=kind, latent=3, seed=0)
    assert isinstance(outcome.model, {"AE": AE, "VAE": VAE}[kind])
    figures = outcome.figures
    assert set(outcome.errors) == {f"kid_{law}" for law in LAWS}
    assert {f"{score}_{law}" for score in ("kid", "frechet") for law in LAWS} <= set(figures)
    assert all(math.isfinite(value) for value in figures.values())
    again = codes.run(blobs, tiny, tmp_path / "d", model=kind, latent=3, seed=0)
    assert {**again.figures, "training_seconds": 0} == {**figures, "training_seconds": 0}
    other = codes.run(blobs, tiny, tmp_path / "e", model=kind, latent=3, seed=1)
    assert other.figures["frechet_prior"] != figures["frechet_prior"]


def test_the_gaussian_has_the_codes_mean_and_covariance():
    torch.manual_seed(0)
    z = torch.randn(500, 3) @ torch.tensor([[2.0, 0, 0], [1, 1, 0], [0, 0.5, 3]]) + 5
    law = codes.laws(z, 4, seed=0)["gaussian"]
    exact = z.double().numpy()
    cov = np.cov(exact.T, bias=True) + 1e-3 * np.eye(3)
    expected = multivariate_normal(exact.mean(0), cov).logpdf(exact).mean()
    assert law.score(exact) == pytest.approx(expected, rel=1e-6)


def test_draws_come_in_random_order():
    torch.manual_seed(0)
    z = torch.cat([torch.randn(200, 2) - 50, torch.randn(200, 2) + 50])
    law = codes.laws(z, 2, seed=0)["mixture"]
    right = (codes.drawn(law, 400)[:, 0] > 0).double()
    assert 130 < right.sum() < 270
    changes = (right[1:] != right[:-1]).sum()
    assert 140 < changes < 260


def test_codes_of_a_vae_are_draws_and_of_an_autoencoder_its_codes(blobs):
    torch.manual_seed(0)
    some = blobs.test[:50]
    ae, vae = AE(2, hidden=(8,)).eval(), VAE(2, hidden=(8,)).eval()
    with torch.no_grad():
        expected = ae.encode(observe(some.pixels, "grey"))
        torch.testing.assert_close(codes.codes_of(ae, some), expected)
        assert not torch.equal(codes.codes_of(vae, some), codes.codes_of(vae, some))


def test_the_shipped_results_are_whole():
    found = experiments.result("codes")
    assert found["config"] == codes.CONFIG
    assert [run["run"] for run in found["runs"]] == codes.RUNS
    values = [value for run in found["runs"] for value in run["figures"].values()]
    assert np.isfinite(values).all()
    floors = {run["figures"]["frechet_floor"] for run in found["runs"]}
    assert max(floors) - min(floors) < 1e-3


def test_the_twin_is_whole_and_like_hero():
    found, hero = experiments.result("twin"), experiments.result("hero")
    assert found["config"] == twin.CONFIG
    for part in ("model", "training"):
        assert found["config"][part] == hero["config"][part]
    assert load(experiments.runner.RESULTS / "twin.safetensors").config["latent"] == 2


def test_the_twin_runs(blobs, tmp_path):
    config = {
        "model": {"latent": 2, "hidden": [8]},
        "training": {"steps": 3, "batch": 16, "progress": False},
    }
    outcome = twin.run(blobs, config, tmp_path / "c", seed=0)
    x = observe(blobs.test.pixels, "grey")
    with torch.no_grad():
        expected = outcome.model.loss(x)["loss"].item()
    assert outcome.figures["squared_error"] == pytest.approx(expected, rel=1e-5)
    assert outcome.errors["squared_error"] > 0
