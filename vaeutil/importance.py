"""What importance weights say: the logarithm of their mean, its error, and what they are worth.

Weights come as logarithms, draws along the first axis: log_w [n, ...], as `log_weights` gives them.
"""

import math

import torch
from torch import Tensor


def log_mean(log_w: Tensor) -> Tensor:
    """log (1/n) Σ w over the first axis: [n, ...] → [...], without under- or overflow.

    Of an unbiased estimate it is the logarithm, so in expectation too low (Jensen's inequality).
    Raises ValueError when there is no draw.
    """
    return _checked(log_w, 1).logsumexp(0) - math.log(len(log_w))


def log_mean_error(log_w: Tensor) -> Tensor:
    """The standard error of `log_mean`, to first order: std(w) / (mean(w) √n), [n, ...] → [...].

    It is made from the draws at hand: where those have missed what matters, it is too small.
    Raises ValueError for fewer than two draws.
    """
    relative = (_checked(log_w, 2) - log_mean(log_w)).exp()  # mean 1
    return relative.std(0) / math.sqrt(len(log_w))


def effective_sample_size(log_w: Tensor) -> Tensor:
    """(Σ w)² / Σ w² over the first axis: [n, ...] → [...], between 1 and n.

    Kong 1992; Owen, Monte Carlo theory, methods and examples, section 9.3. Small values warn;
    large ones prove nothing, for what no draw has visited does not count.
    Raises ValueError when there is no draw.
    """
    return 1 / _checked(log_w, 1).softmax(0).square().sum(0)


def _checked(log_w: Tensor, least: int) -> Tensor:
    if not isinstance(log_w, torch.Tensor) or log_w.ndim == 0 or len(log_w) < least:
        found = list(log_w.shape) if isinstance(log_w, torch.Tensor) else type(log_w).__name__
        raise ValueError(f"Log-weights need at least {least} draws on the first axis, not {found}.")
    return log_w
