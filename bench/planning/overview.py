"""How far the cells of a run are: done, failed, running, damaged or missing."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from results import DamagedCellError, MissingCellError, Record
from results.store.lease import leased
from results.store.record import is_failure
from results.store.run import Cell, Run

Progress = Literal["ok", "failed", "running", "damaged", "missing"]
STATES: tuple[Progress, ...] = ("ok", "failed", "running", "damaged", "missing")


@dataclass(frozen=True)
class Overview:
    """The state of each cell of a run. Records are verified; arrays and curves are not read."""

    run: Run
    states: Mapping[Cell, Progress]
    failures: Mapping[str, Record]  # by key, the first trial that did not end well
    damage: Mapping[str, str]  # by key, what is wrong

    @classmethod
    def of(cls, run: Run) -> "Overview":
        busy, failures, damage = set(leased(run.store)), {}, {}
        states: dict[Cell, Progress] = {}
        for cell in run.cells:
            try:
                records = run.store.records(cell.key)
                if failed := [record for record in records if is_failure([record])]:
                    failures[cell.key] = failed[0]
                states[cell] = "failed" if failed else "ok"
            except (MissingCellError, DamagedCellError) as error:
                if isinstance(error, DamagedCellError):
                    damage[cell.key] = str(error)
                states[cell] = "damaged" if cell.key in damage else "missing"
            if cell.key in busy:
                states[cell] = "running"
        return cls(run, states, failures, damage)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many cells are in each state, also in those without any."""
        found = Counter(self.states.values())
        return {state: found[state] for state in STATES}

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON-ready values."""
        cells = [
            {"key": cell.key, "system": cell.system, "learner": cell.learner, "state": state}
            | self._reason(cell.key, state)
            for cell, state in self.states.items()
        ]
        return {"suite": self.run.suite, "folder": str(self.run.folder), "counts": self.counts, "cells": cells}

    def _reason(self, key: str, state: Progress) -> dict[str, str]:
        if state == "damaged":
            return {"reason": self.damage[key]}
        if state != "failed":
            return {}
        log = str(self.run.store.path(key) / "log.txt")
        return {"status": self.failures[key].status, "reason": self.failures[key].reason, "log": log}
