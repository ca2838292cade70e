"""The experiment on the number of latent dimensions: its parts, and its shipped result."""

import hashlib
import math

import pytest
import torch
import torch.distributions as td

from vaeutil import experiments
from vaeutil.data import observe
from vaeutil.experiments import latent, runner
from vaeutil.models import VAE, load


def test_the_kl_of_each_unit_against_torch_distributions(blobs):
    torch.manual_seed(0)
    model = VAE(3, hidden=(8,)).eval()
    x = observe(blobs.test.pixels, "binary", torch.Generator().manual_seed(0))
    with torch.no_grad():
        q = model.posterior(x).base_dist
        kl = td.kl_divergence(q, td.Normal(0.0, 1.0)).mean(0)
    torch.testing.assert_close(latent.kl_of_units(model, blobs.test).float(), kl)


def test_a_run_measures_every_unit_the_largest_first(blobs, tmp_path):
    config = {
        "model": {"hidden": [8]},
        "training": {"batch": 16, "progress": False},
        "evaluation": {"elbo_images": 20, "nll_images": 10, "nll_k": 3},
    }
    outcome = latent.run(blobs, config, tmp_path / "checkpoint", latent=4, steps=3, seed=0)
    spectrum = [outcome.figures[f"kl_{place}"] for place in range(1, 5)]
    assert spectrum == sorted(spectrum, reverse=True)
    assert sum(spectrum) == pytest.approx(outcome.figures["rate"], rel=1e-4)
    assert outcome.model.latent == 4


def test_runs_are_paired():
    settings = {(run["latent"], run["steps"]) for run in latent.RUNS}
    for setting in settings:
        seeds = [r["seed"] for r in latent.RUNS if (r["latent"], r["steps"]) == setting]
        assert sorted(seeds) == [0, 1, 2, 3, 4]
    assert len(settings) == len(latent.LATENTS) * len(latent.STEPS)


def test_the_shipped_result_is_whole():
    found = experiments.result("latent")
    assert (found["config"], found["data"]["name"]) == (latent.CONFIG, "mnist")
    assert [run["run"] for run in found["runs"]] == latent.RUNS
    for run in found["runs"]:
        figures = run["figures"]
        assert all(math.isfinite(value) for value in figures.values())
        spectrum = sum(v for name, v in figures.items() if name.startswith("kl_"))
        assert spectrum == pytest.approx(figures["rate"], rel=1e-3)
    for file, kept in latent.WEIGHTS.items():
        run = next(run for run in found["runs"] if run["run"] == kept)
        digest = hashlib.sha256((runner.RESULTS / file).read_bytes()).hexdigest()
        assert digest == run["weights_sha256"]
        assert load(runner.RESULTS / file).latent == kept["latent"]
