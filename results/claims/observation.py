"""Claims about samples at irregular times: what they cost a vector field, and whether a window can use them."""

import pandas as pd

from results.claims.base import Claim, Effect, decades, differences, effect, measured, trials_of
from results.statistics.trials import rows

_FLUX = "Rackauckas et al., DiffEqFlux.jl: a Julia library for neural differential equations, 2019"
_INTUITIONS = "Deep learning for dynamics: the intuitions (write-up)"
NOTHING = 0.1  # decades of error that count as no cost
IRREGULAR = "Irregular"  # the class of a system that is observed at irregular times


def at_irregular_times(frame: pd.DataFrame) -> pd.DataFrame:
    """The trials on systems at irregular times, under the names of the same systems at regular ones."""
    regular = frame.loc[frame["system_class"] != IRREGULAR].drop_duplicates("system")
    described = list(zip(regular["system"], regular["system_class"], regular["system_settings"], strict=True))
    chosen = rows(frame, system_class=IRREGULAR)
    names = [
        next((name for name, kind, settings in described if (kind, settings) == (inner.kind, inner.settings)), None)
        for inner in (settings["system"] for settings in chosen["system_settings"])
    ]
    return chosen.assign(system=names).dropna(subset="system")


def _free(frame: pd.DataFrame) -> Effect:
    """Error of the neural ODE at irregular times over that at as many regular ones: at most a quarter more."""
    fields = trials_of(frame, "NeuralODE")
    regular = fields.loc[fields["system_class"] != IRREGULAR]
    irregular, regular = (measured(trials, "nrmse") for trials in (at_irregular_times(fields), regular))
    return effect(decades(irregular, regular), "decades of error", highest=NOTHING)


def _unused(frame: pd.DataFrame) -> Effect:
    """Prediction time at irregular times of the network that is told the gaps, less that of the one that is not."""
    irregular = rows(frame, system_class=IRREGULAR)
    told = trials_of(irregular, "WindowedRNN", lambda settings: settings.get("times") == "gaps")
    untold = trials_of(irregular, "WindowedRNN", lambda settings: settings.get("times") == "ignored")
    return effect(
        differences(*(measured(each, "vpt") for each in (told, untold))), "timescales, told the gaps", highest=0.0
    )


OBSERVATION_CLAIMS: tuple[Claim, ...] = (
    Claim("B3", "Irregular sampling costs the neural ODE nothing.", _FLUX, "irregular", _free),
    Claim("C6", "Windows cannot use irregular times.", _INTUITIONS, "irregular", _unused),
)
