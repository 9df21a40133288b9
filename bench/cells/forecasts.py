"""Forecasts of the test states by one predictor or several."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64

from bench.cells.trial import describe_error, is_from_solver, log_error
from bench.machine.meter import meter
from learners import Predictor
from learners.base import SolverError, forecast_replicas
from systems import Trajectories


@dataclass(frozen=True)
class Forecasts:
    """Forecasts beside the truth, from all states of one part of the data; NaN where the solver gave up on them."""

    truth: Float64[np.ndarray, "batch time dim"]
    states: Float64[np.ndarray, "batch time dim"]
    evaluations: float = np.nan
    seconds: float = np.nan
    failure: str = ""


def forecast_part(
    predictor: Predictor, part: Trajectories, context: int, device: str, learner: str, replicas: int = 1
) -> list[Forecasts]:
    """Forecast trajectories from their first `context` samples.

    Args:
        predictor: one model, or several that go on together.
        part: contexts, and the truth that follows them.
        context: number of samples that are given.
        device: where the predictor is.
        learner: the label of the learner, for errors.
        replicas: number of models in the predictor.

    Returns:
        The forecasts of each replica; the time that they took together is shared out evenly.

    Raises:
        ValueError: where the forecasts have another shape than the truth.
    """
    truth = part.between(context).states.numpy(force=True)
    try:
        with torch.no_grad(), meter(device) as usage:
            forecasts = forecast_replicas(predictor, replicas, part.between(0, context), part.times[:, context:])
    except (AssertionError, SolverError) as error:
        if not is_from_solver(error):
            raise
        log_error(error)
        return [Forecasts(truth, np.full_like(truth, np.nan), failure=describe_error(error))] * replicas
    found = []
    for forecast in forecasts:
        states = forecast.states.double().numpy(force=True)
        if states.shape != truth.shape:
            raise ValueError(f"{learner} must forecast states of shape {truth.shape}, but returns {states.shape}")
        found.append(Forecasts(truth, states, forecast.evaluations, usage.seconds / replicas))
    return found


def forecast_together(
    predictors: Sequence[Predictor], parts: Sequence[Trajectories], context: int, device: str, learner: str
) -> dict[int, list[Forecasts]]:
    """Forecast each part with predictors that can go on together, which takes less time than one after the other.

    Returns:
        The forecasts of the parts, by the identity of the predictor; nothing where predictors cannot go on together,
        or one of them fails: each fails again, and says so, where it goes on by itself.
    """
    distinct = list({id(predictor): predictor for predictor in predictors}.values())
    first, *others = distinct
    try:
        together = first.ensemble(others) if others else None
        if together is None:
            return {}
        found = [forecast_part(together, part, context, device, learner, len(distinct)) for part in parts]
    except Exception:
        return {}
    return {id(predictor): list(forecasts) for predictor, *forecasts in zip(distinct, *found, strict=True)}
