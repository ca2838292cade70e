"""The experiments of the chapter on evaluation: their parts, and a tiny run of each."""

import math

import pytest
import torch

from vaeutil import experiments
from vaeutil.data import observe
from vaeutil.evaluation import nll
from vaeutil.experiments import classifier, kinds, nested
from vaeutil.models import VAE


def small(config, training=None, evaluation=None, **model):
    changes = {"training": training or {}, "evaluation": evaluation or {}, "model": model}
    return {name: {**values, **changes.get(name, {})} for name, values in config.items()}


def test_nested_blocks_against_double_precision():
    log_w = torch.randn(12, 5, dtype=torch.float64) - 100
    for k in (1, 3, 12):
        want = torch.stack([part.exp().mean(0).log() for part in log_w.split(k)]).mean(0)
        torch.testing.assert_close(nested.nested(log_w, k), want)
    assert (nested.nested(log_w, 3) <= nested.nested(log_w, 6) + 1e-12).all()


def test_the_grid_and_the_importance_samples_agree(blobs):
    torch.manual_seed(0)
    model = VAE(2, hidden=(4,)).eval()
    with torch.no_grad():
        for weight in model.decoder.parameters():
            weight.mul_(0.3)  # a posterior near the prior: both ways are accurate
    split = blobs.test[:20]
    x = observe(split.pixels, "binary", torch.Generator().manual_seed(0))
    weighed = nll(model, split, k=4_000)
    torch.testing.assert_close(
        -nested.on_grid(model, x, 201).float(), weighed.values, rtol=0, atol=0.5
    )
    assert abs((-nested.on_grid(model, x, 201) - weighed.values).mean()) < 0.1


def test_other_weights_are_refused(blobs, tmp_path):
    config = {**nested.CONFIG, "weights_sha256": {"hero": "0" * 64, "vae": "0" * 64}}
    with pytest.raises(ValueError, match="other weights than those"):
        nested.run(blobs, config, tmp_path / "none", model="hero")


@pytest.mark.parametrize("model", ["vae", "hero"])
def test_a_tiny_nested_run(blobs, tmp_path, model):
    config = small(nested.CONFIG, evaluation=nested.SMOKE["evaluation"])
    found = nested.run(blobs, config, tmp_path / "none", model=model)
    sizes = [int(name[4:]) for name in found.figures if name.startswith("nll_")]
    assert sizes == [1, 2, 5, 10, 20]
    values = [found.figures[f"nll_{k}"] for k in sizes]
    assert values == sorted(values, reverse=True)
    assert found.figures["excess_20"] == 0
    assert ("grid" in found.figures) == (model == "hero")
    assert all(math.isfinite(value) for value in found.figures.values())


def test_static_never_changes_and_threshold_is_sharp(blobs):
    one, two = (kinds.split_of_kind(blobs.test, "static") for _ in range(2))
    assert torch.equal(one.pixels, two.pixels)
    assert set(one.pixels.unique().tolist()) == {0, 255}
    torch.manual_seed(0)
    first, second = (observe(one.pixels, "binary") for _ in range(2))
    assert torch.equal(first, second)  # observed again, it is the same
    sharp = kinds.split_of_kind(blobs.test, "threshold").pixels
    assert torch.equal(sharp == 255, blobs.test.pixels >= 128)
    assert kinds.split_of_kind(blobs.test, "dynamic") is blobs.test
    with pytest.raises(ValueError, match="no images of the kind 'sepia'"):
        kinds.split_of_kind(blobs.test, "sepia")


def test_static_images_have_the_grey_levels_as_their_mean(blobs):
    """The exam is fair: static pixels are on as often as the grey levels say."""
    grey = blobs.train.pixels.double() / 255
    difference = kinds.split_of_kind(blobs.train, "static").pixels.double() / 255 - grey
    spread = (grey * (1 - grey)).sum().sqrt()
    assert abs(difference.sum()) < 4 * spread


def test_few_images_are_the_first(blobs):
    few = kinds.of_kind(blobs, "dynamic-50")
    assert torch.equal(few.train.pixels, blobs.train.pixels[:50])
    assert len(few.test) == len(blobs.test)


@pytest.mark.parametrize("kind", ["static", "dynamic-2500"])
def test_a_tiny_run_of_a_kind(blobs, tmp_path, kind):
    training = {**kinds.SMOKE["training"], "batch": 16, "valid_every": 5}
    config = small(kinds.CONFIG, training, kinds.SMOKE["evaluation"], latent=2, hidden=[8])
    found = kinds.run(blobs, config, tmp_path / "checkpoint", kind=kind, seed=0)
    assert {"negative_elbo", "nll", "train", "on_static"} < set(found.figures)
    # Ten images, binarised once as part of the whole split and once by themselves.
    assert found.figures["on_static"] == pytest.approx(found.figures["on_dynamic"], rel=0.05)


def test_a_tiny_classifier(blobs, tmp_path):
    config = small(classifier.CONFIG, {"steps": 3, "batch": 16}, {"images": 20})
    found = classifier.run(blobs, config, tmp_path / "none", seed=0)
    assert 0 <= found.figures["accuracy_binary"] <= 1


@pytest.mark.parametrize(("name", "module"), [("nested", nested), ("kinds", kinds)])
def test_the_shipped_results_are_whole(name, module):
    found = experiments.result(name)
    assert found["config"] == module.CONFIG
    assert found["data"]["name"] == "mnist"
    assert [run["run"] for run in found["runs"]] == module.RUNS
    assert all(math.isfinite(v) for run in found["runs"] for v in run["figures"].values())
