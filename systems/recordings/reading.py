"""A user's own trajectories, read from CSV, Parquet or NPZ files and checked before anything is learned from them.

CSV and Parquet: one row a sample, with columns `time`, optionally `trajectory` (anything; rows of equal value belong
together, in their order), and one for each channel. A CSV file names them in its first row.

NPZ: arrays `states` [batch, time, dim] or [time, dim], `times` [batch, time] or [time], and optionally `channels`, the
names of the channels.
"""

import csv
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from systems.extras import optional

LEAST_SAMPLES = 3  # of a trajectory, as of Sampling.samples


@dataclass(frozen=True)
class RecordedTrajectory:
    """One trajectory at its own, increasing times, which need not be regular."""

    name: str
    times: Float64[np.ndarray, " time"]
    states: Float64[np.ndarray, "time dim"]

    def __len__(self) -> int:
        return len(self.times)

    def between(self, start: int, stop: int | None = None) -> "RecordedTrajectory":
        """The samples from index `start` up to, not including, `stop`."""
        return RecordedTrajectory(self.name, self.times[start:stop], self.states[start:stop])


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


STANDARD_COLUMNS = Columns()


def read_trajectories(
    path: str | Path, least_samples: int = LEAST_SAMPLES, columns: Columns = STANDARD_COLUMNS
) -> Recording:
    """The trajectories of a file. Raises ValueError where they are unfit, naming file, row and column."""
    path = Path(path)
    kinds = {".csv": _read_csv, ".npz": _read_npz, ".parquet": _read_parquet}
    if path.suffix.lower() not in kinds:
        given = path.suffix or "others"
        raise ValueError(f"{path}: trajectories are read from .csv, .npz or .parquet files, not from {given}")
    recording = kinds[path.suffix.lower()](path, columns)
    for trajectory in recording.trajectories:
        if len(trajectory) < least_samples:
            raise ValueError(
                f"{path}: trajectory {trajectory.name} has {len(trajectory)} samples, but at least "
                f"{least_samples} are needed: leave it out or record more"
            )
    return recording


# Rows


def _read_csv(path: Path, columns: Columns) -> Recording:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        try:
            header = [name.strip() for name in next(rows, [])]
            channels = _channels(f"{path}, row 1", header, columns)
            return _of_rows(path, channels, _named(path, header, rows), columns)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{path}: is not a CSV file in UTF-8: {error}") from error


def _read_parquet(path: Path, columns: Columns) -> Recording:
    parquet = optional("pyarrow.parquet", "parquet", f"{path}: reading Parquet files")
    with path.open("rb") as file:
        try:
            table = parquet.read_table(file)
        except (ValueError, OSError) as error:
            raise ValueError(f"{path}: is not a Parquet file: {error}") from error
    channels = _channels(str(path), table.column_names, columns)
    return _of_rows(path, channels, enumerate(table.to_pylist()), columns)


def _named(path: Path, header: Sequence[str], rows: Iterator[list[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows that are not empty, counted as a spreadsheet does: the header is row 1."""
    for row, cells in enumerate(rows, start=2):
        if any(cell.strip() for cell in cells):
            if len(cells) != len(header):
                raise ValueError(
                    f"{path}, row {row}: has {len(cells)} values, but the header names {len(header)} columns"
                )
            yield row, dict(zip(header, cells, strict=True))


def _channels(where: str, header: Sequence[str], columns: Columns) -> tuple[str, ...]:
    doubled = sorted({name for name in header if header.count(name) > 1})
    others = tuple(name for name in header if name not in (columns.trajectory, columns.time))
    if doubled:
        raise ValueError(f"{where}: column {doubled[0]!r} appears more than once")
    if columns.time not in header or not others:
        raise ValueError(f"{where}: needs a column {columns.time!r} and at least one channel, but has {list(header)}")
    if "" in others:
        raise ValueError(f"{where}: column {list(header).index('') + 1} has no name")
    return _chosen(where, others, columns)


def _chosen(where: str, names: tuple[str, ...], columns: Columns) -> tuple[str, ...]:
    missing = [name for name in columns.channels if name not in names]
    if missing:
        raise ValueError(f"{where}: has no channel {missing[0]!r}, only {', '.join(names)}")
    return columns.channels or names


def _of_rows(
    path: Path, channels: tuple[str, ...], rows: Iterable[tuple[int, Mapping[str, Any]]], columns: Columns
) -> Recording:
    groups: dict[str, list[tuple[int, list[float]]]] = {}
    for row, cells in rows:
        numbers = [_number(path, row, name, cells[name]) for name in (columns.time, *channels)]
        groups.setdefault(str(cells.get(columns.trajectory, "0")).strip(), []).append((row, numbers))
    if not groups:
        raise ValueError(f"{path}: has no samples below its header")
    return Recording(channels, tuple(_together(path, name, samples, columns) for name, samples in groups.items()))


def _number(path: Path, row: int, column: str, given: Any) -> float:
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = np.nan
    if not np.isfinite(value):
        raise ValueError(f"{path}, row {row}, column {column!r}: {given!r} is not a finite number")
    return value


def _together(path: Path, name: str, samples: list[tuple[int, list[float]]], columns: Columns) -> RecordedTrajectory:
    values = np.array([numbers for _, numbers in samples])
    late = _first(np.diff(values[:, 0]) <= 0)
    if late is not None:
        before, after, (row, _) = values[late[0], 0], values[late[0] + 1, 0], samples[late[0] + 1]
        raise ValueError(
            f"{path}, row {row}, column {columns.time!r}: {after:g} does not come after {before:g} in trajectory {name}"
        )
    return RecordedTrajectory(name, values[:, 0].copy(), values[:, 1:].copy())


# NPZ


def _read_npz(path: Path, columns: Columns) -> Recording:
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
    chosen = _chosen(str(path), names, columns)
    pairs = enumerate(zip(times, states[..., [names.index(name) for name in chosen]], strict=True))
    return Recording(chosen, tuple(RecordedTrajectory(str(name), t.copy(), x.copy()) for name, (t, x) in pairs))


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
