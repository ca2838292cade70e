"""Measuring models that are given a label: log p(x | y), log p(x), and what a code tells of y.

`vaeutil.evaluation` passes no labels; of a CVAE it measures the marginal p(x), all classes tried.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from torch import Tensor

from vaeutil.data import Split, observe
from vaeutil.divergences import gaussian_kl_between
from vaeutil.evaluation import Estimate
from vaeutil.models.cvae import CVAE
from vaeutil.seeding import seeded

ROWS = 1_000  # decoded images held at once
SAMPLES = 50  # of those, samples of one image


def elbo_given(model: CVAE, split: Split, k: int = 1, seed: int = 0) -> Estimate:
    """The bound on log p(x | y) of each image with its own label, by k samples, in nats.

    The pixels are observed by `seed`, alike for every model, and as `evaluation.elbo` does.
    Raises ValueError for fewer than two images, or unknown labels; k is a number from 1 on.
    """
    x = _observed(split, seed)
    rows = max(1, ROWS // min(k, SAMPLES))
    parts = zip(x.split(rows), split.labels.split(rows), strict=True)
    with torch.inference_mode(), seeded(seed):
        values = [
            _pieces(lambda n, x=x, y=y: model.log_weights(x, n, y), k).mean(0) for x, y in parts
        ]
    return Estimate(torch.cat(values))


def rate_given(model: CVAE, split: Split, seed: int = 0) -> Estimate:
    """KL(q(z | x, y) ‖ p(z | y)) of each image, exact, in nats."""
    with torch.inference_mode():
        q = model.posterior(_observed(split, seed), split.labels)
        p = model.prior_of(split.labels)
        return Estimate(gaussian_kl_between(q.mean, q.stddev, p.mean, p.stddev))


def class_log_likelihoods(model: CVAE, split: Split, k: int = 500, seed: int = 0) -> Tensor:
    """log p(x | y) of each image in *every* class, by k importance samples: [N, classes], nats.

    In expectation each is a lower bound, tighter the larger k is, and loose for a class that the
    image does not look like: the encoder has never seen the two together.
    Raises ValueError for fewer than two images; k is a number from 1 on.
    """
    x = _observed(split, seed)
    with torch.inference_mode(), seeded(seed):
        values = [
            _pieces(lambda n, x=x: model.class_log_weights(x, n), k, axis=1).logsumexp(1).T
            for x in x.split(max(1, ROWS // min(k, SAMPLES)))
        ]
    return torch.cat(values) - math.log(k)


@dataclass(frozen=True)
class LabelFigures:
    """What knowing the label is worth, image by image: `given` = log p(x | y), `marginal` = log
    p(x), `worth` = given − marginal ≤ log classes, nats; `correct`: whether y was the best guess.
    """

    given: Tensor
    marginal: Tensor
    worth: Tensor
    correct: Tensor


def label_figures(table: Tensor, labels: Tensor) -> LabelFigures:
    """From log p(x | y) of every class, [N, classes], and the true labels [N]; p(y) uniform.

    log p(x) = log Σ_y p(y) p(x | y), by enumeration. worth = log p(y | x) − log p(y), by Bayes'
    rule: its mean estimates the mutual information of image and label, and no single image can
    gain more than log classes. Raises ValueError where the shapes do not match.
    """
    if table.ndim != 2 or labels.shape != table.shape[:1]:
        raise ValueError(f"A table {list(table.shape)} does not fit labels {list(labels.shape)}.")
    given = table.gather(1, labels[:, None])[:, 0]
    marginal = table.logsumexp(1) - math.log(table.shape[1])
    return LabelFigures(given, marginal, given - marginal, table.argmax(1) == labels)


@dataclass(frozen=True)
class Probe:
    """How well a classifier reads the label off a code, on codes that it was not fitted on.

    accuracy: share that it gets right; nats: log classes − cross-entropy, a lower bound on the
    mutual information I(z; y) in nats (Barber & Agakov 2003), for classes of equal frequency.
    """

    accuracy: float
    nats: float


def probe(codes, labels, test_codes, test_labels, kind: str = "linear", seed: int = 0) -> Probe:
    """Fit a classifier to codes [N, d] with labels [N], and judge it on the test codes.

    kind: "linear" (logistic regression) or "curved" (one hidden layer of 64 units, stopped early).
    Codes are standardised first, which a linear map could do by itself. Raises ValueError for
    another kind.
    """
    codes, test_codes = np.asarray(codes, float), np.asarray(test_codes, float)
    labels, test_labels = np.asarray(labels), np.asarray(test_labels)
    centre, scale = codes.mean(0), codes.std(0) + 1e-12
    codes, test_codes = (codes - centre) / scale, (test_codes - centre) / scale
    if kind == "linear":
        reader = LogisticRegression(max_iter=500)
    elif kind == "curved":
        reader = MLPClassifier((64,), early_stopping=True, max_iter=60, random_state=seed)
    else:
        raise ValueError(f'kind is {kind!r}; choose "linear" or "curved".')
    reader.fit(codes, labels)
    told = reader.predict_proba(test_codes)
    column = np.searchsorted(reader.classes_, test_labels)
    surprise = -np.log(told[np.arange(len(told)), column].clip(1e-12)).mean()
    accuracy = float((reader.classes_[told.argmax(1)] == test_labels).mean())
    return Probe(accuracy, math.log(len(reader.classes_)) - float(surprise))


def _observed(split: Split, seed: int) -> Tensor:
    if len(split) < 2:
        raise ValueError("At least two images are needed to give a standard error.")
    return observe(split.pixels, "binary", torch.Generator().manual_seed(seed))


def _pieces(weights, k: int, axis: int = 0) -> Tensor:
    """weights(n) for n adding up to k, joined along the axis of the samples."""
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k counts samples of each image: a whole number from 1 on, not {k!r}.")
    sizes = [SAMPLES] * (k // SAMPLES) + ([k % SAMPLES] if k % SAMPLES else [])
    return torch.cat([weights(n) for n in sizes], axis)
