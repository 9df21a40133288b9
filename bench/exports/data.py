"""Data and forecasts for other programs: tables of pandas, and labelled arrays of xarray."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np
import pandas as pd

from bench.errors import UserError
from systems import Dataset, Trajectories
from systems.configuration import label
from systems.extras import optional
from systems.protocol import PARTS

if TYPE_CHECKING:
    import xarray


def to_frame(found: Trajectories | Dataset, channels: Sequence[str] = ()) -> pd.DataFrame:
    """A row for each sample: `trajectory`, `time`, and the channels; of a dataset before these the `part`.

    A file of it, CSV or Parquet, is read back to the last bit by `Recorded`. Raises UserError where there are not as
    many names as channels; so does `to_xarray`.

    Args:
        found: trajectories, or all of a dataset.
        channels: their names; if not given, those of the dataset, or x1, x2, ...
    """
    if isinstance(found, Dataset):
        names = channels or found.channel_names
        return pd.concat([_with_part(to_frame(getattr(found, part), names), part) for part in PARTS], ignore_index=True)
    count, samples, dim = found.states.shape
    frame = pd.DataFrame(found.states.reshape(-1, dim).numpy(force=True), columns=_names(channels, dim))
    frame.insert(0, "time", found.times.flatten().numpy(force=True))
    frame.insert(0, "trajectory", np.repeat(np.arange(count), samples))
    return frame


@overload
def to_xarray(found: Trajectories, channels: Sequence[str] = ()) -> "xarray.Dataset": ...
@overload
def to_xarray(found: Dataset, channels: Sequence[str] = ()) -> "xarray.DataTree": ...
def to_xarray(found: Trajectories | Dataset, channels: Sequence[str] = ()) -> "xarray.Dataset | xarray.DataTree":
    """The variable `states[trajectory, time, channel]` with its coordinates; of a dataset, one for each of its parts.

    Where trajectories have times of their own, the second axis is `sample`, and `time[trajectory, sample]`. What is
    returned writes NetCDF, HDF5 and Zarr by itself; a NetCDF file (`.nc`) is read back to the last bit by `Recorded`.
    Needs the extra xarray.

    Args:
        found: trajectories, or all of a dataset, whose timescale, step and context are in its attributes.
        channels: their names; if not given, those of the dataset, or x1, x2, ...
    """
    xarray = optional("xarray", "xarray", "to_xarray")
    if isinstance(found, Dataset):
        names = channels or found.channel_names
        tree = xarray.DataTree.from_dict({part: to_xarray(getattr(found, part), names) for part in PARTS})
        tree.attrs = {
            "system": label(found.system),
            "seed": found.seed,
            "step": found.step,
            "context": found.sampling.context,
            "timescale": found.system.timescale,
            "timescale_name": found.system.timescale_name,
        }
        return tree
    times = found.times.numpy(force=True)
    shared = bool((times == times[:1]).all())
    along = "time" if shared else "sample"
    states = ("trajectory", along, "channel"), found.states.numpy(force=True)
    clock = ("time", times[0]) if shared else (("trajectory", "sample"), times)
    named = np.array(_names(channels, found.states.shape[-1]), dtype=object)  # which all formats take
    return xarray.Dataset({"states": states}, {"time": clock, "channel": named})


def _names(channels: Sequence[str], dim: int) -> list[str]:
    names = list(channels) or [f"x{place}" for place in range(1, dim + 1)]
    if len(names) != dim:
        raise UserError(f"channels names {len(names)}, but the states have {dim}: give {dim} names, or none")
    return names


def _with_part(frame: pd.DataFrame, part: str) -> pd.DataFrame:
    frame.insert(0, "part", part)
    return frame
