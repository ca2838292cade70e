"""WeightedBound in Python: its bound and its implied law, its traits, its errors."""

import numpy as np
import pytest
import torch
from scipy import stats
from traitlets import TraitError

from vaeutil.widgets import WeightedBound


def test_the_bound_lies_between_elbo_and_evidence():
    explorer = WeightedBound(2.0, 0.5, mean=0.8, sd=0.4)
    evidence = stats.norm(0, 1.5**0.5).logpdf(2.0)
    fit = stats.norm(0, 0.5**0.5).logpdf(2.0 - 0.8) - 0.5 * 0.4**2 / 0.5
    kl = 0.5 * (0.8**2 + 0.4**2 - 1) - np.log(0.4)
    values = [explorer.bound(k) for k in (1, 3, 30, 1_000)]
    assert values[0] == pytest.approx(fit - kl, abs=1e-9)
    assert values == sorted(values)
    assert values[-1] < evidence
    assert explorer.bound() == explorer.bound(10)


def test_an_exact_q_has_no_gap_and_leaves_nothing_to_choose():
    explorer = WeightedBound(2.0, 0.5, mean=2 / 1.5, sd=(0.5 / 1.5) ** 0.5, k=50)
    assert explorer.bound() == pytest.approx(stats.norm(0, 1.5**0.5).logpdf(2.0), abs=1e-9)
    z = torch.linspace(-1, 3, 9, dtype=torch.float64)
    posterior = stats.norm(2 / 1.5, (0.5 / 1.5) ** 0.5)
    np.testing.assert_allclose(explorer.implied(z), posterior.pdf(z), atol=1e-8)


def test_the_draw_that_is_chosen_is_drawn():
    """Sampling, weighting, choosing one of k: its law is `implied`."""
    explorer = WeightedBound(2.0, 0.5, mean=0.3, sd=0.9, square=1, k=8)
    torch.manual_seed(0)
    z = 0.3 + 0.9 * torch.randn(40_000, 8, dtype=torch.float64)
    chosen = torch.distributions.Categorical(logits=explorer.log_weight(z)).sample()
    drawn = z.gather(1, chosen[:, None])[:, 0].numpy()
    grid = torch.linspace(-6, 6, 2_401, dtype=torch.float64)
    cdf = torch.cumulative_trapezoid(explorer.implied(grid), grid)
    found = stats.kstest(drawn, lambda at: np.interp(at, grid[1:], cdf))
    assert found.pvalue > 1e-3


def test_picture_and_words():
    grey, alt = WeightedBound().picture()
    assert grey.dtype == np.uint8
    assert grey.ndim == 2
    assert "The bound is −" in alt.replace("-", "−")
    assert WeightedBound(k=25).to_html().startswith("<weighted-bound ")


@pytest.mark.parametrize(("x", "v"), [(float("nan"), 0.5), (2.0, 0.0), (2.0, float("inf"))])
def test_impossible_numbers_are_refused(x, v):
    with pytest.raises(ValueError, match="v at least"):
        WeightedBound(x, v)


@pytest.mark.parametrize("start", [{"mean": 4.0}, {"sd": 0.0}, {"k": 0}, {"square": 2}])
def test_a_trait_outside_its_slider_is_refused(start):
    with pytest.raises(TraitError, match="must be from"):
        WeightedBound(**start)
