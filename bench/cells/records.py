"""The records of a cell's trials: every metric measured, or why there is nothing to measure."""

from collections.abc import Sequence
from math import isfinite, isinf
from typing import Any

from bench.cells.cell import Cell
from bench.cells.trial import Ending, Trial, classify_error, describe_error, log_error
from bench.errors import one_line
from learners import CurvePoint
from metrics import Undefined
from results import Measurement, Record, Status


def measure(cell: Cell, seed: int, evidence: Any, ending: Ending) -> Record:
    """Measure every metric of a cell on the evidence of one seed.

    A metric without a finite value is named in the reason, also one that raises an error, whose traceback goes to
    stderr. The status is that of the model's training and forecasts: what one metric cannot measure is no failure. A
    metric that is infinite, or that long runs leave without a value since they failed, has a status of its own.
    """
    measurements: list[Measurement] = []
    errors: list[str] = []
    undefined: dict[str, list[str]] = {}  # names of metrics, by the reason why they have no value
    infinite: list[str] = []
    for metric in cell.metrics:
        value: float | None = None
        status: Status = "ok"
        try:
            value = float(metric.measure(evidence))
        except Undefined as reason:
            undefined.setdefault(str(reason), []).append(metric.name)
        except Exception as error:
            log_error(error)
            errors.append(f"no {metric.name}: {describe_error(error)}")
        if value is not None and not isfinite(value):
            infinite.append(metric.name)
            status = "diverged" if isinf(value) else "ok"
            value = None
        if value is None and metric.group == "long run" and ending.long_runs != "ok":
            status = ending.long_runs
        measurements.append(Measurement(metric.name, value, metric.unit, metric.better, status))
    reasons = [*ending.reasons, *errors]
    reasons += [one_line(f"no {', '.join(names)}: {reason}") for reason, names in undefined.items()]
    reasons += [f"not finite: {', '.join(infinite)}"] if infinite else []
    reason = "; ".join(reasons)
    return Record(cell.system_label, cell.learner_label, seed, ending.status, reason, tuple(measurements))


def failed(cell: Cell, seed: int, status: Status, reason: str) -> Record:
    """The record of a trial that leaves nothing to measure: a row for every metric, without a value."""
    empty = tuple(Measurement(metric.name, None, metric.unit, metric.better) for metric in cell.metrics)
    return Record(cell.system_label, cell.learner_label, seed, status, reason, empty)


def failed_trial(cell: Cell, seed: int, error: Exception, curve: Sequence[CurvePoint] = ()) -> Trial:
    """The trial of a seed that an exception has ended, whose traceback goes to stderr."""
    log_error(error)
    return Trial(failed(cell, seed, *classify_error(error)), tuple(curve))
