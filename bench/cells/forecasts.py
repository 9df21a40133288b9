"""Forecasts of the test states by one predictor or several."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64

from bench.cells.trial import describe_error, is_from_solver, log_error
from bench.machine.meter import meter
from learners import Predictor
from learners.base import SolverError
from learners.replicas import forecast_replicas
from systems import Trajectories

MEMBERS = 20  # forecasts of each state, by models that draw them at random


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
    """Forecast trajectories from their first `context` samples on, with a predictor of one or more replicas.

    The time that replicas took together is shared out evenly. Raises ValueError, which names the learner, where the
    forecasts have another shape than the truth.
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


def draw_members(
    predictor: Predictor, part: Trajectories, context: int, scored: int
) -> Float64[np.ndarray, "member batch time dim"]:
    """So many forecasts of each trajectory from its first `context` samples on, which differ by chance alone."""
    past = part.between(0, context)
    times = part.times[:, context:]
    with torch.no_grad():
        forecasts = forecast_replicas(predictor, MEMBERS, past, times)
    return np.stack([one.states[..., :scored].double().numpy(force=True) for one in forecasts])


def forecast_together(
    predictors: Sequence[Predictor], parts: Sequence[Trajectories], context: int, device: str, learner: str
) -> dict[int, list[Forecasts]]:
    """Forecasts of all parts by the identity of the predictor, where predictors can go on together, which is faster.

    Empty where they cannot, or one of them fails: it fails again, and is told, where each goes on by itself.
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
