"""Ridge regression."""

import torch
from jaxtyping import Float64
from torch import Tensor

PENALTIES = tuple(10.0**power for power in range(-18, 1, 2))  # relative to the number of samples


def compress(
    design: Float64[Tensor, "rows terms"], targets: Float64[Tensor, "rows dim"]
) -> tuple[Float64[Tensor, "rank terms"], Float64[Tensor, "rank dim"]]:
    """Fewer equations with the same least-squares solutions: a triangular factor of the design, and a right-hand side.

    The rank is the number of terms, or that of the rows where these are fewer.
    """
    terms = design.shape[1]
    _, factor = torch.linalg.qr(torch.cat([design, targets], dim=1), mode="r")  # at half the cost of a factor Q
    return factor[:terms, :terms], factor[:terms, terms:]


def ridge(
    triangle: Float64[Tensor, "rank terms"], projected: Float64[Tensor, "rank dim"], penalty: float
) -> Float64[Tensor, "terms dim"]:
    """Weights that minimise |triangle w - projected|^2 + penalty |w|^2, without squaring the condition number."""
    terms = triangle.shape[1]
    penalties = penalty**0.5 * torch.eye(terms, dtype=triangle.dtype, device=triangle.device)
    factor, right = compress(
        torch.cat([triangle, penalties]), torch.cat([projected, projected.new_zeros(terms, projected.shape[1])])
    )
    return torch.linalg.solve_triangular(factor, right, upper=True)
