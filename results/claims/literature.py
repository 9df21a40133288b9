"""Every claim of the literature that a suite of this package puts to the test."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from results.claims.base import (
    Claim,
    Effect,
    by_system,
    decades,
    differences,
    effect,
    measured,
    together,
    trials_of,
)
from results.claims.depth import CHEN
from results.claims.depth import CLAIMS as DEPTH
from results.claims.intuitions import CLAIMS as INTUITIONS
from results.claims.intuitions import SOURCE, WORKS, as_published
from results.claims.training import CLAIMS as TRAINING
from results.statistics.trials import rows

_FLUX = "Rackauckas et al., DiffEqFlux.jl: a Julia library for neural differential equations, 2019"
_LAYER = "Differential equations as a PyTorch neural network layer (write-up)"

RECOVERED = 0.05  # relative error of the worst parameter, up to which all of them count as recovered
LARGEST = 16  # training trajectories of the hybrid suite
WINDOW = 30 / 6.299  # periods that the trajectories of the neural suite last
NOTHING = 0.1  # decades of error that count as no difference
TRAINED = 2.0  # timescales that its training trajectories last


def given(frame: pd.DataFrame, metric: str, model: str, trajectories: int) -> pd.Series:
    """A metric of one class of model with so many training trajectories, by system and seed; failures are missing."""

    def fits(its: Mapping[str, Any]) -> bool:
        inner = its.get("learner")
        usual = getattr(inner, "kind", "") == model and "missing" not in getattr(inner, "settings", {})
        return usual and its.get("trajectories") == trajectories

    return measured(trials_of(frame, "Fewer", fits), metric)


def _recovered(frame: pd.DataFrame, kind: str) -> Effect:
    """Relative error of the worst parameter, on the system where it is largest."""
    return by_system(
        measured(trials_of(frame, kind), "parameter_error"),
        lambda mine, system: effect(mine, f"relative error on {system}", highest=RECOVERED),
    )


def _hungrier(frame: pd.DataFrame) -> Effect:
    """Error, and fitting time, of the neural model with 16 trajectories over those of the known form with one.

    Each system apart.
    """
    parts = []
    for metric, unit in (("nrmse", "decades of error, with 16 times the data"), ("fit_seconds", "decades of time")):
        many, one = given(frame, metric, "NeuralODE", LARGEST), given(frame, metric, "Mechanistic", 1)
        parts.append(
            by_system(
                decades(many, one),
                lambda mine, system, unit=unit: effect(mine, f"{unit}, on {system}", lowest=0.0),
            )
        )
    return together(parts)


def _longer(frame: pd.DataFrame) -> Effect:
    """Valid prediction time of the neural model on the regular system, which is longer than what it was trained on."""
    times = given(rows(frame, system_class="LotkaVolterra"), "vpt", "NeuralODE", LARGEST)
    return effect(times, "periods", lowest=TRAINED)


def _hungrier_as_published(frame: pd.DataFrame) -> Effect:
    """Error, and fitting time, of the author's network over those of the known form on the same data."""
    network, known = trials_of(frame, "NeuralODE", as_published), trials_of(frame, "Mechanistic")
    units = {"nrmse": "decades of error, on the same data", "fit_seconds": "decades of time"}
    parts = [(decades(measured(network, one), measured(known, one)), unit) for one, unit in units.items()]
    return together([effect(*part, lowest=0.0) for part in parts])


def _longer_as_published(frame: pd.DataFrame) -> Effect:
    """Valid prediction time of the author's network, which is longer than what it was trained on."""
    return effect(measured(trials_of(frame, "NeuralODE", as_published), "vpt"), "periods", lowest=WINDOW)


def _leaner(frame: pd.DataFrame) -> Effect:
    """Error of the hybrid over that of the neural model, which is given twice as many trajectories; systems apart."""
    pairs = [(given(frame, "nrmse", "HybridODE", n), given(frame, "nrmse", "NeuralODE", 2 * n)) for n in (1, 2, 4, 8)]
    return by_system(
        pd.concat([decades(*pair) for pair in pairs]),
        lambda mine, system: effect(
            mine, f"decades of error, with half the data, on {system}", highest=0.0, alike=NOTHING
        ),
    )


def _elsewhere(frame: pd.DataFrame) -> Effect:
    """Error of the neural model, from states that it was not trained on, over that of persistence: less than half.

    Each system apart.
    """
    persistence = measured(trials_of(frame, "Persistence"), "nrmse")
    return by_system(
        decades(given(frame, "nrmse", "NeuralODE", LARGEST), persistence),
        lambda mine, system: effect(mine, f"decades of error on {system}", highest=-0.3),
    )


def _annulus(frame: pd.DataFrame) -> Effect:
    """Error of the author's neural ODE of third powers, in the author's solver, from states it was not trained on."""
    published = trials_of(
        frame, "NeuralODE", lambda its: its.get("inputs") == "cubic" and its.get("solver") == "dopri5"
    )
    return effect(measured(published, "nrmse"), "standard deviations", highest=WORKS)


def _latent(frame: pd.DataFrame) -> Effect:
    """Error of extrapolations of the latent ODE over those of the recurrent network, on each system apart."""
    ode, rnn = (measured(trials_of(frame, kind), "nrmse") for kind in ("LatentODE", "LatentRNN"))
    return by_system(
        decades(ode, rnn),
        lambda mine, system: effect(mine, f"decades of error on {system}", highest=0.0, alike=NOTHING),
    )


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


def _free(frame: pd.DataFrame, dropped: bool) -> Effect:
    """Error of the neural ODE at irregular times over that at as many regular ones: at most a quarter more.

    Each system apart; of times that are jittered alone, with the same mean gap, or of which some are missing, too.
    """
    fields = trials_of(frame, "NeuralODE")
    regular = fields.loc[fields["system_class"] != IRREGULAR]
    irregular = at_irregular_times(fields)
    kept = [(settings.get("dropped") != 0.0) == dropped for settings in irregular["system_settings"]]
    irregular, regular = (measured(trials, "nrmse") for trials in (irregular.loc[np.array(kept, dtype=bool)], regular))
    return by_system(
        decades(irregular, regular),
        lambda mine, system: effect(mine, f"decades of error on {system}", highest=NOTHING),
    )


def _unused(frame: pd.DataFrame) -> Effect:
    """Prediction time at irregular times of the network that is told the gaps, less that of the one that is not."""
    irregular = rows(frame, system_class=IRREGULAR)
    told = trials_of(irregular, "WindowedRNN", lambda settings: settings.get("times") == "gaps")
    untold = trials_of(irregular, "WindowedRNN", lambda settings: settings.get("times") == "ignored")
    return effect(
        differences(*(measured(each, "vpt") for each in (told, untold))), "timescales, told the gaps", highest=0.0
    )


CLAIMS: tuple[Claim, ...] = (
    *(
        Claim(name, "Parameters are recovered when the form of the equations is known.", _LAYER, "mechanistic",
              partial(_recovered, kind=kind), f"{how}; starts within 0.1 of a point, each system apart")
        for name, kind, how in (
            ("A1", "PublishedFit", "Adam as published"), ("A1 (ours)", "Mechanistic", "least squares")
        )
    ),
    *(
        Claim(name, "A neural right-hand side needs more data and computing than the known form.", _LAYER, suite, test,
              conditions)
        for name, suite, test, conditions in (
            ("A2", "neural", _hungrier_as_published, "2-8-16-32-2 as published, least squares; Van der Pol, t to 30"),
            ("A2 (ours)", "hybrid", _hungrier, "NODE as we train it, least squares; each system of hybrid apart"),
        )
    ),
    *(
        Claim(name, "A neural right-hand side extrapolates past its training window.", _LAYER, suite, test, conditions)
        for name, suite, test, conditions in (
            ("A3", "neural", _longer_as_published, "2-8-16-32-2 as published; Van der Pol, t to 30, forecast to 60"),
            ("A3 (ours)", "hybrid", _longer, "NODE as we train it, 16 trajectories; Lotka and Volterra's system"),
        )
    ),
    Claim(
        "B1", "A hybrid model needs less data than a purely neural one.", _FLUX, "hybrid", _leaner,
        "a network for the coupling against one for all of the field, by SOAP; 1, 2, 4 and 8 trajectories of 100 noisy "
        "samples against twice as many; each system of hybrid apart"
    ),
    Claim(
        "B2", "The neural ODE extrapolates to new initial states.", _FLUX, "layers", _annulus,
        "x^3 - Dense(50, tanh) - Dense(2) as published; cubic spiral from (2, 0) on [0, 1.5], starts in the annulus",
    ),
    Claim(
        "B2 (ours)", "The neural ODE extrapolates to new initial states.", _FLUX, "hybrid", _elsewhere,
        "NODE as we train it, 16 trajectories; each system of hybrid apart",
    ),
    *(
        Claim(
            f"B3 ({how})", "Irregular sampling costs the neural ODE nothing.", _FLUX, "irregular",
            partial(_free, dropped=how == "dropped"), f"NODE as we train it; {data}, each system apart",
        )
        for how, data in (
            ("jittered", "times jittered by 80 % of a step"), ("dropped", "times jittered, and 30 % of them missing")
        )
    ),
    *INTUITIONS,
    Claim("C6", "Windows cannot use irregular times.", SOURCE, "irregular", _unused,
          "GRU on windows of 16, tuned on other systems, the gaps between samples given or not; jittered times"),
    *DEPTH,
    Claim(
        "D7", "The latent ODE extrapolates better than the recurrent network.", f"{CHEN}, section 5", "latent",
        _latent, "latent ODE and latent RNN as we train them; random spirals, the first quarter of 200 samples "
        "read, or random subsequences of 100, 50 and 30 of them, each apart",
    ),
    *TRAINING,
)  # fmt: skip
