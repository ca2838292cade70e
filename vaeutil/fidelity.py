"""How much a set of generated images looks like a set of real ones: distances between features.

Every function takes two feature sets [n, F], made by one network, such as
`load_classifier().features`. Their values depend on that network: compare them only with values
from the same one, and with the floor, a set of real images against another.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Score:
    """A mean over blocks of images with its standard error; `values` holds one number a block."""

    values: Tensor

    @property
    def mean(self) -> float:
        """The mean over blocks."""
        return self.values.mean().item()

    @property
    def stderr(self) -> float:
        """The standard error of the mean: the blocks share no image, so they are independent."""
        return self.values.std().item() / math.sqrt(len(self.values))

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.stderr:.4f}"


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1]: of the generated among the real, and of the real among the generated."""

    precision: float
    recall: float


def mmd2(real: Tensor, fake: Tensor) -> float:
    """The squared maximum mean discrepancy, unbiased, with the kernel (x·y/F + 1)³.

    Its mean is zero for two sets from one law, so it may come out negative. Gretton et al. 2012
    (JMLR 13), lemma 6; the kernel is that of Bińkowski et al. 2018 (arXiv:1801.01401).
    Raises ValueError for sets of other shapes or of fewer than two rows.
    """
    real, fake = _checked(real, fake, least=2)
    n, m = len(real), len(fake)
    within = _pairs(_kernel(real, real)) / (n * (n - 1)) + _pairs(_kernel(fake, fake)) / (
        m * (m - 1)
    )
    return (within - 2 * _kernel(real, fake).mean()).item()


def kid(real: Tensor, fake: Tensor, block: int = 500) -> Score:
    """The kernel distance (KID): the mean of `mmd2` over disjoint blocks, with standard error.

    Bińkowski et al. 2018 (arXiv:1801.01401) draw overlapping subsets; disjoint blocks have the same
    mean, and a standard error that can be taken at its word. The rows must be in random order; the
    longer set loses what the shorter has no partner for. Unbiased for any number of images.
    Raises ValueError unless each set fills at least two blocks.
    """
    real, fake = _checked(real, fake, least=2 * block)
    parts = min(len(real), len(fake)) // block
    values = [
        mmd2(real[i * block : (i + 1) * block], fake[i * block : (i + 1) * block])
        for i in range(parts)
    ]
    return Score(torch.tensor(values, dtype=torch.float64))


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """The squared Fréchet (2-Wasserstein) distance between Gaussians fitted to the two sets.

    ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), as in Heusel et al. 2017 (arXiv:1706.08500), who take the
    features of an Inception network. Biased: it rises as the sets shrink, so compare it at one size
    only. Raises ValueError for sets of other shapes or of fewer than two rows.
    """
    real, fake = _checked(real, fake, least=2)
    cov1, cov2 = (torch.atleast_2d(x.T.cov()) for x in (real, fake))
    # tr (Σ₁Σ₂)^½ is the sum of the singular values of Σ₁^½ Σ₂^½: no root of a product that is not
    # symmetric, and no complex numbers from rounding.
    cross = torch.linalg.svdvals(_root(cov1) @ _root(cov2)).sum()
    shift = (real.mean(0) - fake.mean(0)).square().sum()
    return (shift + cov1.trace() + cov2.trace() - 2 * cross).clamp(min=0).item()


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991).

    A set's region is the union of balls about its points, each reaching to its k-th neighbour in
    the set. Precision: the share of `fake` within the region of `real`; recall: the share of
    `real` within that of `fake`. Both depend on k and on the number of images.
    Raises ValueError for k < 1, sets of other shapes, or with no k neighbours.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k counts neighbours: a whole number from 1 on, not {k!r}.")
    real, fake = _checked(real, fake, least=k + 1)
    return PrecisionRecall(_share_within(fake, real, k), _share_within(real, fake, k))


def _share_within(points: Tensor, region: Tensor, k: int) -> float:
    # The smallest distance is a point's own, zero; so the k-th neighbour is number k + 1.
    radii = _each(region, lambda part: _distances(part, region).kthvalue(k + 1, dim=1).values)
    inside = _each(points, lambda part: (_distances(part, region) <= radii).any(1))
    return inside.double().mean().item()


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # Not by the expanded square: that is 1e-6 off zero, more than the radius of a repeated image.
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def _each(x: Tensor, function) -> Tensor:
    return torch.cat([function(part) for part in x.split(500)])


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _pairs(kernel: Tensor) -> Tensor:
    """The sum over pairs of different rows: the diagonal compares images with themselves."""
    return kernel.sum() - kernel.diagonal().sum()


def _root(cov: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def _checked(real: Tensor, fake: Tensor, least: int) -> tuple[Tensor, Tensor]:
    """Both in double precision on the CPU."""
    for features in (real, fake):
        if features.ndim != 2 or features.shape[1] != real.shape[1]:
            raise ValueError(
                "Two sets of features have one shape, [n, F] and [m, F]; these have "
                f"{list(real.shape)} and {list(fake.shape)}."
            )
        if len(features) < least:
            raise ValueError(f"Each set needs at least {least} images; one has {len(features)}.")
        if not features.isfinite().all():
            raise ValueError("A feature is not finite.")
    return real.detach().cpu().double(), fake.detach().cpu().double()
