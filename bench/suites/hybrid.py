"""How many trajectories do known equations, half-known equations and no equations at all need?

Settings are the learners' defaults with fewer updates; none was tuned.
"""

from bench.suite import Suite
from learners import HybridODE, Mechanistic, NeuralODE, Persistence, Training, TrueEquations
from learners.fewer_trajectories import Fewer
from metrics import (
    fit_seconds,
    forecast_seconds,
    nfe_backward,
    nfe_forecast,
    nfe_forward,
    nrmse,
    parameter_error,
    parameters,
    samples,
    updates,
    vpt,
    vpt_capped,
)
from systems import Lorenz, LotkaVolterra, Sampling

TRAINING = Training(updates=3_000)
SIZES = (1, 2, 4, 8, 16)
MODELS = (Mechanistic(), HybridODE(training=TRAINING), NeuralODE(training=TRAINING))

suite = Suite(
    name="hybrid",
    description="Mechanistic, hybrid and neural right-hand sides on 1, 2, 4, 8 and 16 noisy training trajectories.",
    systems=(LotkaVolterra(), Lorenz()),
    learners=(
        *(Fewer(model, trajectories=size) for model in MODELS for size in SIZES),
        Persistence(),
        TrueEquations(),
    ),
    metrics=(
        nrmse,
        vpt,
        vpt_capped,
        parameter_error,
        parameters,
        nfe_forward,
        nfe_backward,
        nfe_forecast,
        updates,
        samples,
        fit_seconds,
        forecast_seconds,
    ),
    sampling=Sampling(trajectories=16, samples=100, valid=1, noise=0.01, horizon=10.0, climate=2),
)
