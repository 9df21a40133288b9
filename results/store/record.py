"""What a trial leaves behind, as plain values: one record for each cell and seed, one row for each of its metrics."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Status = Literal["ok", "diverged", "solver_failed", "out_of_memory", "timeout", "crashed", "skipped"]
FAILURES: tuple[Status, ...] = ("crashed", "timeout", "out_of_memory")  # of the program or machine; others are results
COLUMNS = ("suite", "system", "learner", "seed", "metric", "value", "unit", "better", "status", "reason", "cell")


@dataclass(frozen=True)
class Measurement:
    """One metric of one trial; `value` is None where there is none.

    `status` says why, where that is a failure of the model in the horizon of this metric alone; it is ok where nothing
    defines a value.
    """

    metric: str
    value: float | None
    unit: str
    better: str
    status: Status = "ok"


@dataclass(frozen=True)
class Record:
    """The outcome of one trial. A failure is an outcome: it has a status, a reason, and a row for every metric.

    The status is that of training and of the forecasts of test states: a long run that fails is told in the reason, and
    is the status of the metrics that it leaves without a value.
    """

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

    def rows(self, suite: str, cell: str) -> Iterator[tuple[Any, ...]]:
        """The record in long form: a row for each metric, in the order of COLUMNS, with the status of that metric."""
        trial = (suite, self.system, self.learner, self.seed)
        for one in self.measurements:
            yield (*trial, one.metric, one.value, one.unit, one.better, self.status_of(one), self.reason, cell)

    def status_of(self, one: Measurement | None) -> Status:
        """The status of a metric: that of the trial, unless the model failed in the horizon of this metric alone."""
        return one.status if one and self.status == "ok" else self.status


def relabelled(records: Iterable[Record], learner: str) -> list[Record]:
    """The same records under the name that the learner has in a run."""
    return [record if record.learner == learner else replace(record, learner=learner) for record in records]


def is_failure(records: Sequence[Record]) -> bool:
    """Whether a trial of a cell crashed, was not done in time or lacked memory. A model that diverges is a result."""
    return any(record.status in FAILURES for record in records)
