"""A trial as trackers show it: where it belongs, its learning curve, its settings and its metrics."""

import errno
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any
from uuid import uuid4

from results import Record
from results.statistics.trials import rows
from results.store.run import Run

CURVES = {
    "train_loss": "loss/training",
    "valid_loss": "loss/validation",
    "seconds": "cost/seconds",
    "valid_vpt": "vpt/validation",
}
SHOWN = ("system", "learner", "sampling", "budget")  # parts of a configuration that are hyper-parameters


@dataclass(frozen=True)
class Tracked:
    """One trial."""

    cell: str  # key
    system: str
    learner: str
    record: Record
    points: Sequence[tuple[int, dict[str, float]]]  # of the learning curve: the update, and what was known then
    settings: Mapping[str, bool | int | float | str]

    @property
    def name(self) -> str:
        """Of the trial among those of its suite."""
        return f"{self.system} {self.learner} seed {self.record.seed}"

    @property
    def measured(self) -> dict[str, float]:
        """The metrics that have a value."""
        return {f"metric/{one.metric}": one.value for one in self.record.measurements if one.value is not None}

    @property
    def outcome(self) -> dict[str, int | str]:
        """How it ended."""
        return {"seed": self.record.seed, "status": self.record.status, "reason": self.record.reason}

    @property
    def last(self) -> int:
        """The last update of its learning curve."""
        return self.points[-1][0] if self.points else 0


def trials(run: Run) -> Iterator[Tracked]:
    """Every finished trial of a run."""
    for cell in run.finished:
        curve = run.store.curve(cell.key)
        configuration = run.store.cell(cell.key)["configuration"]
        settings = dict(_flat({name: part for name, part in configuration.items() if name in SHOWN}))
        for record in run.records[cell.key]:
            points = [
                (int(point["update"]), {tag: point[one] for one, tag in CURVES.items() if not isnan(point[one])})
                for point in rows(curve, seed=record.seed).to_dict("records")
            ]
            yield Tracked(cell.key, cell.system, cell.learner, record, points, settings)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder, which takes the place of this one in the end; where anything fails, nothing has changed."""
    unfinished, retired = (folder.parent / f".{folder.name}-{uuid4().hex}" for _ in range(2))
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        with suppress(FileNotFoundError):
            folder.rename(retired)
        try:
            unfinished.rename(folder)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # as where another run has written them meanwhile
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(retired, ignore_errors=True)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings under dotted names, as values that a table of hyper-parameters takes; a class by its part."""
    for name, value in values.items():
        path = prefix if name == "class" else f"{prefix}.{name}" if prefix else name
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        else:
            yield path, value if isinstance(value, (bool, int, float, str)) else str(value)
