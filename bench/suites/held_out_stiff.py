"""Stiff oscillators and reactions that no comparison shows: on them `tune` finds the settings of `stiff`.

Settings with which tuning begins are the learners' defaults, chosen by hand on Lorenz (data seed 0).
"""

from dataclasses import replace

from bench.equal_time import in_equal_time
from bench.suites.held_out import suite as held_out
from learners import NeuralODE, ResNet, RKNet, WindowedRNN
from systems import Robertson, Sampling, VanDerPol

SYSTEM = "VanDerPol[mu=100.0]"  # on which costs are measured
COMPARED = (WindowedRNN(), ResNet(), NeuralODE(), NeuralODE(solver="rosenbrock"), RKNet())

suite = replace(
    held_out,
    name="held_out_stiff",
    description="Explicit and implicit solvers in neural ODEs, and maps, on stiff systems that no comparison shows.",
    systems=(VanDerPol(mu=3.0), VanDerPol(mu=30.0), VanDerPol(mu=300.0), Robertson(k1=0.1)),
    learners=in_equal_time(COMPARED, system=SYSTEM),
    sampling=Sampling(
        trajectories=8, samples=250, valid=2, test=16, context=8, horizon=2.0, climate=2, climate_horizon=8.0
    ),
    unequal="each has as many as cost the same processor time on Van der Pol's oscillator at mu = 100: 2.5 s a seed",
)
