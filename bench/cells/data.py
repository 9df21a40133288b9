"""The datasets that cells share: sampled once, kept in a file, read by every cell of a system."""

import io
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
import torch

from bench.cells.cell import Cell
from bench.cells.digest import Reader, checksum, code, modules
from learners import Learner
from results.store.atomic import write_in_one_stroke
from results.store.lease import hold_lock
from results.store.packing import read_arrays, write_arrays
from systems import Dataset, Sampling, System, Trajectories, sample
from systems.configuration import describe
from systems.ground_truth import ground_truth_time
from systems.protocol import PARTS

_LIMIT = "ground_truth_time"


class ObservedData(NamedTuple):
    """A dataset, and for how long the ground truth of its forecasts can be trusted, in timescales."""

    data: Dataset
    ground_truth_time: float


def dataset(system: System, sampling: Sampling, seed: int, folder: Path) -> Dataset:
    """The dataset that `observe` gives."""
    return observe(system, sampling, seed, folder).data


def observe(system: System, sampling: Sampling, seed: int, folder: Path) -> ObservedData:
    """Read a dataset from its file in `folder`, or sample it and leave it there; the same bits either way.

    Of several processes that ask at once, one samples and the others wait for its file. A damaged file is made again.
    """
    path = location(system, sampling, seed, folder)
    read = partial(_read, path, system, sampling, seed)
    if (kept := read()) is not None:
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(path.with_suffix(".lock")):
        if (kept := read()) is not None:
            return kept
        data = sample(system, sampling, seed)
        made = ObservedData(data, ground_truth_time(data))
        arrays: dict[str, Any] = {_LIMIT: np.asarray(made.ground_truth_time)}
        for part in PARTS:
            trajectories: Trajectories = getattr(data, part)
            arrays |= {f"{part}_times": trajectories.times.numpy(), f"{part}_states": trajectories.states.numpy()}
        archive = io.BytesIO()
        write_arrays(archive, arrays)
        write_in_one_stroke(path, archive.getvalue())
        return made


def location(system: System, sampling: Sampling, seed: int, folder: Path, read: Reader = code) -> Path:
    """Where in `folder` a dataset is kept: under a digest of its configuration, its seed and the code that makes it.

    `read` may be a `code` that remembers.
    """
    source = read(frozenset((*modules(system), sample.__module__, ground_truth_time.__module__)))
    plain = {"system": describe(system), "sampling": describe(sampling), "seed": seed, "code": source}
    return folder / f"{checksum(plain)[:32]}.npz"


class SystemCell(Cell[System, Learner, Sampling]):
    """A system met by a learner; what is done with the fitted predictors is left to the kinds of such cells."""

    small = True

    def prepare(self, data: Path) -> None:
        observe(self.system, self.sampling, self.data_seed, data)

    def units(self) -> dict[str, Any]:
        try:
            timescale, dim = self.system.timescale, self.system.dim
            names = self.system.channel_names
            channels = [names[channel] for channel in self.sampling.channels] or list(names)
        except Exception:  # the cell of such a system fails, and has to be described all the same
            timescale = None
            dim = None
            channels = []
        return {
            "timescale": timescale,
            "timescale_name": self.system.timescale_name,
            "step": self.sampling.step * timescale if timescale else None,
            "dim": dim,
            "channels": channels,
            "ring": self.system.ring,
        }


def _read(path: Path, system: System, sampling: Sampling, seed: int) -> ObservedData | None:
    """The dataset in a file; None where there is none, or it is damaged (the archive checks its bytes)."""
    try:
        with path.open("rb") as file:
            tensors = {name: torch.from_numpy(values) for name, values in read_arrays(file).items()}
    except (OSError, ValueError, EOFError, NotImplementedError, BadZipFile):
        return None
    wanted = [f"{part}_{kind}" for part in PARTS for kind in ("times", "states")]
    if sorted(tensors) != sorted([*wanted, _LIMIT]):
        return None
    parts = {part: Trajectories(tensors[f"{part}_times"], tensors[f"{part}_states"]) for part in PARTS}
    return ObservedData(Dataset(system.source, system.adapt(sampling, seed), seed, **parts), float(tensors[_LIMIT]))
