"""A user's own trajectories as a system: what there is to train, validate and test on is cut from a file."""

# pyright: reportIncompatibleMethodOverride=false
# The timescale, elsewhere worked out from physical parameters, is given.

from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from systems.base import System
from systems.protocol import Sampling, stream
from systems.recordings.reading import LEAST_SAMPLES, Columns, RecordedTrajectory, Recording, read_trajectories
from systems.trajectories import Trajectories

MANY = 5  # trajectories, from which on they are dealt out as they are
TRAINING, VALIDATION = 0.6, 0.15  # of the trajectories, or of the time of each; the rest is for testing
REGULAR = 0.01  # of the step, by which intervals between samples at regular times may differ, as rounding makes them

Runs = list[RecordedTrajectory]


@dataclass(frozen=True)
class Recorded(System):
    """Trajectories from a CSV, NPZ or Parquet file, at regular or irregular times.

    Five trajectories or more are dealt out at random, fewer are cut by time: what trains comes first, then what
    validates, then what tests. All of the file is used, so that a sampling's step and its numbers of training and
    validation samples are those of the file; test forecasts start at up to `test` places evenly spread over the data
    for testing, long ones are as long as these allow. Every trajectory begins at time 0.
    """

    path: str  # of the file
    timescale: float = 1.0  # of which horizons are multiples, in the file's time unit: a period or a Lyapunov time
    channels: tuple[str, ...] = ()  # by name; none: all
    time: str = "time"  # name of the column of times
    trajectory: str = "trajectory"  # name of the column that tells trajectories apart, if there is one
    contents: str = field(init=False, repr=False)  # digest of the file, so that results are told apart by it

    timescale_name = "timescale"

    def __post_init__(self) -> None:
        if not self.timescale > 0:
            raise ValueError(f"Recorded.timescale must be positive, but is {self.timescale!r}")
        object.__setattr__(self, "path", str(self.path))
        object.__setattr__(self, "contents", _digest(self.path))
        constant = [
            name
            for name, values in zip(self.recording.channels, _all_states(self.recording).T, strict=True)
            if np.ptp(values) == 0
        ]
        if constant:
            raise ValueError(
                f"{self.path}: channel {constant[0]!r} never changes: name the others in Recorded.channels"
            )

    @property
    def recording(self) -> Recording:
        """What the file holds."""
        return _read(self)

    @property
    def dim(self) -> int:
        return self.recording.dim

    @property
    def step(self) -> float:
        """Time between two samples, their median where it varies, in the file's time unit."""
        intervals = _intervals(self.recording)
        return float(intervals.mean() if self.is_regular else np.median(intervals))

    @property
    def is_regular(self) -> bool:
        """Whether all samples are equally far apart."""
        intervals = _intervals(self.recording)
        return bool((abs(intervals - np.median(intervals)) <= REGULAR * np.median(intervals)).all())

    def adapt(self, sampling: Sampling, seed: int) -> Sampling:
        """The sampling with the step and the numbers of the file. Raises ValueError where the file is too short."""
        if sampling.irregular:
            raise ValueError(
                f"{self.path}: the times of a recording are its own: leave out Sampling.jitter and dropped"
            )
        sampling = replace(sampling, step=self.step / self.timescale)
        cut = {part: self._cut(part, sampling, seed) for part in ("train", "valid", "test", "climate")}
        return replace(
            sampling,
            trajectories=len(cut["train"]),
            samples=len(cut["train"][0]),
            valid=len(cut["valid"]),
            test=len(cut["test"]),
            climate=len(cut["climate"]),
            climate_horizon=(len(cut["climate"][0]) - sampling.context) * sampling.step,
        )

    def observe(self, part: str, sampling: Sampling, seed: int) -> Trajectories:
        runs = self._cut(part, sampling, seed)
        states = torch.from_numpy(np.stack([run.states for run in runs]))
        times = np.stack([run.times - run.times[0] for run in runs])
        if self.is_regular:
            times = np.broadcast_to(np.arange(times.shape[1]) * self.step, times.shape).copy()
        return Trajectories(torch.from_numpy(times), states)

    def _cut(self, part: str, sampling: Sampling, seed: int) -> Runs:
        """The runs of one part, all of one length."""
        if part in ("train", "valid"):
            runs = self._share(part, seed)
            return _pieces(runs, min(map(len, runs)))
        runs, window = self._share("test", seed), sampling.context + sampling.forecast_samples
        longest = max(map(len, runs))
        if longest < window:
            total = sum(map(len, self.recording.trajectories))
            raise ValueError(
                f"{self.path}: a forecast takes {sampling.context} samples of context and {sampling.forecast_samples} "
                f"of horizon, but the longest run for testing has {longest} of the file's {total}: "
                "lower Sampling.context or Sampling.horizon, or record more"
            )
        if part == "test":
            return _windows(runs, window, sampling.test)
        return _pieces(runs, min(longest, sampling.context + sampling.climate_samples))[: sampling.climate]

    def _share(self, part: str, seed: int) -> Runs:
        """What is there for training, validation or testing."""
        index, runs = ("train", "valid", "test").index(part), self.recording.trajectories
        if len(runs) >= MANY:
            order, ends = stream(seed, "train", "split").permutation(len(runs)), _ends(len(runs))
            return [runs[place] for place in sorted(order[ends[index] : ends[index + 1]])]
        shares = [run.between(*_ends(len(run))[index : index + 2]) for run in runs]
        if min(map(len, shares)) < LEAST_SAMPLES:
            raise ValueError(
                f"{self.path}: its {len(runs)} trajectories are cut by time, but then one has {min(map(len, shares))} "
                f"samples to {part}, fewer than {LEAST_SAMPLES}: record longer ones, or at least {MANY} of them"
            )
        return shares


def _ends(count: int) -> tuple[int, int, int, int]:
    """Where training, validation and testing begin and end among so many."""
    valid = max(1, round(VALIDATION * count))
    train = round(TRAINING * count)
    return 0, train, train + valid, count


def _pieces(runs: Runs, length: int) -> Runs:
    """The runs, cut into pieces of one length; what is left at the end of a run is left out."""
    return [run.between(start, start + length) for run in runs for start in range(0, len(run) - length + 1, length)]


def _windows(runs: Runs, length: int, most: int) -> Runs:
    """At most so many windows, which may overlap, evenly spread over the runs."""
    starts = [(run, start) for run in runs for start in range(len(run) - length + 1)]
    places = np.unique(np.linspace(0, len(starts) - 1, most).round().astype(int))
    return [run.between(start, start + length) for run, start in (starts[place] for place in places)]


def _intervals(recording: Recording) -> np.ndarray:
    return np.concatenate([np.diff(run.times) for run in recording.trajectories])


def _all_states(recording: Recording) -> np.ndarray:
    return np.concatenate([run.states for run in recording.trajectories])


def _digest(path: str) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()[:16]


@lru_cache(maxsize=8)
def _read(recorded: Recorded) -> Recording:
    if (found := _digest(recorded.path)) != recorded.contents:
        raise ValueError(
            f"{recorded.path}: has changed since it was first read ({recorded.contents}, now {found}): start again"
        )
    return read_trajectories(recorded.path, columns=Columns(recorded.time, recorded.trajectory, recorded.channels))
