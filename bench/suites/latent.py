"""Random spirals that turn either way: do latent ODEs extrapolate better than recurrent networks?

Dampings, speeds and starts differ from spiral to spiral. Of whole spirals, the first 50 of 200 samples are read, and
the others are forecast. Of subsequences, the encoder reads 100, 50 or 30 samples that are left of the 200, at random
times but for the first and the last, and the next 100 are forecast, half as long again. What is left of a spiral by
then is small: an error has to be held against that of the training mean.

Latent models are variational autoencoders of what is read: they are trained to decode that, and nothing beyond it
(`lookahead=0`). Training and validation series of subsequences have a tenth more samples than are read, since models
are chosen by forecasts of what follows.

The write-up trained for 2,000 epochs, or 20,000. Here are 4,000 updates, each of 32 windows of the 1,000 spirals: 128
epochs, and at the paper's budget 1,280. All networks are trained by SOAP, at the same rate: on other data, the loss of
a latent ODE that reads 30 samples was 41 after 850 updates of 64 windows, and 66 by Adam. Three seeds take about half
an hour of one core. Settings are else the write-up's where it gives them, and the defaults of the learners elsewhere.
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
    Irregular(SPIRALS, jitter=0.0, dropped=1 - count / POINTS): replace(
        SAMPLING, samples=count * 11 // 10, context=count, horizon=POINTS / 2 * STEP
    )
    for count in (100, 50, 30)
}
TRAINING = Training(updates=4_000, batch=32, optimiser="soap")

suite = Suite(
    name="latent",
    description="Latent ODE and recurrent networks on noisy spirals: the first part is read, or a random subsequence.",
    systems=(SPIRALS, *SUBSEQUENCES),
    learners=(
        LatentODE(window=0, lookahead=0, training=TRAINING),
        LatentRNN(window=0, lookahead=0, training=TRAINING),
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
