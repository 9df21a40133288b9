"""Claims about recurrent networks and neural ODEs as models of dynamics: roughness, attractors, lookahead, batches."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from results.claims.base import Claim, Effect, decades, differences, effect, measured, together, trials_of
from results.statistics.trials import rows

_INTUITIONS = "Deep learning for dynamics: the intuitions (write-up)"
CHAOTIC, STABLE = "Lorenz", "CubicSpiral"
HALF = 0.5  # share of the long runs that decides what a model settles on
ABOVE = float(np.nextafter(0.0, 1.0))  # no difference at all supports nothing
MINIBATCH = 32  # of the suite's neural ODE that is not trained on all the data at once
WORKS = 0.1  # error of a forecast, in standard deviations, up to which a lookahead counts as working


def _elman(frame: pd.DataFrame) -> pd.DataFrame:
    return trials_of(frame, "WindowedRNN", lambda settings: settings == {"cell": "rnn"})


def _plain_field(frame: pd.DataFrame) -> pd.DataFrame:
    return trials_of(frame, "NeuralODE", lambda settings: not settings)


def _rougher(frame: pd.DataFrame) -> Effect:
    """Roughness of the Elman network's forecasts over that of the neural ODE's, in decades."""
    one, other = (measured(trials, "roughness") for trials in (_elman(frame), _plain_field(frame)))
    return effect(decades(one, other), "decades of roughness", lowest=ABOVE)


def _collapses(frame: pd.DataFrame) -> Effect:
    """Share of the recurrent network's long runs that end in rest or a cycle, and of the neural ODE's in chaos."""
    chaotic = rows(frame, system=CHAOTIC)
    still, cyclic = (measured(_elman(chaotic), f"{regime}_fraction") for regime in ("fixed_point", "limit_cycle"))
    collapsed = effect((still + cyclic).dropna().to_numpy(), "of the RNN's runs collapse", lowest=HALF)
    kept = measured(_plain_field(chaotic), "chaos_fraction").to_numpy()
    return together([collapsed, effect(kept, "of the NODE's runs are chaotic", lowest=HALF)])


def lookaheads(frame: pd.DataFrame) -> dict[int, str]:
    """The neural ODEs of a run by their lookahead, from the shortest, that Adam trained on all the data at once."""
    fields = trials_of(frame, "NeuralODE", lambda settings: "training.optimiser" not in settings)
    whole = fields.loc[~fields["learner"].isin(_in_minibatches(fields)["learner"])].drop_duplicates("learner")
    pairs = zip(whole["learner"], whole["learner_settings"], strict=True)
    return dict(sorted((settings.get("lookahead", 1), label) for label, settings in pairs))


def _in_minibatches(frame: pd.DataFrame) -> pd.DataFrame:
    def fits(settings: Mapping[str, Any]) -> bool:
        return settings.get("training.batch") == MINIBATCH

    return trials_of(frame, "NeuralODE", fits)


def _harms(frame: pd.DataFrame) -> Effect:
    """Prediction time on Lorenz with the longest lookahead, less that with the shortest."""
    learners = list(lookaheads(frame).values())
    far, near = (
        measured(rows(frame, learner=learner, system=CHAOTIC), "vpt") for learner in (learners[-1], learners[0])
    )
    return effect(differences(far, near), "Lyapunov times", highest=-ABOVE)


def _works(frame: pd.DataFrame) -> Effect:
    """Error on the spiral with each lookahead; the worst decides."""
    errors = [measured(rows(frame, learner=one, system=STABLE), "nrmse") for one in lookaheads(frame).values()]
    return together([effect(each.to_numpy(), "standard deviations", highest=WORKS) for each in errors])


def _keeps(frame: pd.DataFrame) -> Effect:
    """Divergence from the attractor's density when trained on all the data at once, less that with minibatches."""
    chaotic = rows(frame, system=CHAOTIC)
    whole, small = rows(chaotic, learner=lookaheads(frame)[1]), _in_minibatches(chaotic)
    return effect(differences(*(measured(each, "d_stsp") for each in (whole, small))), "nats of D_stsp", highest=-ABOVE)


DYNAMICS_CLAIMS: tuple[Claim, ...] = (
    Claim(
        "C1", "Trajectories of recurrent networks are rougher than those of neural ODEs.", _INTUITIONS, "chaos",
        _rougher,
    ),
    Claim(
        "C2", "On Lorenz the recurrent network collapses to rest or to a cycle; the neural ODE keeps the attractor.",
        _INTUITIONS, "chaos", _collapses,
    ),
    Claim("C3", "On chaotic systems a long lookahead harms.", _INTUITIONS, "intuitions", _harms),
    Claim(
        "C4", "Training on all data at once keeps the attractor better than minibatches.", _INTUITIONS, "intuitions",
        _keeps,
    ),
    Claim("C5", "On stable systems any lookahead works.", _INTUITIONS, "intuitions", _works),
)  # fmt: skip
