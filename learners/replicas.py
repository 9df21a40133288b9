"""Forecasts of several models of one fit, made together where that is possible."""

from jaxtyping import Float
from torch import Tensor

from learners.base import Forecast, Predictor
from systems import Trajectories


def forecast_replicas(
    ensemble: Predictor, replicas: int, past: Trajectories, times: Float[Tensor, "batch time"]
) -> list[Forecast]:
    """What each replica in a predictor (one, or as many as `Predictor.ensemble` has joined) forecasts from `past`."""
    if replicas == 1:
        return [ensemble.forecast(past, times)]
    repeated = Trajectories(past.times.repeat(replicas, 1), past.states.repeat(replicas, 1, 1))
    forecast = ensemble.forecast(repeated, times.repeat(replicas, 1))
    return [Forecast(states, forecast.evaluations) for states in forecast.states.chunk(replicas)]
