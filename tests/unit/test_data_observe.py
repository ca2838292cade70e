"""Observation: exact marginals, within standard errors; bad input refused."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaeutil.data import observe


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def levels(n):
    """n images whose pixel i has the grey level i mod 256."""
    return (torch.arange(784) % 256).to(torch.uint8).expand(n, 784)


def test_a_pixel_is_on_with_probability_pixel_over_255():
    n = 20_000
    x = observe(levels(n), "binary", seeded())
    assert x.shape == (n, 784)
    assert x.dtype == torch.float32
    assert set(x.unique().tolist()) == {0.0, 1.0}
    level = torch.arange(784) % 256
    on = torch.zeros(256).index_add(0, level, x.sum(0))
    draws = n * torch.bincount(level)
    p = torch.arange(256) / 255
    assert on[0] == 0
    assert on[255] == draws[255]
    se = (p * (1 - p) / draws).sqrt()[1:255]
    z = ((on / draws - p)[1:255] / se).numpy()
    # 254 standard normal scores: their largest, their mean, their mean square.
    assert np.abs(z).max() < 4.5
    assert abs(z.mean()) < 4 / np.sqrt(254)
    assert abs((z**2).mean() - 1) < 4 * np.sqrt(2 / 254)
    # Sharp enough to see the simpler rule, P(on) = pixel/256, at 254.
    assert (254 / 255 - 254 / 256) / se[-1] > 10


def test_pixels_and_calls_are_independent():
    n = 20_000
    grey = torch.full((n, 784), 128, dtype=torch.uint8)
    generator = seeded(1)
    x, again = (observe(grey, "binary", generator) - 128 / 255 for _ in range(2))
    for left, right in ((x[:, :-1], x[:, 1:]), (x[:-1], x[1:]), (x, again)):
        correlation = float((left * right).mean()) / 0.25
        assert abs(correlation) < 4 / np.sqrt(left.numel())


def test_the_same_generator_gives_the_same_observation():
    for kind in ("binary", "dequantised"):
        first, same, other = (observe(levels(3), kind, seeded(s)) for s in (5, 5, 6))
        assert torch.equal(first, same)
        assert not torch.equal(first, other)
    torch.manual_seed(3)
    first = observe(levels(3), "binary")
    torch.manual_seed(3)
    assert torch.equal(first, observe(levels(3), "binary"))


@given(st.integers(0, 5), st.integers(0, 2**31))
def test_binarised_data_pass_unchanged(n, seed):
    pixels = torch.randint(0, 2, (n, 28, 28), generator=seeded(seed), dtype=torch.uint8) * 255
    before = pixels.clone()
    x = observe(pixels, "binary", seeded(seed))
    assert torch.equal(x, pixels.view(n, 784) / 255)
    assert torch.equal(pixels, before)


def test_grey_is_pixels_over_255():
    assert torch.equal(observe(levels(2).view(2, 28, 28), "grey"), levels(2) / 255)


def test_dequantised_values_stay_in_their_cell():
    x = observe(levels(5000), "dequantised", seeded(2))
    assert float(x.min()) >= 0
    assert float(x.max()) < 1
    u = x.double() * 256 - levels(5000)
    assert float(u.min()) >= 0
    assert float(u.max()) <= 1
    assert abs(float(u.mean()) - 0.5) < 4 * np.sqrt(1 / 12 / u.numel())
    # Where float32 is coarsest: 255 + u must not become 256, whose logit is infinite.
    white = torch.full((20_000, 784), 255, dtype=torch.uint8)
    assert float(observe(white, "dequantised", seeded(3)).max()) < 1


def test_columns_and_slices_are_read_in_order():
    pixels = torch.randint(0, 2, (10, 28, 28), dtype=torch.uint8) * 255
    turned = pixels.transpose(1, 2)[::2]  # not contiguous
    assert torch.equal(observe(turned, "binary"), turned.reshape(5, 784) / 255)


@pytest.mark.parametrize(
    ("pixels", "kind", "message"),
    [
        (torch.zeros(2, 784), "binary", "uint8 tensor"),
        (torch.zeros(2, 784, dtype=torch.int64), "grey", "uint8 tensor"),
        (np.zeros((2, 784), np.uint8), "grey", "uint8 tensor"),
        (torch.zeros(28, 28, dtype=torch.uint8), "binary", r"not \[28, 28\]"),
        (torch.zeros(784, dtype=torch.uint8), "binary", "one image alone"),
        (torch.zeros(2, 1, 28, 28, dtype=torch.uint8), "binary", r"not \[2, 1, 28, 28\]"),
        (torch.zeros(2, 784, dtype=torch.uint8), "gray", "binary, grey, dequantised"),
    ],
)
def test_bad_input_is_refused(pixels, kind, message):
    with pytest.raises(ValueError, match=message):
        observe(pixels, kind)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_on_a_gpu_without_waiting_for_it():
    pixels = levels(2000).cuda()
    generator = torch.Generator("cuda").manual_seed(0)
    torch.cuda.set_sync_debug_mode("error")
    try:
        seen = {kind: observe(pixels, kind, generator) for kind in ("binary", "dequantised")}
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert abs(float(seen["binary"].mean()) - float((levels(1) / 255).mean())) < 4e-4
    assert float(seen["dequantised"].max()) < 1
