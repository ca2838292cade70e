"""Whether single latent numbers follow single factors: the mutual information gap, and an angle."""

import math

import torch
from torch import Tensor

BINS = 20


def information(z: Tensor, factors: Tensor, bins: int = BINS) -> Tensor:
    """Mutual information of each factor with each latent number, in nats: [factors, latent].

    z: [n, latent], draws from the posteriors of n images; factors: [n, factors] of the same images,
    real numbers without ties. Every column is cut into `bins` bins of equal probability, so no
    entry exceeds log(bins); for independent columns the estimate is about (bins − 1)²/2n, not 0.

    Give draws, not posterior means: the mean of a dead dimension still is a function of the image,
    and its ranks may tell much, though no draw does. Raises ValueError when the numbers of rows
    differ, or n is below bins².
    """
    if len(z) != len(factors) or len(z) < bins**2:
        raise ValueError(
            f"{len(z)} codes and {len(factors)} factors: as many of each, at least {bins**2}."
        )
    codes, truths = (_binned(columns, bins) for columns in (z, factors))
    table = torch.empty(factors.shape[1], z.shape[1], dtype=torch.float64)
    for i, truth in enumerate(truths.T):
        for j, code in enumerate(codes.T):
            joint = torch.bincount(truth * bins + code, minlength=bins**2).double() / len(z)
            table[i, j] = torch.special.xlogy(joint, joint).sum() + _entropy(truth) + _entropy(code)
    return table


def gaps(table: Tensor, bins: int = BINS) -> Tensor:
    """The mutual information gap of each factor (Chen et al. 2018, arXiv:1802.04942, eq. 6).

    How much more the best latent number knows of a factor than the second best does, divided by
    the entropy log(bins) of the factor: [factors, latent] → [factors], 1 at best. Their mean is the
    MIG. Raises ValueError for fewer than two latent numbers.
    """
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"A gap needs at least two latent numbers: {list(table.shape)}.")
    best, second = table.topk(2, dim=1).values.unbind(1)
    return (best - second) / math.log(bins)


def direction(z: Tensor, place: Tensor) -> float:
    """The angle in the plane along which z changes with place, in degrees in [−90, 90).

    z: [n], one latent number; place: [n, 2]; by linear regression of z on place.
    """
    design = torch.cat([place, torch.ones(len(place), 1)], dim=1)
    slope = torch.linalg.lstsq(design, z[:, None]).solution[:2, 0]
    return (math.degrees(math.atan2(slope[1], slope[0])) + 90) % 180 - 90


def explained(z: Tensor, target: Tensor) -> float:
    """R² of a linear regression of target [n, m] on all latent numbers z [n, latent] together."""
    design = torch.cat([z, torch.ones(len(z), 1)], dim=1)
    rest = target - design @ torch.linalg.lstsq(design, target).solution
    return 1 - (rest.square().sum() / (target - target.mean(0)).square().sum()).item()


def _binned(columns: Tensor, bins: int) -> Tensor:
    """Each number's bin among its column, by rank: [n, m] → [n, m], from 0 to bins − 1."""
    return columns.argsort(0).argsort(0) * bins // len(columns)


def _entropy(labels: Tensor) -> Tensor:
    share = torch.bincount(labels).double() / len(labels)
    return -torch.special.xlogy(share, share).sum()
