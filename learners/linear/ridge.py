"""Ridge regression, with the penalty chosen by forecasts of validation data."""

from collections.abc import Callable

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from systems import Dataset

PENALTIES = tuple(10.0**power for power in range(-18, 1, 2))  # relative to the number of samples
FORECAST = 4.0  # timescales that validation forecasts run, where the trajectories are that long
LOWEST, HIGHEST = 1e-12, 1e2  # errors in standard deviations beyond which they are all the same


def validation_forecasts(
    dataset: Dataset, reach: int, most: int | None = None
) -> tuple[Float64[Tensor, "batch time dim"], Int64[Tensor, " start"], Float64[Tensor, "ahead forecast dim"]]:
    """Forecasts of the validation data over a few timescales, from every start that has `reach` samples up to it.

    Where there are many more than `most`, of all trajectories, they are fewer.

    Returns:
        The standardised trajectories, the samples from which forecasts start, and what follows these: one forecast for
        each trajectory and start.
    """
    states = dataset.standardise(dataset.valid.states)
    horizon = max(1, min(round(FORECAST / dataset.sampling.step), states.shape[1] - reach))
    starts = torch.arange(reach - 1, states.shape[1] - horizon, max(1, horizon // 4))
    if most is not None:
        starts = starts[:: max(1, len(starts) * len(states) // most)]
    truth = torch.stack([states[:, starts + ahead].flatten(0, 1) for ahead in range(1, horizon + 1)])
    return states, starts, truth


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
