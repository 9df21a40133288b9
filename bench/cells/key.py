"""Keys of cells and of fits, digests of a configuration and of the code that it uses; and cells with theirs."""

from collections.abc import Iterable
from dataclasses import dataclass, is_dataclass, replace
from functools import cache, partial
from inspect import ismethod
from pathlib import Path
from typing import Any

from bench.cells.cell import Cell
from bench.cells.data import location
from bench.cells.digest import Reader, checksum, code, modules
from bench.importing import PACKAGES
from metrics import valid_prediction_time
from metrics.lyapunov import learned_spectrum
from systems.configuration import describe

AFTER_FITTING = ("metrics", "results")  # packages that no fit depends on
# But for what learning curves tell, and exponents of models, which are kept with the fit.
WHILE_FITTING = frozenset((valid_prediction_time.__module__, learned_spectrum.__module__))


@dataclass(frozen=True)
class Planned:
    """A cell, its key, the file of its data, and the code that the key stands for."""

    cell: Cell
    key: str
    data: Path  # exists once the data have been made
    code: dict[str, str]  # a short hash of each module that the cell uses, as `digest` gives it


def apart(planned: Planned) -> list[Planned]:
    """A cell whose seeds are fitted one after the other as one of each seed; any other as it is."""
    cell = planned.cell
    if not cell.apart:
        return [planned]
    return [replace(planned, cell=replace(cell, seeds=(seed,))) for seed in cell.seeds]


def planned(cells: Iterable[Cell], root: Path) -> list[Planned]:
    """Work out the key of each cell, and the file of its data in the folder `data` of a store at `root`.

    The code behind cells that are made of the same modules is read once. Raises TypeError where a configuration is not
    made of plain values, of which keys can be made.
    """
    read = cache(code)
    found = []
    for cell in cells:
        source = digest(cell, read)
        data = location(cell.system, cell.sampling, cell.data_seed, root / "data", read)
        found.append(Planned(cell, key(cell, source), data, source))
    return found


def key(cell: Cell, source: dict[str, str] | None = None) -> str:
    """Hexadecimal sha256 of all that decides the outcome of a cell; equal for equal cells of equal code.

    `source` is its `digest`, where that is at hand. Raises TypeError where a configuration is not made of plain values.
    """
    return checksum(identity(cell) | _kinds(cell) | {"code": source or digest(cell)})


def fit_key(cell: Cell, read: Reader = code) -> str:
    """Hexadecimal sha256 of all that decides the outcome of fitting a cell, and none of its measuring.

    `read` may be a `code` that remembers.
    """
    made = fit_identity(cell, read)
    return checksum(made["configuration"] | _kinds(cell) | {"code": made["digest"]})


def fit_identity(cell: Cell, read: Reader = code) -> dict[str, Any]:
    """What the key of a fit stands for: the `configuration` of the cell, and the `digest` of the code that fits it."""
    configuration = {name: value for name, value in identity(cell).items() if name != "metrics"}
    return {"configuration": configuration, "digest": read(_fit_roots(cell), AFTER_FITTING) | read(WHILE_FITTING)}


def identity(cell: Cell) -> dict[str, Any]:
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


def digest(cell: Cell, read: Reader = code) -> dict[str, str]:
    """A short hash of the code of every module that a cell uses, by module; `read` may be a `code` that remembers."""
    return read(_fit_roots(cell) | {name for metric in cell.metrics for name in _modules(metric.measure)})


def _fit_roots(cell: Cell) -> frozenset[str]:
    """The modules that a cell is made of but for its metrics; all others are reached from these."""
    return frozenset((type(cell).__module__, *modules((cell.system, cell.learner, cell.sampling, cell.budget))))


def _kinds(cell: Cell) -> dict[str, Any]:
    """The system and learner with the modules of their classes, where any is not ours; else nothing."""
    told = {"kinds": [describe(part, _called) for part in (cell.system, cell.learner)]}
    ours = {"kinds": [describe(part) for part in (cell.system, cell.learner)]}
    return told if told != ours else {}


def _called(kind: type) -> str:
    """The name of a class; of one outside of our packages with its module, for names may be the same."""
    return kind.__name__ if kind.__module__.partition(".")[0] in PACKAGES else f"{kind.__module__}.{kind.__qualname__}"


def _name(measure: Any, within: tuple[Any, ...] = ()) -> Any:
    """A measure by name, with all that it holds: what a partial application, a closure or an instance has fixed.

    A function may hold itself: what it is `within` is not told again.
    """
    if is_dataclass(measure) or not callable(measure):
        return describe(measure, _called)
    inner = (*within, measure)
    if isinstance(measure, partial):
        keywords = {name: _name(value, inner) for name, value in measure.keywords.items()}
        return [_name(measure.func, inner), [_name(one, inner) for one in measure.args], keywords]
    held = [_name(one, inner) for one in _held(measure, within)]
    name = f"{measure.__module__}.{measure.__qualname__}"
    return [name, *held] if held else name


def _modules(measure: Any, within: tuple[Any, ...] = ()) -> set[str]:
    """The modules in which a measure, and the functions that it holds, are defined."""
    if is_dataclass(measure) or not callable(measure):
        return set(modules(measure))
    if isinstance(measure, partial):
        return _modules(measure.func, within).union(*map(_modules, (*measure.args, *measure.keywords.values())))
    return {measure.__module__}.union(*(_modules(one, (*within, measure)) for one in _held(measure, within)))


def _held(function: Any, within: tuple[Any, ...]) -> list[Any]:
    """What a function has beside its code: variables of the function that made it, defaults, its instance."""
    enclosed = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    named = [value for _, value in sorted((getattr(function, "__kwdefaults__", None) or {}).items())]
    instance = [function.__self__] if ismethod(function) else []
    found = [*enclosed, *(getattr(function, "__defaults__", None) or ()), *named, *instance]
    return [one for one in found if not any(one is outer for outer in (*within, function))]
