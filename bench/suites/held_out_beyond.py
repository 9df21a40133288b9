"""Noise, switches, bounces and a delay at parameters that no comparison shows: on them `tune` finds those of `beyond`.

Settings with which tuning begins are the learners' defaults, chosen by hand on Lorenz (data seed 0). A pendulum is not
among them: in its own units it is the same at every length.
"""

from dataclasses import replace

from bench.equal_time import in_equal_time
from bench.suites.held_out import suite as held_out
from learners import NeuralDDE, NeuralODE, NeuralSDE
from learners.delayed import Delayed
from systems import BouncingBall, DoubleScroll, GeometricBrownianMotion, MackeyGlass, Sampling, StochasticLorenz
from systems.flows.mackey_glass import LARGEST_EXPONENT
from systems.observation import Partial

SYSTEM = "StochasticLorenz"  # on which costs are measured
COMPARED = (NeuralODE(), NeuralSDE(), NeuralDDE(), Delayed(NeuralODE(), delays=2, stride=10))
SAMPLING = Sampling(trajectories=16, samples=500, valid=4, test=32, context=24, horizon=4.0, climate_horizon=4.0)
TWENTIETHS = 20 / 20 * LARGEST_EXPONENT  # of the delay, in timescales

PRESENT = Partial(MackeyGlass(tau=20.0), channels=(31,))  # the last channel of the history is what there is now

suite = replace(
    held_out,
    name="held_out_beyond",
    description="Neural equations of four kinds, on noise, bounces, switches and a delay that no comparison shows.",
    systems=(
        StochasticLorenz(noise=2.0),
        GeometricBrownianMotion(growth=0.05, volatility=0.3),
        BouncingBall(restitution=0.95),
        DoubleScroll(a=0.6),
        PRESENT,
    ),
    learners=in_equal_time(COMPARED, system=SYSTEM),
    sampling=SAMPLING,
    own=((PRESENT, replace(SAMPLING, step=TWENTIETHS, horizon=2.0)),),
    unequal="each has as many as cost the same processor time on a stochastic Lorenz system: 2.5 s a seed",
)
