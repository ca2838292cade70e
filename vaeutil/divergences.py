"""Kullback-Leibler divergences between Gaussians, in nats."""

import torch
from torch import Tensor


def gaussian_kl(mean: Tensor, std: Tensor) -> Tensor:
    """KL(N(mean, std²) ‖ N(0, 1)), summed over the last axis: [..., d] → [...], in nats.

    Kingma & Welling 2013 (arXiv:1312.6114), appendix B: ½ Σ (μ² + σ² − 1 − log σ²).
    Raises ValueError when the shapes differ or the last axis is missing.
    """
    _same_shape(mean=mean, std=std)
    return 0.5 * (mean.square() + std.square() - 1 - 2 * std.log()).sum(-1)


def gaussian_kl_between(mean1: Tensor, std1: Tensor, mean2: Tensor, std2: Tensor) -> Tensor:
    """KL(N(mean1, std1²) ‖ N(mean2, std2²)) of diagonal Gaussians: [..., d] → [...], in nats.

    ½ Σ ((σ₁² + (μ₁ − μ₂)²)/σ₂² − 1 − log σ₁²/σ₂²); with d = 1 the univariate divergence.
    Raises ValueError when the shapes differ.
    """
    _same_shape(mean1=mean1, std1=std1, mean2=mean2, std2=std2)
    ratio = std1 / std2
    distance = (mean1 - mean2) / std2
    return 0.5 * (distance.square() + ratio.square() - 1 - 2 * ratio.log()).sum(-1)


def gaussian_kl_full(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    """KL(N(mean1, cov1) ‖ N(mean2, cov2)) with full covariances [..., d, d] → [...], in nats.

    ½ (tr(Σ₂⁻¹Σ₁) + (μ₂ − μ₁)ᵀΣ₂⁻¹(μ₂ − μ₁) − d + log |Σ₂|/|Σ₁|), by Cholesky factors: no inverse,
    no determinant that overflows. Raises ValueError when the shapes do not match or a covariance
    is not positive definite.
    """
    _same_shape(mean1=mean1, mean2=mean2)
    _same_shape(cov1=cov1, cov2=cov2)
    d = mean1.shape[-1]
    if cov1.shape[-2:] != (d, d):
        raise ValueError(
            f"A mean of {d} numbers needs a {d}×{d} covariance, not {cov1.shape[-2:]}."
        )
    root1, root2 = _cholesky("cov1", cov1), _cholesky("cov2", cov2)
    distance = torch.linalg.solve_triangular(root2, (mean1 - mean2).unsqueeze(-1), upper=False)
    ratio = torch.linalg.solve_triangular(root2, root1, upper=False)
    log_det = 2 * (_log_diagonal(root2) - _log_diagonal(root1))
    return 0.5 * (ratio.square().sum((-2, -1)) + distance.square().sum((-2, -1)) - d + log_det)


def _log_diagonal(root: Tensor) -> Tensor:
    return root.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _cholesky(name: str, cov: Tensor) -> Tensor:
    root, info = torch.linalg.cholesky_ex(cov)
    if info.any():
        raise ValueError(f"{name} is not positive definite, so it is no covariance of a density.")
    return root


def _same_shape(**tensors: Tensor) -> None:
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    if len(set(shapes.values())) > 1 or () in shapes.values():
        raise ValueError(f"These must have one shape, with at least one axis: {shapes}.")
