"""One seed of a cell: its forecasts, how they ended, and what the metrics say of them."""

import traceback
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from bench.cells.drawings import Arrays
from bench.errors import one_line
from learners import CurvePoint
from learners.base import SolverError, Unsuitable
from results import Record, Status

if TYPE_CHECKING:
    pass

_SOLVER_GIVES_UP = ("underflow in dt", "max_num_steps exceeded", "non-finite values in state")  # asserts of torchdiffeq


@dataclass(frozen=True)
class Ending:
    """How training and forecasting ended, before anything was measured."""

    status: Status = "ok"
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """What one seed leaves behind."""

    record: Record
    curve: tuple[CurvePoint, ...] = ()
    arrays: Arrays = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)
    evidence: Any = None  # what the record was measured from
    ending: Ending = field(default_factory=Ending)

    def of(self, seed: int) -> "Trial":
        """The same trial, told of another seed."""
        return replace(self, record=replace(self.record, seed=seed))


def verdict(error: Exception) -> tuple[Status, str]:
    """The status and the reason that an exception stands for; a failure's traceback goes to stderr, so to the log."""
    if isinstance(error, Unsuitable):
        return "skipped", one_line(str(error))
    traceback.print_exception(error)
    reason = _say(error)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in reason:
        return "out_of_memory", reason
    return ("solver_failed" if _is_from_solver(error) else "crashed"), reason


def _is_from_solver(error: Exception) -> bool:
    asserted = isinstance(error, AssertionError) and str(error).startswith(_SOLVER_GIVES_UP)
    return asserted or isinstance(error, SolverError)


def _say(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}")
