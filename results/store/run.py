"""A run: what a suite asked for, and what its cells have answered so far."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.store.atomic import write_in_one_stroke
from results.store.errors import UnreadableError
from results.store.manifest import Component, Variant, read_component, read_manifest, read_variant
from results.store.record import COLUMNS, Record, relabelled
from results.store.store import Store, no_curve

if TYPE_CHECKING:
    from pandas import DataFrame

_METRIC = COLUMNS.index("metric")

ESTIMATES = {  # metrics of long runs whose estimates have intervals, and the arrays that hold these
    "lyapunov_exponent": "exponents",
    "kaplan_yorke_dimension": "kaplan_yorke_dimension",
    "divergence_rate": "divergence_rate",
}
EQUAL = {"updates": "updates", "nfe": "function evaluations", "seconds": "seconds"}  # that learners may have alike


class Shared(dict[Any, Any]):
    """What all frames that are made of a run's have in common: pandas would copy it for each."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "Shared":
        return self


@dataclass(frozen=True)
class StoredCell:
    """One system met by one learner, and the key of the two in the store."""

    key: str
    system: str
    learner: str


@dataclass(frozen=True)
class Run:
    """A manifest, in the order of display, and the store that its cells are kept in.

    Cells that are missing or damaged are left out and counted, so that an interrupted run can be reported.
    """

    folder: Path
    manifest: Mapping[str, Any]
    store: Store

    @classmethod
    def load(cls, folder: Path) -> "Run":
        """The run of `<out>/<suite>`, whose cells lie in `<out>/cells`. Raises BrokenRunError or StoreVersionError."""
        Store(folder.parent).check_version()
        return cls(folder, read_manifest(folder), Store(folder.parent))

    @property
    def suite(self) -> str:
        """The name of the suite."""
        return self.manifest["suite"]

    @property
    def budget(self) -> str:
        """The name of the budget; that of the standard one in manifests of older programs, which do not say."""
        return self.manifest.get("budget") or "standard"

    @property
    def systems(self) -> list[str]:
        """Labels of the systems, in order."""
        return list(self.manifest["systems"])

    @property
    def learners(self) -> list[str]:
        """Labels of all learners, in order."""
        return [learner["label"] for learner in self.manifest["learners"]]

    @property
    def references(self) -> list[str]:
        """The learners that are yardsticks beside those that are compared."""
        return [learner["label"] for learner in self.manifest["learners"] if learner["reference"]]

    @property
    def compared(self) -> list[str]:
        """The learners that are no yardsticks."""
        return [learner["label"] for learner in self.manifest["learners"] if not learner["reference"]]

    @property
    def lacks(self) -> dict[str, list[str]]:
        """The learners that a system does not have, of systems that some learners are not for."""
        return self.manifest.get("lacks", {})

    def without_references(self) -> "Run":
        """The run as if there had been no yardsticks."""
        learners = [learner for learner in self.manifest["learners"] if not learner["reference"]]
        cells = [cell for cell in self.manifest["cells"] if cell["learner"] in self.compared]
        return replace(self, manifest={**self.manifest, "learners": learners, "cells": cells})

    @cached_property
    def learner_components(self) -> dict[str, Component]:
        """Class and settings of each learner, by its label."""
        return {entry["label"]: read_component(entry) for entry in self.manifest["learners"]}

    @cached_property
    def system_components(self) -> dict[str, Component]:
        """Class and settings of each system, by its label."""
        described = {entry["label"]: entry for entry in self.manifest.get("system_settings", ())}
        return {label: read_component(described.get(label, {"label": label})) for label in self.systems}

    @cached_property
    def variants(self) -> dict[str, Variant]:
        """What a sweep has made of systems and learners, by label; empty where nothing was swept."""
        return {one["label"]: read_variant(one) for one in self.manifest.get("variants", ())}

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, in order."""
        return [metric["name"] for metric in self.manifest["metrics"]]

    @property
    def groups(self) -> dict[str, list[str]]:
        """The metrics of each table: what is said of forecasts, of long runs, of costs."""
        group = {metric["name"]: metric.get("group", "") for metric in self.manifest["metrics"]}
        return {each: [metric for metric in group if group[metric] == each] for each in dict.fromkeys(group.values())}

    @property
    def conditions(self) -> str:
        """What captions say of every number: test cases and seeds, the budget, what is equal, and where it ran."""
        manifest, about = self.manifest, self.manifest["environment"]
        cases = manifest["sampling"].get("test")
        seeds = len(manifest["seeds"])
        counted = [
            *([f"n = {cases} test case{'s' * (cases != 1)}"] if cases else []),
            f"{seeds} seed{'s' * (seeds != 1)}",
        ]
        device = " ".join(dict.fromkeys(f"{about[name]}" for name in ("device", "processor") if about.get(name)))
        counted.append(f"budget {manifest.get('budget')}")
        if manifest.get("equal"):
            counted.append(
                f"{manifest['allowance']:g} {EQUAL[manifest['equal']]} of training for every learner and seed"
            )
        return f"{', '.join(counted)}{f', on {device}' if device else ''}."

    @cached_property
    def timescales(self) -> dict[str, str]:
        """What one unit of time is called, for each system that has a finished cell: "Lyapunov time" or "period"."""
        first = {cell.system: cell.key for cell in reversed(self.finished)}
        return {system: self.store.cell(first[system])["timescale_name"] for system in self.systems if system in first}

    @cached_property
    def cells(self) -> list[StoredCell]:
        """All cells that the suite asks for, system by system."""
        cells = [StoredCell(cell["key"], cell["system"], cell["learner"]) for cell in self.manifest["cells"]]
        system, learner = _places(self.systems), _places(self.learners)
        return sorted(cells, key=lambda cell: (system[cell.system], learner[cell.learner]))

    @cached_property
    def finished(self) -> list[StoredCell]:
        """The cells that are there and intact."""
        return [cell for cell in self.cells if cell.key in self.records]

    @property
    def records(self) -> dict[str, list[Record]]:
        """The records of each finished cell, by key, in the order of the manifest's seeds."""
        return self._records[0]

    @property
    def unfinished(self) -> dict[StoredCell, str]:
        """Cells that are missing or damaged, and why."""
        return self._records[1]

    @property
    def without_cells(self) -> str:
        """What to say of a run of which no cell is finished, as of a folder that was copied alone."""
        cells = self.store.root / "cells"
        return f"no cell of {self.folder} is finished in {cells}; a run is copied with the folder `cells` beside it"

    def frame(self) -> "DataFrame":
        """One row for each metric of each trial, in long form, ordered by system, learner, seed and metric."""
        return self._frame.copy(deep=False)

    def frame_of_components(self) -> "DataFrame":
        """`frame`, with the columns `learner_class`, `learner_settings`, `system_class` and `system_settings`."""
        return with_components(self.frame(), self.system_components, self.learner_components)

    def frame_of_axes(self) -> "DataFrame":
        """`frame`, with a column for each field that was swept."""
        frame = self.frame()
        for axis in dict.fromkeys(name for one in self.variants.values() for name in one.at):
            at = {label: one.at[axis] for label, one in self.variants.items() if axis in one.at}
            pairs = zip(frame["learner"].tolist(), frame["system"].tolist(), strict=True)
            frame = frame.assign(**{axis: [at.get(learner, at.get(system)) for learner, system in pairs]})
        return frame

    def curves(self) -> "DataFrame":
        """The learning curves of all finished cells, in their order: those of the store, with `system`, `learner`."""
        return self._curves.copy(deep=False)

    @cached_property
    def _frame(self) -> "DataFrame":
        import pandas as pd

        place = _places(self.metrics)
        with no_garbage_collection():
            rows = [
                row
                for cell in self.finished
                for record in self.records[cell.key]
                for row in sorted(record.rows(self.suite, cell.key), key=lambda row: place.get(row[_METRIC], inf))
            ]
        frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"value": float})
        frame.attrs["published"] = Shared(self.manifest.get("published", {}))  # true values, by system and metric
        frame.attrs["lacks"] = Shared(self.lacks)
        frame.attrs["reach"] = Shared(self._reach_of_truth())
        frame.attrs["long_run"] = tuple(self.groups.get("long run", ()))
        return frame

    def _reach_of_truth(self) -> dict[tuple[str, str], float]:
        """Half the 95 % intervals of the true equations' estimates by system and metric, where nothing is published."""
        published = self.manifest.get("published", {})
        found = {}
        for cell in self.finished if set(ESTIMATES) & set(self.metrics) else ():
            arrays = self.store.arrays(cell.key) if cell.learner == "TrueEquations" else {}
            for metric, name in ESTIMATES.items():
                values = arrays.get(name)  # of each seed the estimate, the lower end and the upper one
                if values is not None and values.size and metric not in published.get(cell.system, {}):
                    _, low, high = values[0].reshape(3, -1)[:, 0]  # that of several that comes first
                    found[cell.system, metric] = float(high - low) / 2
        return found

    @cached_property
    def _curves(self) -> "DataFrame":
        import pandas as pd

        curves = {cell: self.store.curve(cell.key) for cell in self.finished}
        named = [curve.assign(system=cell.system, learner=cell.learner) for cell, curve in curves.items() if len(curve)]
        return pd.concat(named or [no_curve().assign(system="", learner="")], ignore_index=True)

    @cached_property
    def _records(self) -> tuple[dict[str, list[Record]], dict[StoredCell, str]]:
        records = {}
        unfinished = {}
        place = _places(self.manifest["seeds"])
        with no_garbage_collection():
            for cell in self.cells:
                try:
                    self.store.verify(cell.key)
                    found = relabelled(self.store.records(cell.key), cell.learner)
                except UnreadableError as error:
                    unfinished[cell] = str(error)
                else:
                    records[cell.key] = sorted(found, key=lambda record: place.get(record.seed, inf))
        return records, unfinished


def with_components(
    frame: "DataFrame", systems: Mapping[str, Component], learners: Mapping[str, Component]
) -> "DataFrame":
    """The long form of a run with classes and settings: columns `learner_class`, `learner_settings` and so on."""
    for name, components in (("system", systems), ("learner", learners)):
        found = [components[label] for label in frame[name].tolist()]
        frame = frame.assign(
            **{f"{name}_class": [each.kind for each in found], f"{name}_settings": [each.settings for each in found]}
        )
    return frame


def write_csv(frame: "DataFrame", path: Path) -> Path:
    """Write a frame as CSV with a line feed after each row; the same frame gives the same bytes."""
    write_in_one_stroke(path, frame.to_csv(index=False, lineterminator="\n"))
    return path


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Pause the collection of cyclic garbage, which would visit many objects that stay over and over."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _places(names: Any) -> dict[Any, int]:
    return {name: place for place, name in enumerate(names)}
