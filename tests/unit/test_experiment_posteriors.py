"""The experiment on flow posteriors: its kinds, a tiny run, its shipped result."""

import hashlib
import math

import pytest
import torch

from vaeutil import experiments
from vaeutil.experiments import posteriors, runner
from vaeutil.models import FlowVAE, load
from vaeutil.seeding import seeded

TINY = {
    "model": {"latent": 3, "hidden": [8]},
    "small": {"latent": 2, "hidden": [8]},
    "wide": {"hidden": [11]},
    "planar": {"flow": "planar", "depth": 2},
    "coupling": {"flow": "coupling", "depth": 2},
    "autoregressive": {"flow": "autoregressive", "depth": 1},
    "training": {"steps": 2, "batch": 16, "progress": False},
    "evaluation": {"elbo_images": 20, "nll_images": 6, "nll_k": 3},
    "split": {"images": 3, "k": 4, "k_bound": 4, "steps": 2, "draws": 2},
}
SPLIT = {"log_p", *(f"bound_{n}" for n in ("encoder", "own", "diagonal", "full", "flow"))}


@pytest.mark.parametrize("kind", [*posteriors.KINDS, "gaussian-2", "coupling-2"])
def test_a_run_of_every_kind(kind, blobs, tmp_path):
    outcome = posteriors.run(blobs, TINY, tmp_path / "checkpoint", kind=kind, seed=0)
    assert all(math.isfinite(value) for value in outcome.figures.values())
    assert outcome.model.latent == (2 if kind.endswith("-2") else 3)
    named = kind.partition("-")[0] in ("planar", "coupling", "autoregressive")
    assert isinstance(outcome.model, FlowVAE) == named
    assert set(outcome.figures) >= SPLIT or kind not in posteriors.SPLIT


def test_all_kinds_of_a_seed_begin_with_one_decoder():
    decoders = []
    for kind in posteriors.KINDS:
        with seeded(7):
            decoders.append(posteriors.make(posteriors.CONFIG, kind).decoder.state_dict())
    for other in decoders[1:]:
        assert all(torch.equal(value, other[name]) for name, value in decoders[0].items())


def test_the_wide_encoder_is_as_large_as_encoder_and_flow():
    sizes = {
        kind: sum(p.numel() for p in posteriors.make(posteriors.CONFIG, kind).parameters())
        for kind in ("wide", "coupling")
    }
    assert sizes["wide"] == pytest.approx(sizes["coupling"], rel=0.01)


def test_runs_are_paired():
    for kind in posteriors.KINDS:
        assert sorted(r["seed"] for r in posteriors.RUNS if r["kind"] == kind) == [0, 1, 2, 3, 4]


def test_the_shipped_result_is_whole():
    found = experiments.result("posteriors")
    assert (found["config"], found["data"]["name"]) == (posteriors.CONFIG, "mnist")
    assert [run["run"] for run in found["runs"]] == posteriors.RUNS
    for run in found["runs"]:
        assert all(math.isfinite(value) for value in run["figures"].values())
    for file, kept in posteriors.WEIGHTS.items():
        run = next(run for run in found["runs"] if run["run"] == kept)
        digest = hashlib.sha256((runner.RESULTS / file).read_bytes()).hexdigest()
        assert digest == run["weights_sha256"]
        assert load(runner.RESULTS / file).latent == (2 if file.count("-2") else 10)
