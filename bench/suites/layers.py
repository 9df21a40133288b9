"""Differential equations as layers: a solve on third powers, one between dense layers, and depth in many thin layers.

After "DiffEqFlux": the cubic spiral from (2, 0), 30 points on [0, 1.5]; forecasts start anywhere about it. Settings
marked as published are the write-up's: x -> x^3 -> Dense(50, tanh) -> Dense(2), tolerances of 1e-7 and 1e-9, Adam at a
constant 0.1. Beside it stand a solve as a layer, and residual networks of ever more blocks, all different or all one:
the latter are Euler's method, in as many steps, on one vector field. Settings of these were chosen by hand.
"""

from dataclasses import replace

from bench.suite import Suite
from learners import (
    Analogue,
    NeuralODE,
    ODELayer,
    Persistence,
    PolynomialPropagator,
    ResNet,
    Training,
    TrainingMean,
    TrueEquations,
)
from metrics import STANDARD, field_error, zero_one_k
from systems import CubicSpiral, Sampling

SPIRAL = CubicSpiral()
POINTS, TIME = 30, 1.5
CUBIC = NeuralODE(
    lookahead=POINTS - 1,
    width=50,
    depth=1,
    activation="tanh",
    solver="dopri5",
    tolerance=1e-7,
    absolute=1e-9,
    inputs="cubic",
    scaled=False,
    training=Training(
        updates=1_000, batch=1, learning_rate=0.1, clip=1e9, schedule="constant", keep="last", validations=5
    ),
)
BLOCKS = (1, 4, 16)
THIN = ResNet(blocks=1, width=16, depth=1, activation="tanh", training=Training(updates=2_000, batch=32))

suite = Suite(
    name="layers",
    description="Solves as layers, and residual networks of many thin layers, on one short trajectory of a spiral.",
    systems=(SPIRAL,),
    learners=(
        CUBIC,
        replace(CUBIC, solver="rk4", tolerance=1e-4, absolute=0.0, training=Training(updates=1_000)),
        ODELayer(training=Training(updates=2_000, batch=32)),
        *(replace(THIN, blocks=blocks) for blocks in BLOCKS),
        *(replace(THIN, blocks=blocks, shared=True) for blocks in BLOCKS[1:]),
        Persistence(),
        TrainingMean(),
        Analogue(),
        PolynomialPropagator(),
        TrueEquations(),
    ),
    metrics=(field_error, *(metric for metric in STANDARD if metric is not zero_one_k)),
    sampling=Sampling(
        step=TIME / (POINTS - 1) / SPIRAL.timescale,
        trajectories=1,
        samples=POINTS,
        valid=2,
        context=1,
        centre=(2.0, 0.0),
        elsewhere=True,
        horizon=TIME / SPIRAL.timescale,
        climate=2,
        climate_horizon=10.0,
    ),
    published=(CUBIC,),
    unequal="the network as published has as many updates as there",
)
