"""Maximum mean discrepancy (MMD): how far apart two laws are, as their samples show a kernel.

Gretton et al. 2012, "A kernel two-sample test" (JMLR 13). A kernel here is a function of *squared*
Euclidean distances, summed over dimensions, with k(0) = 1; MMD² has no unit and is at most 2.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

Kernel = Callable[[Tensor], Tensor]
MULTIPLES = (0.1, 1.0, 10.0)  # of 2d, the scales at which `imq_scales` looks


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """‖xᵢ − yⱼ‖², summed over the last axis: [n, d], [m, d] → [n, m].

    Raises ValueError unless both are matrices with rows of one length.
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(
            f"Two samples are [n, d] and [m, d], not {list(x.shape)} and {list(y.shape)}."
        )
    squares = x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.T
    return squares.clamp(min=0)  # rounding may leave a distance just below zero


def rbf(bandwidth: float) -> Kernel:
    """exp(−r²/(2 h²)), the Gaussian kernel of bandwidth h, in the unit of the points."""
    _positive("bandwidth", bandwidth)
    return lambda squares: torch.exp(-squares / (2 * bandwidth**2))


def imq(scale: float) -> Kernel:
    """C/(C + r²), the inverse multiquadric of scale C, in the *squared* unit of the points."""
    _positive("scale", scale)
    return lambda squares: scale / (scale + squares)


def imq_scales(latent: int) -> Kernel:
    """The mean of three inverse multiquadrics around C = 2d, the mean r² of two draws of N(0, I).

    A tenth of it for what is near, ten times it for what is far, as the WAE does (Tolstikhin et al.
    2017, arXiv:1711.01558, whose code takes the *sum* over more scales: a larger number).
    """
    parts = [imq(2 * latent * multiple) for multiple in MULTIPLES]
    return lambda squares: sum(part(squares) for part in parts) / len(parts)


def median_bandwidth(x: Tensor) -> float:
    """The median distance between two different rows of x, [n, d]: a bandwidth for `rbf`.

    Raises ValueError for fewer than two rows, or where the median distance is zero.
    """
    squares = squared_distances(_rows(x), x)
    n = len(x)
    pairs = squares[*torch.triu_indices(n, n, 1)]
    bandwidth = pairs.median().sqrt().item()
    if bandwidth == 0:
        raise ValueError("More than half of the rows coincide: their median distance is zero.")
    return bandwidth


def mmd2(x: Tensor, y: Tensor, kernel: Kernel) -> Tensor:
    """The unbiased estimate of MMD² between the laws of x, [n, d], and y, [m, d]: a scalar.

    Gretton et al. 2012, lemma 6: the mean of k over the n(n − 1) pairs of different rows of x, plus
    the same for y, minus twice the mean over all n·m pairs across. Its expectation is zero for
    equal laws, so it comes out negative about as often as not: take no square root of it.
    Differentiable. Raises ValueError for fewer than two rows, or rows of different lengths.
    """
    across = kernel(squared_distances(_rows(x), _rows(y))).mean()
    return _within(x, kernel) + _within(y, kernel) - 2 * across


def mmd2_biased(x: Tensor, y: Tensor, kernel: Kernel) -> Tensor:
    """MMD² between the two *samples* as laws, diagonal included: never negative, and too large.

    Gretton et al. 2012, equation 5. For equal laws, n rows each, its mean is 2 (1 − E k)/n.
    """
    x, y = _rows(x), _rows(y)
    within = sum(kernel(squared_distances(one, one)).mean() for one in (x, y))
    return within - 2 * kernel(squared_distances(x, y)).mean()


def normal_mmd2(z: Tensor, bandwidth: float) -> Tensor:
    """The unbiased MMD² between the law of z, [n, d], and N(0, I), with kernel `rbf(bandwidth)`.

    The prior's part is integrated, not drawn, so its noise is gone: E k(z, p) is a convolution of
    Gaussians, (h²/(h² + 1))^{d/2} exp(−‖z‖²/(2 (h² + 1))), and E k(p, p′) is (h²/(h² + 2))^{d/2}.
    Raises ValueError for fewer than two rows, or a bandwidth that is not positive.
    """
    kernel, d, h2 = rbf(bandwidth), _rows(z).shape[1], bandwidth**2
    across = (h2 / (h2 + 1)) ** (d / 2) * torch.exp(-z.square().sum(1) / (2 * (h2 + 1)))
    return _within(z, kernel) + (h2 / (h2 + 2)) ** (d / 2) - 2 * across.mean()


def _within(x: Tensor, kernel: Kernel) -> Tensor:
    """The mean of k over pairs of different rows."""
    n = len(x)
    values = kernel(squared_distances(x, x))
    return (values.sum() - values.diagonal().sum()) / (n * (n - 1))


def _rows(x: Tensor) -> Tensor:
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"A sample is [n, d] with at least two rows, not {list(x.shape)}.")
    return x


def _positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"The kernel's {name} must be a positive number, not {value!r}.")
