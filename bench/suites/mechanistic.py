"""Known equations, unknown parameters: are they recovered, and how well could they be?

Trajectories start about a point, within 0.1 of it, and are exact there. `PublishedFit` (as published) is Adam, so many
epochs, each trajectory from its exact start; `Mechanistic` reaches least squares, and with it the floor of the noise
(`parameter_floor`). Both fits begin with the parameters of the write-up, whose losses are the misfit times the variance
of the noise and the number of minibatches in an epoch. Forecasts begin as the training trajectories do: the prediction
time on Lorenz, in Lyapunov times, is how long a fit tracks them. `neural` is the same without equations.

Settings are the write-up's; those of `Mechanistic` are its defaults.
"""

from dataclasses import replace
from typing import Any

from bench.suite import Suite
from learners import Mechanistic, Persistence, TrueEquations
from learners.equations.published_fit import PUBLISHED, PublishedFit
from metrics import (
    fit_seconds,
    forecast_seconds,
    misfit,
    nfe_backward,
    nfe_forecast,
    nfe_forward,
    nrmse,
    parameter_error,
    parameter_floor,
    parameters,
    samples,
    updates,
    vpt,
    vpt_capped,
)
from systems import Lorenz, LotkaVolterra, Sampling, VanDerPol

START = tuple(start for recipe in PUBLISHED for start in recipe.start)
COSTS = (parameters, nfe_forward, nfe_backward, nfe_forecast, updates, samples, fit_seconds, forecast_seconds)
VAN_DER_POL, LOTKA_VOLTERRA, LORENZ = VanDerPol(mu=0.3), LotkaVolterra(), Lorenz()


def observed(timescale: float, step: float, trajectories: int, samples: int, error: float, **start: Any) -> Sampling:
    """Observation every `step` time units; forecasts begin from one exact sample, as training trajectories do."""
    forecasts = Sampling(
        valid=2, test=32, context=1, exact_start=True, horizon=20.0, climate=2, climate_horizon=100.0, spread=0.1
    )
    protocol = {"step": step / timescale, "trajectories": trajectories, "samples": samples, "error": error}
    return replace(forecasts, **protocol, **start)


suite = Suite(
    name="mechanistic",
    description="Parameters of known equations: least squares beside the fits as they were published.",
    systems=(VAN_DER_POL, LOTKA_VOLTERRA, LORENZ),
    learners=(Mechanistic(start=START, window=0), PublishedFit(), Persistence(), TrueEquations()),
    metrics=(
        parameter_error,
        parameter_floor,
        misfit,
        nrmse,
        vpt,
        vpt_capped,
        *COSTS,
    ),
    own=(
        (VAN_DER_POL, observed(VAN_DER_POL.timescale, 10 / 9, 10, 10, 0.01, centre=(0.0, 0.0))),
        (LOTKA_VOLTERRA, observed(LOTKA_VOLTERRA.timescale, 10 / 99, 10, 100, 0.1, centre=(2.5, 2.5))),
        (LORENZ, observed(LORENZ.timescale, 0.05, 30, 201, 0.01, centre=(1.0, 0.0, 0.0))),
    ),
    published=(PublishedFit(),),
)
