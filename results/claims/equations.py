"""Claims about known, half-known and unknown equations, and about latent dynamics."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from results.claims.base import Claim, Effect, decades, effect, measured, together, trials_of
from results.statistics.trials import rows

_LAYER = "Differential equations as a PyTorch neural network layer (write-up)"
_FLUX = "Rackauckas et al., DiffEqFlux.jl: a Julia library for neural differential equations, 2019"
_CHEN = "Chen et al., Neural ordinary differential equations, NeurIPS 2018"

RECOVERED = 0.05  # relative error of the worst parameter, up to which all of them count as recovered
LARGEST = 16  # training trajectories of the hybrid suite
TRAINED = 2.0  # timescales that its training trajectories last
_NOTHING = Effect(np.nan, np.nan, np.nan, "", "inconclusive", "nothing was measured")


def given(frame: pd.DataFrame, metric: str, model: str, trajectories: int) -> pd.Series:
    """A metric of one class of model with so many training trajectories, by system and seed; failures are missing."""

    def fits(settings: Mapping[str, Any]) -> bool:
        return settings["learner"].kind == model and settings["trajectories"] == trajectories

    return measured(trials_of(frame, "Fewer", fits), metric)


def _recovered(frame: pd.DataFrame) -> Effect:
    """Relative error of the worst parameter, on the system where it is largest."""
    errors = measured(trials_of(frame, "Mechanistic"), "parameter_error").groupby("system", sort=False)
    return together([effect(mine.to_numpy(), "relative error", highest=RECOVERED) for _, mine in errors] or [_NOTHING])


def _hungrier(frame: pd.DataFrame) -> Effect:
    """Error, and fitting time, of the neural model with 16 trajectories over those of the known form with one."""
    parts = []
    for metric, unit in (("nrmse", "decades of error, with 16 times the data"), ("fit_seconds", "decades of time")):
        many, one = given(frame, metric, "NeuralODE", LARGEST), given(frame, metric, "Mechanistic", 1)
        parts.append(effect(decades(many, one), unit, lowest=0.0))
    return together(parts)


def _longer(frame: pd.DataFrame) -> Effect:
    """Valid prediction time of the neural model on the regular system, which is longer than what it was trained on."""
    times = given(rows(frame, system_class="LotkaVolterra"), "vpt", "NeuralODE", LARGEST)
    return effect(times.to_numpy(), "periods", lowest=TRAINED)


def _leaner(frame: pd.DataFrame) -> Effect:
    """Error of the hybrid over that of the neural model, which is given twice as many trajectories."""
    pairs = [(given(frame, "nrmse", "HybridODE", n), given(frame, "nrmse", "NeuralODE", 2 * n)) for n in (1, 2, 4, 8)]
    return effect(
        np.concatenate([decades(*pair) for pair in pairs]), "decades of error, with half the data", highest=0.0
    )


def _elsewhere(frame: pd.DataFrame) -> Effect:
    """Error of the neural model, from states that it was not trained on, over that of persistence: less than half."""
    persistence = measured(trials_of(frame, "Persistence"), "nrmse")
    return effect(decades(given(frame, "nrmse", "NeuralODE", LARGEST), persistence), "decades of error", highest=-0.3)


def _latent(frame: pd.DataFrame) -> Effect:
    """Error of extrapolations of the latent ODE over those of the recurrent network."""
    ode, rnn = (measured(trials_of(frame, kind), "nrmse") for kind in ("LatentODE", "LatentRNN"))
    return effect(decades(ode, rnn), "decades of error", highest=0.0)


EQUATION_CLAIMS: tuple[Claim, ...] = (
    Claim("A1", "Parameters are recovered when the form of the equations is known.", _LAYER, "mechanistic", _recovered),
    Claim(
        "A2", "A neural right-hand side needs more data and computing than the known form.", _LAYER, "hybrid", _hungrier
    ),
    Claim("A3", "A neural right-hand side extrapolates past its training window.", _LAYER, "hybrid", _longer),
    Claim("B1", "A hybrid model needs less data than a purely neural one.", _FLUX, "hybrid", _leaner),
    Claim("B2", "The neural ODE extrapolates to new initial states.", _FLUX, "hybrid", _elsewhere),
    Claim(
        "D7", "The latent ODE extrapolates better than the recurrent network.", f"{_CHEN}, section 5", "latent", _latent
    ),
)
