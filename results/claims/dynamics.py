"""Claims about recurrent networks and neural ODEs as models of dynamics: roughness, attractors, lookahead, batches."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from results.claims.base import Claim, Effect, effect, together
from results.statistics.trials import column, rows

_INTUITIONS = "Deep learning for dynamics: the intuitions (write-up)"
CHAOTIC, STABLE = "Lorenz", "CubicSpiral"
HALF = 0.5  # share of the long runs that decides what a model settles on
ABOVE = float(np.nextafter(0.0, 1.0))  # no difference at all supports nothing
MINIBATCH = "32"  # of the suite's neural ODE that is not trained on all the data at once
OPTIMISER = "training.optimiser"  # of a neural ODE that differs in more than its lookahead
WORKS = 0.1  # error of a forecast, in standard deviations, up to which a lookahead counts as working


def measured(frame: pd.DataFrame, metric: str, learner: str, system: str = "") -> pd.Series:
    """A metric of one learner, by system and seed; failed trials, and systems other than a given one, are missing."""
    chosen = rows(frame, metric=metric, learner=learner)
    chosen = rows(chosen, system=system) if system else chosen
    return column(chosen.set_index(["system", "seed"]), "value").dropna()


def paired(
    one: pd.Series, other: pd.Series, compare: Callable[[np.ndarray, np.ndarray], np.ndarray] = np.subtract
) -> np.ndarray:
    """A comparison of two learners, seed by seed, where both have a value."""
    both = one.index.intersection(other.index)
    return compare(one.loc[both].to_numpy(), other.loc[both].to_numpy())


def _rougher(frame: pd.DataFrame) -> Effect:
    """Roughness of the Elman network's forecasts over that of the neural ODE's, in decades."""
    one, other = (measured(frame, "roughness", learner) for learner in ("WindowedRNN[cell=rnn]", "NeuralODE"))
    return effect(np.log10(paired(one, other, np.divide)), "decades of roughness", lowest=ABOVE)


def _collapses(frame: pd.DataFrame) -> Effect:
    """Share of the recurrent network's long runs that end in rest or a cycle, and of the neural ODE's in chaos."""
    still, round_ = (
        measured(frame, f"{regime}_fraction", "WindowedRNN[cell=rnn]", CHAOTIC)
        for regime in ("fixed_point", "limit_cycle")
    )
    collapsed = effect(paired(still, round_, np.add), "of the RNN's runs collapse", lowest=HALF)
    kept = measured(frame, "chaos_fraction", "NeuralODE", CHAOTIC).to_numpy()
    return together([collapsed, effect(kept, "of the NODE's runs are chaotic", lowest=HALF)])


def settings(label: str) -> dict[str, str]:
    """What a learner's label says of its fields: `NeuralODE[lookahead=5]`."""
    return dict(part.split("=", 1) for part in label.partition("[")[2].rstrip("]").split(",") if "=" in part)


def lookaheads(frame: pd.DataFrame) -> dict[int, str]:
    """The neural ODEs of a run by their lookahead, from the shortest, that Adam trained on all the data at once."""
    found = {str(learner): settings(str(learner)) for learner in dict.fromkeys(frame["learner"])}
    alike = {
        int(said.get("lookahead", 1)): label
        for label, said in found.items()
        if label.startswith("NeuralODE") and said.get("training.batch") != MINIBATCH and OPTIMISER not in said
    }
    return dict(sorted(alike.items()))


def _harms(frame: pd.DataFrame) -> Effect:
    """Prediction time on Lorenz with the longest lookahead, less that with the shortest."""
    learners = list(lookaheads(frame).values())
    far, near = (measured(frame, "vpt", learner, CHAOTIC) for learner in (learners[-1], learners[0]))
    return effect(paired(far, near), "Lyapunov times", highest=-ABOVE)


def _works(frame: pd.DataFrame) -> Effect:
    """Error on the spiral with each lookahead; the worst decides."""
    errors = [measured(frame, "nrmse", learner, STABLE).to_numpy() for learner in lookaheads(frame).values()]
    return together([effect(each, "standard deviations", highest=WORKS) for each in errors])


def _keeps(frame: pd.DataFrame) -> Effect:
    """Divergence from the attractor's density when trained on all the data at once, less that with minibatches."""
    labels = [str(learner) for learner in dict.fromkeys(frame["learner"]) if str(learner).startswith("NeuralODE")]
    small = next(label for label in labels if settings(label).get("training.batch") == MINIBATCH)
    one, other = (measured(frame, "d_stsp", learner, CHAOTIC) for learner in (lookaheads(frame)[1], small))
    return effect(paired(one, other), "nats of D_stsp", highest=-ABOVE)


DYNAMICS_CLAIMS: tuple[Claim, ...] = (
    Claim(
        "C1",
        "Trajectories of recurrent networks are rougher than those of neural ODEs.",
        _INTUITIONS,
        "chaos",
        _rougher,
    ),
    Claim(
        "C2",
        "On Lorenz the recurrent network collapses to rest or to a cycle; the neural ODE keeps the attractor.",
        _INTUITIONS,
        "chaos",
        _collapses,
    ),
    Claim("C3", "On chaotic systems a long lookahead harms.", _INTUITIONS, "intuitions", _harms),
    Claim(
        "C4",
        "Training on all data at once keeps the attractor better than minibatches.",
        _INTUITIONS,
        "intuitions",
        _keeps,
    ),
    Claim("C5", "On stable systems any lookahead works.", _INTUITIONS, "intuitions", _works),
)
