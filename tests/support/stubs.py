"""Stub learners: one that knows the answer at once, and others that fail in every way that a run must survive."""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from bench.cells.cell import Cell
from bench.cells.forecasting import ForecastCell
from bench.cells.key import planned
from bench.cells.run import fit_cell
from learners import Budget, CurvePoint, Forecast, Learner, Predictor, TrainingLog
from learners.base import Failure, SolverError, Unsuitable
from metrics import Evidence, Metric, Undefined
from metrics.cost import fit_seconds, forecast_seconds, nfe_forecast, parameters, peak_bytes
from metrics.dimension import correlation_dimension
from metrics.trajectory import nrmse, vpt
from results import Record
from systems import Dataset, LinearSpiral, Sampling, System, Trajectories

TINY = Sampling(
    step=0.05, trajectories=2, samples=50, valid=1, test=4, context=4, horizon=1, climate=1, climate_horizon=60
)
METRICS = (nrmse, vpt, correlation_dimension, nfe_forecast, parameters, fit_seconds, forecast_seconds, peak_bytes)
TIMES = ("fit_seconds", "forecast_seconds", "peak_bytes")  # what two runs of a cell need not agree on


def cell(learner: Learner, seeds: tuple[int, ...] = (0, 1), metrics: tuple[Metric, ...] = METRICS) -> Cell:
    """A cell on the linear spiral that takes milliseconds."""
    return ForecastCell(LinearSpiral(), learner, TINY, metrics, Budget(), seeds, data_seed=0)


def records_of(cell: Cell, data: Path, folder: Path) -> list[Record]:
    """Fit and measure a cell in this process, write its files into `folder`, and return a record for each seed."""
    (planned_cell,) = planned([cell], data.parent)
    return [trial.record for trial in fit_cell(planned_cell, data, folder)]


def keep(states: Tensor) -> Tensor:
    return states


def diverge(states: Tensor) -> Tensor:
    """Infinite from the sixth sample on."""
    return torch.cat([states[:, :5], torch.full_like(states[:, 5:], torch.inf)], dim=1)


def diverge_in_half(states: Tensor) -> Tensor:
    half = len(states) // 2
    return torch.cat([diverge(states[:half]), states[half:]])


def diverge_late(states: Tensor) -> Tensor:
    """Infinite from sample 101 on."""
    return torch.cat([states[:, :100], torch.full_like(states[:, 100:], torch.nan)], dim=1)


def run_away(states: Tensor) -> Tensor:
    """Far off, yet finite, from the sixth sample on."""
    return torch.cat([states[:, :5], states[:, 5:] + 1e4], dim=1)


def misshape(states: Tensor) -> Tensor:
    return states[:, :-1]


def refuse(states: Tensor) -> Tensor:
    raise RuntimeError("no forecast\ntoday")


def object_to(states: Tensor) -> Tensor:
    raise AssertionError("not like this")


def underflow(states: Tensor) -> Tensor:
    raise AssertionError("underflow in dt 0.0")


def give_up(states: Tensor) -> Tensor:
    raise SolverError("the step became too small")


@dataclass(frozen=True)
class Turning(Predictor):
    """The solution of the linear spiral, turned too fast by 1 % for each seed, and then spoiled."""

    seed: int
    log: TrainingLog = field(default_factory=TrainingLog)
    spoil: Callable[[Tensor], Tensor] = keep

    @property
    def parameters(self) -> int:
        return 1

    def encode(self, past: Trajectories) -> Tensor:
        return past.states[:, -1]

    def decode(self, state: Float[Tensor, "*batch state"]) -> Float[Tensor, "*batch dim"]:
        return state

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        times, turn = torch.tensor(offsets, dtype=torch.float64), 1 + 0.01 * self.seed
        cos, sin = torch.cos(turn * times), torch.sin(turn * times)
        turned = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], -2)
        return torch.exp(-0.1 * times)[:, None, None] * (state @ turned), len(offsets)

    def forecast(self, past: Trajectories, times: Float[Tensor, "*batch time"]) -> Forecast:
        forecast = super().forecast(past, times)
        return Forecast(self.spoil(forecast.states), forecast.evaluations)

    def weights(self) -> dict[str, Tensor]:
        return {"turn": torch.tensor([1 + 0.01 * self.seed])}


@dataclass(frozen=True)
class Instant(Learner):
    """Knows the linear spiral without training."""

    width: int = 8

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        curve = (CurvePoint(1, 0.5, float("inf"), 0.0, 1.0, 2.0), CurvePoint(2, 0.25, 0.5, 0.5, 1.0, 2.0))
        log = TrainingLog(budget.updates(10), fit_seconds=0.25, nfe_forward=1.0, saved_bytes=64, curve=curve)
        return [Turning(seed, log) for seed in seeds]


@dataclass(frozen=True)
class Knowing(Learner):
    """Is told the system, as a field."""

    system: System

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return Instant().fit_replicas(dataset, budget, seeds)


@dataclass(frozen=True)
class Spoiled(Learner):
    """Forecasts of the first seed, or of every seed, are spoiled by the function of this name."""

    by: str
    every: bool = True

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        spoil: Callable[[Tensor], Tensor] = globals()[self.by]
        return [Turning(seed, spoil=spoil if self.every or seed == seeds[0] else keep) for seed in seeds]


@dataclass(frozen=True)
class Untrained(Learner):
    """Training fails, in a way that it tells."""

    status: Literal["diverged", "solver_failed"] = "diverged"

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        log = TrainingLog(failure=Failure(self.status, "the loss rose without bound"))
        return [Turning(seed, log) for seed in seeds]


ERRORS: dict[str, Callable[[], Exception]] = {
    "value": lambda: ValueError("width must be even,\nbut is 7"),
    "memory": lambda: MemoryError("no room"),
    "allocator": lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory"),
    "solver": lambda: SolverError("the step became too small"),
    "unsuitable": lambda: Unsuitable("the times are irregular"),
}


@dataclass(frozen=True)
class Raising(Learner):
    """Raises the error of this name while it is fitted."""

    error: str = "value"

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        print("about to fail", flush=True)  # noqa: T201
        raise ERRORS[self.error]()


@dataclass(frozen=True)
class TooFew(Learner):
    """Returns one predictor, whatever the number of seeds."""

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return [Turning(seeds[0])]


@dataclass(frozen=True)
class NoPredictors(Learner):
    """Returns what is not a predictor."""

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return [None for _ in seeds]  # type: ignore[misc]


@dataclass(frozen=True)
class Listless(Learner):
    """Returns no list: nothing at all, or a predictor alone."""

    alone: bool

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return Turning(seeds[0]) if self.alone else None  # type: ignore[return-value]


@dataclass(frozen=True)
class Dying(Learner):
    """Takes its process with it. With a `flag`, a file, it does so the first time only."""

    how: Literal["segfault", "kill", "exit"] = "segfault"
    flag: str = ""

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        if self.flag and Path(self.flag).exists():
            return Instant().fit_replicas(dataset, budget, seeds)
        if self.flag:
            Path(self.flag).touch()
        os.write(2, b"last words\n")
        if self.how == "segfault":
            ctypes.string_at(0)
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(3)


@dataclass(frozen=True)
class Sleeping(Learner):
    """Never returns."""

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        print("going to sleep", flush=True)  # noqa: T201
        while True:
            time.sleep(60)


@dataclass(frozen=True)
class Unsolvable(LinearSpiral):
    """Has no timescale, and so no solution either."""

    @property
    def timescale(self) -> float:
        raise FloatingPointError("no timescale")


def explode(evidence: Evidence) -> float:
    raise ZeroDivisionError("nothing to divide by")


def say_nothing(evidence: Evidence) -> float:
    raise Undefined("there is nothing to tell")


exploding = Metric("exploding", "", "lower", explode)
untold = Metric("untold", "", "lower", say_nothing)


def grow_without_bound(evidence: Evidence) -> float:
    return float("inf")


endless = Metric("endless", "", "lower", grow_without_bound, group="long run")
