"""What a trial leaves behind, as plain values: one record for each cell and seed, one row for each of its metrics."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Status = Literal["ok", "diverged", "solver_failed", "out_of_memory", "timeout", "crashed", "skipped"]
COLUMNS = ("suite", "system", "learner", "seed", "metric", "value", "unit", "better", "status", "reason", "cell")


@dataclass(frozen=True)
class Measurement:
    """One metric of one trial; `value` is None where a failed trial has none."""

    metric: str
    value: float | None
    unit: str
    better: str


@dataclass(frozen=True)
class Record:
    """The outcome of one trial. A failure is an outcome: it has a status, a reason, and a row for every metric."""

    system: str
    learner: str
    seed: int
    status: Status
    reason: str
    measurements: tuple[Measurement, ...]

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> "Record":
        """The record whose `dataclasses.asdict` is `values`; KeyError or TypeError where it is of another shape."""
        measurements = tuple(Measurement(**measurement) for measurement in values["measurements"])
        return cls(**{**values, "measurements": measurements})

    def rows(self, suite: str, cell: str) -> Iterator[dict[str, Any]]:
        """The record in long form, with exactly the keys of COLUMNS."""
        trial = {"system": self.system, "learner": self.learner, "seed": self.seed}
        outcome = {"status": self.status, "reason": self.reason, "cell": cell}
        for measurement in self.measurements:
            row = {"suite": suite} | trial | asdict(measurement) | outcome
            yield {column: row[column] for column in COLUMNS}


def named(records: Iterable[Record], learner: str) -> list[Record]:
    """The same records under the name that the learner has in a run."""
    return [replace(record, learner=learner) for record in records]
