"""Recordings in arrays: NPZ, NPY, MATLAB and NetCDF files, of which an array holds all samples of all trajectories."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from systems.extras import optional
from systems.recordings.recording import Columns, RecordedTrajectory, Recording

Arrays = Mapping[str, Any]


def read_npz(path: Path, columns: Columns) -> Recording:
    """Read the arrays `times`, `states` and perhaps `channels` of an NPZ file."""
    archive = _load(path, "an NPZ file of plain arrays", "save it with numpy.savez(path, times=..., states=...)")
    return _of_arrays(path, archive, columns)


def read_npy(path: Path, columns: Columns) -> Recording:
    """Read an NPY file of one array, `[time, 1 + dim]` or `[batch, time, 1 + dim]`, whose first column is the time."""
    array = _real(path, "array", _load(path, "an NPY file of plain numbers", "save it with numpy.save")["array"])
    if array.ndim not in (2, 3) or array.shape[-1] < 2:
        raise ValueError(
            f"{path}: must be [time, 1 + dim] or [batch, time, 1 + dim], the first column being the time, but its "
            f"shape is {array.shape}: save numpy.column_stack([times, states])"
        )
    return _of_arrays(path, {"times": array[..., 0], "states": array[..., 1:]}, columns)


def read_mat(path: Path, columns: Columns) -> Recording:
    """Read the variables `times`, `states` and perhaps `channels` of a MATLAB file: one trajectory, or several."""
    try:
        variables = loadmat(path, simplify_cells=True)
    except NotImplementedError:
        variables = _hdf5(path)
    except Exception as error:  # of malformed files nearly any
        raise ValueError(f"{path}: is not a MATLAB file: {error}") from error
    arrays = {name: value for name, value in variables.items() if not name.startswith("__")}
    states = arrays.get("states")
    if states is not None and np.ndim(states) == 1:  # of one channel
        arrays["states"] = states[:, None]
    return _of_arrays(path, arrays, columns)


def read_netcdf(path: Path, columns: Columns) -> Recording:
    """Read what `bench.to_xarray` has made: trajectories, or in groups those of each part of the data."""
    xarray = optional("xarray", "xarray", f"{path}: reading NetCDF files")
    try:
        with xarray.open_datatree(path) as tree:
            nodes = {node.name or "": node.to_dataset() for node in tree.subtree if "states" in node}
            found = {
                part: {"times": one["time"].values, "states": one["states"].values, "channels": one["channel"].values}
                for part, one in nodes.items()
            }
    except Exception as error:  # of malformed files nearly any
        raise ValueError(f"{path}: is not a NetCDF file of bench.to_xarray: {error}") from error
    parts = {part: _of_arrays(path, arrays, columns) for part, arrays in found.items()}
    if not parts:
        raise ValueError(f"{path}: has no variable 'states': write it with bench.to_xarray(...).to_netcdf(path)")
    return Recording(
        next(iter(parts.values())).channels,
        tuple(
            replace(one, name=f"{part} {one.name}".strip(), part=part)
            for part, recording in parts.items()
            for one in recording.trajectories
        ),
    )


def _load(path: Path, kind: str, remedy: str) -> dict[str, np.ndarray]:
    """The arrays of an NPZ or NPY file, one of the latter under the name `array`."""
    with path.open("rb") as file:
        try:
            loaded = np.load(file, allow_pickle=False)
            single = isinstance(loaded, np.ndarray)
            if single != (path.suffix.lower() == ".npy"):
                raise ValueError("it holds a single array" if single else "it is an archive")
            return {"array": loaded} if single else {name: loaded[name] for name in loaded.files}
        except Exception as error:  # of malformed files nearly any
            reason = "pickled objects, which could run code" if "pickle" in str(error).lower() else str(error)
            raise ValueError(f"{path}: is not {kind} ({reason}): {remedy}") from error


def _hdf5(path: Path) -> dict[str, np.ndarray]:
    """The variables of a MATLAB file of version 7.3, which has them transposed, and texts as numbers."""
    h5py = optional("h5py", "matlab", f"{path}: reading MATLAB files of version 7.3 (not of those saved with -v7)")

    def values(file: Any, dataset: Any) -> np.ndarray:
        if dataset.dtype == object:  # a cell array
            return np.array(["".join(map(chr, file[one][()].ravel())) for one in dataset[()].T.ravel()])
        if dataset.attrs.get("MATLAB_class") == b"char":
            return np.array(["".join(map(chr, row)) for row in np.atleast_2d(dataset[()].T)])
        return np.squeeze(dataset[()].T)

    try:
        with h5py.File(path) as file:
            return {str(name): values(file, item) for name, item in file.items() if isinstance(item, h5py.Dataset)}
    except Exception as error:  # of malformed files nearly any
        raise ValueError(f"{path}: is not a MATLAB file: {error}") from error


def _of_arrays(path: Path, arrays: Arrays, columns: Columns) -> Recording:
    missing = [name for name in ("times", "states") if name not in arrays]
    if missing:
        raise ValueError(
            f"{path}: has no array {missing[0]!r}; it has {sorted(arrays)}: "
            "save the times as 'times' and the channels as 'states', [time, dim]"
        )
    times, states = (_real(path, name, arrays[name]) for name in ("times", "states"))
    states = states[None] if states.ndim == 2 else states
    if states.ndim != 3 or 0 in states.shape:
        raise ValueError(f"{path}: 'states' must be [batch, time, dim] or [time, dim], but its shape is {states.shape}")
    _check_times(path, times, states, np.shape(arrays["states"]))
    times = np.broadcast_to(times, states.shape[:2])
    names = arrays.get("channels", [f"x{channel}" for channel in range(states.shape[2])])
    names = tuple(str(name).strip() for name in np.atleast_1d(names))
    if len(names) != states.shape[2]:
        raise ValueError(f"{path}: 'channels' names {len(names)} channels, but 'states' has {states.shape[2]}")
    _check_values(path, times, states, names)
    chosen = columns.choose(str(path), names)
    pairs = enumerate(zip(times, states[..., [names.index(name) for name in chosen]], strict=True))
    return Recording(chosen, tuple(RecordedTrajectory(str(name), t.copy(), x.copy()) for name, (t, x) in pairs))


def _real(path: Path, name: str, given: Any) -> np.ndarray:
    array = np.asarray(given)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{path}: {name!r} must hold real numbers, but is of type {array.dtype}")
    return array.astype(np.float64)


def _check_times(path: Path, times: np.ndarray, states: np.ndarray, given: tuple[int, ...]) -> None:
    """Raise ValueError unless there is a time for each sample."""
    if times.shape in (states.shape[:2], states.shape[1:2]):
        return
    fitting = times.ndim in (1, len(given) - 1)  # times of one trajectory, or of several
    axes = [axis for axis, length in enumerate(given) if fitting and length == times.shape[-1]]
    problem = f"{path}: 'times' of shape {times.shape} does not fit 'states' of shape {given}"
    if not axes:
        raise ValueError(f"{problem}: give it the shape {states.shape[1:2]} or {states.shape[:2]}")
    wanted = "[time, dim]" if len(given) == 2 else "[batch, time, dim]"
    raise ValueError(
        f"{problem}, whose time is on axis {axes[0]}: save numpy.moveaxis(states, {axes[0]}, -2), {wanted}"
    )


def _check_values(path: Path, times: np.ndarray, states: np.ndarray, names: tuple[str, ...]) -> None:
    """Raise ValueError unless all are finite and times increase. Rows of an array are its samples, counted from 0."""
    bad = _first(~np.isfinite(states))
    if bad is not None:
        trajectory, row, channel = bad
        where = f"trajectory {trajectory}, row {row}, column {names[channel]!r}"
        raise ValueError(f"{path}, 'states', {where}: {states[*bad]} is not a finite number: leave out such samples")
    bad = _first(~np.isfinite(times))
    if bad is not None:
        where = f"trajectory {bad[0]}, row {bad[1]}"
        raise ValueError(f"{path}, 'times', {where}: {times[*bad]} is not a finite number: leave out such samples")
    late = _first(np.diff(times, axis=1) <= 0)
    if late is not None:
        trajectory, row = late
        before, after = times[trajectory, row : row + 2]
        first = "; the first column must be the time" if path.suffix.lower() == ".npy" else ""
        raise ValueError(
            f"{path}, 'times', trajectory {trajectory}, row {row + 1}: {after:.10g} does not come after {before:.10g}: "
            f"times must increase in each trajectory{first}"
        )


def _first(flags: np.ndarray) -> tuple[int, ...] | None:
    """The indices of the first true flag."""
    return tuple(int(index) for index in np.argwhere(flags)[0]) if flags.any() else None
