"""Ridge regression, with the penalty chosen by forecasts of validation data."""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor

from systems import Dataset

PENALTIES = tuple(10.0**power for power in range(-18, 1, 2))  # relative to the number of samples
FORECAST = 4.0  # timescales that validation forecasts run, where the trajectories are that long
LOWEST, HIGHEST = 1e-12, 1e2  # errors in standard deviations beyond which they are all the same


def forecast_error(step: Callable[[Tensor], Tensor], dataset: Dataset, reach: int) -> float:
    """How well a map runs freely on the validation data: mean logarithm of its error over a few timescales.

    `step` takes windows `[batch, reach, dim]` of standardised states one sample on. Errors are bounded on both sides.
    """
    states = dataset.standardise(dataset.valid.states)
    horizon = min(round(FORECAST / dataset.sampling.step), states.shape[1] - reach)
    starts = torch.arange(reach - 1, states.shape[1] - horizon, max(1, horizon // 4))
    window = torch.stack([states[:, starts - lag] for lag in range(reach - 1, -1, -1)], dim=2).flatten(0, 1)
    truth = torch.stack([states[:, starts + ahead].flatten(0, 1) for ahead in range(1, horizon + 1)])
    return mean_log_error(step, lambda window: window[:, -1], window, truth)


def mean_log_error(
    step: Callable[[Tensor], Tensor],
    read: Callable[[Tensor], Tensor],
    state: Tensor,
    truth: Float64[Tensor, "time batch dim"],
) -> float:
    """Mean logarithm of the error of a map that runs freely, bounded on both sides.

    Args:
        step: takes states of the model one sample on.
        read: the standardised sample within a state.
        state: of the model, one step before the truth.
        truth: standardised samples.
    """
    errors = []
    for sample in truth:
        state = step(state)
        error = (read(state) - sample).square().mean(dim=-1).sqrt()
        errors.append(error.nan_to_num(HIGHEST).clamp(LOWEST, HIGHEST).log().mean())
    return float(torch.stack(errors).mean())


def ridge(triangle: Tensor, projected: Tensor, penalty: float) -> Float64[Tensor, "terms dim"]:
    """Weights that minimise |triangle w - projected|^2 + penalty |w|^2, without squaring the condition number."""
    terms = triangle.shape[1]
    rows = torch.cat([triangle, penalty**0.5 * torch.eye(terms, dtype=triangle.dtype, device=triangle.device)])
    orthogonal, factor = torch.linalg.qr(rows)
    return torch.linalg.solve_triangular(factor, orthogonal[: len(triangle)].T @ projected, upper=True)
