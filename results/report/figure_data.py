"""What the figures of a run are drawn from: its cells' arrays, prediction times and colours."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from results.figures.style import Style, styles
from results.formatting import ABSENT, NOTHING, status
from results.statistics.intervals import Interval, prediction_time_interval
from results.statistics.scores import GROUND_TRUTH
from results.store.run import Run

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Picture:
    """What draws a figure, with its file name, title and caption; `system` is empty where it shows all of them."""

    name: str
    title: str
    caption: str
    draw: Callable[[], Figure]  # in any process
    system: str = ""
    dense: bool = False  # so many lines that a page had better show pixels


@dataclass(frozen=True)
class FigureData:
    """A run as figures need it; a cell without evidence is shown as words that say why."""

    run: Run
    frame: pd.DataFrame  # the long form of the run

    def without_references(self) -> "FigureData":
        """The same without its yardsticks, unless there is nothing else."""
        if not self.run.compared:
            return self
        compared = self.frame["learner"].isin(self.run.compared)
        return FigureData(self.run.without_references(), self.frame.loc[compared])

    @cached_property
    def styles(self) -> dict[str, Style]:
        return styles(self.run.learners, self.run.references)

    @cached_property
    def truths(self) -> list[str]:
        """The labels of the true equations, however they are set up."""
        return [learner for learner, component in self.run.learner_components.items() if component.kind == GROUND_TRUTH]

    @cached_property
    def cells(self) -> dict[tuple[str, str], Arrays]:
        """What each finished cell has kept for figures, by system and learner."""
        return {place: self.run.store.arrays(key) for place, key in self._keys.items()}

    @cached_property
    def _keys(self) -> dict[tuple[str, str], str]:
        return {(cell.system, cell.learner): cell.key for cell in self.run.finished}

    @cached_property
    def prediction_times(self) -> pd.DataFrame:
        """`median`, `low` and `high` of the prediction time of each cell, its `status`, and whether it is `capped`.

        Of a seed that failed, nothing is predicted, where others did not.
        """
        found = []
        for system in self.run.timescales:
            for learner in self.run.learners:
                vpt = self._with_failures(system, learner, "vpt")
                longest = float(np.median(self.cells.get((system, learner), {}).get("vpt_longest", np.inf)))
                interval = prediction_time_interval(vpt, longest) if len(vpt) else Interval(np.nan, np.nan, np.nan)
                cell = {"system": system, "learner": learner, "status": self._status(system, learner)}
                found.append(cell | asdict(interval) | {"capped": interval.median >= longest * (1 - 1e-6)})
        return pd.DataFrame(found, columns=["system", "learner", "median", "low", "high", "status", "capped"])

    @cached_property
    def rings(self) -> list[str]:
        """The systems whose channels are the sites of a ring, in their order, as far as there is evidence of them."""
        first = {cell.system: cell.key for cell in self.run.finished}
        return [
            system
            for system in self.run.timescales
            if self.run.store.cell(first[system]).get("ring") and self.truth(system)
        ]

    def channels(self, system: str) -> list[str]:
        """What the scored channels of a system are called."""
        key = next(cell.key for cell in self.run.finished if cell.system == system)
        return self.run.store.cell(key).get("channels") or ["x1", "x2", "x3"]

    def truth(self, system: str) -> Arrays:
        """The arrays of a cell that has evidence, for what all cells of the system share; empty if none has."""
        return next((arrays for (its, _), arrays in self.cells.items() if its == system and "pq_truth" in arrays), {})

    def of_seeds(self, system: str, learner: str, name: str) -> np.ndarray:
        """An array of a cell for the seeds that have it; empty where none has.

        Arrays that are NaN throughout are those of a seed that failed.
        """
        values = self.cells.get((system, learner), {}).get(name, np.empty((0, 1))).astype(np.float64)
        return values[[not np.isnan(of_one).all() for of_one in values]] if len(values) else values

    def _with_failures(self, system: str, learner: str, name: str) -> np.ndarray:
        """An array of a cell for all its seeds, zero of those that failed; empty where all did."""
        values = self.cells.get((system, learner), {}).get(name, np.empty((0, 1))).astype(np.float64)
        return np.nan_to_num(values) if len(self.of_seeds(system, learner, name)) else values[:0]

    def paths(self, system: str, name: str) -> dict[str, np.ndarray | str]:
        """The path of the first seed of each learner that the system has, or why there is none."""
        there = [learner for learner in self.run.learners if learner not in self.run.lacks.get(system, ())]
        found = {learner: self.of_seeds(system, learner, name) for learner in there}
        return {learner: paths[0] if len(paths) else self._status(system, learner) for learner, paths in found.items()}

    def _status(self, system: str, learner: str) -> str:
        """How a cell ended, in words: ok where any seed did; a dash where the system does not have the learner."""
        if learner in self.run.lacks.get(system, ()):
            return NOTHING
        key = self._keys.get((system, learner), "")
        ended = [record.status for record in self.run.records.get(key, ())] or [ABSENT]
        return "ok" if "ok" in ended else status(ended[0])
