"""A cell whose learner forecasts a system: how it is fitted, forecast and measured."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial, singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from bench.cells.cell import Cell, examined, failed, fit, record_of
from bench.cells.data import observe
from bench.cells.decoding import Latent, decode
from bench.cells.drawings import Arrays, drawings, spread
from bench.cells.exponents import Remembered, exponents
from bench.cells.forecasts import Forecasts, forecasts_of
from bench.cells.stages import Stages, curves
from bench.cells.trial import Ending, Trial, verdict
from bench.errors import one_line
from bench.machine.meter import Reading
from learners import Predictor
from learners.training.callbacks import watched
from learners.training.counting import forecast_flops
from metrics import LYAPUNOV, Cost, Evidence
from results import Status
from systems import Dataset, Trajectories

if TYPE_CHECKING:
    from bench.cells.cell import Cell


@singledispatch
def prepare(cell: Cell, data_folder: Path) -> None:
    """Have the data of a cell at hand."""
    observe(cell.system, cell.sampling, cell.data_seed, data_folder)


@singledispatch
def conduct(cell: Cell, data_folder: Path) -> list[Trial]:
    """A trial for each seed; the family of the cell decides how."""
    data, known = observe(cell.system, cell.sampling, cell.data_seed, data_folder)
    data = data.to(cell.device)
    stages = Stages()
    with watched(stages):
        predictors, fitting = fit(cell, data, Predictor)
    measured = curves(cell, predictors, data, known, stages)
    foreseen = foresee(cell, predictors, data)

    def trial(seed: int, predictor: Predictor) -> Trial:
        found = examine(cell, seed, predictor, data, known, fitting, foreseen)
        return replace(found, curve=measured[id(predictor)])

    return examined(cell, predictors, trial)


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


def _scored_times(data: Dataset) -> Float64[np.ndarray, "batch time"]:
    """Times of the forecasts in timescales after the last of the context."""
    times, context = data.test.times.numpy(force=True), data.sampling.context
    return (times[:, context:] - times[:, context - 1 : context]) / data.system.timescale


Foreseen = dict[int, list[Forecasts]]  # of the test and of the long trajectories, by the predictor's identity


def _parts(cell: "Cell", data: Dataset) -> tuple[Trajectories, Trajectories]:
    """The trajectories to be forecast: those of the test, and the long ones as far as the budget goes."""
    long = data.sampling.context + round(cell.budget.climate * data.sampling.climate_samples)
    return data.test, data.climate.between(0, long)


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
