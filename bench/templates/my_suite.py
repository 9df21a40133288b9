"""My suite: a comparison to begin with. Say here what it asks, and why these systems and learners can answer it."""

from bench.suite import Suite
from learners import REFERENCES, NeuralODE, ResNet
from metrics import STANDARD
from systems import Lorenz, Sampling, VanDerPol

suite = Suite(
    name="my_suite",  # of the folder of its results, in runs/
    description="What is asked, in one sentence",
    systems=(VanDerPol(), Lorenz()),
    learners=(ResNet(), NeuralODE(lookahead=4), *REFERENCES),
    metrics=STANDARD,
    sampling=Sampling(trajectories=16, samples=400, test=32, horizon=8.0),  # times are in timescales of each system
    seeds=3,
    settings="the learners' defaults",  # how they were found
    unequal="each learner takes its own number of updates",
)
