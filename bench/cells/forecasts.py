"""Forecasts of the test states by one or several predictors."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float64

from bench.cells.trial import _is_from_solver, verdict
from bench.machine.meter import meter
from learners import Predictor
from learners.base import SolverError, forecast_replicas
from systems import Trajectories

if TYPE_CHECKING:
    from bench.cells.cell import Cell


@dataclass(frozen=True)
class Forecasts:
    """Forecasts beside the truth, from all states of one part of the data; NaN where the solver gave up on them."""

    truth: Float64[np.ndarray, "batch time dim"]
    states: Float64[np.ndarray, "batch time dim"]
    evaluations: float = np.nan
    seconds: float = np.nan
    failure: str = ""


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
