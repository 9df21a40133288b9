"""What a store has of a run: which cells are done, which a run would compute, and how long that may take."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from results import DamagedCellError, MissingCellError, Record, Store, UnreadableError
from results.store.lease import leased
from results.store.record import is_failure
from results.store.run import Run, StoredCell

if TYPE_CHECKING:
    from bench.cells.key import Planned

Progress = Literal["ok", "failed", "running", "damaged", "missing"]
STATES: tuple[Progress, ...] = ("ok", "failed", "running", "damaged", "missing")


@dataclass(frozen=True)
class RunStatus:
    """The state of each cell of a run. Records are verified; arrays and curves are not read."""

    run: Run
    states: dict[StoredCell, Progress] = field(default_factory=dict)
    failures: dict[str, Record] = field(default_factory=dict)  # by key, the first trial that did not end well
    damage: dict[str, str] = field(default_factory=dict)  # by key, what is wrong

    @classmethod
    def of(cls, run: Run) -> "RunStatus":
        busy = set(leased(run.store))
        status = cls(run)
        for cell in run.cells:
            state: Progress = "ok"
            try:
                records = run.store.records(cell.key)
                if failed := [record for record in records if is_failure([record])]:
                    status.failures[cell.key] = failed[0]
                    state = "failed"
            except MissingCellError:
                state = "missing"
            except DamagedCellError as error:
                status.damage[cell.key] = str(error)
                state = "damaged"
            status.states[cell] = "running" if cell.key in busy else state
        return status

    @property
    def counts(self) -> dict[str, int]:
        """How many cells are in each state, also in those without any."""
        found = Counter(self.states.values())
        return {state: found[state] for state in STATES}

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON-ready values."""
        cells = []
        for cell, state in self.states.items():
            entry = {"key": cell.key, "system": cell.system, "learner": cell.learner, "state": state}
            if state == "damaged":
                entry["reason"] = self.damage[cell.key]
            elif state == "failed":
                record = self.failures[cell.key]
                log = str(self.run.store.path(cell.key) / "log.txt")
                entry |= {"status": record.status, "reason": record.reason, "log": log}
            cells.append(entry)
        return {"suite": self.run.suite, "folder": str(self.run.folder), "counts": self.counts, "cells": cells}


@dataclass(frozen=True)
class CacheState:
    """What a run would do with a cell, and why: use it, compute it, or only measure what is kept of its models."""

    state: Literal["cached", "missing", "stale", "measured"]
    why: str = ""


@dataclass(frozen=True)
class History:
    """The cells of a store by what they are, and not by what they are made of."""

    digests: Mapping[str, list[Mapping[str, str]]] = field(default_factory=lambda: defaultdict(list))
    seconds: Mapping[tuple[str, ...], list[float]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, store: Store) -> "History":
        history = cls()
        for key in store.all_keys():
            try:
                about = store.cell(key)
                history.add(about, again=store.holds(key, "fit.json"))
            except (UnreadableError, KeyError, TypeError, AttributeError):
                continue
        return history

    def add(self, about: Mapping[str, Any], again: bool = False) -> None:
        """Add a cell by its `cell.json`; that of one which was only measured `again` has no time of any use."""
        from bench.cells.digest import checksum

        self.digests[checksum(about["configuration"])].append(about["digest"])
        if not again:
            for name in _likenesses(about["system"], about["learner"], about["updates_effort"], len(about["seeds"])):
                self.seconds[name].append(about["seconds"])

    def expected(self, planned: "Planned") -> float | None:
        """Seconds that a cell may take: the median of the cells that are most like it; None without any."""
        cell = planned.cell
        for name in _likenesses(cell.system_label, cell.learner_label, cell.budget.effort, len(cell.seeds)):
            if name in self.seconds:
                return median(self.seconds[name])
        return None

    def changes(self, planned: "Planned") -> list[str]:
        """The modules that have changed since such a cell was computed, by the cell with fewest; none without any."""
        from bench.cells.digest import checksum
        from bench.cells.key import identity

        now = planned.code.items()
        before = self.digests.get(checksum(identity(planned.cell)), [])
        return min((sorted({name for name, _ in now ^ one.items()}) for one in before), key=len, default=[])


def cache_states(cells: "Sequence[Planned]", store: Store, history: History) -> dict[str, CacheState]:
    """What a run would do with each cell, by key."""
    from bench.cells.digest import code
    from bench.cells.evidence import suffices
    from bench.cells.key import apart, fit_key

    fits = Store(store.root, "fits")
    read = cache(code)
    found: dict[str, CacheState] = {}
    for one in cells:
        if store.complete(one.key):
            found[one.key] = CacheState("cached")
            continue
        changed = history.changes(one)
        why = f"{', '.join(changed[:3])}{' and more' if len(changed) > 3 else ''} changed" if changed else ""
        names = [fit_key(part.cell, read) for part in apart(one)]
        if all(fits.complete(name) and suffices(one.cell.metrics, fits, name) for name in names):
            found[one.key] = CacheState("measured", why or "other metrics")
        else:
            found[one.key] = CacheState("stale", why) if changed else CacheState("missing")
    return found


def _likenesses(system: str, learner: str, effort: float, seeds: int) -> list[tuple[str, ...]]:
    """What a cell is like, from the closest likeness to the widest."""
    spent = f"{effort:g}"
    return [(system, learner, spent, str(seeds)), (system, learner, spent), (learner, spent), (learner,)]
