"""What any reviewer would ask for beside networks: reservoirs, autoregressions, sparse equations, attention.

Settings were found by `tune` with as many trials for each learner, on the flows of `held_out`, none of which is shown
here: `tuned_held_out_references` has them, `tuned_held_out` those of the networks beside them. Transformers and
networks have as many updates as cost the same processor time on Lorenz; the others are fitted by least squares.
"""

from typing import Any

from bench.equal_time import in_equal_time, trained_by_updates
from bench.suite import Suite
from bench.suites.chaos import TUNED as NETWORKS
from bench.suites.tuned_held_out_references import suite as tuned
from learners import REFERENCES, NeuralODE, ResNet, WindowedRNN
from metrics import STANDARD
from systems import Lorenz, Lorenz96, Rossler, Sampling

TUNED: Any = tuned.learners
FITTED = tuple(one for one in TUNED if not trained_by_updates(one))
TRAINED = tuple(one for one in TUNED if trained_by_updates(one))
BESIDE = tuple(
    one
    for one in NETWORKS
    if isinstance(one, (NeuralODE, ResNet)) or (isinstance(one, WindowedRNN) and one.cell == "lstm")
)

suite = Suite(
    name="references",
    description="Reservoir computing, autoregression, sparse regression and attention beside the networks of chaos.",
    systems=(Lorenz(), Rossler(), Lorenz96(sites=10)),
    learners=(*FITTED, *in_equal_time((*TRAINED, *BESIDE)), *REFERENCES),
    metrics=STANDARD,
    sampling=Sampling(step=0.018112, horizon=16.0, climate_horizon=200.0),
    data_seed=1,  # not one on which settings were chosen
    settings=f"{tuned.settings} of other flows (held_out_references, held_out)",
    unequal="those that are trained have as many as cost 2.5 s a seed on Lorenz; others are fitted by least squares",
)
