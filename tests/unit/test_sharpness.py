"""Gradient energy and spectra against direct sums, and the split over mean and rest."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaeutil.sharpness import PAIRS, fine_share, gradient_energy, power, spectrum

X = torch.rand(5, 784, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def by_hand(x):
    image, total, pairs = np.asarray(x).reshape(28, 28), 0.0, 0
    for i in range(28):
        for j in range(28):
            for k, m in ((i + 1, j), (i, j + 1)):
                if k < 28 and m < 28:
                    total += (image[i, j] - image[k, m]) ** 2
                    pairs += 1
    return total, pairs


def test_gradient_energy_is_the_sum_over_neighbours():
    want, pairs = by_hand(X[0])
    assert pairs == PAIRS
    assert gradient_energy(X)[0].item() == pytest.approx(want, rel=1e-12)
    assert gradient_energy(X.view(5, 1, 784)).shape == (5, 1)
    assert gradient_energy(torch.full((784,), 0.3)).item() == 0


def test_the_power_adds_up_to_squares_and_weighted_to_the_gradient_energy():
    p = power(X)
    assert p.sum().item() == pytest.approx(X.square().sum(1).mean().item(), rel=1e-12)
    u = torch.arange(28, dtype=torch.float64) * torch.pi / 28
    weight = 4 - 2 * u.cos()[:, None] - 2 * u.cos()
    assert (weight * p).sum().item() == pytest.approx(gradient_energy(X).mean().item(), rel=1e-12)


def test_one_wave_has_its_power_at_its_own_frequency():
    wave = torch.cos(torch.pi * (torch.arange(28, dtype=torch.float64) + 0.5) * 20 / 28)
    across = wave.expand(28, 28).reshape(1, 784)
    p = power(across)
    assert p[0, 20].item() == pytest.approx(across.square().sum().item(), rel=1e-12)
    assert spectrum(across).argmax() == 20
    assert fine_share(across) == pytest.approx(1.0)
    assert fine_share(across.view(28, 28).T.reshape(1, 784) + 5) == pytest.approx(1.0)
    slow = torch.cos(torch.pi * (torch.arange(28.0) + 0.5) * 3 / 28).expand(28, 28).reshape(1, 784)
    assert fine_share(slow) == pytest.approx(0.0, abs=1e-6)


def test_white_noise_is_flat_and_adds_two_variances_a_pair():
    noise = 0.3 * torch.randn(2_000, 784, generator=torch.Generator().manual_seed(1))
    energy = gradient_energy(noise)
    se = energy.std() / len(energy) ** 0.5
    assert abs(energy.mean() - 2 * 0.09 * PAIRS) < 4 * se
    assert (spectrum(noise) / 0.09 - 1).abs().max() < 0.15


@given(st.integers(1, 20), st.integers(0, 2**31))
def test_an_average_loses_exactly_the_energy_of_the_rest(n, seed):
    x = torch.randn(n, 784, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    mean = x.mean(0)
    split = gradient_energy(mean) + gradient_energy(x - mean).mean()
    assert split.item() == pytest.approx(gradient_energy(x).mean().item(), rel=1e-9)


@pytest.mark.parametrize("measure", [gradient_energy, power, spectrum, fine_share])
def test_what_is_no_image_is_refused(measure):
    with pytest.raises(ValueError, match="784 pixels along the last axis"):
        measure(torch.zeros(3, 28, 28))
