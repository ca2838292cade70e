import math

import pytest
import torch

from vaeutil import experiments
from vaeutil.classifier import Classifier, load_classifier, train_classifier
from vaeutil.data import observe
from vaeutil.experiments import classifier as experiment


def test_shapes_and_probabilities(blobs):
    net = Classifier(4, 8).eval()
    x = observe(blobs.test.pixels, "grey")
    features, probabilities = net.features(x), net.probabilities(x)
    assert features.shape == (200, 8)
    assert probabilities.shape == (200, 10)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(200))
    torch.testing.assert_close(net.head(features).softmax(-1), probabilities)
    right = (probabilities.argmax(1) == blobs.test.labels).sum().item()
    assert net.accuracy(blobs.test) == pytest.approx(right / 200)


def test_pieces_give_what_the_whole_gives(blobs):
    net = Classifier(4, 8).eval()
    x = observe(blobs.train.pixels, "grey").repeat(2, 1)  # 1,200 images: more than one piece
    with torch.no_grad():
        torch.testing.assert_close(net.features(x), net.body(x))


def test_training_learns_and_repeats(blobs):
    """Blobs of ten widths: a tenth would be chance."""
    one, two = (train_classifier(blobs, steps=60, batch=64, lr=3e-3, seed=3) for _ in range(2))
    assert one.accuracy(blobs.test) > 0.25
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_bad_input():
    net = Classifier(4, 8)
    for bad in (torch.rand(3, 28, 28), torch.rand(784), torch.zeros(2, 784).long(),
                torch.rand(0, 784)):  # fmt: skip
        with pytest.raises(ValueError, match=r"floats of shape \[n, 784\]"):
            net.features(bad)
    with pytest.raises(ValueError, match="between 0 and 1"):
        net.probabilities(255 * torch.rand(2, 784))
    with pytest.raises(ValueError, match="no classifier 'inception'"):
        load_classifier("inception")


@pytest.mark.parametrize("name", ["classifier", "classifier_b"])
def test_the_shipped_classifier_reads_images(name):
    net = load_classifier(name)
    assert not net.training
    assert net.features(torch.rand(3, 784)).shape == (3, 64)


def test_the_shipped_result():
    found = experiments.result("classifier")
    assert found["config"] == experiment.CONFIG
    assert [run["run"] for run in found["runs"]] == experiment.RUNS
    for run in found["runs"]:
        assert all(math.isfinite(value) for value in run["figures"].values())
        assert run["figures"]["accuracy"] >= 0.985
