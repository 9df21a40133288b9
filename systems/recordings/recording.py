"""Recorded trajectories, and how their columns are called."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

LEAST_SAMPLES = 3  # of a trajectory, as of Sampling.samples


class RecordingNote(UserWarning):
    """What is done with a recording that the user may not expect, such as leaving a part of it out."""


@dataclass(frozen=True)
class RecordedTrajectory:
    """One trajectory at its own, increasing times, which need not be regular."""

    name: str
    times: Float64[np.ndarray, " time"]
    states: Float64[np.ndarray, "time dim"]
    part: str = ""  # of the data that it belongs to, train, valid, test or climate, where the file says so

    def __len__(self) -> int:
        return len(self.times)

    def between(self, start: int, stop: int | None = None) -> "RecordedTrajectory":
        """The samples from index `start` up to, not including, `stop`."""
        return replace(self, times=self.times[start:stop], states=self.states[start:stop])


@dataclass(frozen=True)
class Recording:
    """All trajectories of a file. They share their channels, but not their lengths or times."""

    channels: tuple[str, ...]
    trajectories: tuple[RecordedTrajectory, ...]

    @property
    def dim(self) -> int:
        return len(self.channels)


class Columns(NamedTuple):
    """The names of the columns that are read; no channels: all that are left."""

    time: str = "time"
    trajectory: str = "trajectory"
    channels: tuple[str, ...] = ()
    part: str = "part"

    def choose(self, where: str, names: Sequence[str]) -> tuple[str, ...]:
        """The channels to read, of those that there are. Raises ValueError where one is missing or named twice."""
        missing = [name for name in self.channels if name not in names]
        if missing:
            raise ValueError(f"{where}: has no channel {missing[0]!r}, only {', '.join(names)}")
        twice = [name for place, name in enumerate(self.channels) if name in self.channels[:place]]
        if twice:
            raise ValueError(f"{where}: the channel {twice[0]!r} is asked for twice: name each once")
        return self.channels or tuple(names)


def enumerated(names: Sequence[str], most: int = 5) -> str:
    """Names in a sentence, of many the first ones."""
    shown = [*names[:most], *([f"{len(names) - most} more"] if len(names) > most else [])]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
