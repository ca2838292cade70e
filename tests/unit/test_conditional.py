"""Measuring conditional models: against the model's own weights, Bayes' rule and known laws."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from vaeutil.conditional import (
    class_log_likelihoods,
    elbo_given,
    label_figures,
    probe,
    rate_given,
)
from vaeutil.data import observe
from vaeutil.models import CVAE


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CVAE(2, hidden=(12,)).eval()


def test_the_table_and_the_bound_are_the_models(blobs, model):
    few = blobs.test[:8]
    x = observe(few.pixels, "binary", torch.Generator().manual_seed(0))
    table = class_log_likelihoods(model, few, k=200)
    torch.manual_seed(1)
    with torch.no_grad():
        weights = model.class_log_weights(x, 200).double()
        bounds = model.log_weights(x, 500, few.labels)
    want = (weights.logsumexp(1) - math.log(200)).T
    assert table.shape == (8, 10)
    apart = (table - want).abs()  # two estimates of the same: close, but for an unlucky few
    assert apart.median() < 0.15
    assert apart.max() < 3
    found = elbo_given(model, few, k=500).values
    error = bounds.std(0) / 500**0.5
    assert ((found - bounds.mean(0)).abs() < 6 * error).all()
    rate = model.loss(x, few.labels)["kl"].item()
    assert rate_given(model, few).mean == pytest.approx(rate, rel=1e-4)


def test_samples_are_joined_along_their_own_axis(blobs, model):
    """More samples than a piece holds: the number of images and classes stays."""
    assert class_log_likelihoods(model, blobs.test[:3], k=120).shape == (3, 10)
    assert elbo_given(model, blobs.test[:3], k=120).values.shape == (3,)


@given(st.integers(2, 12), st.integers(0, 10_000))
def test_bayes_rule(classes, seed):
    rng = np.random.default_rng(seed)
    table = rng.normal(-90, 8, (7, classes))
    labels = rng.integers(0, classes, 7)
    found = label_figures(torch.tensor(table), torch.tensor(labels))
    log_posterior = table - logsumexp(table, 1, keepdims=True)
    own = log_posterior[np.arange(7), labels]
    np.testing.assert_allclose(found.worth, own + math.log(classes), atol=1e-9)
    np.testing.assert_allclose(found.given - found.marginal, found.worth, atol=1e-9)
    assert (found.worth <= math.log(classes) + 1e-9).all()
    np.testing.assert_array_equal(found.correct, log_posterior.argmax(1) == labels)


def clouds(apart, n=4_000, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return rng.normal(size=(n, 1)) + apart * (2 * y[:, None] - 1), y


def test_the_probe_meets_a_known_information():
    """Two Gaussians at ±1: the mutual information by quadrature, the accuracy Φ(1)."""
    found = probe(*clouds(1.0, 20_000), *clouds(1.0, 20_000, 1))
    z = np.linspace(-9, 9, 20_001)
    each = np.exp(-0.5 * (z - np.array([[-1.0], [1.0]])) ** 2) / math.sqrt(2 * math.pi)
    mixture = each.mean(0)
    exact = (0.5 * each * np.log(each / mixture)).sum() * (z[1] - z[0])
    assert found.nats == pytest.approx(exact, abs=0.02)
    assert found.accuracy == pytest.approx(0.8413, abs=0.015)


def test_only_a_curved_probe_reads_a_ring():
    def rings(seed):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 2, 3_000)
        angle = rng.uniform(0, 2 * np.pi, 3_000)
        radius = 1 + 2 * y + 0.1 * rng.normal(size=3_000)
        return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), y

    linear, curved = (probe(*rings(0), *rings(1), kind) for kind in ("linear", "curved"))
    assert linear.accuracy < 0.6
    assert linear.nats < 0.05
    assert curved.accuracy > 0.98
    assert 0.05 < curved.nats < math.log(2) + 0.01  # a lower bound: it stops when it is right


def test_codes_that_say_nothing():
    found = probe(*clouds(0.0), *clouds(0.0, seed=1))
    assert found.accuracy == pytest.approx(0.5, abs=0.04)
    assert abs(found.nats) < 0.01


def test_a_tiny_scale_hides_nothing_from_a_probe():
    codes, y = clouds(3.0)
    assert probe(1e-6 * codes, y, 1e-6 * codes, y).accuracy > 0.99


def test_bad_input(blobs, model):
    with pytest.raises(ValueError, match="two images"):
        elbo_given(model, blobs.test[:1])
    with pytest.raises(ValueError, match="k counts"):
        class_log_likelihoods(model, blobs.test[:3], k=True)
    with pytest.raises(ValueError, match="does not fit"):
        label_figures(torch.zeros(3, 10), torch.zeros(4, dtype=torch.int64))
    with pytest.raises(ValueError, match='choose "linear" or "curved"'):
        probe([[0.0]], [0], [[0.0]], [0], "deep")
