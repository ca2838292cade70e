"""How sharp an image is: its gradient energy, and its power by spatial frequency.

Both are quadratic in the image, so both split exactly over a mean and what scatters about it:
E S(x) = S(E x) + E S(x − E x). An average is never sharper than its members are on average.
"""

import numpy as np
import torch
from scipy.fft import dctn
from torch import Tensor

from vaeutil.nets import PIXELS, SIDE

PAIRS = 2 * SIDE * (SIDE - 1)  # pixels side by side, or one above the other: 1,512
FINE = SIDE // 2  # frequencies from here on have wavelengths below four pixels


def gradient_energy(x: Tensor) -> Tensor:
    """The sum of squared differences of neighbouring pixels: [..., 784] → [...], grey levels².

    Zero for an even grey. White noise of standard deviation σ adds 2σ² for each of the PAIRS.
    Raises ValueError when the last axis is not an image.
    """
    image = _images(x)
    across = image.diff(dim=-1).square().sum((-2, -1))
    return across + image.diff(dim=-2).square().sum((-2, -1))


def power(x: Tensor) -> Tensor:
    """Power at each frequency, mean over the images: [n, 784] → [28, 28], grey levels².

    The square of the orthonormal cosine transform: entry (u, v) belongs to waves of 56/u pixels
    downwards and 56/v pixels across, and all entries add up to the sum of squares. The gradient
    energy is their sum weighted by 4 − 2cos(πu/28) − 2cos(πv/28).
    """
    waves = dctn(_images(x).double().numpy(), axes=(-2, -1), norm="ortho")
    return torch.from_numpy(np.square(waves).reshape(-1, SIDE, SIDE).mean(0))


def spectrum(x: Tensor) -> Tensor:
    """Mean power of one wave by the length of its frequency: [n, 784] → [28], grey levels².

    Entry f gathers the waves (u, v) whose √(u² + v²) rounds to f; the corner beyond is left out.
    """
    ring, p = _radius().round().long(), power(x)
    return torch.stack([p[ring == f].mean() for f in range(SIDE)])


def fine_share(x: Tensor) -> float:
    """The share of the power, but that of the even grey, at wavelengths below four pixels."""
    p = power(x)
    fine = p[_radius() > FINE].sum()
    return (fine / (p.sum() - p[0, 0])).item()


def _radius() -> Tensor:
    f = torch.arange(SIDE, dtype=torch.float64)
    return (f.square()[:, None] + f.square()).sqrt()


def _images(x: Tensor) -> Tensor:
    if x.shape[-1] != PIXELS:
        raise ValueError(f"An image has {PIXELS} pixels along the last axis, not {list(x.shape)}.")
    return x.detach().cpu().reshape(*x.shape[:-1], SIDE, SIDE)
