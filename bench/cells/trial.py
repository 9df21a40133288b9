"""One seed of a cell: what it leaves behind, and how errors are told."""

import traceback
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from bench.cells.drawings import Arrays
from bench.errors import one_line
from learners import CurvePoint
from learners.base import Failure, SolverError, Unsuitable
from results import Record, Status

_SOLVER_GIVES_UP = ("underflow in dt", "max_num_steps exceeded", "non-finite values in state")  # asserts of torchdiffeq


@dataclass(frozen=True)
class Ending:
    """How training and forecasting ended, before anything was measured."""

    status: Status = "ok"  # of training, and of the forecasts of test states
    reasons: tuple[str, ...] = ()
    long_runs: Status = "ok"  # which is the status of the metrics alone that they leave without a value

    @classmethod
    def of_training(cls, failure: Failure | None) -> "Ending":
        """How training ended, by the failure in its log."""
        return cls(failure.status, (one_line(failure.reason),)) if failure else cls()


@dataclass(frozen=True)
class Trial:
    """What one seed leaves behind."""

    record: Record
    curve: tuple[CurvePoint, ...] = ()
    arrays: Arrays = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)  # and constants, as the scales of the training data
    evidence: Any = None  # what the record was measured from
    ending: Ending = field(default_factory=Ending)

    def of(self, seed: int) -> "Trial":
        """The same trial, as that of another seed."""
        return replace(self, record=replace(self.record, seed=seed))


def classify_error(error: Exception) -> tuple[Status, str]:
    """The status and the reason that an exception stands for in a record."""
    if isinstance(error, Unsuitable):
        return "skipped", one_line(str(error))
    reason = describe_error(error)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in reason:
        return "out_of_memory", reason
    return ("solver_failed" if is_from_solver(error) else "crashed"), reason


def describe_error(error: Exception) -> str:
    """The class and the message of an exception, on one line."""
    return one_line(f"{type(error).__name__}: {error}")


def log_error(error: Exception) -> None:
    """Print the traceback of a failure on stderr, which is the log of a cell; that nothing applies is no failure."""
    if not isinstance(error, Unsuitable):
        traceback.print_exception(error)


def is_from_solver(error: Exception) -> bool:
    """Whether an integration gave up."""
    asserted = isinstance(error, AssertionError) and str(error).startswith(_SOLVER_GIVES_UP)
    return asserted or isinstance(error, SolverError)
