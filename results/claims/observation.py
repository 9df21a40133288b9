"""Claims about samples at irregular times: what they cost a vector field, and whether a window can use them."""

import pandas as pd

from results.claims.base import Claim, Effect, effect
from results.claims.dynamics import paired, settings
from results.claims.equations import decades
from results.statistics.trials import column, rows

_FLUX = "Rackauckas et al., DiffEqFlux.jl: a Julia library for neural differential equations, 2019"
_INTUITIONS = "Deep learning for dynamics: the intuitions (write-up)"
NOTHING = 0.1  # decades of error that count as no cost
BEFORE, BEHIND = "Irregular[system=", "]"  # around the label of a system that is observed at irregular times


def seen(frame: pd.DataFrame, metric: str, kind: str, irregularly: bool, times: str = "") -> pd.Series:
    """What a metric says of a kind of learner with this setting of `times`, by the system itself and seed."""
    chosen = rows(frame, metric=metric)
    learners, systems = ([str(label) for label in chosen[name]] for name in ("learner", "system"))
    mine = [
        learner.partition("[")[0] == kind
        and settings(learner).get("times", "") == times
        and system.startswith(BEFORE) == irregularly
        for learner, system in zip(learners, systems, strict=True)
    ]
    if irregularly:
        systems = [system.removeprefix(BEFORE).removesuffix(BEHIND) for system in systems]
    return column(chosen.assign(system=systems).loc[mine].set_index(["system", "seed"]), "value").dropna()


def _free(frame: pd.DataFrame) -> Effect:
    """Error of the neural ODE at irregular times over that at as many regular ones: at most a quarter more."""
    irregular, regular = (seen(frame, "nrmse", "NeuralODE", irregularly) for irregularly in (True, False))
    return effect(decades(irregular, regular), "decades of error", highest=NOTHING)


def _unused(frame: pd.DataFrame) -> Effect:
    """Prediction time at irregular times of the network that is told the gaps, less that of the one that is not."""
    told, untold = (seen(frame, "vpt", "WindowedRNN", True, times) for times in ("gaps", "ignored"))
    return effect(paired(told, untold), "timescales, told the gaps", highest=0.0)


OBSERVATION_CLAIMS: tuple[Claim, ...] = (
    Claim("B3", "Irregular sampling costs the neural ODE nothing.", _FLUX, "irregular", _free),
    Claim("C6", "Windows cannot use irregular times.", _INTUITIONS, "irregular", _unused),
)
