"""The importance-weighted bound L_k exactly, for any k, where one weight's law is known.

For weights w ≥ 0 with Laplace transform φ(t) = E[exp(−t w)], and S their sum over k draws,

    log s = ∫ (e^{−t} − e^{−ts}) dt/t   gives  E[log (S/k)] = ∫ (e^{−kt} − φ(t)^k) dt/t,
    1 / s = ∫ e^{−ts} dt                gives  E[1/(w + S′)] = ∫ e^{−tw} φ(t)^{k−1} dt,

the integrals over t > 0, S′ the sum of k − 1 others. So k draws cost no more than one integral.
The law of a weight is given by points of a quadrature: their log-weights and probabilities [n].
"""

import math

import torch
from torch import Tensor

STEP = 0.25
LOG_T = torch.arange(-80.0, 140.0, STEP, dtype=torch.float64)  # t = e^u, so dt/t = du


def expected_log_mean(log_w: Tensor, probabilities: Tensor, k: int) -> float:
    """L_k = E[log (1/k) Σ w] for k independent weights, in nats.

    Raises ValueError for k < 1, or unless log_w and probabilities are one [n].
    """
    _check(log_w, probabilities, k)
    log_w, probabilities = log_w.double(), probabilities.double()
    if k == 1:
        return (probabilities @ log_w).item()
    centre = _log_mean(log_w, probabilities)  # so that the weights have mean 1
    log_phi = _log_laplace(log_w - centre, probabilities)
    integrand = (-k * LOG_T.exp()).exp() - (k * log_phi).exp()
    return centre + STEP * integrand.sum().item()


def resampled(log_w: Tensor, probabilities: Tensor, k: int, at: Tensor) -> Tensor:
    """q_k / q where a draw has log-weight `at` [m]: the law of one of k draws, chosen by weight.

    k E[w / Σ w] with the draw itself among the k. At k = 1 it is 1 everywhere; times q it is a
    density. (Cremer, Morris & Duvenaud 2017, arXiv:1704.02916, eq. 5.) Raises as
    `expected_log_mean`.
    """
    _check(log_w, probabilities, k)
    if k == 1:
        return torch.ones_like(at, dtype=torch.float64)
    log_w, probabilities = log_w.double(), probabilities.double()
    centre = _log_mean(log_w, probabilities)
    log_phi = _log_laplace(log_w - centre, probabilities)
    log_ratio = (at.double() - centre)[:, None] + LOG_T  # log of w t
    log_parts = log_ratio - log_ratio.exp() + (k - 1) * log_phi
    return k * STEP * log_parts.exp().sum(-1)


def _log_laplace(log_w: Tensor, probabilities: Tensor) -> Tensor:
    """log φ at the points LOG_T, accurate where φ is nearly 1."""
    missing = -torch.expm1(-(log_w + LOG_T[:, None]).exp()) @ probabilities
    return torch.log1p(-missing.clamp(max=1))


def _log_mean(log_w: Tensor, probabilities: Tensor) -> float:
    return (log_w + probabilities.log()).logsumexp(0).item()


def _check(log_w: Tensor, probabilities: Tensor, k: int) -> None:
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k counts draws: a whole number from 1 on, not {k!r}.")
    if (
        log_w.ndim != 1
        or log_w.shape != probabilities.shape
        or not math.isclose(probabilities.sum().item(), 1, abs_tol=1e-6)
    ):
        raise ValueError("Log-weights and probabilities must be one [n], the latter with sum 1.")
