"""From the strokes of a pen to 28 × 28 grey levels, placed and inked as MNIST's digits are.

The page does the same in JavaScript (static/draw.js); a test holds the two together.
"""

import numpy as np

SIDE = 28
PEN = 2.6  # pixels; with an edge of one pixel, strokes as wide as MNIST's, and as sharp
BOX = 20  # pixels along the longer side of a digit, ink and edge included
CENTRE = 14.0  # where MNIST puts the centre of mass, in rows and columns counted from 0
MOST = 4.0  # a dot is not blown up to the whole box


def rasterise(strokes) -> np.ndarray:
    """Grey levels float [28, 28] in [0, 1] of strokes [[(x, y), …], …], in any unit; y points down.

    As the makers of MNIST did (LeCun et al. 1998, Proc. IEEE 86, section III.A): the digit is
    scaled to fit a box of 20 × 20 pixels, its proportions kept, and placed with its centre of mass
    in the middle. The pen's width does not depend on the scale. No strokes give black.
    Raises ValueError for points that are not pairs of finite numbers.
    """
    lines = [np.asarray(stroke, float).reshape(len(stroke), -1) for stroke in strokes if stroke]
    if any(line.shape[1] != 2 or not np.isfinite(line).all() for line in lines):
        raise ValueError("A stroke is a row of points (x, y), two finite numbers each.")
    if not lines:
        return np.zeros((SIDE, SIDE))
    points = np.concatenate(lines)
    low, high = points.min(0), points.max(0)
    scale = min(MOST, (BOX - PEN - 1) / max((high - low).max(), 1e-9))
    lines = [scale * (line - (low + high) / 2) + CENTRE for line in lines]
    levels = _ink(lines)
    rows, columns = np.indices(levels.shape)
    mass = np.array([(levels * columns).sum(), (levels * rows).sum()]) / levels.sum()
    return _ink([line + CENTRE - mass for line in lines])


def _ink(lines) -> np.ndarray:
    """How much of each pixel a round pen covers: a ramp one pixel wide at its edge."""
    rows, columns = np.indices((SIDE, SIDE))
    pixel = np.stack([columns, rows], -1).astype(float)
    nearest = np.full((SIDE, SIDE), np.inf)
    for line in lines:
        for start, end in zip(line, line[1:] if len(line) > 1 else line, strict=False):
            along = end - start
            share = ((pixel - start) @ along / max(along @ along, 1e-12)).clip(0, 1)
            away = np.linalg.norm(pixel - start - share[..., None] * along, axis=-1)
            nearest = np.minimum(nearest, away)
    return (PEN / 2 + 0.5 - nearest).clip(0, 1)
