"""The claims of "Deep learning for dynamics: the intuitions": on its author's conditions, and beside these on ours."""

from collections.abc import Callable, Mapping
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
    not_tested,
    tested,
    together,
    trials_of,
)
from results.formatting import listed
from results.statistics.trials import rows

SOURCE = "Deep learning for dynamics: the intuitions (write-up)"
CHAOTIC = "Lorenz"
HALF = 0.5  # share of the long runs that decides what a model settles on
ABOVE = float(np.nextafter(0.0, 1.0))  # no difference at all supports nothing
DONE = 2_000  # updates
STAGES = (250, 1_000)  # before, in which roughness is looked at
LATE = DONE - 200  # updates, from which on models count as trained: at a constant rate they keep moving
SMALL = (20, 32)  # segments of the batches that are not all the data at once
WORKS = 0.1  # error of a forecast, in standard deviations, up to which a lookahead counts as working
SMOOTH, LONGER, CLOSER = 0.05, 0.2, 0.02  # decades, Lyapunov times and nats that are no difference to speak of

Settings = Mapping[str, Any]


def as_published(settings: Settings) -> bool:
    """Whether these settings are the author's: networks in physical units, as none of ours is."""
    return settings.get("scaled") is False


def networks(frame: pd.DataFrame, updates: int = DONE, window: int | None = None) -> pd.DataFrame:
    """The trials of the author's recurrent networks after so many updates, of all windows or one."""
    return trials_of(
        frame,
        "WindowedRNN",
        lambda its: (
            as_published(its) and its.get("training.updates") == updates and window in (None, its.get("window", 4))
        ),
    )


def fields(frame: pd.DataFrame, updates: int = DONE) -> pd.DataFrame:
    """The trials of the author's neural ODE with a lookahead of one sample, after so many updates."""
    return trials_of(
        frame,
        "NeuralODE",
        lambda its: as_published(its) and "lookahead" not in its and its.get("training.updates") == updates,
    )


def bounded(trials: pd.DataFrame) -> pd.DataFrame:
    """Those of the trials whose long runs all stay within bounds: what flies away is smooth for nothing."""
    names = ["system", "learner", "seed"]
    lost = rows(trials, metric="unbounded_fraction")
    lost = lost.loc[lost["value"] > 0, names].drop_duplicates()
    kept = trials.merge(lost, on=names, how="left", indicator=True)["_merge"] == "left_only"
    return trials.loc[kept.to_numpy()]


def _elman(settings: Settings) -> bool:
    return settings.get("cell") == "rnn"


def _dense(settings: Settings) -> bool:
    return settings.get("network", "mlp") == "mlp"


def _rougher(frame: pd.DataFrame, updates: int | None) -> Effect:
    """Roughness of the recurrent network's forecasts over the neural ODE's, in decades, on each system apart."""
    windows = ""
    if updates is None:
        ours = trials_of(frame, "WindowedRNN", _elman)
        theirs = trials_of(frame, "NeuralODE", _dense)
    else:
        ours, theirs = networks(frame, updates), fields(frame, updates)
        told = rows(ours, metric="roughness")
        lengths = sorted({settings.get("window", 4) for settings in told["learner_settings"]})
        windows = f", windows of {listed(map(str, lengths))}" if lengths else ""
        windows += f", {updates} updates" if updates < DONE else ""
    values = decades(measured(bounded(ours), "roughness"), measured(bounded(theirs), "roughness"))
    return by_system(
        values,
        lambda mine, system: effect(mine, f"decades of roughness on {system}{windows}", lowest=ABOVE, alike=SMOOTH),
    )


def _rougher_in_training(frame: pd.DataFrame) -> Effect:
    """The same at each stage of training that was measured, each apart."""
    parts = [_rougher(frame, updates) for updates in STAGES]
    measured_parts = [part for part in parts if not part.reason]
    return together(measured_parts or parts)


def _rougher_on(frame: pd.DataFrame, system: str, test: Callable[[pd.DataFrame], Effect]) -> Effect:
    """The same on one class of systems."""
    return test(rows(frame, system_class=system))


def _collapses(frame: pd.DataFrame, window: int | None) -> Effect:
    """Share of the recurrent network's long runs that end in rest or a cycle, and of the neural ODE's in chaos.

    Of those that stay bounded: the others settle on nothing.
    """
    chaotic = rows(frame, system=CHAOTIC)
    if window is None:
        recurrent = trials_of(chaotic, "WindowedRNN", _elman)
        field = trials_of(chaotic, "NeuralODE", _dense)
    else:
        recurrent, field = networks(chaotic, window=window), fields(chaotic)
    still, cyclic, chaos = (
        measured(trials, f"{regime}_fraction").dropna()
        for trials, regime in ((recurrent, "fixed_point"), (recurrent, "limit_cycle"), (field, "chaos"))
    )
    recurrent_name, field_name = tested(recurrent, "the recurrent network"), tested(field, "the neural ODE")
    collapsed = effect(still + cyclic, f"of the long runs of {recurrent_name} end in rest or a cycle", lowest=HALF)
    kept = effect(chaos, f"of the long runs of {field_name} are chaotic", lowest=HALF)
    return together([collapsed, kept])


def lookaheads(frame: pd.DataFrame, published: bool) -> dict[int, str]:
    """The neural ODEs of a run, the author's or ours, by their lookahead, from the shortest.

    Only those that were trained along gradients to the end in batches as the others are.
    """

    def fits(its: Settings) -> bool:
        usual = its.get("training.updates") == DONE and its.get("training.batch") not in SMALL
        return usual and as_published(its) == published and its.get("training.optimiser") != "levenberg-marquardt"

    found = trials_of(frame, "NeuralODE", fits).drop_duplicates("learner")
    pairs = zip(found["learner"], found["learner_settings"], strict=True)
    return dict(sorted((settings.get("lookahead", 1), label) for label, settings in pairs))


def _harms(frame: pd.DataFrame, published: bool) -> Effect:
    """Prediction time on Lorenz with the longest lookahead, less that with the shortest."""
    found = lookaheads(frame, published)
    if len(found) < 2:
        return not_tested("two lookaheads are needed")
    near, *_, far = found
    times = (measured(rows(frame, learner=found[one], system=CHAOTIC), "vpt") for one in (far, near))
    unit = f"Lyapunov times, lookahead {far} less {near}"
    return effect(differences(*times), unit, highest=-ABOVE, alike=LONGER)


def _works(frame: pd.DataFrame, published: bool, system: str) -> Effect:
    """Error on the spiral with each lookahead; the worst decides."""
    found = lookaheads(frame, published)
    if len(found) < 2:
        return not_tested("two lookaheads are needed")
    here = rows(frame, system_class=system)
    errors = {far: measured(rows(here, learner=label), "nrmse") for far, label in found.items()}
    return together(
        [effect(each, f"standard deviations, lookahead {far}", highest=WORKS) for far, each in errors.items()]
    )


def _keeps(frame: pd.DataFrame, published: bool, metric: str, unit: str, sign: int) -> Effect:
    """A measure of the attractor where all the data are trained on at once, less that with minibatches.

    Lower is better where `sign` is 1, higher where it is -1.
    """

    def in_batches(small: bool) -> Callable[[Settings], bool]:
        return lambda its: (
            as_published(its) == published
            and its.get("lookahead", 1) == (10 if published else 1)
            and (its.get("training.batch") in SMALL) == small
            and LATE <= its.get("training.updates", 0) <= DONE
        )

    chaotic = rows(frame, system=CHAOTIC)
    whole, small = (measured(trials_of(chaotic, "NeuralODE", in_batches(one)), metric) for one in (False, True))
    return effect(sign * differences(whole, small), unit, highest=-ABOVE, alike=CLOSER)


ROUGHER = "Trajectories of recurrent networks are rougher than those of neural ODEs."
COLLAPSES = "On Lorenz the recurrent network collapses to rest or to a cycle; the neural ODE keeps the attractor."
HARMS = "On chaotic systems a long lookahead harms."
KEEPS = "Training on all data at once keeps the attractor better than minibatches."
WORKING = "On stable systems any lookahead works."
PAIR = "windowed RNN (ReLU, 2 x 128) and NODE (one hidden layer), as published"
OURS = "windowed RNN (tanh) and NODE, tuned on other flows"
TRAJECTORY = {"intuitions": "one trajectory of Lorenz", "spiral": "one trajectory of the cubic spiral"}
STSP: dict[str, Any] = {"metric": "d_stsp", "unit": "nats of D_stsp, all at once less minibatches", "sign": 1}
CHAOS: dict[str, Any] = {
    "metric": "chaos_fraction",
    "unit": "of the long runs more are chaotic in minibatches",
    "sign": -1,
}

CLAIMS: tuple[Claim, ...] = (
    *(
        Claim(
            f"C1 ({name}, {when})", ROUGHER, SOURCE, suite, partial(_rougher_on, system=system, test=test),
            f"{PAIR}; {TRAJECTORY[suite]}{data}",
        )
        for name, suite, system, data in (
            ("intuitions", "intuitions", CHAOTIC, ""),
            ("spiral", "spiral", "Retraced", ", which is forecast from its start"),
            ("spiral, inside", "spiral", "CubicSpiral", ", forecasts from states inside of it"),
        )
        for when, test in (("trained", partial(_rougher, updates=DONE)), ("in training", _rougher_in_training))
    ),
    Claim(
        "C1 (ours)", ROUGHER, SOURCE, "chaos", partial(_rougher, updates=None),
        f"{OURS}; each system of chaos apart, of models whose long runs all stay within bounds",
    ),
    *(
        Claim(
            f"C2 (window {window})", COLLAPSES, SOURCE, "intuitions", partial(_collapses, window=window),
            f"windowed RNN{beside} as published; {TRAJECTORY['intuitions']}, runs of 10,000 samples{where}",
        )
        for window, beside, where in (
            (3, " and NODE", ""), (10, "", "; the NODE as published beside it is that of C2 (window 3)")
        )
    ),
    Claim("C2 (ours)", COLLAPSES, SOURCE, "chaos", partial(_collapses, window=None), f"{OURS}; Lorenz of chaos"),
    Claim(
        "C3", HARMS, SOURCE, "lookahead", partial(_harms, published=True),
        f"NODE 3-256-3 as published, batches of 64; {TRAJECTORY['intuitions']}",
    ),
    Claim(
        "C3 (ours)", HARMS, SOURCE, "lookahead", partial(_harms, published=False),
        f"NODE as we train it; {TRAJECTORY['intuitions']}",
    ),
    *(
        Claim(
            f"C4 ({name})", KEEPS, SOURCE, "intuitions", partial(_keeps, published=True, **test),
            f"NODE 3-256-3, lookahead 10, constant rate, 1,800, 1,900 and 2,000 updates, batches of 20; "
            f"{TRAJECTORY['intuitions']}",
        )
        for name, test in (("density", STSP), ("chaos", CHAOS))
    ),
    Claim(
        "C4 (ours)", KEEPS, SOURCE, "intuitions", partial(_keeps, published=False, **STSP),
        f"NODE as we train it, batches of 32; {TRAJECTORY['intuitions']}",
    ),
    *(
        Claim(
            f"C5 ({where}{'' if published else ', ours'})", WORKING, SOURCE, "spiral",
            partial(_works, published=published, system=system),
            f"NODE {'2-128-2 as published' if published else 'as we train it'}; {TRAJECTORY['spiral']}, {data}",
        )
        for published in (True, False)
        for where, system, data in (
            ("inside", "CubicSpiral", "forecasts from states inside of it"),
            ("along", "Retraced", "which is forecast from its start"),
        )
    ),
)  # fmt: skip
