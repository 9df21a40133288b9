"""Trials of equal time: as many updates as cost what the learner's own settings would, whatever an update costs.

Costs are measured when a learner is first tried, on data of one system, and kept: a search that is continued reads
them, and goes over its trials again with the same numbers of updates.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.cells.cell import Cell
from bench.cells.data import location
from bench.equal_time import affordable, priced_as, training_of, with_training
from bench.errors import UserError
from bench.timing.costs import milliseconds
from bench.timing.timing import brief_dataset
from learners import Learner
from results.store.atomic import write_in_one_stroke
from systems import Dataset

Price = Callable[[Learner], float]

ROUNDS = 3  # of measurements, after one that does not count: one alone may be off by half


@dataclass
class Prices:
    """What an update of a learner costs on data of a cell's system, measured once: its own file says what is known."""

    cell: Cell[Any, Any, Any]
    root: Path  # of the store
    path: Path = field(init=False)  # where costs on these data are kept
    known: dict[str, float] = field(default_factory=dict, init=False)
    data: Dataset | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        made = location(self.cell.system, self.cell.sampling, self.cell.data_seed, Path())
        self.path = self.root / "tuning" / f"costs_{made.stem}.json"
        if self.path.exists():
            self.known = json.loads(self.path.read_text(encoding="utf-8"))

    def __call__(self, learner: Learner) -> float:
        """Milliseconds of processor time for an update of one seed. Raises UserError where there is no telling."""
        name = priced_as(learner)
        if name not in self.known:
            self.data = self.data or brief_dataset(self.cell, self.root / "data")
            cost = milliseconds([learner], self.data, ROUNDS, lambda text: None, lambda each: name)[name]
            if isinstance(cost, str):
                raise UserError(cost)
            self.known[name] = float(f"{cost:.3g}")
            write_in_one_stroke(self.path, json.dumps(self.known, indent=2) + "\n")
        return self.known[name]


def in_time_of(own: Any, tuned: Any, price: Price) -> Any:
    """The learner with other settings, trained for as long as it would be with its own.

    Both are trained by updates. Costs are those at its own learning rate, which does not change them, but may let
    training fail. Raises UserError where they cannot be measured.
    """
    priced = with_training(tuned, learning_rate=training_of(own).learning_rate)
    if priced == own:
        return tuned
    seconds = training_of(own).updates * price(own) / 1e3
    return with_training(tuned, updates=affordable(price(priced), seconds))
