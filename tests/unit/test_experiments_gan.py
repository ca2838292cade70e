"""The experiment of the GAN: a tiny run of each kind, and the stored result."""

import hashlib
import math

import pytest
import torch

from vaeutil import experiments
from vaeutil.experiments import gan, runner
from vaeutil.models import GAN, VAE, load

TINY = {
    "model": {"latent": 2, "hidden": [8]},
    "critic": {"critic": [6], "penalty": 1.0},
    "training": {"steps": 4, "batch": 32, "progress": False},
    "game": {"marks": [2, 4], "batch": 16, "lr": 1e-3, "critic_lr": 1e-3},
    "asked": {"steps": 3, "batch": 32, "progress": False},
    "evaluation": {
        "elbo_images": 20,
        "nll_images": 10,
        "nll_k": 5,
        "images": 40,
        "block": 20,
    },
}
SETS = {"precision", "recall", "kid", "frechet"}
OF_SAMPLES = SETS | {f"draw_{s}" for s in SETS} | {"rarest_digit", "energy", "draw_energy"}


def without_clock(figures):
    return {name: value for name, value in figures.items() if "seconds" not in name}


def test_a_tiny_gan(blobs):
    outcome = gan.run(blobs, TINY, None, kind="gan", seed=0)
    found = outcome.figures
    assert isinstance(outcome.model, GAN)
    assert {n.removeprefix("at_4_") for n in found if n.startswith("at_4_")} == OF_SAMPLES | {
        "processor_seconds"
    }
    assert {n for n in found if n.startswith("asked_")} == {
        "asked_negative_elbo",
        "asked_nll",
        "asked_gap",
        "asked_factor",
    }
    assert all(math.isfinite(value) for value in found.values())
    assert found["generator_parameters"] == 2 * 8 + 8 + 8 * 784 + 784
    assert found["critic_parameters"] == 784 * 6 + 6 + 6 + 1
    assert found["asked_factor"] > 0
    again = gan.run(blobs, TINY, None, kind="gan", seed=0).figures
    assert without_clock(again) == without_clock(found)


def test_a_tiny_vae_and_the_floor(blobs):
    outcome = gan.run(blobs, TINY, None, kind="vae", seed=0)
    found = outcome.figures
    assert isinstance(outcome.model, VAE)
    assert OF_SAMPLES | {f"real_{s}" for s in SETS} | {"negative_elbo", "nll"} <= set(found)
    assert all(math.isfinite(value) for value in found.values())
    assert found["real_precision"] > 0.8  # 40 blobs against 40 blobs
    assert found["draw_energy"] > found["energy"]  # tossed pixels are rougher than their means


def test_asking_trains_no_generator(blobs):
    torch.manual_seed(0)
    model = GAN(2, hidden=[8], critic=[6])
    before = [p.clone() for p in model.decoder.parameters()]
    outcome = gan.ask(model, blobs, TINY, seed=0)
    for mine, theirs, old in zip(
        model.decoder.parameters(), outcome.model.decoder.parameters(), before, strict=False
    ):
        assert torch.equal(mine, old)
        assert torch.equal(theirs, old)
    z = torch.randn(5, 2)
    with torch.no_grad():
        factor = outcome.model.decoder[-1].log_factor.exp()
        torch.testing.assert_close(outcome.model.decoder(z), factor * model.decoder(z))
    assert outcome.figures["parameters"] == 784 * 8 + 8 + 8 * 4 + 4 + 1


def test_real_images_are_at_the_floor(blobs):
    torch.manual_seed(0)
    same = torch.randperm(len(blobs.test), generator=torch.Generator().manual_seed(0))
    x = blobs.test.pixels[same].flatten(1).float() / 255
    found = gan.compare(x, blobs, "grey", {"block": 50})
    assert (found["precision"], found["recall"]) == (1, 1)
    assert found["frechet"] == pytest.approx(0, abs=1e-6)


def test_the_code_it_was_made_from_is_named():
    for file in gan.CODE:
        assert (runner.machine.PACKAGE / file).exists()
    assert len(gan.RUNS) == 10
    assert all(run in gan.RUNS for run in gan.WEIGHTS.values())


def test_the_shipped_result_is_whole():
    found = experiments.result("gan")
    assert found["config"] == gan.CONFIG
    assert found["data"]["name"] == "mnist"
    assert [run["run"] for run in found["runs"]] == gan.RUNS
    assert all(math.isfinite(v) for run in found["runs"] for v in run["figures"].values())
    size = (runner.RESULTS / "gan.json").stat().st_size
    for file, kept in gan.WEIGHTS.items():
        path = runner.RESULTS / file
        size += path.stat().st_size
        run = next(run for run in found["runs"] if run["run"] == kept)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == run["weights_sha256"]
        assert load(path).config["latent"] == gan.CONFIG["model"]["latent"]
    assert size < 1_050_000
