"""The asserting cell: print two numbers that ought to be equal, and fail when they are not."""

import math

import numpy as np
import torch


def agree(what, left, right, *, atol=None, rtol=None, se=None, sigmas=4.0):
    """Print `left` and `right` with the allowed difference, and raise when they differ by more.

    Give exactly one measure of what is allowed:

    - `atol`: an absolute difference, for numbers that should be equal up to rounding;
    - `rtol`: a difference relative to the larger of |left| and |right|;
    - `se`: the standard error of `left - right`, for Monte Carlo; `sigmas` of them are allowed.
      With the default of 4, an honest comparison fails once in 16,000 draws.

    `left` and `right` are numbers, arrays or tensors of one shape (a number compares with each
    element). Of an array, the element furthest beyond its allowance is printed.

    Raises AssertionError when they differ, when either is not finite, or when a standard error is
    not a positive number; ValueError when none or several of atol, rtol, se are given, or the
    shapes do not match.
    """
    if sum(v is not None for v in (atol, rtol, se)) != 1:
        raise ValueError("agree needs exactly one of atol, rtol and se.")
    left, right = _array(left), _array(right)
    if left.shape != right.shape and left.size != 1 and right.size != 1:
        raise ValueError(f"{what}: shapes {left.shape} and {right.shape} cannot be compared.")
    left, right = np.broadcast_arrays(left, right)
    if se is not None:
        se = np.broadcast_to(_array(se), left.shape)
        if not (np.isfinite(se) & (se > 0)).all():
            raise AssertionError(f"{what}: a standard error must be positive; atol is for exact.")
        allowed = sigmas * se
    elif rtol is not None:
        allowed = rtol * np.maximum(np.abs(left), np.abs(right))
    else:
        allowed = np.full(left.shape, float(atol))

    with np.errstate(invalid="ignore"):  # inf − inf is reported below, not warned about
        excess = np.abs(left - right) - allowed
    bad = ~np.isfinite(left) | ~np.isfinite(right) | (excess > 0)
    at = np.unravel_index(np.argmax(np.where(np.isnan(excess), np.inf, excess)), excess.shape)
    a, b, tol = left[at], right[at], allowed[at]
    digits = 4 if se is not None else 6
    apart = abs(float(a) - float(b))
    text = f"{_short(a, digits)} and {_short(b, digits)}, apart by {apart:.2g}"
    if se is not None:
        text += f" = {apart / se[at]:.1f} standard errors of {se[at]:.2g} (allowed {sigmas:g})"
    else:
        text += f" (allowed {tol:.2g})"
    where = f", {left.size:,} values, the worst" if left.size > 1 else ""
    if bad.any():
        raise AssertionError(f"{what}{where}: {text}: they DIFFER.")
    print(f"✓ {what}{where}: {text}")


def _array(value) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().double().numpy()
    return np.asarray(value, dtype=float)


def _short(value: float, digits: int) -> str:
    """Six digits for exact numbers, four for estimates, never "-0"."""
    if not math.isfinite(value):
        return str(value)
    return f"{value + 0.0:.{digits}g}" if value else "0"
