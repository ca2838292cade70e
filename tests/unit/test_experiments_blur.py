"""The experiment on blur: a tiny run of each kind, and the stored result."""

import hashlib
import math

import pytest
import torch

from vaeutil import experiments
from vaeutil.experiments import blur, runner
from vaeutil.models import load
from vaeutil.sharpness import PAIRS

SIZES = {
    "model": {"latent": 2, "hidden": [8]},
    "training": {"steps": 4, "batch": 32, "progress": False},
    "evaluation": {"images": 50, "draws": 60, "nll_images": 10, "nll_k": 5},
}
OF_CODES = {"energy_real", "energy_code", "energy_rest", "fine_real", "fine_code", "mse"}
NATS = {"negative_elbo", "rate", "distortion", "nll"}


@pytest.mark.parametrize("kind", blur.KINDS)
def test_a_tiny_run_of_each_kind(kind, blobs):
    outcome = blur.run(blobs, SIZES, None, kind=kind, seed=0)
    found = outcome.figures
    want = {"training_seconds"}
    if kind != "autoencoder":
        want |= NATS | {"energy_draw", "fine_draw"}
    if kind not in ("autoencoder", "causal"):
        want |= {"energy_mean", "fine_mean"}
    if kind != "causal":
        want |= OF_CODES
    if kind not in ("autoencoder", "causal", "bernoulli"):
        want |= {"sigma"}
    assert set(found) == want
    assert all(math.isfinite(value) for value in found.values())
    if "rate" in found:
        assert found["rate"] + found["distortion"] == pytest.approx(found["negative_elbo"])
    if kind in blur.SIGMAS:
        assert found["sigma"] == pytest.approx(float(kind))
        noise = 2 * float(kind) ** 2 * PAIRS
        assert found["energy_draw"] == pytest.approx(found["energy_mean"] + noise, rel=0.1)
    again = blur.run(blobs, SIZES, None, kind=kind, seed=0).figures
    assert again | {"training_seconds": 0} == found | {"training_seconds": 0}


def test_the_code_it_was_made_from_is_named():
    for file in blur.CODE:
        assert (runner.machine.PACKAGE / file).exists()
    assert len(blur.RUNS) == 5 * len(blur.KINDS)
    assert all(run in blur.RUNS for run in blur.WEIGHTS.values())


def test_the_shipped_result_is_whole():
    found = experiments.result("blur")
    assert found["config"] == blur.CONFIG
    assert found["data"]["name"] == "mnist"
    assert [run["run"] for run in found["runs"]] == blur.RUNS
    assert all(math.isfinite(v) for run in found["runs"] for v in run["figures"].values())
    size = (runner.RESULTS / "blur.json").stat().st_size
    for file, kept in blur.WEIGHTS.items():
        path = runner.RESULTS / file
        size += path.stat().st_size
        run = next(run for run in found["runs"] if run["run"] == kept)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == run["weights_sha256"]
        model = load(path)
        assert model.config["latent"] == blur.CONFIG["model"]["latent"]
        if kept["kind"] in blur.SIGMAS:
            assert torch.isclose(model.log_sigma.exp(), torch.tensor(float(kept["kind"])))
    assert size < 2_100_000
