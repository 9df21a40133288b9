"""Checks of what is measured, with errors that say what is wrong and where."""

import numpy as np
from jaxtyping import Float64

States = Float64[np.ndarray, "batch time dim"]
Times = Float64[np.ndarray, "*batch time"]


MOTIONLESS = 1e-5  # range in standard deviations: what single precision leaves of a model at rest


class Undefined(ValueError):  # noqa: N818 (an outcome, not a mistake)
    """A trial leaves nothing for a metric to measure; the message says why."""


def check_forecast(truth: States, forecast: States) -> None:
    """Raise ValueError unless the truth is a finite `[batch, time, dim]` array and the forecast has its shape."""
    if truth.ndim != 3 or 0 in truth.shape:
        raise ValueError(f"the truth must be a non-empty [batch, time, dim] array, but has the shape {truth.shape}")
    if forecast.shape != truth.shape:
        raise ValueError(f"the forecast must have the truth's shape {truth.shape}, but has {forecast.shape}")
    if not np.isfinite(truth).all():
        batch, time, channel = np.argwhere(~np.isfinite(truth))[0]
        value = truth[batch, time, channel]
        raise ValueError(f"the truth must be finite, but is {value} in state {batch}, sample {time}, channel {channel}")


def check_moving(truth: States, forecast: States) -> None:
    """The same, and raise Undefined where a channel of the truth is constant."""
    check_forecast(truth, forecast)
    motionless = np.flatnonzero(np.ptp(truth, axis=(0, 1)) == 0)
    if len(motionless):
        raise Undefined(
            f"the truth must move, but is {truth[0, 0, motionless[0]]} throughout in channel {motionless[0]}: "
            f"leave that channel out"
        )


def check_scale(truth: States, scale: Float64[np.ndarray, " dim"]) -> None:
    """Raise ValueError unless there is a number for each channel, and Undefined unless all are positive."""
    if np.shape(scale) != truth.shape[-1:]:
        raise ValueError(
            f"scale needs one number for each of {truth.shape[-1]} channels, but has the shape {np.shape(scale)}"
        )
    bad = np.flatnonzero(~((scale > 0) & np.isfinite(scale)))
    if len(bad):
        raise Undefined(
            f"scale must be positive, but is {scale[bad[0]]} in channel {bad[0]}: "
            f"a channel that is constant in the training data has no error relative to its spread; leave it out"
        )


def rounding(states: np.ndarray, axis: int | tuple[int, ...] | None = None) -> np.ndarray:
    """What rounding to float64 may make of the range of numbers as large as these; axes are kept, with length 1."""
    return 8 * np.finfo(np.float64).eps * np.abs(states).max(axis=axis, keepdims=True)


def clock(times: Times | float, batch: int, samples: int) -> Float64[np.ndarray, "batch time"]:
    """Times of the samples of each state, from such, from those that all share, or from the step between samples.

    Raises ValueError unless they are positive and increase.
    """
    if np.ndim(times) == 0:
        if not 0 < times < np.inf:
            raise ValueError(f"step must be positive and finite, but is step={times!r}")
        times = np.arange(1, samples + 1) * times
    times = np.asarray(times, dtype=np.float64)
    if times.shape not in ((samples,), (batch, samples)):
        raise ValueError(
            f"times must be [time] or [batch, time], with a time for each of {samples} samples of {batch} states, "
            f"but have the shape {times.shape}"
        )
    times = np.broadcast_to(times, (batch, samples))
    late = np.diff(times, axis=1, prepend=0.0) > 0
    if not (late & np.isfinite(times)).all():
        state, sample = np.argwhere(~(late & np.isfinite(times)))[0]
        raise ValueError(
            f"times must be finite, positive and increase, but state {state} has {times[state, sample]} at sample "
            f"{sample}" + (f" after {times[state, sample - 1]}" if sample else "")
        )
    return times


def time_mean(
    values: Float64[np.ndarray, "batch time"], times: Float64[np.ndarray, "batch time"]
) -> Float64[np.ndarray, " batch"]:
    """Mean over time, in which each sample stands for the time since the one before."""
    durations = np.diff(times, axis=1, prepend=0.0)
    return (values * durations).sum(axis=1) / durations.sum(axis=1)
