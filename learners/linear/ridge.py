"""Ridge regression."""

import torch
from jaxtyping import Float64
from torch import Tensor

PENALTIES = tuple(10.0**power for power in range(-18, 1, 2))  # relative to the number of samples


def ridge(triangle: Tensor, projected: Tensor, penalty: float) -> Float64[Tensor, "terms dim"]:
    """Weights that minimise |triangle w - projected|^2 + penalty |w|^2, without squaring the condition number."""
    terms = triangle.shape[1]
    rows = torch.cat([triangle, penalty**0.5 * torch.eye(terms, dtype=triangle.dtype, device=triangle.device)])
    orthogonal, factor = torch.linalg.qr(rows)
    return torch.linalg.solve_triangular(factor, orthogonal[: len(triangle)].T @ projected, upper=True)
