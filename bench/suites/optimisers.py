"""Does SOAP train better models than Adam in the same processor time? On sixteen flows that `chaos` does not show.

By the first eight, which `zoo` shows, SOAP became the default; the other eight came later, and have chosen nothing.

Learners are those with which the tuning of `chaos` begins, trained by SOAP (Vyas et al., 2024) at its authors' rate and
without a clip, as they are by default; and by Adam. Settings of the latter, a rate of 0.01 and norms of gradients
clipped to 1, were chosen by hand on Lorenz (data seed 0). Either has as many updates as cost the same processor time.
"""

from dataclasses import replace
from typing import Any

from bench.equal_time import in_equal_time
from bench.suite import Suite
from bench.suites.chaos import suite as chaos
from bench.suites.held_out import COMPARED
from learners import REFERENCES, Learner
from metrics import LONG_TERM, STANDARD
from systems import (
    Aizawa,
    Arneodo,
    BurkeShaw,
    Chen,
    Chua,
    Dadras,
    Halvorsen,
    HyperRossler,
    Lorenz84,
    Lorenz96,
    Lu,
    RabinovichFabrikant,
    Rikitake,
    Rucklidge,
    Sprott,
)


def by_adam(learner: Any) -> Learner:
    """The learner, trained by Adam."""
    return replace(learner, training=replace(learner.training, optimiser="adam", learning_rate=1e-2, clip=1.0))


suite = Suite(
    name="optimisers",
    description="Adam and SOAP in equal processor time, on sixteen chaotic flows.",
    systems=(
        Chen(),
        Halvorsen(),
        HyperRossler(),
        Lorenz84(),
        Lorenz96(sites=5),
        Rikitake(),
        Rucklidge(),
        Sprott("Q"),
        Aizawa(),
        Arneodo(),
        BurkeShaw(),
        Chua(),
        Dadras(),
        Lu(),
        RabinovichFabrikant(),
        Sprott("F"),
    ),
    learners=(*in_equal_time(COMPARED), *in_equal_time(map(by_adam, COMPARED)), *REFERENCES),
    metrics=(*STANDARD, *LONG_TERM),
    sampling=replace(chaos.sampling, step=0.02, test=64, climate_horizon=100.0),
    data_seed=3,
    unequal="updates are as many as cost the same processor time for each learner by either optimiser",
)
