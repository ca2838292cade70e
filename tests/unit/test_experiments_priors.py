"""The experiment on priors: tiny runs, its measures against direct sums, and the stored result."""

import hashlib
import math

import pytest
import torch

from vaeutil import experiments
from vaeutil.data import observe
from vaeutil.experiments import priors, runner
from vaeutil.models import PriorVAE, load
from vaeutil.seeding import seeded

SIZES = {
    "networks": {"2": {"latent": 2, "hidden": [8]}, "10": {"latent": 3, "hidden": [8]}},
    "prior": {"components": 4, "depth": 2},
    "training": {"steps": 4, "batch": 32, "progress": False},
    "after": {"steps": 3, "batch": 32, "progress": False},
    "evaluation": {
        "elbo_images": 50, "nll_images": 10, "nll_k": 5,
        "aggregate_images": 60, "draws": 40, "block": 20,
    },
}  # fmt: skip
PLAIN = {
    "negative_elbo", "nll", "gap", "parameters", "active_units", "training_seconds",
    "rate", "mutual_information", "aggregate_kl", "aggregate_kl_low", "kid",
}  # fmt: skip


@pytest.mark.parametrize("kind", priors.KINDS)
def test_a_tiny_run_of_each_kind(kind, blobs):
    outcome = priors.run(blobs, SIZES, None, latent=10, kind=kind, seed=0)
    found = outcome.figures
    want = set(PLAIN)
    if kind == "standard":
        want |= {f"after_{later}_{name}" for later in ("mixture", "flow") for name in PLAIN}
        for later in ("mixture", "flow"):  # the same codes, another prior
            name = f"after_{later}_mutual_information"
            assert found[name] == pytest.approx(found["mutual_information"])
    assert set(found) == want
    assert all(math.isfinite(value) for value in found.values())
    assert found["rate"] == pytest.approx(found["mutual_information"] + found["aggregate_kl"])
    again = priors.run(blobs, SIZES, None, latent=10, kind=kind, seed=0).figures
    clock = {name: 0 for name in found if name.endswith("seconds")}
    assert again | clock == found | clock


def test_the_parts_of_the_rate_by_direct_sums(blobs):
    with seeded(2):
        model = PriorVAE(2, hidden=(8,), prior="mixture", components=3).eval()
    test = blobs.test[:12]
    found = priors.of_codes(model, test)
    x = observe(test.pixels, "binary", torch.Generator().manual_seed(0))
    with torch.no_grad(), seeded(0):
        q = model.posterior(x)
        z = q.sample()
        every = torch.stack([model.posterior(x[i : i + 1]).log_prob(z) for i in range(12)], 1)
        prior = model.prior.log_prob(z)
    own, inside = every.diagonal(), every.exp().mean(1).log()
    outside = torch.cat([every[:6, 6:].exp().mean(1).log(), every[6:, :6].exp().mean(1).log()])
    for name, want in {
        "rate": own - prior,
        "mutual_information": own - inside,
        "aggregate_kl": inside - prior,
        "aggregate_kl_low": outside - prior,
    }.items():
        assert found[name] == pytest.approx(want.mean().item(), abs=1e-4), name


def test_the_code_it_was_made_from_is_named():
    for file in priors.CODE:
        assert (runner.machine.PACKAGE / file).exists()
    assert len(priors.RUNS) == 5 * 2 * len(priors.KINDS)
    assert all(run in priors.RUNS for run in priors.WEIGHTS.values())


def test_the_shipped_result_is_whole():
    found = experiments.result("priors")
    assert found["config"] == priors.CONFIG
    assert found["data"]["name"] == "mnist"
    assert [run["run"] for run in found["runs"]] == priors.RUNS
    assert all(math.isfinite(v) for run in found["runs"] for v in run["figures"].values())
    size = (runner.RESULTS / "priors.json").stat().st_size
    for file, kept in priors.WEIGHTS.items():
        path = runner.RESULTS / file
        size += path.stat().st_size
        run = next(run for run in found["runs"] if run["run"] == kept)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == run["weights_sha256"]
        assert load(path).config["latent"] == 2
    assert size < 1_200_000
