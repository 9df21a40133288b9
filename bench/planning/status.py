"""What a store knows of cells that were computed before: how long they took, and of what code they were."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from results import DamagedCellError, MissingCellError, Store

if TYPE_CHECKING:
    from bench.cells.cell import Cell
    from bench.cells.digest import Reader

State = Literal["cached", "missing", "stale", "measured"]


@dataclass(frozen=True)
class Standing:
    """What a run would do with a cell, and why: use it, compute it, or only measure what is kept of its models."""

    state: State
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
            except (MissingCellError, DamagedCellError, KeyError, TypeError, AttributeError):
                continue
        return history

    def add(self, about: Mapping[str, Any], again: bool = False) -> None:
        """Remember what a cell tells of itself; one that was only measured again says nothing of the time it takes."""
        from bench.cells.digest import checksum

        self.digests[checksum(about["configuration"])].append(about["digest"])
        if not again:
            for name in _names(about["system"], about["learner"], about["updates_effort"], len(about["seeds"])):
                self.seconds[name].append(about["seconds"])

    def expected(self, cell: "Cell") -> float | None:
        """Seconds that a cell may take: the median of the cells that are most like it; None without any."""
        for name in _names(cell.system_label, cell.learner_label, cell.budget.effort, len(cell.seeds)):
            if name in self.seconds:
                return median(self.seconds[name])
        return None

    def changes(self, cell: "Cell", read: "Reader") -> list[str] | None:
        """The modules that have changed since such a cell was computed, by the cell with fewest; None without any."""
        from bench.cells.cell import digest, identity
        from bench.cells.digest import checksum

        known = self.digests.get(checksum(identity(cell)))
        if not known:
            return None
        now = digest(cell, read)
        return min((_differences(before, now) for before in known), key=len)


def standings(cells: "Sequence[Cell]", keys: Sequence[str], store: Store, history: History) -> dict[str, Standing]:
    """What a run would do with each cell, by key."""
    from bench.cells.digest import code

    fits, read = Store(store.root, "fits"), cache(code)
    return {
        key: Standing("cached") if store.complete(key) else _standing(cell, history, fits, read)
        for cell, key in zip(cells, keys, strict=True)
    }


def _standing(cell: "Cell", history: History, fits: Store, read: "Reader") -> Standing:
    from bench.cells.evidence import fit_key, suffices

    changed = history.changes(cell, read)
    why = f"{', '.join(changed[:3])}{' and more' if len(changed) > 3 else ''} changed" if changed else ""
    if fits.complete(name := fit_key(cell, read)) and suffices(cell, fits, name):
        return Standing("measured", why or "other metrics")
    return Standing("stale", why) if changed else Standing("missing")


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _names(system: str, learner: str, effort: float, seeds: int) -> list[tuple[str, ...]]:
    """What a cell is like, from the closest likeness to the widest."""
    spent = f"{effort:g}"
    return [(system, learner, spent, str(seeds)), (system, learner, spent), (learner, spent), (learner,)]
