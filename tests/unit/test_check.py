import numpy as np
import pytest
import torch

from vaeutil.check import agree


def test_prints_both_values_and_the_tolerance(capsys):
    agree("half", 0.5, 0.5000001, atol=1e-6)
    out = capsys.readouterr().out
    assert "half" in out
    assert "0.5 and 0.5" in out
    assert "1e-06" in out


def test_prints_the_standard_error(capsys):
    agree("mean", 1.01, 1.0, se=0.01)
    assert "1.0 standard errors of 0.01 (allowed 4)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("left", "right", "allowed"),
    [
        (1.0, 1.1, {"atol": 0.05}),
        (1.0, 1.1, {"rtol": 0.05}),
        (1.0, 1.1, {"se": 0.02}),
        (float("nan"), 1.0, {"atol": 1.0}),
        (1.0, float("nan"), {"se": 1.0}),
        (float("inf"), float("inf"), {"atol": 1.0}),
        ([1.0, 2.0], [1.0, 2.1], {"atol": 0.01}),
        (torch.tensor([1.0, float("nan")]), 1.0, {"atol": 0.01}),
    ],
)
def test_a_difference_raises(left, right, allowed):
    with pytest.raises(AssertionError, match="DIFFER"):
        agree("these", left, right, **allowed)


@pytest.mark.parametrize(
    ("left", "right", "allowed"),
    [
        (1.0, 1.1, {"atol": 0.11}),
        (100.0, 101.0, {"rtol": 0.01}),
        (1.0, 1.1, {"se": 0.026}),
        (np.array([1.0, 2.0]), torch.tensor([1.0, 2.0]), {"atol": 0}),
        ([[1.0], [1.0]], 1.0, {"atol": 0}),
        ([1.0, 2.0], [1.0, 2.5], {"se": [0.001, 0.2]}),
    ],
)
def test_within_the_allowance_passes(left, right, allowed):
    agree("these", left, right, **allowed)


def test_the_worst_element_is_the_one_printed(capsys):
    agree("list", [1.0, 2.0, 3.0], [1.0, 2.5, 3.1], atol=1)
    assert "3 values, the worst: 2 and 2.5" in capsys.readouterr().out


def test_exactly_one_allowance():
    with pytest.raises(ValueError, match="exactly one"):
        agree("x", 1, 1)
    with pytest.raises(ValueError, match="exactly one"):
        agree("x", 1, 1, atol=1, se=1)


def test_shapes_must_match():
    with pytest.raises(ValueError, match="cannot be compared"):
        agree("x", [1.0, 2.0], [1.0, 2.0, 3.0], atol=1)


@pytest.mark.parametrize("se", [0.0, float("nan"), float("inf")])
def test_a_useless_standard_error_is_refused(se):
    with pytest.raises(AssertionError, match="standard error"):
        agree("x", 1.0, 1.0, se=se)
