"""Maps in discrete time: who learns one step so well that its repetition keeps the attractor?

Settings were found by `tune` on the same maps at other parameters: `tuned_held_out_maps` has them. Learners of flows in
continuous time do not apply.
"""

from typing import Any

from bench.suite import Suite
from bench.suites.tuned_held_out_maps import suite as tuned
from learners import REFERENCES, IndependentTruth
from metrics import LONG_TERM, STANDARD
from systems import HenonMap, IkedaMap, LogisticMap, Sampling, StandardMap

TUNED: Any = tuned.learners

suite = Suite(
    name="maps",
    description="Recurrent and residual networks on the maps of Henon and Ikeda, the logistic and the standard one.",
    systems=(LogisticMap(), HenonMap(), IkedaMap(), StandardMap()),
    learners=(*TUNED, *REFERENCES, IndependentTruth()),
    metrics=(*STANDARD, *LONG_TERM),
    # A context of more samples would take the Lyapunov times for which the orbit of a map is the truth.
    sampling=Sampling(context=8, climate_horizon=600.0),
    data_seed=1,  # not one on which settings were chosen
    settings=f"{tuned.settings} of maps at other parameters (held_out_maps)",
    unequal=tuned.unequal,
)
