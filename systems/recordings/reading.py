"""A user's own trajectories, read from files and checked before anything is learned from them.

CSV and Parquet: one row a sample, with columns `time`, optionally `trajectory` (anything; rows of equal value belong
together, in their order) and `part` (train, valid, test or climate), and one for each channel. A CSV file names them
in its first row.

NPZ and MATLAB: arrays `states` [batch, time, dim] or [time, dim], `times` [batch, time] or [time], and optionally
`channels`, the names of the channels. NPY: one array [batch, time, 1 + dim] or [time, 1 + dim], first the time.
NetCDF: as `bench.to_xarray` writes it.
"""

import warnings
from pathlib import Path

import numpy as np

from systems.recordings.arrays import read_mat, read_netcdf, read_npy, read_npz
from systems.recordings.recording import LEAST_SAMPLES, Columns, Recording, RecordingNote, enumerated
from systems.recordings.rows import read_csv, read_parquet

FORMATS = {
    ".csv": read_csv,
    ".npy": read_npy,
    ".npz": read_npz,
    ".parquet": read_parquet,
    ".nc": read_netcdf,
    ".mat": read_mat,
}
SMALLEST, LARGEST = 1e-30, 1e30  # of a channel: squares of these are near the ends of double, they of single precision
STANDARD_COLUMNS = Columns()


def read_trajectories(
    path: str | Path, least_samples: int = LEAST_SAMPLES, columns: Columns = STANDARD_COLUMNS
) -> Recording:
    """The trajectories of a file, without those that are too short, which a RecordingNote names.

    Raises ValueError where they are unfit, naming file, row and column.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        *others, last = FORMATS
        kinds = f"{', '.join(others)} or {last}"
        given = path.suffix or "others"
        raise ValueError(f"{path}: trajectories are read from {kinds} files, not from {given}")
    recording = FORMATS[path.suffix.lower()](path, columns)
    _check_sizes(path, recording, columns)
    return drop_short(path, recording, least_samples)


def drop_short(path: str | Path, recording: Recording, least_samples: int) -> Recording:
    """The recording without trajectories of fewer samples. Raises ValueError where none is left."""
    long = tuple(one for one in recording.trajectories if len(one) >= least_samples)
    short = [f"{one.name} ({len(one)})" for one in recording.trajectories if len(one) < least_samples]
    if not long:
        longest = max(recording.trajectories, key=len)
        raise ValueError(
            f"{path}: trajectory {longest.name} has {len(longest)} samples, but at least {least_samples} are needed: "
            "record more"
        )
    if short:
        note = f"{path}: trajectories of fewer than {least_samples} samples are left out: {enumerated(short)}"
        warnings.warn(note, RecordingNote, stacklevel=2)
    return Recording(recording.channels, long)


def _check_sizes(path: Path, recording: Recording, columns: Columns) -> None:
    """Raise ValueError where a column holds numbers that cannot be squared, or held in single precision."""
    table = [np.column_stack([one.times, one.states]) for one in recording.trajectories]
    for name, values in zip((columns.time, *recording.channels), np.concatenate(table).T, strict=True):
        largest, width = float(abs(values).max()), float(np.ptp(values))
        if largest > LARGEST or 0 < width < SMALLEST:
            size = f"numbers as large as {largest:.3g}" if largest > LARGEST else f"a range of only {width:.3g}"
            raise ValueError(
                f"{path}, column {name!r}: has {size}, which cannot be computed with: give it in another unit, in "
                f"which it lies between {SMALLEST:g} and {LARGEST:g}"
            )
