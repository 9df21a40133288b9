"""What one cell is: a system, a learner and all the seeds, and how it is fitted and measured."""

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, is_dataclass
from functools import cache, partial, singledispatch
from math import isfinite
from typing import Any, Generic, TypeVar

from bench.cells.digest import Reader, checksum, code, modules
from bench.cells.trial import Ending, Trial, _say
from bench.errors import one_line
from bench.machine.meter import Reading, meter
from learners import Budget
from metrics import Evidence, Metric, Undefined
from results import Measurement, Record, Status
from systems import System
from systems.configuration import describe, label

Observed = TypeVar("Observed")  # a System, or an ImageSet
Taught = TypeVar("Taught")  # a Learner, or a Classifier
Protocol = TypeVar("Protocol")  # a Sampling, or an ImageSampling
Model = TypeVar("Model")


@dataclass(frozen=True)
class Cell(Generic[Observed, Taught, Protocol]):
    """One system met by one learner, with all its seeds; the unit of work, of caching and of failure."""

    system: Observed
    learner: Taught
    sampling: Protocol
    metrics: tuple[Metric, ...]
    budget: Budget
    seeds: tuple[int, ...]
    data_seed: int
    device: str = "cpu"

    @property
    def system_label(self) -> str:
        return label(self.system)

    @property
    def learner_label(self) -> str:
        return label(self.learner)


def fit(cell: Cell, data: Any, kind: type[Model]) -> tuple[list[Model], Reading]:
    """The fitted models, and what fitting all of them together took: peak memory is not told apart by seed."""
    with meter(cell.device) as reading:
        models = cell.learner.fit(data, cell.budget, cell.seeds)
    if len(models) != len(cell.seeds) or not all(isinstance(model, kind) for model in models):
        given = ", ".join(type(model).__name__ for model in models) or "none"
        wanted = f"{len(cell.seeds)} {kind.__name__.lower()}s, one a seed"
        raise TypeError(f"{cell.learner_label}.fit must return {wanted}, but returns {given}")
    return models, reading


def examined(cell: Cell, models: Sequence[Model], examine: Callable[[int, Model], Trial]) -> list[Trial]:
    """A trial for each seed; a model that several share, as of a deterministic learner, is measured once."""
    pairs, trials = list(zip(cell.seeds, models, strict=True)), {}
    for seed, model in pairs:
        if id(model) not in trials:
            trials[id(model)] = examine(seed, model)
    return [trials[id(model)].of(seed) for seed, model in pairs]


@singledispatch
def about(cell: "Cell", key: str, seconds: float) -> dict[str, Any]:
    """What a cell is, as JSON-ready values; `seconds` is what all of it took."""
    timescale, dim = _geometry(cell.system)
    return {
        "key": key,
        "system": cell.system_label,
        "learner": cell.learner_label,
        "reference": cell.learner.reference,
        "seeds": list(cell.seeds),
        "data_seed": cell.data_seed,
        "timescale": timescale,
        "timescale_name": cell.system.timescale_name,
        "step": cell.sampling.step * timescale if timescale else None,
        "dim": dim,
        "ring": cell.system.ring,
        "updates_effort": cell.budget.effort,
        "device": cell.device,
        "configuration": identity(cell),
        "digest": digest(cell),
        "seconds": seconds,
    }


def _geometry(system: System) -> tuple[float | None, int | None]:
    """Timescale and dimension; None where the system itself fails, as a cell that reports this must."""
    try:
        return system.timescale, system.dim
    except Exception:
        return None, None


def key(cell: "Cell") -> str:
    """Hexadecimal sha256 of all that decides the outcome of a cell; equal for equal cells of equal code.

    Raises TypeError where a configuration holds values that are not plain.
    """
    return checksum(identity(cell) | {"code": digest(cell)})


def identity(cell: "Cell") -> dict[str, Any]:
    """The resolved configuration of a cell, as JSON-ready values."""
    return {
        "system": describe(cell.system),
        "learner": describe(cell.learner),
        "sampling": describe(cell.sampling),
        "metrics": [[metric.name, metric.unit, metric.better, _name(metric.measure)] for metric in cell.metrics],
        "budget": describe(cell.budget),
        "seeds": list(cell.seeds),
        "data_seed": cell.data_seed,
        "device": cell.device.partition(":")[0],
    }


def keys(cells: Iterable["Cell"]) -> list[str]:
    """The key of each cell, with the code behind cells that are made of the same modules read once."""
    read = cache(code)
    return [checksum(identity(cell) | {"code": digest(cell, read)}) for cell in cells]


def digest(cell: "Cell", read: "Reader | None" = None) -> dict[str, str]:
    """A short hash of the code of every module that a cell uses, by module; `read` may be a `code` that remembers."""
    return (read or code)(roots(cell))


def roots(cell: "Cell") -> frozenset[str]:
    """The modules that a cell is made of, from which all others are reached."""
    return fitting_roots(cell) | {_module(metric.measure) for metric in cell.metrics}


def fitting_roots(cell: "Cell") -> frozenset[str]:
    """The modules that a cell is made of but for its metrics."""
    parts = (cell.system, cell.learner, cell.sampling, cell.budget)
    return frozenset({"bench.cells.cell", type(cell).__module__, *modules(parts)})


def _name(measure: Callable[..., Any]) -> Any:
    """A measure by name, with the arguments that a partial application or a dataclass has fixed."""
    if isinstance(measure, partial):
        return [_name(measure.func), describe(measure.args), {n: describe(v) for n, v in measure.keywords.items()}]
    return describe(measure) if is_dataclass(measure) else f"{measure.__module__}.{measure.__qualname__}"


def _module(measure: Callable[..., Any]) -> str:
    return _module(measure.func) if isinstance(measure, partial) else measure.__module__


def names(cell: Cell) -> set[str]:
    """What a cell's system and learner are called, with and without their settings."""
    return {cell.system_label, cell.learner_label, type(cell.system).__name__, type(cell.learner).__name__}


def failed(cell: "Cell", seed: int, status: Status, reason: str) -> Record:
    """The record of a trial that leaves nothing to measure: a row for every metric, without a value."""
    empty = tuple(Measurement(metric.name, None, metric.unit, metric.better) for metric in cell.metrics)
    return Record(cell.system_label, cell.learner_label, seed, status, reason, empty)


def record_of(cell: "Cell", seed: int, evidence: Evidence, ending: Ending) -> Record:
    """Measure every metric; what has no finite value is named in the reason, and an error is a crash of the trial."""
    measured = {metric: _measure(metric, evidence) for metric in cell.metrics}
    untold = {metric.name: str(value) for metric, value in measured.items() if isinstance(value, Undefined)}
    raised = {metric.name: value for metric, value in measured.items() if isinstance(value, Exception)}
    errors = {name: error for name, error in raised.items() if name not in untold}
    infinite = [metric.name for metric, value in measured.items() if isinstance(value, float) and not isfinite(value)]
    reasons = [*ending.reasons, *(f"{name}: {_say(error)}" for name, error in errors.items())]
    for reason in dict.fromkeys(untold.values()):
        names = ", ".join(name for name, why in untold.items() if why == reason)
        reasons.append(one_line(f"no {names}: {reason}"))
    if infinite:
        reasons.append(f"not finite: {', '.join(infinite)}")
    measurements = [
        Measurement(
            metric.name, value if isinstance(value, float) and isfinite(value) else None, metric.unit, metric.better
        )
        for metric, value in measured.items()
    ]
    status = "crashed" if errors and ending.status == "ok" else ending.status
    return Record(cell.system_label, cell.learner_label, seed, status, "; ".join(reasons), tuple(measurements))


def _measure(metric: Metric, evidence: Evidence) -> float | Exception:
    try:
        return float(metric.measure(evidence))
    except Undefined as reason:
        return reason
    except Exception as error:
        traceback.print_exception(error)
        return error
