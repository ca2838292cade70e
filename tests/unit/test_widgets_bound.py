"""BoundExplorer in Python: its curves, its traits, its errors."""

import numpy as np
import pytest
from scipy import stats
from traitlets import TraitError

from vaeutil.widgets import BoundExplorer


def test_curves_of_the_linear_decoder_are_known():
    explorer = BoundExplorer(2.0, 0.5, w=1.5, mean=0.3, sd=0.7)
    curves = explorer.curves()
    precision = 1 + 1.5**2 / 0.5
    posterior = stats.norm(1.5 * 2 / 0.5 / precision, precision**-0.5)
    np.testing.assert_allclose(curves["posterior"], posterior.pdf(curves["z"]), atol=1e-9)
    np.testing.assert_allclose(curves["q"], stats.norm(0.3, 0.7).pdf(curves["z"]), atol=1e-12)
    evidence = stats.norm(0, (1.5**2 + 0.5) ** 0.5).logpdf(2.0)
    assert curves["log p(x)"] == pytest.approx(evidence, abs=1e-9)


def test_the_square_has_two_hills_of_equal_mass():
    curves = BoundExplorer(w=2.0, square=1).curves()
    assert np.trapezoid(curves["posterior"], curves["z"]) == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(curves["posterior"], curves["posterior"][::-1], rtol=1e-9)
    assert curves["posterior"][600] < 0.1 * curves["posterior"].max()


def test_picture_and_words():
    grey, alt = BoundExplorer().picture()
    assert grey.dtype == np.uint8
    assert grey.ndim == 2
    assert "log p(x) is" in alt


@pytest.mark.parametrize(("x", "v"), [(float("nan"), 0.5), (2.0, 0.0), (2.0, float("inf"))])
def test_impossible_numbers_are_refused(x, v):
    with pytest.raises(ValueError, match="v at least"):
        BoundExplorer(x, v)


@pytest.mark.parametrize("start", [{"mean": 4.0}, {"sd": 0.0}, {"w": -0.1}, {"square": 2}])
def test_a_trait_outside_its_slider_is_refused(start):
    with pytest.raises(TraitError, match="must be from"):
        BoundExplorer(**start)


def test_page_carries_the_state():
    page = BoundExplorer(w=1.25).to_html()
    assert page.startswith("<bound-explorer ")
    assert "1.25" in page
