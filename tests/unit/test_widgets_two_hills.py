"""AuxiliaryExplorer in Python: its terms against scipy, its traits, its picture."""

import numpy as np
import pytest
from scipy import integrate, stats
from traitlets import TraitError

from vaeutil.widgets import AuxiliaryExplorer


def mixture(z, offset, sd):
    return 0.5 * (stats.norm.pdf(z, -offset, sd) + stats.norm.pdf(z, offset, sd))


@pytest.mark.parametrize(
    ("offset", "sd", "slope"), [(0.0, 2.0, 0.0), (2.0, 0.5, 2.0), (1.2, 0.8, 3.0), (2.5, 0.4, 0.5)]
)
def test_terms_are_scipys(offset, sd, slope):
    def gap(z):
        q = mixture(z, offset, sd)
        return q * np.log(q / mixture(z, 2.0, 0.5)) if q > 1e-250 else 0.0

    def penalty(z):  # over both faces of the coin
        total = 0.0
        for side in (-1, 1):
            joint = 0.5 * stats.norm.pdf(z, side * offset, sd)
            if joint > 1e-250:
                share = joint / mixture(z, offset, sd)
                total += joint * np.log(share * (1 + np.exp(-side * slope * z)))
        return total

    found = AuxiliaryExplorer(offset=offset, sd=sd, slope=slope).terms()
    for name, integrand in (("gap", gap), ("penalty", penalty)):
        exact = integrate.quad(integrand, -14, 14, limit=800, points=[-offset, 0, offset])[0]
        assert found[name] == pytest.approx(exact, abs=1e-6)
    assert found["total"] == pytest.approx(found["gap"] + found["penalty"], abs=1e-12)


def test_the_exact_guess_costs_nothing_and_a_flat_one_log_2():
    exact = AuxiliaryExplorer(offset=2.0, sd=0.5, slope=16.0).terms()
    assert exact == pytest.approx({"gap": 0, "penalty": 0, "total": 0}, abs=1e-9)
    flat = AuxiliaryExplorer(offset=2.0, sd=0.5, slope=0.0).terms()
    assert flat["gap"] == pytest.approx(0, abs=1e-9)
    assert flat["penalty"] == pytest.approx(np.log(2), abs=1e-4)


def test_picture_and_words():
    grey, alt = AuxiliaryExplorer().picture()
    assert grey.dtype == np.uint8
    assert "two hills" in alt


@pytest.mark.parametrize("start", [{"offset": -1.0}, {"sd": 0.0}, {"slope": 21.0}])
def test_a_trait_outside_its_slider_is_refused(start):
    with pytest.raises(TraitError, match="must be from"):
        AuxiliaryExplorer(**start)
