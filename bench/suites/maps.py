"""Maps in discrete time: who learns one step so well that its repetition keeps the attractor?

Settings are the learners' defaults; learners of flows in continuous time do not apply.
"""

from bench.equal_time import in_equal_time
from bench.suite import Suite
from bench.suites.held_out import RECURRENT
from learners import REFERENCES, IndependentTruth, ResNet
from metrics import LONG_TERM, STANDARD
from systems import HenonMap, IkedaMap, LogisticMap, Sampling, StandardMap

suite = Suite(
    name="maps",
    description="Recurrent and residual networks on the maps of Henon and Ikeda, the logistic and the standard one.",
    systems=(LogisticMap(), HenonMap(), IkedaMap(), StandardMap()),
    learners=(*in_equal_time((*RECURRENT, ResNet())), *REFERENCES, IndependentTruth()),
    metrics=(*STANDARD, *LONG_TERM),
    # A context of more samples would take the Lyapunov times for which the orbit of a map is the truth.
    sampling=Sampling(context=8, climate_horizon=600.0),
    data_seed=1,  # not the one on which the settings were chosen
    unequal="the settings are those of chaos",
)
