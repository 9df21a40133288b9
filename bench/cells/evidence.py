"""What fitting a cell has left: evidence of its models, kept under a key of its own, that can be measured anew.

Evidence is all that a metric sees. It depends on the system, the learner, the sampling, the budget, the seeds and their
code, and not on the metrics: where only these have changed, nothing is trained again. The one exception is the
prediction time that learning curves tell of stages, whose models are gone.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn, cast, get_args, get_origin, get_type_hints
from zipfile import BadZipFile, ZipFile

import numpy as np
import torch

from bench.cells.cell import Cell, failed, fitting_roots, identity, record_of
from bench.cells.cell import key as key_of
from bench.cells.classifying import ImageCell
from bench.cells.digest import Reader, checksum, code
from bench.cells.exponents import Remembered
from bench.cells.files import write
from bench.cells.forecasting import conduct, drawn
from bench.cells.trial import Ending, Trial, verdict
from bench.machine.environment import environment, usage
from metrics import LYAPUNOV, Evidence, valid_prediction_time
from metrics.classification import ClassificationEvidence
from results import DamagedCellError, MissingCellError, Record, Store
from results.store.lease import Lease
from systems.lyapunov import Spectrum

AFTER_FITTING = ("bench.cells.files", "bench.cells.evidence", "metrics", "results")  # modules that no fit depends on
WHILE_FITTING = (valid_prediction_time.__module__,)  # but for what learning curves tell
COPIED = ("curve.csv", "checkpoint.safetensors")
SPECTRUM, WITHOUT = "spectrum.", "no_spectrum"  # names under which Lyapunov exponents are kept, or why there are none
LARGEST = 64_000_000  # bytes of evidence that are kept of a fit: to keep more would cost more than to train again


class ModelNeededError(BaseException):
    """A metric asks for more than is kept of a model. No Exception: it must not count as a failure of the metric."""


def perform(cell: Cell, key: str, store: Store, folder: Path) -> None:
    """Write the files of a cell into `folder`: of what has been fitted already, or else after fitting it."""
    fits, name = Store(store.root, "fits"), fit_key(cell)
    if not measure_again(cell, key, fits, name, folder):
        trials = carry_out(cell, store.root / "data", folder, key)
        if not getattr(cell.learner, "reference", False):  # yardsticks are fitted as fast as they are read
            keep(fits, name, trials, folder)


def fit_key(cell: Cell, read: Reader = code) -> str:
    """Hexadecimal sha256 of all that decides the outcome of fitting a cell, and none of its measuring.

    `read` may be a `code` that remembers.
    """
    configuration = {name: value for name, value in identity(cell).items() if name != "metrics"}
    return checksum(configuration | {"code": read(fitting_roots(cell), AFTER_FITTING) | read(WHILE_FITTING)})


def suffices(cell: Cell, fits: Store, name: str) -> bool:
    """Whether what is kept of a fit is all that our metrics of a cell need: its Lyapunov exponents may be missing."""
    if not set(LYAPUNOV) & set(cell.metrics):
        return True
    try:
        with ZipFile(fits.path(name) / "arrays.npz") as archive:
            return any(SPECTRUM in file or WITHOUT in file for file in archive.namelist())
    except (OSError, BadZipFile):
        return False


def keep(fits: Store, name: str, trials: Sequence[Trial], folder: Path) -> None:
    """Keep the evidence of trials that all have left some, with the curves and weights that lie in `folder`.

    Nothing is kept of fits that leave more than LARGEST.
    """
    if any(trial.evidence is None for trial in trials) or fits.finished(name):
        return
    arrays = {
        trial.record.seed: flatten(trial.evidence) | _spectrum(trial.evidence) | flatten(trial.ending)
        for trial in trials
    }
    content = _shared(arrays)
    if sum(values.nbytes for values in content.values()) > LARGEST:
        return
    lease = Lease(fits, name)
    if not lease.acquire():  # a cell with the same models and other metrics is keeping them
        return
    try:
        fits.sweep(name)
        with fits.stage(name) as place:
            np.savez(place / "arrays.npz", **content)  # type: ignore[arg-type]
            for file in COPIED:
                shutil.copyfile(folder / file, place / file)
    finally:
        lease.release()


def measure_again(cell: Cell, key: str, fits: Store, name: str, folder: Path) -> bool:
    """Write the files of a cell from the evidence that is kept of its fit; False where there is none, or none whole."""
    begin = perf_counter()
    try:
        arrays = fits.arrays(name)
        kind = ClassificationEvidence if isinstance(cell, ImageCell) else Evidence
        found = {seed: _rebuild(kind, seed, arrays) for seed in cell.seeds}
        fits.verify(name)
        trials = [
            Trial(record_of(cell, seed, evidence, ending), arrays=drawn(cell, evidence))
            for seed, (evidence, ending) in found.items()
        ]
    except (MissingCellError, DamagedCellError, ModelNeededError, KeyError, TypeError, ValueError, BadZipFile):
        return False
    surroundings = environment(cell.device, torch.get_num_threads())
    write(folder, cell, key, trials, surroundings | usage(), perf_counter() - begin)
    for file in COPIED:
        shutil.copyfile(fits.path(name) / file, folder / file)
    (folder / "fit.json").write_text(f'{{"measured_again": "{name}"}}\n')
    return True


def flatten(values: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """The fields of a dataclass as arrays, those of nested ones under dotted names, without functions and None."""
    flat: dict[str, np.ndarray] = {}
    for field in fields(values):
        value, name = getattr(values, field.name), prefix + field.name
        if is_dataclass(value):
            flat |= flatten(value, f"{name}.")
        elif value is not None and not callable(value):
            flat[name] = np.asarray(value)
    return flat


def unflatten(kind: type, flat: Mapping[str, np.ndarray], prefix: str = "") -> Any:
    """The dataclass that `flatten` has taken apart. Raises TypeError where a field that it needs is missing."""
    hints, given = get_type_hints(kind), {}
    for field in fields(kind):
        name = prefix + field.name
        nested = next(filter(is_dataclass, (hints[field.name], *get_args(hints[field.name]))), None)
        if nested and any(one.startswith(f"{name}.") for one in flat):
            given[field.name] = unflatten(cast(type, nested), flat, f"{name}.")
        elif name in flat:
            given[field.name] = flat[name] if flat[name].ndim else flat[name].item()
        elif get_origin(hints[field.name]) is Callable:
            given[field.name] = _ask_for_model
    return kind(**given)


def _shared(arrays: Mapping[int, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What is the same for all seeds once, and the rest by seed."""
    first, *others = arrays.values()
    shared = {name for name in first if all(name in one and _same(first[name], one[name]) for one in others)}
    own = {f"{seed}/{name}": array for seed, one in arrays.items() for name, array in one.items() if name not in shared}
    return {name: first[name] for name in shared} | own


def _ask_for_model(*arguments: Any) -> NoReturn:
    raise ModelNeededError


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one is other or (one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def _spectrum(evidence: Any) -> dict[str, np.ndarray]:
    """The Lyapunov exponents of a model, or why there are none, where a metric has asked for them."""
    found = getattr(getattr(evidence, "exponents", None), "found", None)
    if isinstance(found, str):
        return {WITHOUT: np.asarray(found)}
    return {} if found is None else flatten(found, SPECTRUM)


def _rebuild(kind: type, seed: int, arrays: Mapping[str, np.ndarray]) -> tuple[Any, Ending]:
    places = [(*name.rpartition("/"), array) for name, array in arrays.items()]
    mine = {name: array for owner, _, name, array in places if owner in ("", str(seed))}
    ending: Ending = unflatten(Ending, mine)
    evidence = unflatten(kind, mine)
    if WITHOUT in mine:
        evidence = replace(evidence, exponents=Remembered(_ask_for_model, str(mine[WITHOUT])))
    elif any(name.startswith(SPECTRUM) for name in mine):
        evidence = replace(evidence, exponents=Remembered(_ask_for_model, unflatten(Spectrum, mine, SPECTRUM)))
    return evidence, Ending(ending.status, tuple(map(str, ending.reasons)))


def carry_out(cell: Cell, data_folder: Path, folder: Path, key: str | None = None) -> list[Trial]:
    """Fit and measure a cell, write its files into `folder`, and return a trial for each seed, in their order.

    No error of the system, the learner or a metric is raised: it becomes a record, and its traceback goes to stderr.
    `key` is for a caller who has worked it out already.
    """
    begin = perf_counter()
    surroundings = environment(cell.device, torch.get_num_threads())
    try:
        trials = conduct(cell, data_folder)
    except Exception as error:
        status, reason = verdict(error)
        trials = [Trial(failed(cell, seed, status, reason)) for seed in cell.seeds]
    write(folder, cell, key or key_of(cell), trials, surroundings | usage(), perf_counter() - begin)
    return trials


def execute(cell: Cell, data_folder: Path, folder: Path, key: str | None = None) -> list[Record]:
    """Fit and measure a cell, write its files into `folder`, and return a record for each seed, in their order."""
    return [trial.record for trial in carry_out(cell, data_folder, folder, key)]
