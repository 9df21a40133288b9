"""Claims about known, half-known and unknown equations, and about latent dynamics."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from results.claims.base import Claim, Effect, by_seed, effect, together
from results.statistics.trials import column, rows

_LAYER = "Differential equations as a PyTorch neural network layer (write-up)"
_FLUX = "Rackauckas et al., DiffEqFlux.jl: a Julia library for neural differential equations, 2019"
_CHEN = "Chen et al., Neural ordinary differential equations, NeurIPS 2018"

RECOVERED = 0.05  # relative error of the worst parameter, up to which all of them count as recovered
LARGEST = 16  # training trajectories of the hybrid suite
TRAINED = 2.0  # timescales that its training trajectories last


def given(frame: pd.DataFrame, metric: str, model: str, trajectories: int) -> pd.Series:
    """A metric of one kind of model with so many training trajectories, by system and seed; failures are missing."""
    chosen = rows(frame, metric=metric)
    labels = [str(learner) for learner in chosen["learner"]]
    ends = f"trajectories={trajectories}]"
    mine = [
        label.startswith((f"Fewer[learner={model},", f"Fewer[learner={model}[")) and label.endswith(ends)
        for label in labels
    ]
    return column(chosen.loc[mine].set_index(["system", "seed"]), "value").dropna()


def decades(one: pd.Series, other: pd.Series) -> np.ndarray:
    """Logarithm to base 10 of one value over the other, where both were measured."""
    both = one.index.intersection(other.index)
    return np.log10(one.loc[both].to_numpy() / other.loc[both].to_numpy())


def _recovered(frame: pd.DataFrame) -> Effect:
    """Relative error of the worst parameter, on the system where it is largest."""
    errors = by_seed(frame, "parameter_error", "Mechanistic")
    systems = errors.groupby("system", sort=False)
    return together([effect(mine.to_numpy(), "relative error", highest=RECOVERED) for _, mine in systems] or [_none])


def _hungrier(frame: pd.DataFrame) -> Effect:
    """Error, and fitting time, of the neural model with 16 trajectories over those of the known form with one."""
    parts = []
    for metric, unit in (("nrmse", "decades of error, with 16 times the data"), ("fit_seconds", "decades of time")):
        many, one = given(frame, metric, "NeuralODE", LARGEST), given(frame, metric, "Mechanistic", 1)
        parts.append(effect(decades(many, one), unit, lowest=0.0))
    return together(parts)


def _longer(frame: pd.DataFrame) -> Effect:
    """Valid prediction time of the neural model on the regular system, which is longer than what it was trained on."""
    times = given(frame, "vpt", "NeuralODE", LARGEST)
    systems = times.index.get_level_values("system")
    regular = times.loc[[str(system).startswith("LotkaVolterra") for system in systems]]
    return effect(regular.to_numpy(), "periods", lowest=TRAINED)


def _leaner(frame: pd.DataFrame) -> Effect:
    """Error of the hybrid over that of the neural model, which is given twice as many trajectories."""
    sizes: Sequence[int] = (1, 2, 4, 8)
    pairs = [(given(frame, "nrmse", "HybridODE", n), given(frame, "nrmse", "NeuralODE", 2 * n)) for n in sizes]
    return effect(
        np.concatenate([decades(*pair) for pair in pairs]), "decades of error, with half the data", highest=0.0
    )


def _elsewhere(frame: pd.DataFrame) -> Effect:
    """Error of the neural model, from states that it was not trained on, over that of persistence: less than half."""
    persistence = by_seed(frame, "nrmse", "Persistence").groupby(["system", "seed"]).median()
    return effect(decades(given(frame, "nrmse", "NeuralODE", LARGEST), persistence), "decades of error", highest=-0.3)


def _latent(frame: pd.DataFrame) -> Effect:
    """Error of extrapolations of the latent ODE over those of the recurrent network."""
    ode, rnn = (
        by_seed(frame, "nrmse", kind).groupby(["system", "seed"]).median() for kind in ("LatentODE", "LatentRNN")
    )
    return effect(decades(ode, rnn), "decades of error", highest=0.0)


_none = Effect(np.nan, np.nan, np.nan, "", "inconclusive", "nothing was measured")

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
