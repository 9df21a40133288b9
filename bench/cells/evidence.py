"""What fitting a cell has left: evidence of its models, kept under a key of its own, that can be measured anew.

Evidence is all that a metric sees. It depends on the system, the learner, the sampling, the budget, the seeds and their
code, and not on the metrics: where only these have changed, nothing is trained again. The one exception is the
prediction time of stages in learning curves, whose models are gone.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import count, takewhile
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn, cast, get_args, get_origin, get_type_hints
from zipfile import BadZipFile, ZipFile

import numpy as np
import torch

from bench.cells.drawings import Arrays
from bench.cells.exponents import Remembered
from bench.cells.files import write_files, write_json
from bench.cells.key import Planned, fit_identity
from bench.cells.records import measure
from bench.cells.trial import Ending, Trial
from bench.machine.environment import environment, process_usage
from metrics import LYAPUNOV, Metric
from results import Store, UnreadableError
from results.store.lease import Lease
from results.store.packing import write_arrays
from systems.lyapunov import Spectrum

COPIED = ("curve.csv", "checkpoint.safetensors")
SPECTRUM = "spectrum."  # names under which Lyapunov exponents are kept
NO_SPECTRUM = "no_spectrum"  # or why there are none
LARGEST = 64_000_000  # bytes of evidence that are kept of a fit: to keep more would cost more than to train again


class ModelNeededError(BaseException):
    """A metric asks for more than is kept of a model. No Exception: it must not count as a failure of the metric."""


def suffices(metrics: Sequence[Metric], fits: Store, name: str) -> bool:
    """Whether what is kept of a fit is all that our metrics need: its Lyapunov exponents may be missing."""
    if not set(LYAPUNOV) & set(metrics):
        return True
    try:
        with ZipFile(fits.path(name) / "arrays.npz") as archive:
            return any(SPECTRUM in file or NO_SPECTRUM in file for file in archive.namelist())
    except (OSError, BadZipFile):
        return False


def keep_fit(planned: Planned, fits: Store, name: str, trials: Sequence[Trial], folder: Path) -> None:
    """Keep the evidence of trials that all have left some, with the curves and weights that lie in `folder`.

    What is the same for all seeds is kept once, and what the data tell not at all. Nothing is kept of fits that leave
    more than LARGEST.
    """
    if any(trial.evidence is None for trial in trials) or fits.finished(name):
        return
    by_seed = {
        trial.record.seed: flatten(trial.evidence) | _flat_spectrum(trial.evidence) | flatten(trial.ending)
        for trial in trials
    }
    derived = planned.cell.derived(planned.data.parent)
    first, *others = by_seed.values()
    shared = {name for name in first if all(name in one and _same(first[name], one[name]) for one in others)}
    content = {name: first[name] for name in shared if name not in derived or not _same(derived[name], first[name])}
    for seed, arrays in by_seed.items():
        content |= {f"{seed}/{name}": array for name, array in arrays.items() if name not in shared}
    if sum(values.nbytes for values in content.values()) > LARGEST:
        return
    lease = Lease(fits, name)
    if not lease.acquire():  # a cell with the same models and other metrics is keeping them
        return
    try:
        fits.sweep(name)
        with fits.stage(name) as place:
            write_arrays(place / "arrays.npz", content, *_units(derived))
            write_json(place / "cell.json", {**fit_identity(planned.cell), "data": planned.data.name})
            for file in COPIED:
                shutil.copyfile(folder / file, place / file)
    finally:
        lease.release()


def measure_again(planned: Planned, fits: Store, name: str, folder: Path) -> bool:
    """Write the files of a cell from the evidence that is kept of its fit; False where there is none, or none whole.

    What the evidence has from the data comes from the file of the data, which is made again where it is missing.
    """
    cell = planned.cell
    if cell.evidence is None or not fits.complete(name):
        return False
    begin = perf_counter()
    try:
        derived = cell.derived(planned.data.parent)
        arrays = derived | fits.arrays(name, *_units(derived))
        found = {seed: _rebuild(cell.evidence, seed, arrays) for seed in cell.seeds}
        fits.verify(name)
        trials = [
            Trial(measure(cell, seed, evidence, ending), arrays=cell.arrays(evidence))
            for seed, (evidence, ending) in found.items()
        ]
    except (UnreadableError, ModelNeededError, KeyError, TypeError, ValueError, BadZipFile):
        return False
    surroundings = environment(cell.device, torch.get_num_threads())
    write_files(folder, planned, trials, surroundings | process_usage(), perf_counter() - begin)
    for file in COPIED:
        shutil.copyfile(fits.path(name) / file, folder / file)
    (folder / "fit.json").write_text(f'{{"measured_again": "{name}"}}\n')
    return True


def flatten(values: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """The fields of a dataclass as arrays, those of nested ones under dotted names, without functions and None.

    Of a tuple of dataclasses, the place in it is part of the name.
    """
    flat: dict[str, np.ndarray] = {}
    for field in fields(values):
        value = getattr(values, field.name)
        name = prefix + field.name
        if is_dataclass(value):
            flat |= flatten(value, f"{name}.")
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            for place, one in enumerate(value):
                flat |= flatten(one, f"{name}.{place}.")
        elif value is not None and not callable(value):
            flat[name] = np.asarray(value)
    return flat


def unflatten(kind: type, flat: Mapping[str, np.ndarray], prefix: str = "") -> Any:
    """The dataclass that `flatten` has taken apart. Raises TypeError where a field that it needs is missing."""
    hints = get_type_hints(kind)
    given = {}
    for field in fields(kind):
        name = prefix + field.name
        nested = next(filter(is_dataclass, (hints[field.name], *get_args(hints[field.name]))), None)
        if nested and get_origin(hints[field.name]) is tuple:
            places = takewhile(lambda place: any(one.startswith(place) for one in flat), _places(name))
            given[field.name] = tuple(unflatten(cast(type, nested), flat, place) for place in places)
        elif nested and any(one.startswith(f"{name}.") for one in flat):
            given[field.name] = unflatten(cast(type, nested), flat, f"{name}.")
        elif name in flat:
            given[field.name] = flat[name] if flat[name].ndim else flat[name].item()
        elif get_origin(hints[field.name]) is Callable:
            given[field.name] = _ask_for_model
    return kind(**given)


def _places(name: str) -> Iterator[str]:
    """What the names of the fields begin with, of each dataclass in a tuple."""
    return (f"{name}.{place}." for place in count())


def _units(derived: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale of the channels; none where evidence has no channels."""
    none = np.empty(0)
    return derived.get("mean", none), derived.get("scale", none)


def _ask_for_model(*arguments: Any) -> NoReturn:
    raise ModelNeededError


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one is other or (one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def _flat_spectrum(evidence: Any) -> dict[str, np.ndarray]:
    """The Lyapunov exponents of a model, or why there are none, where a metric has asked for them."""
    found = getattr(getattr(evidence, "exponents", None), "found", None)
    if isinstance(found, str):
        return {NO_SPECTRUM: np.asarray(found)}
    return {} if found is None else flatten(found, SPECTRUM)


def _rebuild(kind: type, seed: int, arrays: Mapping[str, np.ndarray]) -> tuple[Any, Ending]:
    """The evidence of one seed, and how its training and forecasting ended."""
    places = [(*name.rpartition("/"), array) for name, array in arrays.items()]
    mine = {name: array for owner, _, name, array in places if owner in ("", str(seed))}
    ending: Ending = unflatten(Ending, mine)
    evidence = unflatten(kind, mine)
    found: Spectrum | str | None = None
    if NO_SPECTRUM in mine:
        found = str(mine[NO_SPECTRUM])
    elif any(name.startswith(SPECTRUM) for name in mine):
        found = unflatten(Spectrum, mine, SPECTRUM)
    if found is not None:
        evidence = replace(evidence, exponents=Remembered(_ask_for_model, found))
    return evidence, replace(ending, reasons=tuple(map(str, ending.reasons)))
