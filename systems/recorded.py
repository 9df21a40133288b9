"""A user's own trajectories, read from CSV or NPZ files and checked before anything is learned from them.

CSV: one row a sample, with a header that names the columns: `time`, optionally `trajectory` (any text; rows of equal
text belong together, in their order), and one column for each channel.

NPZ: arrays `states` [batch, time, dim] or [time, dim], `times` [batch, time] or [time], and optionally `channels`, the
names of the channels.
"""

import csv
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

LEAST_SAMPLES = 3  # of a trajectory, as of Sampling.samples


@dataclass(frozen=True)
class RecordedTrajectory:
    """One trajectory at its own, increasing times, which need not be regular."""

    name: str
    times: Float64[np.ndarray, " time"]
    states: Float64[np.ndarray, "time dim"]


@dataclass(frozen=True)
class Recording:
    """All trajectories of a file. They share their channels, but not their lengths or times."""

    channels: tuple[str, ...]
    trajectories: tuple[RecordedTrajectory, ...]

    @property
    def dim(self) -> int:
        return len(self.channels)


def read_trajectories(path: str | Path, least_samples: int = LEAST_SAMPLES) -> Recording:
    """The trajectories of a CSV or NPZ file. Raises ValueError where they are unfit, naming file, row and column."""
    path = Path(path)
    kinds = {".csv": _read_csv, ".npz": _read_npz}
    if path.suffix.lower() not in kinds:
        raise ValueError(f"{path}: trajectories are read from .csv or .npz files, not from {path.suffix or 'others'}")
    recording = kinds[path.suffix.lower()](path)
    for trajectory in recording.trajectories:
        if len(trajectory.times) < least_samples:
            raise ValueError(
                f"{path}: trajectory {trajectory.name} has {len(trajectory.times)} samples, but at least "
                f"{least_samples} are needed: leave it out or record more"
            )
    return recording


# CSV


def _read_csv(path: Path) -> Recording:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        try:
            header = [name.strip() for name in next(rows, [])]
            channels = _channels(path, header)
            groups: dict[str, list[tuple[int, list[float]]]] = {}
            for row, cells in _filled(rows):
                if len(cells) != len(header):
                    raise ValueError(
                        f"{path}, row {row}: has {len(cells)} values, but the header names {len(header)} columns"
                    )
                named = dict(zip(header, cells, strict=True))
                numbers = [_number(path, row, name, named[name]) for name in ("time", *channels)]
                groups.setdefault(named.get("trajectory", "0").strip(), []).append((row, numbers))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{path}: is not a CSV file in UTF-8: {error}") from error
    if not groups:
        raise ValueError(f"{path}: has no samples below its header")
    return Recording(channels, tuple(_of_rows(path, name, samples) for name, samples in groups.items()))


def _channels(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    doubled = sorted({name for name in header if header.count(name) > 1})
    channels = tuple(name for name in header if name not in ("trajectory", "time"))
    if doubled:
        raise ValueError(f"{path}, row 1: column {doubled[0]!r} appears more than once")
    if "time" not in header or not channels:
        raise ValueError(f"{path}, row 1: needs a column 'time' and at least one channel, but has {list(header)}")
    if "" in channels:
        raise ValueError(f"{path}, row 1: column {list(header).index('') + 1} has no name")
    return channels


def _filled(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, counted as a spreadsheet does: the header is row 1."""
    return ((row, cells) for row, cells in enumerate(rows, start=2) if any(cell.strip() for cell in cells))


def _number(path: Path, row: int, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise ValueError(f"{path}, row {row}, column {column!r}: {text!r} is not a finite number")
    return value


def _of_rows(path: Path, name: str, samples: list[tuple[int, list[float]]]) -> RecordedTrajectory:
    values = np.array([numbers for _, numbers in samples])
    late = _first(np.diff(values[:, 0]) <= 0)
    if late is not None:
        before, after, (row, _) = values[late[0], 0], values[late[0] + 1, 0], samples[late[0] + 1]
        raise ValueError(
            f"{path}, row {row}, column 'time': {after:g} does not come after {before:g} in trajectory {name}"
        )
    return RecordedTrajectory(name, values[:, 0].copy(), values[:, 1:].copy())


# NPZ


def _read_npz(path: Path) -> Recording:
    arrays = _arrays(path)
    missing = [name for name in ("times", "states") if name not in arrays]
    if missing:
        raise ValueError(f"{path}: has no array {missing[0]!r}; it has {sorted(arrays)}")
    states, times = (_real(path, name, arrays[name]) for name in ("states", "times"))
    states = states[None] if states.ndim == 2 else states
    if states.ndim != 3 or 0 in states.shape:
        raise ValueError(f"{path}: 'states' must be [batch, time, dim] or [time, dim], but its shape is {states.shape}")
    if times.shape not in (states.shape[:2], states.shape[1:2]):
        raise ValueError(
            f"{path}: 'times' of shape {times.shape} does not fit 'states' of shape {arrays['states'].shape}: "
            f"give it the shape {states.shape[1:2]} or {states.shape[:2]}"
        )
    times = np.broadcast_to(times, states.shape[:2])
    names = tuple(str(name) for name in arrays.get("channels", [f"x{channel}" for channel in range(states.shape[2])]))
    if len(names) != states.shape[2]:
        raise ValueError(f"{path}: 'channels' names {len(names)} channels, but 'states' has {states.shape[2]}")
    _check_arrays(path, times, states, names)
    pairs = enumerate(zip(times, states, strict=True))
    return Recording(names, tuple(RecordedTrajectory(str(name), t.copy(), x.copy()) for name, (t, x) in pairs))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        try:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it holds a single array")
            return {name: archive[name] for name in archive.files}
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            reason = "pickled objects, which could run code" if "pickle" in str(error).lower() else str(error)
            raise ValueError(
                f"{path}: is not an NPZ file of plain arrays ({reason}): save it with numpy.savez"
            ) from error


def _real(path: Path, name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{path}: {name!r} must hold real numbers, but is of type {array.dtype}")
    return array.astype(np.float64)


def _check_arrays(path: Path, times: np.ndarray, states: np.ndarray, names: tuple[str, ...]) -> None:
    """Rows of an array are its samples, counted from 0."""
    bad = _first(~np.isfinite(states))
    if bad is not None:
        trajectory, row, channel = bad
        where = f"trajectory {trajectory}, row {row}, column {names[channel]!r}"
        raise ValueError(f"{path}, 'states', {where}: {states[*bad]} is not a finite number")
    bad = _first(~np.isfinite(times))
    if bad is not None:
        raise ValueError(f"{path}, 'times', trajectory {bad[0]}, row {bad[1]}: {times[*bad]} is not a finite number")
    late = _first(np.diff(times, axis=1) <= 0)
    if late is not None:
        trajectory, row = late
        before, after = times[trajectory, row : row + 2]
        where = f"trajectory {trajectory}, row {row + 1}"
        raise ValueError(f"{path}, 'times', {where}: {after:g} does not come after {before:g}")


def _first(flags: np.ndarray) -> tuple[int, ...] | None:
    """The indices of the first true flag."""
    return tuple(int(index) for index in np.argwhere(flags)[0]) if flags.any() else None
