"""Every stored result against its weights: what they measure now is what stands in the file.

The same test images, observed by the same seed, so that the only differences are those of weights
kept in float16 and of the machine's arithmetic.
"""

import hashlib
from functools import cache

import pytest
import torch

from vaeutil import evaluation
from vaeutil.classifier import load_classifier
from vaeutil.conditional import elbo_given
from vaeutil.data import DataUnavailable, Images, load_images, observe
from vaeutil.experiments import NAMES, RESULTS, discs, energies, gan, result, scoreboard
from vaeutil.models import AE, CVAE, GAN, CompletionNet, FlowDensity, Gallery, Model, load

FILES = sorted(
    (path.stem, file)
    for path in RESULTS.glob("*.json")
    for file in result(path.stem)["weights"]
)  # fmt: skip
NATS = 0.05  # float16 weights move a mean over thousands of images by less


@cache
def images(name: str) -> Images:
    if name == "discs":
        return discs.images(discs.CONFIG)
    try:
        return load_images(name)
    except DataUnavailable as error:
        pytest.skip(f"the results are on {name}: {error}")


def run_of(name: str, file: str) -> dict:
    found = result(name)
    return next(one for one in found["runs"] if one["run"] == found["weights"][file])


def test_every_result_is_that_of_an_experiment():
    stored = {path.stem.removesuffix("-full") for path in RESULTS.glob("*.json")}
    assert stored <= set(NAMES)
    kept = {file for _, file in FILES}
    assert kept == {path.name for path in RESULTS.glob("*.safetensors")}


@pytest.mark.parametrize(("name", "file"), FILES)
def test_the_weights_are_those_of_the_run(name, file):
    digest = hashlib.sha256((RESULTS / file).read_bytes()).hexdigest()
    assert digest == run_of(name, file)["weights_sha256"]


@pytest.mark.parametrize(("name", "file"), FILES)
def test_the_figures_can_be_had_again_from_the_weights(name, file):
    found, one = result(name), run_of(name, file)
    if name == "classifier":
        judge = load_classifier(file.removesuffix(".safetensors"))
        accuracy = judge.accuracy(images("mnist").test)
        assert accuracy == pytest.approx(one["figures"]["accuracy"], abs=2e-4)
        return
    model = load(RESULTS / file)
    if isinstance(model, Gallery):
        pytest.skip("pictures of a model, not its weights")
    figure, value, allowed = measured_again(name, model, one["run"], found)
    assert value == pytest.approx(one["figures"][figure], abs=allowed)


def measured_again(name: str, model: Model, run: dict, found: dict) -> tuple[str, float, float]:
    """One figure of the model, its value now, and how far it may be from the stored one."""
    sizes = found["config"].get("evaluation", {})
    if isinstance(model, FlowDensity):
        return "kl", energies.measure(model, run["energy"], **sizes)[0]["kl"], 2e-3
    data = images(found["data"]["name"])
    if name == "scoreboard" and isinstance(model, GAN):
        return "kid", scoreboard.of_samples(model, data.test, sizes).mean, 1.0
    if name == "scoreboard" and isinstance(model, AE):
        with torch.no_grad():
            return "probe_accuracy", scoreboard.of_codes(model, data, sizes)["probe_accuracy"], 2e-3
    if isinstance(model, GAN):
        last = found["config"]["game"]["marks"][-1]
        again = gan.of_samples(model, data, found["config"])["kid"]
        return f"at_{last}_kid", again, 1.0
    if isinstance(model, AE):
        x = observe(data.test.pixels, "grey")
        error = torch.cat([(model.reconstruct(p) - p).square().sum(-1) for p in x.split(1_000)])
        return "squared_error", error.mean().item(), 0.02
    if isinstance(model, CompletionNet):
        few = data.test[: sizes["nll_images"]]
        return "nll", evaluation.nll(model, few, k=1).mean, NATS
    if name == "completion":
        few = data.test[: sizes["nll_images"]]
        return "negative_elbo", -evaluation.elbo(model, few, k=50).mean, NATS
    if name == "discs":
        test = data.test.subset(data.test.labels == discs.LAWS.index(run["law"]))
        return "negative_elbo", -evaluation.elbo(model, test).mean, NATS
    test = data.test[: sizes.get("elbo_images") or sizes["images"]]
    if isinstance(model, CVAE):
        bound = scoreboard.negative_elbo if name == "scoreboard" else _given
        return "negative_elbo", bound(model, test).mean, NATS
    return "negative_elbo", -evaluation.elbo(model, test).mean, NATS


def _given(model: CVAE, test):
    return -elbo_given(model, test)
