"""A cell whose learner forecasts a system: how it is fitted, forecast and measured."""

import sys
from dataclasses import replace
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Float64
from torch import Tensor

from bench.cells.data import SystemCell, observe
from bench.cells.drawings import Arrays, forecast_arrays, interval_arrays
from bench.cells.exponents import Remembered, exponents
from bench.cells.fields import field_of
from bench.cells.following import fit_of
from bench.cells.forecasts import Forecasts, draw_members, forecast_part, forecast_together
from bench.cells.records import failed_trial, measure
from bench.cells.stages import Stages, Weights, learning_curves
from bench.cells.trial import Ending, Trial
from bench.machine.meter import Usage
from learners import Predictor
from learners.base import Failure
from learners.training.callbacks import before_each_update
from learners.training.counting import forecast_flops
from metrics import Cost, Decoded, Evidence
from metrics.regime import UNBOUNDED
from results import Status
from results.formatting import plural
from systems import Dataset, Trajectories

PLACES = 10  # on the line between two latent states
BEFORE = 0.5  # timescales that are decoded before each of them
AFTER = 3.0  # timescales that are decoded after it


@runtime_checkable
class Latent(Protocol):
    """A predictor that decodes what it has read, its last `window` samples, from one latent state."""

    window: int

    def reconstruct(self, past: Trajectories) -> Float64[Tensor, "batch window dim"]: ...

    def homotopy(
        self, past: Trajectories, places: int, before: int, after: int
    ) -> tuple[Float64[Tensor, "place time dim"], Float64[Tensor, " time"]]: ...


@final
class ForecastCell(SystemCell):
    """One system met by one learner, whose forecasts of the test data are measured."""

    evidence = Evidence

    def run(self, data: Path) -> list[Trial]:
        dataset, ground_truth_time = observe(self.system, self.sampling, self.data_seed, data)
        dataset = dataset.to(self.device)
        stages = Stages()
        with before_each_update(stages):
            predictors, usage = self.fit(dataset, Predictor)
        curves = learning_curves(self.learner, predictors, dataset, ground_truth_time, stages, self.device)
        before = stages.before(predictors)  # of the first seed, whose forecasts are drawn
        context = dataset.sampling.context
        parts = (dataset.test, self._long(dataset))
        together = forecast_together(predictors, parts, context, self.device, self.learner_label)

        def trial(seed: int, predictor: Predictor) -> Trial:
            try:
                test, climate = together.get(id(predictor)) or [
                    forecast_part(predictor, part, context, self.device, self.learner_label)[0] for part in parts
                ]
                start = before if predictor is predictors[0] else None
                evidence = evidence_of(
                    predictor, dataset, ground_truth_time, test, climate, usage, len(self.seeds), start
                )
                ending = _ending(predictor.log.failure, test, climate, evidence, self.system.timescale_name)
                record = measure(self, seed, evidence, ending)
                arrays = self.arrays(evidence)
                found = Trial(record, (), arrays, predictor.weights() | predictor.constants(), evidence, ending)
            except Exception as error:
                found = failed_trial(self, seed, error)
            return replace(found, curve=curves[id(predictor)])

        return self.trials_of(predictors, trial)

    def derived(self, data: Path) -> Arrays:
        dataset = observe(self.system, self.sampling, self.data_seed, data).data
        truth, climate = (part.between(dataset.sampling.context).states for part in (dataset.test, self._long(dataset)))
        return {
            "times": _times(dataset),
            "truth": truth[..., : dataset.scored].numpy(),
            "climate_truth": climate[..., : dataset.scored].numpy(),
            "mean": dataset.mean[: dataset.scored].numpy(),
            "scale": dataset.std[: dataset.scored].numpy(),
        }

    def _long(self, data: Dataset) -> Trajectories:
        """The long trajectories, as long as the budget has them."""
        samples = round(self.budget.climate * data.sampling.climate_samples)
        return data.climate.between(0, data.sampling.context + samples)

    def arrays(self, evidence: Any) -> Arrays:
        return forecast_arrays(evidence) | interval_arrays(evidence, self.metrics)


def evidence_of(
    predictor: Predictor,
    data: Dataset,
    ground_truth_time: float,
    test: Forecasts,
    climate: Forecasts,
    fitting: Usage,
    seeds: int,
    before: Weights | None = None,
) -> Evidence:
    """What the metrics measure of a fitted predictor; its estimates of parameters are printed to the cell's log.

    `fitting` is what fitting so many `seeds` took, and `before` are the weights before that, of a model that is drawn.
    """
    evidence = Evidence(
        data.sampling.step,
        data.std.numpy(force=True)[: data.scored],
        test.truth[..., : data.scored],
        test.states[..., : data.scored],
        climate.truth[..., : data.scored],
        climate.states[..., : data.scored],
        _cost(predictor, data, test, fitting, seeds),
        _times(data),
        ground_truth_time,
        Remembered(partial(exponents, predictor, data, climate.states)),
        predictor.calibration,
        decode(predictor, data) if isinstance(predictor, Latent) else None,
        draw_members(predictor, data.test, data.sampling.context, data.scored) if predictor.stochastic else None,
        data.ring,
        field_of(predictor, data),
        predictor.equations,
        fit_of(predictor, data, before),
    )
    if predictor.calibration:
        sys.stdout.writelines(f"{estimate}\n" for estimate in predictor.calibration.estimates)
    return evidence


def _times(data: Dataset) -> Float64[np.ndarray, "batch time"]:
    """Of the forecasts, from the last sample of the context on, in timescales."""
    times = data.test.times.numpy(force=True)
    context = data.sampling.context
    return (times[:, context:] - times[:, context - 1 : context]) / data.system.timescale


def decode(predictor: Latent, data: Dataset) -> Decoded:
    """Decode the windows of all test states, and the path from the first of these states to the second."""
    sampling = data.sampling
    window = slice(sampling.context - predictor.window, sampling.context)
    past = data.test.between(0, sampling.context)
    truth = past.states[:, window]
    if sampling.noise or sampling.error:
        clean = data.system.observe("test", sampling, data.seed).states[:, window]
        truth = clean[..., data.channels]
    ends = Trajectories(past.times[:2], past.states[:2])
    path, times = predictor.homotopy(ends, PLACES, round(BEFORE / sampling.step), round(AFTER / sampling.step))
    return Decoded(
        given=past.states[:, window, : data.scored].numpy(force=True),
        truth=truth[..., : data.scored].numpy(force=True),
        states=predictor.reconstruct(past)[..., : data.scored].numpy(force=True),
        path=path.numpy(force=True),
        path_times=times.numpy(force=True) / data.system.timescale,
    )


def _cost(predictor: Predictor, data: Dataset, test: Forecasts, fitting: Usage, seeds: int) -> Cost:
    log = predictor.log
    nfe_forecast = test.evaluations / (data.sampling.forecast_samples * data.sampling.step)
    past = data.test.between(0, data.sampling.context)
    return Cost(
        parameters=predictor.parameters,
        updates=log.updates,
        nfe_forward=log.nfe_forward,
        nfe_backward=log.nfe_backward,
        nfe_forecast=nfe_forecast,
        fit_seconds=fitting.seconds / seeds if isnan(log.fit_seconds) else log.fit_seconds,
        forecast_seconds=test.seconds,
        saved_bytes=log.saved_bytes,
        kept_bytes=log.kept_bytes,
        peak_bytes=fitting.peak_bytes / log.together,
        flops_update=log.flops,
        flops_forecast=forecast_flops(predictor, past, data.step, nfe_forecast),
        samples=log.samples,
        energy=fitting.joules / seeds,
    )


def _ending(failure: Failure | None, test: Forecasts, climate: Forecasts, evidence: Evidence, timescale: str) -> Ending:
    """How training and forecasting ended: one long forecast that is lost is too many, of the others half may be.

    A forecast is lost where it is not finite, or a channel is a hundred standard deviations from the truth.
    """
    training = Ending.of_training(failure)
    reasons = list(training.reasons)
    statuses: list[Status] = []
    for name, forecasts, truth, states, allowed in (
        ("", test, evidence.truth, evidence.forecast, len(test.states) // 2),
        ("long ", climate, evidence.climate_truth, evidence.climate, 0),
    ):
        with np.errstate(over="ignore", invalid="ignore"):
            near = np.abs(states - truth) <= UNBOUNDED * evidence.scale
        off = np.asarray(~near.all(axis=-1))
        lost = np.asarray(off.any(axis=-1))
        if forecasts.failure:
            reasons.append(f"the solver gave up on the {name}forecasts: {forecasts.failure}")
        elif lost.any():
            first = off.argmax(axis=1)[lost]
            finite = np.isfinite(np.take_along_axis(states[lost], first[:, None, None], axis=1)).all()
            how = f"came to be {UNBOUNDED:g} standard deviations off" if finite else "left the finite numbers"
            when = f"after {(np.median(first) + 1) * evidence.step:.3g} {plural(timescale)} (median)"
            reasons.append(f"{lost.sum()} of {len(off)} {name}forecasts {how} {when}")
        statuses.append("solver_failed" if forecasts.failure else "diverged" if lost.sum() > allowed else "ok")
    short, long = statuses
    return Ending(
        short if training.status == "ok" or short == "solver_failed" else training.status, tuple(reasons), long
    )
