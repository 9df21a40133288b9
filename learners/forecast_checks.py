"""Checks of what a forecast is asked for and of what it gives, with errors that say what is wrong with it."""

from typing import Any

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems import Trajectories


def offsets_after(past: Trajectories, times: Float[Tensor, "*batch time"]) -> Float64[Tensor, "batch time"]:
    """Times after the last of `past`, for each trajectory; ValueError unless there are so many, and they increase."""
    if times.dim() not in (1, 2) or 0 in times.shape or (times.dim() == 2 and len(times) != len(past)):
        raise ValueError(
            f"the times of a forecast must be [time], or [{len(past)}, time] with a row for each trajectory of the "
            f"past, but have the shape {tuple(times.shape)}"
        )
    offsets = (times - past.times[:, -1:]).double()
    backward = offsets.diff(dim=1, prepend=torch.zeros_like(offsets[:, :1])) <= 0
    if backward.any():
        row, sample = backward.nonzero()[0].tolist()
        before = offsets[row, sample - 1] if sample else 0.0
        raise ValueError(
            f"the times of a forecast must increase from the last of the past on, but sample {sample} of trajectory "
            f"{row} is {offsets[row, sample]:g} after it, and the sample before {before:g}"
        )
    return offsets


def states_and_count(found: Any, predictor: Any) -> tuple[Tensor, int]:
    """What a rollout gives. Raises TypeError, which names the predictor, where that is no pair."""
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise TypeError(
            f"{type(predictor).__name__}.rollout must give two things, the states and the evaluations that they took, "
            f"but gives {type(found).__name__}"
        )
    return found[0], found[1]


def states_of_shape(states: Any, shape: tuple[int, ...], predictor: Any) -> Float64[Tensor, "time batch dim"]:
    """The states, in float64.

    Raises TypeError or ValueError, which name the predictor, where they are no tensor of floating-point numbers or have
    another shape.
    """
    if not isinstance(states, Tensor) or not states.is_floating_point():
        found = states.dtype if isinstance(states, Tensor) else type(states).__name__
        raise TypeError(
            f"{type(predictor).__name__}.decode must give a tensor of floating-point numbers, but gives {found}"
        )
    if states.shape != shape:
        raise ValueError(
            f"{type(predictor).__name__} must forecast states of shape {shape} (time, batch, dim), but its rollout and "
            f"decode give {tuple(states.shape)}"
        )
    return states.double()
