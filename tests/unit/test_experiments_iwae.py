"""The experiment on IWAE: a tiny run of each kind."""

import math

import pytest

from vaeutil.experiments import iwae, runner

SIZES = {
    "model": {"latent": 2, "hidden": [8]},
    "training": {"steps": 4, "batch": 32, "progress": False},
    "evaluation": {"elbo_images": 50, "images": 6, "samples": 100},
}
BOUNDS = [f"bound_{k}" for k in (1, 5, 20, 100)]
OTHERS = {"negative_elbo", "rate", "effective_20", "active_units", "clear_units"}


@pytest.mark.parametrize("kind", iwae.KINDS)
def test_a_tiny_run_of_each_kind(kind, blobs):
    outcome = iwae.run(blobs, SIZES, None, model=kind, seed=0)
    found = outcome.figures
    assert set(found) == {*BOUNDS, *OTHERS, "training_seconds"}
    assert set(outcome.errors) == {*BOUNDS, "negative_elbo"}
    assert all(math.isfinite(value) for value in found.values())
    values = [found[name] for name in BOUNDS]
    assert values == sorted(values, reverse=True)  # nested, so ordered without luck
    assert 1 <= found["effective_20"] <= 20
    assert found["clear_units"] <= found["active_units"] <= 2
    again = iwae.run(blobs, SIZES, None, model=kind, seed=0).figures
    assert again | {"training_seconds": 0} == found | {"training_seconds": 0}


def test_the_code_it_was_made_from_is_named():
    for file in iwae.CODE:
        assert (runner.machine.PACKAGE / file).exists()
    assert len(iwae.RUNS) == 5 * len(iwae.KINDS)
    assert all(run in iwae.RUNS for run in iwae.WEIGHTS.values())
