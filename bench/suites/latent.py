"""Random spirals that turn either way: do latent ODEs extrapolate better than recurrent networks?

Settings are the write-up's where it gives them, and the defaults of the learners elsewhere.
"""

from bench.suite import Suite
from learners import LatentODE, LatentRNN, Persistence, TrainingMean, WindowedRNN
from learners.latent.learners import LATENT_TRAINING
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

STEP = 6.29 * 5 / 199 / RandomSpirals().timescale  # 200 points on [0, 6.29 * 5]

suite = Suite(
    name="latent",
    description="Latent ODE and recurrent networks on noisy spirals of either sense, extrapolated from 50 points.",
    systems=(RandomSpirals(),),
    learners=(
        LatentODE(window=50),
        LatentRNN(window=50),
        WindowedRNN(window=50, training=LATENT_TRAINING),
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
    sampling=Sampling(
        step=STEP,
        trajectories=1000,
        samples=200,
        valid=50,
        test=100,
        context=50,
        horizon=150 * STEP,
        climate=2,
        climate_horizon=10.0,
        error=0.02,
    ),
)
