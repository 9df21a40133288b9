"""What is said of optimisers, and of networks that are forced to their data, on our conditions."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from results.claims.base import (
    Claim,
    ClaimVerdict,
    Effect,
    decades,
    differences,
    effect,
    interval,
    measured,
    not_tested,
    trials_of,
)
from results.claims.intuitions import ABOVE, CLOSER
from results.statistics.scores import FLOORS

FEWEST = 3  # systems, which are the replicates here


def _better(frame: pd.DataFrame, kind: str, cell: str | None, metric: str) -> Effect:
    """Decades of a prediction time by SOAP over that by Adam; the mean over systems, with its interval over them.

    Models that failed, or that predict nothing, have the shortest time that counts.
    """

    def fits(its: Mapping[str, Any], optimiser: str) -> bool:
        return its.get("training.optimiser", "soap") == optimiser and its.get("cell") == cell

    soap, adam = (
        measured(trials_of(frame, kind, partial(fits, optimiser=optimiser)), metric).fillna(0.0).clip(FLOORS[metric])
        for optimiser in ("soap", "adam")
    )
    ratios = decades(soap, adam)
    of_systems = np.array([values.mean() for _, values in ratios.groupby(level="system")])
    if len(of_systems) < FEWEST:
        return not_tested(f"measured on {len(of_systems)} systems, and {FEWEST} are needed")
    low, high = interval(of_systems)
    verdict: ClaimVerdict = "supported" if low > 0 else "refuted" if high < 0 else "inconclusive"
    unit = f"decades of prediction time, interval over {len(of_systems)} systems"
    seeds = ratios.index.get_level_values("seed").nunique()
    return Effect(float(of_systems.mean()), low, high, unit, verdict, seeds=seeds)


def _farther(frame: pd.DataFrame, form: str) -> Effect:
    """State-space divergence of the neural ODE's long runs, less that of a piecewise-linear network's."""
    linear = trials_of(frame, "PLRNN", lambda its: its.get("form", "shallow") == form)
    ours = trials_of(frame, "NeuralODE", lambda its: its.get("lookahead", 1) > 1)
    apart = differences(*(measured(each, "d_stsp") for each in (ours, linear)))
    return effect(apart, "nats of D_stsp, neural ODE less PLRNN", lowest=ABOVE, alike=CLOSER)


OPTIMISERS = tuple(
    Claim(
        f"E1 ({name})",
        "In equal processor time, SOAP trains models that predict longer than Adam's.",
        "Vyas et al., SOAP: Improving and stabilizing Shampoo using Adam, ICLR 2025, of language models",
        "optimisers",
        partial(_better, kind=kind, cell=cell, metric="vpt"),
        f"{name} as we train it; chaotic flows that `chaos` does not show",
    )
    for name, kind, cell in (
        ("Elman network", "WindowedRNN", "rnn"),
        ("GRU", "WindowedRNN", None),
        ("LSTM", "WindowedRNN", "lstm"),
        ("NODE", "NeuralODE", None),
        ("ResNet", "ResNet", None),
        ("RK-Net", "RKNet", None),
        ("ODE-Net", "ODENet", None),
    )
)
ATTRACTORS = tuple(
    Claim(
        f"F1 ({name})",
        "Neural ODEs do not reach piecewise-linear recurrent networks on attractors.",
        "Hess et al., ICML 2023; Brenner et al., NeurIPS 2024",
        "attractors",
        partial(_farther, form=form),
        f"NODE by SOAP, lookahead 10, {conditions}, settings not tuned; Lorenz, 100,000 samples with noise of 5 %",
    )
    for name, form, conditions in (
        ("almost-linear", "almost-linear", "almost-linear network as published, 100,000 updates"),
        ("shallow", "shallow", "shallow network as we train it, in equal processor time"),
    )
)
CLAIMS = (*OPTIMISERS, *ATTRACTORS)
