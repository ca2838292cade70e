"""The digit classifier that judges generated images: its accuracy over three seeds.

Grey levels of MNIST; a convolutional network of 110,000 weights. Error rates are shares of the
test images, as grey levels and binarised.
"""

import time
from pathlib import Path

import torch

from vaeutil.classifier import train_classifier
from vaeutil.data import Images, observe
from vaeutil.experiments.parts import Outcome

CODE = ("classifier.py", "data/observe.py", "nets.py", "seeding.py", "training.py")
DATA = "mnist"
CONFIG = {"training": {"steps": 2_500, "batch": 128, "lr": 2e-3}, "evaluation": {"images": 10_000}}
SMOKE = {"training": {"steps": 5}, "evaluation": {"images": 50}}
RUNS = [{"seed": seed} for seed in range(3)]
WEIGHTS = {"classifier.safetensors": {"seed": 0}, "classifier_b.safetensors": {"seed": 1}}


def run(images: Images, config: dict, checkpoint: Path, seed: int) -> Outcome:
    """Train one classifier and count its errors on the test images. It leaves no checkpoint.

    Figures: accuracy on grey test images, accuracy_binary on the same images binarised (it has
    never seen any), confidence (the mean of the largest probability, on grey images).
    """
    start = time.perf_counter()
    classifier = train_classifier(images, seed=seed, **config["training"])
    trained = time.perf_counter()
    test = images.test[: config["evaluation"]["images"]]
    binary = observe(test.pixels, "binary", torch.Generator().manual_seed(0))
    right = (classifier.probabilities(binary).argmax(-1) == test.labels).double()
    confidence = classifier.probabilities(observe(test.pixels, "grey")).amax(-1)
    figures = {
        "accuracy": classifier.accuracy(test),
        "accuracy_binary": right.mean().item(),
        "confidence": confidence.mean().item(),
        "training_seconds": trained - start,
    }
    return Outcome(classifier, figures, {}, time.perf_counter() - trained)
