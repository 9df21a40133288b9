"""Random spirals that turn either way: do latent ODEs extrapolate better than recurrent networks?

Dampings, speeds and starts differ from spiral to spiral. Forecasts start from the first quarter of 200 samples, of
which learners are given all, or random subsequences: 100, 50 or 30 of the 200, in training as before a forecast. That
quarter, which encoders read, then has 50, 25, 12 or 7 samples.

Settings are the write-up's where it gives them, and the defaults of the learners elsewhere. It trained for 2,000
epochs, or 20,000; here are as many updates, at the standard and at the paper's budget, each of 64 of the 1,000 spirals:
128 epochs, and 1,280.
"""

from dataclasses import replace

from bench.suite import Suite
from learners import Budget, LatentODE, LatentRNN, Persistence, Training, TrainingMean, WindowedRNN
from metrics import (
    fit_seconds,
    flops_forecast,
    forecast_seconds,
    interpolation,
    nfe_backward,
    nfe_forecast,
    nfe_forward,
    nrmse,
    parameters,
    roughness,
    samples,
    saved_bytes,
    updates,
    vpt,
    vpt_capped,
)
from systems import RandomSpirals, Sampling
from systems.observation import Irregular

SPIRALS = RandomSpirals(variety=0.5)
POINTS = 200  # of a spiral, on [0, 6.29 * 5]
STEP = 6.29 * 5 / (POINTS - 1) / SPIRALS.timescale
SAMPLING = Sampling(
    step=STEP,
    trajectories=1000,
    samples=POINTS,
    valid=50,
    test=100,
    context=POINTS // 4,
    horizon=POINTS * 3 / 4 * STEP,
    climate=2,
    climate_horizon=10.0,
    error=0.02,
)
SUBSEQUENCES = {
    Irregular(SPIRALS, jitter=0.0, dropped=1 - count / POINTS): replace(SAMPLING, samples=count, context=count // 4)
    for count in (100, 50, 30)
}
TRAINING = Training(updates=2_000, batch=64)

suite = Suite(
    name="latent",
    description="Latent ODE and recurrent networks on noisy spirals, given whole or in part, extrapolated.",
    systems=(SPIRALS, *SUBSEQUENCES),
    learners=(
        LatentODE(window=0, lookahead=20, training=TRAINING),
        LatentRNN(window=0, lookahead=20, training=TRAINING),
        WindowedRNN(window=7, times="gaps", training=TRAINING),
        Persistence(),
        TrainingMean(),
    ),
    metrics=(
        interpolation,
        nrmse,
        vpt,
        vpt_capped,
        roughness,
        parameters,
        nfe_forward,
        nfe_backward,
        nfe_forecast,
        flops_forecast,
        saved_bytes,
        updates,
        samples,
        fit_seconds,
        forecast_seconds,
    ),
    sampling=SAMPLING,
    own=tuple(SUBSEQUENCES.items()),
    budgets={"quick": Budget(0.1), "standard": Budget(), "paper": Budget(10.0)},
)
