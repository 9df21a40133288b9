"""Thirty-three chaotic and conservative flows: which kind of learner wins where, and does one win on most of them?

Settings are those of `chaos`, the same for every system: `tune` found them on six flows that are not among these.
"""

from bench.suite import Suite
from bench.suites.chaos import suite as chaos
from learners import Budget
from metrics import LONG_TERM, STANDARD
from systems import (
    Aizawa,
    Arneodo,
    BurkeShaw,
    Chen,
    Chua,
    Colpitts,
    Dadras,
    DoublePendulum,
    ForcedDuffing,
    ForcedVanDerPol,
    Halvorsen,
    HenonHeiles,
    HindmarshRose,
    HyperRossler,
    KuramotoSivashinsky,
    Lorenz,
    Lorenz84,
    Lorenz96,
    Lu,
    MackeyGlass,
    NoseHoover,
    RabinovichFabrikant,
    Rikitake,
    Rossler,
    Rucklidge,
    Sampling,
    Sprott,
    Thomas,
)

SAMPLING = Sampling(step=0.02, test=64, horizon=12.0, climate_horizon=100.0)
# Their neighbours part only after many turns or spikes, of which a step as long as the others' would see too little.
SLOW = Sampling(step=0.004, test=64, horizon=6.0, climate_horizon=25.0)

suite = Suite(
    name="zoo",
    description="Recurrent networks, neural ODEs and residual networks, tuned elsewhere, on 33 certified flows.",
    systems=(
        Lorenz(),
        Rossler(),
        Aizawa(),
        Arneodo(),
        BurkeShaw(),
        Chen(),
        Chua(),
        Colpitts(),
        Dadras(),
        ForcedDuffing(),
        ForcedVanDerPol(),
        Halvorsen(),
        HindmarshRose(),
        HyperRossler(),
        Lorenz84(),
        Lu(),
        NoseHoover(),
        RabinovichFabrikant(),
        Rikitake(),
        Rucklidge(),
        Sprott("B"),
        Sprott("D"),
        Sprott("F"),
        Sprott("Q"),
        Sprott("S"),
        Thomas(),
        HenonHeiles(),
        DoublePendulum(),
        Lorenz96(sites=5),
        Lorenz96(sites=10),
        Lorenz96(sites=40),
        KuramotoSivashinsky(),
        MackeyGlass(),
    ),
    learners=chaos.learners,
    metrics=(*STANDARD, *LONG_TERM),
    sampling=SAMPLING,
    own=((HindmarshRose(), SLOW), (NoseHoover(), SLOW)),
    data_seed=1,  # not one on which settings were chosen
    budgets={"quick": Budget(0.07, climate=0.2), "standard": Budget(), "paper": Budget(10.0)},
    settings=chaos.settings,
    unequal=chaos.unequal,
)
