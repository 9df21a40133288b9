"""Stages of training: what models were before it, and how long they predict after parts of their updates."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from math import isfinite, nan

import numpy as np
from torch import Tensor

from bench.cells.forecasts import forecast_part
from bench.cells.trial import describe_error
from learners import CurvePoint, Learner, Predictor
from learners.base import SolverError
from learners.training.callbacks import TrainingState
from metrics.prediction_time import normalised_error, valid_prediction_time
from systems import Dataset, Trajectories
from systems.configuration import label

FRACTIONS = (1 / 8, 1 / 4, 1 / 2)  # of the updates; the end is a stage, too
WINDOWS = 16  # validation trajectories that are forecast, at the most
FIRST = 4  # a fraction of the horizon that is forecast first: mostly it tells already when half of the forecasts fail

Curve = tuple[CurvePoint, ...]
Weights = dict[str, Tensor]


@dataclass
class _Stack:
    """What is kept of one training run: copies of the best weights so far, by the updates before them."""

    replicas: int
    first: Weights  # before the first update
    weights: dict[int, Weights] = field(default_factory=dict)
    reached: int = 0  # how many of the fractions


class Stages:
    """A callback of training that keeps what each replica was at first, and what it would be after a fraction of it."""

    def __init__(self) -> None:
        self._stacks: list[_Stack] = []

    def __call__(self, moment: TrainingState) -> None:
        if moment.updates == 0:
            first = {name: values.detach().clone() for name, values in moment.network.named_parameters()}
            self._stacks.append(_Stack(len(moment.best[0]), first))
        stack = self._stacks[-1]
        reached = sum(moment.updates >= part * moment.planned for part in FRACTIONS)
        if reached > stack.reached:
            pairs = zip(moment.network.named_parameters(), moment.best, strict=True)
            stack.weights[moment.updates] = {name: values.clone() for (name, _), values in pairs}
            stack.reached = reached

    def of(self, predictors: Sequence[Predictor]) -> list[dict[int, Weights]]:
        """The stages of each predictor, trained in one stack or one after the other; none of what was not trained."""
        found = [
            {updates: _row(weights, row) for updates, weights in stack.weights.items()}
            for stack in self._stacks
            for row in range(stack.replicas)
        ]
        fitting = len(found) == len(predictors) and all(
            weights.keys() == predictor.weights().keys()
            for predictor, kept in zip(predictors, found, strict=True)
            for weights in kept.values()
        )
        return found if fitting else [{} for _ in predictors]

    def before(self, predictors: Sequence[Predictor]) -> Weights:
        """The weights of the first predictor before training; empty where it was not trained update by update."""
        if not self._stacks or sum(stack.replicas for stack in self._stacks) != len(predictors):
            return {}
        first = _row(self._stacks[0].first, 0)
        return first if first.keys() == predictors[0].weights().keys() else {}


def _row(stack: Weights, row: int) -> Weights:
    """The weights of one replica, alone in a stack."""
    return {name: values[row : row + 1] for name, values in stack.items()}


@contextmanager
def with_weights(predictor: Predictor, weights: Weights) -> Iterator[None]:
    """Give a predictor other weights while the context is open."""
    own = {name: values.clone() for name, values in predictor.weights().items()}
    try:
        _load([predictor], [weights])
        yield
    finally:
        _load([predictor], [own])


def learning_curves(
    learner: Learner,
    predictors: Sequence[Predictor],
    data: Dataset,
    ground_truth_time: float,
    stages: Stages,
    device: str,
) -> dict[int, Curve]:
    """The learning curve of each predictor, by its identity, with the median prediction times of its stages.

    Forecasts begin where validation trajectories have given a context, and go on to the horizon or their end; no
    prediction time is longer, nor longer than `ground_truth_time`, in timescales. A stage is entered at the last
    validation before it; one whose solver gives up has none. A model that is not trained update by update has the one
    point that its whole fit has cost. Reference rows have no stages.
    """
    distinct = list({id(predictor): predictor for predictor in predictors}.values())
    found = [predictor.log.curve for predictor in distinct]
    context, samples = data.sampling.context, data.sampling.forecast_samples
    if not learner.reference and data.valid.states.shape[1] > context:
        first = data.valid.between(0, context + samples)
        windows = Trajectories(first.times[:WINDOWS], first.states[:WINDOWS])
        for updates in _load_stages(distinct, stages):
            times = _prediction_times(distinct, windows, data, ground_truth_time, device, label(learner))
            found = [_with_time(*each) for each in zip(found, distinct, updates, times, strict=True)]
    return {id(predictor): curve for predictor, curve in zip(distinct, found, strict=True)}


def _load_stages(predictors: Sequence[Predictor], stages: Stages) -> Iterator[list[int]]:
    """Give each predictor the weights of each stage, in the end its own, and yield the updates before that stage.

    The updates are zero where a predictor has come to fewer stages than others.
    """
    kept = [each.items() for each in stages.of(predictors)]
    last = [{name: values.clone() for name, values in one.weights().items()} for one in predictors]
    try:
        for stage in zip_longest(*kept, fillvalue=(0, {})):
            _load(predictors, [weights for _, weights in stage])
            yield [updates for updates, _ in stage]
    finally:
        if any(kept):
            _load(predictors, last)
    yield [predictor.log.updates for predictor in predictors]


def _load(predictors: Sequence[Predictor], stage: Sequence[Weights]) -> None:
    for predictor, weights in zip(predictors, stage, strict=True):
        own = predictor.weights()
        for name, values in weights.items():
            own[name].data.copy_(values)


def _prediction_times(
    predictors: Sequence[Predictor],
    windows: Trajectories,
    data: Dataset,
    ground_truth_time: float,
    device: str,
    learner: str,
) -> list[float]:
    """Median of each predictor over the windows, together where they can go on so; NaN where one fails."""
    first, *others = predictors
    together = first.ensemble(others) if others else None
    groups = [(one, 1) for one in predictors] if together is None else [(together, len(predictors))]
    found: list[float] = []
    for model, replicas in groups:
        try:
            times = _valid_times(model, replicas, windows, data, device, learner)
            found += [float(np.median(np.minimum(one, ground_truth_time))) for one in times]
        except Exception as error:  # a model that raises it in the end does so once more, where it is kept
            sys.stderr.write(f"no prediction time on validation data: {describe_error(error)}\n")
            found += [nan] * replicas
    return found


def _valid_times(
    model: Predictor, replicas: int, windows: Trajectories, data: Dataset, device: str, learner: str
) -> list[np.ndarray]:
    """Of each replica in a model, for each window; beyond the first part only where that does not tell the median."""
    context = data.sampling.context
    end = windows.states.shape[1]
    std = data.std.numpy(force=True)[: data.scored]
    found: list[np.ndarray] = []
    for stop in (context + -(-(end - context) // FIRST), end):
        part = windows.between(0, stop)
        times = part.times.numpy(force=True)
        scored = (times[:, context:] - times[:, context - 1 : context]) / data.system.timescale
        forecasts = forecast_part(model, part, context, device, learner, replicas)
        if failure := next((one.failure for one in forecasts if one.failure), ""):
            raise SolverError(failure)
        errors = [
            normalised_error(one.truth[..., : data.scored], one.states[..., : data.scored], std) for one in forecasts
        ]
        found = [valid_prediction_time(error, scored) for error in errors]
        if all(2 * (one < scored[:, -1]).sum() > len(one) for one in found):
            break
    return found


def _with_time(curve: Curve, predictor: Predictor, updates: int, prediction_time: float) -> Curve:
    """The curve with a prediction time at the last point up to these updates, if there is a model by then."""
    log = predictor.log
    if not curve:
        cost = (log.fit_seconds, log.nfe_forward, log.nfe_backward)
        whole = CurvePoint(log.updates, nan, nan, *cost, prediction_time)
        return curve if log.failure or not isfinite(prediction_time) else (whole,)
    place = sum(point.update <= updates for point in curve) - 1
    if place < 0 or not any(isfinite(point.valid_loss) for point in curve[: place + 1]):
        return curve
    return (*curve[:place], replace(curve[place], valid_vpt=prediction_time), *curve[place + 1 :])
