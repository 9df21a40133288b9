"""Whether recorded samples are one step apart, but for the rounding of their times, and where gaps are."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from systems.recordings.recording import LEAST_SAMPLES, RecordedTrajectory, Recording, RecordingNote, enumerated

REGULAR = 0.01  # of the step, by which intervals between samples at regular times may differ, as clocks make them
GAP = 1.5  # of the step: an interval above that is a gap
RARE = 0.01  # of the intervals, gaps at which a recording is cut; where there are more, its times are irregular

RecordedTrajectories = Sequence[RecordedTrajectory]


def regular_step(trajectories: RecordedTrajectories) -> float | None:
    """The time between two samples where that is always the same, but for the resolution of the times; else None.

    Times that are rounded to their decimals lie about a grid of equal steps, nowhere farther from it than half of the
    last decimal (and of what a clock is allowed). A last decimal above half of the step says nothing.
    """
    exact = float(np.diff(trajectories[0].times[:2])[0])  # as where one of ours has written them
    if all((one.times == one.times[0] + exact * np.arange(len(one))).all() for one in trajectories):
        return exact
    found = intervals(trajectories)
    median = np.median(found)
    if (abs(found - median) <= REGULAR * median).all():
        return float(found.mean())
    places = [np.arange(len(one)) - (len(one) - 1) / 2 for one in trajectories]
    step = float(
        sum(k @ one.times for k, one in zip(places, trajectories, strict=True)) / sum(k @ k for k in places)
    )  # the slope of the best straight lines
    unit = resolution(trajectories)
    width = unit + REGULAR * step
    on_grid = (np.ptp(one.times - step * k) <= width for k, one in zip(places, trajectories, strict=True))
    return step if unit <= step / 2 and all(on_grid) else None


def resolution(trajectories: RecordedTrajectories) -> float:
    """The unit of the last decimal that any of the times has; at least what floating point leaves of them."""
    times = np.concatenate([one.times for one in trajectories])
    single = (times == times.astype(np.float32)).all()  # as where they were stored so
    epsilon = float(np.finfo(np.float32 if single else np.float64).eps)
    floor = epsilon * float(abs(times).max())
    for decimals in range(16):
        scaled = times * 10.0**decimals
        if (abs(scaled - np.rint(scaled)) <= 1e-3 + epsilon * abs(scaled)).all():
            return max(10.0**-decimals, floor)
    return floor


def intervals(trajectories: RecordedTrajectories) -> Float64[np.ndarray, " intervals"]:
    """The times between neighbouring samples of all trajectories."""
    return np.concatenate([np.diff(one.times) for one in trajectories])


def cut_at_gaps(path: str, recording: Recording) -> Recording:
    """The recording with trajectories that end at their gaps, which a RecordingNote counts.

    It is cut where that makes it regular, and gaps are few.
    """
    whole = recording.trajectories
    found = intervals(recording.trajectories)
    if regular_step(whole) is not None:
        return recording
    widest = GAP * float(np.median(found)) + resolution(whole)
    gaps = int((found > widest).sum())
    pieces = [piece for one in whole for piece in _pieces(one, widest) if len(piece) >= LEAST_SAMPLES]
    if not 0 < gaps <= max(1, RARE * len(found)) or not pieces or regular_step(pieces) is None:
        return recording
    later = [piece.name for piece in pieces if piece.name not in {one.name for one in whole}]
    note = f"{path}: has gaps, and is cut there into {len(pieces)} trajectories; those after gaps: {enumerated(later)}"
    warnings.warn(note, RecordingNote, stacklevel=2)
    return Recording(recording.channels, tuple(pieces))


def _pieces(trajectory: RecordedTrajectory, widest: float) -> list[RecordedTrajectory]:
    """A trajectory, cut at intervals above the widest that is none."""
    ends = [0, *(np.flatnonzero(np.diff(trajectory.times) > widest) + 1).tolist(), len(trajectory)]
    names = [trajectory.name, *(f"{trajectory.name} from {trajectory.times[start]:.10g}" for start in ends[1:-1])]
    pieces = [trajectory.between(first, last) for first, last in pairwise(ends)]
    return [replace(piece, name=name) for name, piece in zip(names, pieces, strict=True)]
