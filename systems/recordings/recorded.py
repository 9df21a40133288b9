"""A user's own trajectories as a system: what there is to train, validate and test on is cut from a file."""

# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# The timescale, elsewhere worked out from physical parameters, is given, and so is whether there is a ring.

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from systems.base import System
from systems.protocol import Sampling, stream
from systems.recordings.reading import drop_short, read_trajectories
from systems.recordings.recording import (
    LEAST_SAMPLES,
    Columns,
    RecordedTrajectory,
    Recording,
    RecordingNote,
    enumerated,
)
from systems.recordings.regularity import cut_at_gaps, intervals, regular_step
from systems.trajectories import Trajectories

MANY = 5  # trajectories, from which on they are dealt out as they are
TRAINING, VALIDATION = 0.6, 0.15  # of the trajectories, or of the time of each; the rest is for testing
ROUNDING = 8 * np.finfo(np.float64).eps  # range, relative to the size of the numbers, of what never changes

FEW = 0.01  # of the samples, that may be left out without a note
MOST_PARTS = 8  # into which trajectories are cut, so that those of different lengths give equal pieces

Runs = list[RecordedTrajectory]


@dataclass(frozen=True)
class Recorded(System):
    """Trajectories from a CSV, NPZ, NPY, Parquet, NetCDF or MATLAB file, at regular or irregular times.

    What trains, validates and tests is as a column `part` says. Without it five trajectories or more are dealt out at
    random, fewer are cut by time: what trains comes first, then what validates, then what tests. All of the file is
    used, so that a sampling's step and its numbers of training and validation samples are those of the file; test
    forecasts start at up to `test` places evenly spread over the data for testing, long ones are as long as these
    allow. Every trajectory begins at time 0.

    Times that are rounded count as regular. Where they have a few gaps, trajectories end there. A RecordingNote names
    what is left out: trajectories no longer than a context, and what does not fit into pieces of equal length.
    """

    path: str  # of the file
    timescale: float = 1.0  # of which horizons are multiples, in the file's time unit: a period or a Lyapunov time
    channels: tuple[str, ...] = ()  # by name; none: all
    time: str = "time"  # name of the column of times
    trajectory: str = "trajectory"  # name of the column that tells trajectories apart, if there is one
    part: str = "part"  # name of the column that says train, valid, test or climate, if there is one
    time_unit: str = ""  # of the file, such as s, for the axes of figures
    ring: bool = field(default=False, kw_only=True)  # whether the channels are the sites of a ring, in their order
    contents: str = field(init=False, repr=False)  # digest of the file, so that results are told apart by it

    @property
    def timescale_name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return f"timescale of {self.timescale:g} {self.time_unit}" if self.time_unit else "timescale"

    def __post_init__(self) -> None:
        if not self.timescale > 0:
            raise ValueError(f"Recorded.timescale must be positive, but is {self.timescale!r}")
        object.__setattr__(self, "path", str(self.path))
        channels = (self.channels,) if isinstance(self.channels, str) else tuple(self.channels)
        object.__setattr__(self, "channels", channels)
        object.__setattr__(self, "contents", _digest(self.path))
        self._check_moving(self.recording.trajectories, range(self.dim), "")

    @property
    def recording(self) -> Recording:
        """What the file holds."""
        return _read(self)

    @property
    def dim(self) -> int:
        return self.recording.dim

    @property
    def channel_names(self) -> tuple[str, ...]:
        return self.recording.channels

    @property
    def step(self) -> float:
        """Time between two samples, their median where it varies, in the file's time unit."""
        return _regular_step(self) or float(np.median(intervals(self.recording.trajectories)))

    @property
    def is_regular(self) -> bool:
        """Whether all samples are equally far apart, but for the rounding of their times."""
        return _regular_step(self) is not None

    def adapt(self, sampling: Sampling, seed: int) -> Sampling:
        """The sampling with the step and the numbers of the file.

        Raises ValueError where the file is too short, or a channel that is observed is constant in the training data.
        """
        if sampling.irregular:
            raise ValueError(
                f"{self.path}: the times of a recording are its own: leave out Sampling.jitter and dropped"
            )
        sampling = replace(sampling, step=self.step / self.timescale)
        cut = {part: self._cut(part, sampling, seed) for part in ("train", "valid", "test", "climate")}
        self._check_moving(cut["train"], sampling.channels or range(self.dim), " in the data for training")
        notes = [
            _left_out(part, self._share(part, sampling.context, seed), cut[part]) for part in ("train", "valid", "test")
        ]
        if any(notes):
            warnings.warn(f"{self.path}: {'; '.join(filter(None, notes))}", RecordingNote, stacklevel=2)
        return replace(
            sampling,
            trajectories=len(cut["train"]),
            samples=len(cut["train"][0]),
            valid=len(cut["valid"]),
            test=len(cut["test"]),
            climate=len(cut["climate"]),
            climate_horizon=(len(cut["climate"][0]) - sampling.context) * sampling.step,
        )

    def longest(self, part: str, context: int, seed: int) -> int:
        """Samples of the longest run for a part of the data, before it is cut into pieces.

        Runs of no more than a context are left out. Raises ValueError where there is none for the part.
        """
        return max(map(len, self._share(part, context, seed)))

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
            runs = self._share(part, sampling.context, seed)
            return _pieces(runs, best_length([len(run) for run in runs], sampling.context))
        runs = self._share("test", sampling.context, seed)
        window = sampling.context + sampling.forecast_samples
        longest = max(map(len, runs))
        if longest < window:
            total = sum(map(len, self.recording.trajectories))
            raise ValueError(
                f"{self.path}: a forecast takes {sampling.context} samples of context and {sampling.forecast_samples} "
                f"of horizon, but the longest run for testing has {longest} of the file's {total}: "
                f"lower Sampling.context or Sampling.horizon, lower Recorded.timescale={self.timescale:g}, of which "
                "horizons are multiples, or record more"
            )
        if part == "test":
            return _windows(runs, window, sampling.test)
        if any(run.part == "climate" for run in self.recording.trajectories):
            runs = self._share("climate", sampling.context, seed)
            longest = max(map(len, runs))
        return _pieces(runs, min(longest, sampling.context + sampling.climate_samples))[: sampling.climate]

    def _share(self, part: str, context: int, seed: int) -> Runs:
        """What is there for training, validation or testing, or for long runs where the file has some apart."""
        recording = self.recording
        if max(map(len, recording.trajectories)) > context:
            recording = drop_short(self.path, recording, context + 1)
        runs = recording.trajectories
        if any(run.part for run in runs):
            if not (found := [run for run in runs if run.part == part]):
                raise ValueError(
                    f"{self.path}: its column {self.part!r} says {part!r} of no trajectory of more than "
                    f"{context} samples: record some, or leave out the column"
                )
            return found
        index = ("train", "valid", "test").index(part)
        if len(runs) >= MANY:
            order = stream(seed, "train", "split").permutation(len(runs))
            ends = _ends(len(runs))
            return [runs[place] for place in sorted(order[ends[index] : ends[index + 1]])]
        shares = [run.between(*_ends(len(run))[index : index + 2]) for run in runs]
        longest = max(map(len, shares))
        if longest < LEAST_SAMPLES:
            raise ValueError(
                f"{self.path}: its {len(runs)} trajectories are cut by time, but then the longest has {longest} "
                f"samples to {part}, fewer than {LEAST_SAMPLES}: record longer ones, or at least {MANY} of them"
            )
        return [share for share in shares if len(share) >= LEAST_SAMPLES]

    def _check_moving(self, runs: Sequence[RecordedTrajectory], channels: Sequence[int], where: str) -> None:
        """Raise ValueError where one of the channels is the same in all of the runs, but for rounding."""
        states = np.concatenate([run.states for run in runs])[:, list(channels)]
        constant = np.flatnonzero(np.ptp(states, axis=0) <= ROUNDING * abs(states).max(axis=0))
        if len(constant):
            name = self.recording.channels[channels[constant[0]]]
            others = "the others" if self.dim > 1 else "another"
            raise ValueError(
                f"{self.path}: channel {name!r} never changes{where}, so that nothing can be learned of it: "
                f"name {others} in Recorded.channels" + (", or record more" if where else "")
            )


def _ends(count: int) -> tuple[int, int, int, int]:
    """Where training, validation and testing begin and end among so many."""
    valid = max(1, round(VALIDATION * count))
    train = round(TRAINING * count)
    return 0, train, train + valid, count


def best_length(lengths: Sequence[int], context: int) -> int:
    """The length of equal pieces of trajectories that leave most samples with a whole context before them."""
    runs = np.array(lengths)
    possible = {length // parts for length in lengths for parts in range(1, MOST_PARTS + 1)}

    def gain(length: int) -> tuple[int, int, int]:
        pieces = int((runs // length).sum())
        return pieces * max(0, length - context), pieces * (length - 1), length

    return max((length for length in possible if length >= LEAST_SAMPLES), key=gain)


def _left_out(part: str, runs: Runs, pieces: Runs) -> str:
    """What is not in any of the pieces, in words; nothing where that is little."""
    length = len(pieces[0])
    total = sum(map(len, runs))
    used = sum(len(run) // length * length if part != "test" else len(run) for run in runs if len(run) >= length)
    short = [f"{run.name} ({len(run)})" for run in runs if len(run) < length]
    if not short and used >= (1 - FEW) * total:
        return ""
    all_of = f", with all of the trajectories {enumerated(short)}" if short else ""
    return f"to {part} are pieces of {length} samples each, which leaves out {total - used} of {total}{all_of}"


def _pieces(runs: Runs, length: int) -> Runs:
    """The runs, cut into pieces of one length; what is left at the end of a run is left out."""
    return [run.between(start, start + length) for run in runs for start in range(0, len(run) - length + 1, length)]


def _windows(runs: Runs, length: int, most: int) -> Runs:
    """At most so many windows, which may overlap, evenly spread over the runs."""
    starts = [(run, start) for run in runs for start in range(len(run) - length + 1)]
    places = np.unique(np.linspace(0, len(starts) - 1, most).round().astype(int))
    return [run.between(start, start + length) for run, start in (starts[place] for place in places)]


def _digest(path: str) -> str:
    try:
        return sha256(Path(path).read_bytes()).hexdigest()[:16]
    except (OSError, ValueError) as error:
        raise ValueError(
            f"Recorded.path={path!r} cannot be read ({getattr(error, 'strerror', None) or error}): "
            f"give the path of a file, from the root or from the working folder, {Path.cwd()}"
        ) from error


@lru_cache(maxsize=8)
def _read(recorded: Recorded) -> Recording:
    if (found := _digest(recorded.path)) != recorded.contents:
        raise ValueError(
            f"{recorded.path}: has changed since it was first read ({recorded.contents}, now {found}): start again"
        )
    columns = Columns(recorded.time, recorded.trajectory, recorded.channels, recorded.part)
    return cut_at_gaps(recorded.path, read_trajectories(recorded.path, columns=columns))


@lru_cache(maxsize=8)
def _regular_step(recorded: Recorded) -> float | None:
    return regular_step(recorded.recording.trajectories)
