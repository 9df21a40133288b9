"""One seed of a cell: its forecasts, how they ended, and what the metrics say of them."""

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from bench.artifacts import Arrays, drawings, spread
from bench.decoding import Latent, decode
from bench.errors import one_line
from bench.exponents import Remembered, exponents
from bench.meter import Reading, meter
from learners import CurvePoint, Predictor
from learners.base import SolverError, Unsuitable, forecast_replicas
from learners.counting import forecast_flops
from metrics import LYAPUNOV, Cost, Evidence, Metric, Undefined
from results import Measurement, Record, Status
from systems import Dataset, Trajectories

if TYPE_CHECKING:
    from bench.cell import Cell

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


def foresee(cell: "Cell", predictors: Sequence[Predictor], data: Dataset) -> "Foreseen":
    """The forecasts of predictors that can go on together, which takes less time than one after the other."""
    distinct = list({id(predictor): predictor for predictor in predictors}.values())
    first, *others = distinct
    try:
        together = first.ensemble(others) if others else None
        if together is None:
            return {}
        context = data.sampling.context
        parts = [forecasts_of(cell, together, len(distinct), part, context) for part in _parts(cell, data)]
    except Exception:  # it will be raised again, and told, where each goes on by itself
        return {}
    return {id(predictor): pair for predictor, *pair in zip(distinct, *parts, strict=True)}


def examine(
    cell: "Cell",
    seed: int,
    predictor: Predictor,
    data: Dataset,
    ground_truth_time: float,
    fitting: Reading,
    foreseen: "Foreseen | None" = None,
) -> Trial:
    """Forecast with a fitted predictor, and measure; what goes wrong ends in the record, its traceback on stderr."""
    try:
        context, step = data.sampling.context, data.sampling.step
        test, climate = (foreseen or {}).get(id(predictor)) or (
            forecasts_of(cell, predictor, 1, part, context)[0] for part in _parts(cell, data)
        )
        evidence = Evidence(
            step,
            data.std.numpy(force=True),
            test.truth,
            test.states,
            climate.truth,
            climate.states,
            _cost(cell, predictor, data, test, fitting),
            _scored_times(data),
            ground_truth_time,
            Remembered(partial(exponents, predictor, data, climate.states)),
            predictor.calibration,
            decode(predictor, data) if isinstance(predictor, Latent) else None,
        )
        if predictor.calibration:
            sys.stdout.writelines(f"{estimate}\n" for estimate in predictor.calibration.estimates)  # to the cell's log
        ending = _ending(cell, predictor, test, climate, step)
        record = record_of(cell, seed, evidence, ending)
        return Trial(record, predictor.log.curve, drawn(cell, evidence), predictor.weights(), evidence, ending)
    except Exception as error:
        return Trial(failed(cell, seed, *verdict(error)), predictor.log.curve)


def drawn(cell: "Cell", evidence: Any) -> Arrays:
    """What figures are drawn from, as far as the metrics of a cell have asked for it."""
    return drawings(evidence) | (spread(evidence) if set(LYAPUNOV) & set(cell.metrics) else {})


def failed(cell: "Cell", seed: int, status: Status, reason: str) -> Record:
    """The record of a trial that leaves nothing to measure: a row for every metric, without a value."""
    empty = tuple(Measurement(metric.name, None, metric.unit, metric.better) for metric in cell.metrics)
    return Record(cell.system_label, cell.learner_label, seed, status, reason, empty)


def verdict(error: Exception) -> tuple[Status, str]:
    """The status and the reason that an exception stands for; a failure's traceback goes to stderr, so to the log."""
    if isinstance(error, Unsuitable):
        return "skipped", one_line(str(error))
    traceback.print_exception(error)
    reason = _say(error)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in reason:
        return "out_of_memory", reason
    return ("solver_failed" if _is_from_solver(error) else "crashed"), reason


@dataclass(frozen=True)
class Forecasts:
    """Forecasts beside the truth, from all states of one part of the data; NaN where the solver gave up on them."""

    truth: Float64[np.ndarray, "batch time dim"]
    states: Float64[np.ndarray, "batch time dim"]
    evaluations: float = np.nan
    seconds: float = np.nan
    failure: str = ""


def _scored_times(data: Dataset) -> Float64[np.ndarray, "batch time"]:
    """Times of the forecasts in timescales after the last of the context."""
    times, context = data.test.times.numpy(force=True), data.sampling.context
    return (times[:, context:] - times[:, context - 1 : context]) / data.system.timescale


Foreseen = dict[int, list[Forecasts]]  # of the test and of the long trajectories, by the predictor's identity


def _parts(cell: "Cell", data: Dataset) -> tuple[Trajectories, Trajectories]:
    """The trajectories to be forecast: those of the test, and the long ones as far as the budget goes."""
    long = data.sampling.context + round(cell.budget.climate * data.sampling.climate_samples)
    return data.test, data.climate.between(0, long)


def forecasts_of(
    cell: "Cell", predictor: Predictor, replicas: int, given: Trajectories, context: int
) -> list[Forecasts]:
    """Of each replica in a predictor; the time that they took together is shared out evenly."""
    truth = given.between(context).states.numpy(force=True)
    try:
        with torch.no_grad(), meter(cell.device) as reading:
            forecasts = forecast_replicas(predictor, replicas, given.between(0, context), given.times[:, context:])
    except (AssertionError, SolverError) as error:
        if not _is_from_solver(error):
            raise
        return [Forecasts(truth, np.full_like(truth, np.nan), failure=verdict(error)[1])] * replicas
    found = []
    for forecast in forecasts:
        states = forecast.states.double().numpy(force=True)
        if states.shape != truth.shape:
            raise ValueError(
                f"{cell.learner_label} must forecast states of shape {truth.shape}, but returns {states.shape}"
            )
        found.append(Forecasts(truth, states, forecast.evaluations, reading.seconds / replicas))
    return found


def _cost(cell: "Cell", predictor: Predictor, data: Dataset, test: Forecasts, fitting: Reading) -> Cost:
    log, past = predictor.log, data.test.between(0, data.sampling.context)
    nfe_forecast = test.evaluations / (data.sampling.forecast_samples * data.sampling.step)
    return Cost(
        parameters=predictor.parameters,
        updates=log.updates,
        nfe_forward=log.nfe_forward,
        nfe_backward=log.nfe_backward,
        nfe_forecast=nfe_forecast,
        fit_seconds=log.fit_seconds,
        forecast_seconds=test.seconds,
        saved_bytes=log.saved_bytes,
        peak_bytes=fitting.peak_bytes,
        flops_update=log.flops,
        flops_forecast=forecast_flops(predictor, past, data.step, nfe_forecast),
        energy=fitting.joules / len(cell.seeds),
    )


def _ending(cell: "Cell", predictor: Predictor, test: Forecasts, climate: Forecasts, step: float) -> Ending:
    """How training and forecasting ended: one non-finite long forecast is too many, of the others half are allowed."""
    failure = predictor.log.failure
    status: Status = failure.status if failure else "ok"
    reasons = [one_line(failure.reason)] if failure else []
    for name, forecasts, allowed in (("", test, len(test.states) // 2), ("long ", climate, 0)):
        if forecasts.failure:
            status = "solver_failed"
            reasons.append(f"the solver gave up on the {name}forecasts: {forecasts.failure}")
            continue
        lost = _divergence_times(forecasts.states, step)
        if len(lost) > allowed and status == "ok":
            status = "diverged"
        if len(lost):
            when = f"after {np.median(lost):.3g} {cell.system.timescale_name}s (median)"
            reasons.append(f"{len(lost)} of {len(forecasts.states)} {name}forecasts left the finite numbers {when}")
    return Ending(status, tuple(reasons))


def _divergence_times(states: Float64[np.ndarray, "batch time dim"], step: float) -> Float64[np.ndarray, " lost"]:
    """Times, in timescales, of the first non-finite sample of each forecast that has one."""
    lost = np.asarray(~np.isfinite(states).all(axis=-1))
    return np.array([(run.argmax() + 1) * step for run in lost if run.any()])


def record_of(cell: "Cell", seed: int, evidence: Evidence, ending: Ending) -> Record:
    """Measure every metric; what has no finite value is named in the reason, and an error is a crash of the trial."""
    measured = {metric: _measure(metric, evidence) for metric in cell.metrics}
    untold = {metric.name: str(value) for metric, value in measured.items() if isinstance(value, Undefined)}
    raised = {metric.name: value for metric, value in measured.items() if isinstance(value, Exception)}
    errors = {name: error for name, error in raised.items() if name not in untold}
    infinite = [metric.name for metric, value in measured.items() if isinstance(value, float) and not isfinite(value)]
    reasons = [*ending.reasons, *(f"{name}: {_say(error)}" for name, error in errors.items())]
    for reason in dict.fromkeys(untold.values()):
        names = ", ".join(name for name, why in untold.items() if why == reason)
        reasons.append(one_line(f"no {names}: {reason}"))
    if infinite:
        reasons.append(f"not finite: {', '.join(infinite)}")
    measurements = [
        Measurement(
            metric.name, value if isinstance(value, float) and isfinite(value) else None, metric.unit, metric.better
        )
        for metric, value in measured.items()
    ]
    status = "crashed" if errors and ending.status == "ok" else ending.status
    return Record(cell.system_label, cell.learner_label, seed, status, "; ".join(reasons), tuple(measurements))


def _measure(metric: Metric, evidence: Evidence) -> float | Exception:
    try:
        return float(metric.measure(evidence))
    except Undefined as reason:
        return reason
    except Exception as error:
        traceback.print_exception(error)
        return error


def _is_from_solver(error: Exception) -> bool:
    asserted = isinstance(error, AssertionError) and str(error).startswith(_SOLVER_GIVES_UP)
    return asserted or isinstance(error, SolverError)


def _say(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}")
