"""Claims about networks of continuous depth that classify images."""

from collections.abc import Callable
from math import inf

import numpy as np
import pandas as pd

from results.claims.base import Claim, Effect, differences, effect, measured, ratios, together, trials_of

_CHEN = "Chen et al., Neural ordinary differential equations, NeurIPS 2018"


def _error_and_parameters(frame: pd.DataFrame) -> Effect:
    """Error at most half a percentage point above the ResNet's of the same seed, with at most 0.4 of its parameters."""
    parts = []
    usual = trials_of(frame, "ResNetClassifier")
    for kind in ("ODENetClassifier", "RKNetClassifier"):
        mine = trials_of(frame, kind)
        above = differences(measured(mine, "test_error"), measured(usual, "test_error"))
        share = ratios(measured(mine, "parameters"), measured(usual, "parameters"))
        parts += [effect(above, "percentage points", highest=0.5), effect(share, "of the parameters", highest=0.4)]
    return together(parts)


def _memory(frame: pd.DataFrame) -> Effect:
    """Exponent of saved bytes over NFE: 0 for the ODE-Net, 1 for the RK-Net."""
    flat, linear = (
        measured(trials_of(frame, kind), "memory_power").to_numpy() for kind in ("ODENetClassifier", "RKNetClassifier")
    )
    return together([effect(flat, "exponent", -0.05, 0.05), effect(linear, "exponent", 0.8, 1.2)])


def _within(metric: str, unit: str, lowest: float = -inf, highest: float = inf) -> Callable[[pd.DataFrame], Effect]:
    """Tests that a metric of the ODE-Net lies in a range."""

    def test(frame: pd.DataFrame) -> Effect:
        return effect(measured(trials_of(frame, "ODENetClassifier"), metric).to_numpy(), unit, lowest, highest)

    return test


def _claim(name: str, statement: str, where: str, test: Callable[[pd.DataFrame], Effect]) -> Claim:
    return Claim(name, statement, f"{_CHEN}, {where}", "images", test)


DEPTH_CLAIMS: tuple[Claim, ...] = (
    _claim(
        "D1", "ODE-Net and RK-Net match the ResNet's error with a third of its parameters.", "table 1",
        _error_and_parameters,
    ),
    _claim(
        "D2", "The ODE-Net's memory does not grow with the solver's steps; the RK-Net's grows linearly.", "table 1",
        _memory,
    ),
    _claim(
        "D3", "The numerical error falls as the number of function evaluations grows.", "figure 3a",
        _within("error_power", "exponent", highest=0.0),
    ),
    _claim(
        "D4", "Time is proportional to the number of forward evaluations.", "figure 3b",
        _within("time_power", "exponent", 0.85, 1.15),
    ),
    _claim(
        "D5", "There are about half as many backward as forward evaluations.", "figure 3c",
        _within("backward_ratio", "backward / forward", 0.35, 0.65),
    ),
    _claim(
        "D6", "The number of forward evaluations grows as training goes on.", "figure 3d",
        _within("nfe_growth", "last / first fifth", np.nextafter(1.0, 2.0)),
    ),
)  # fmt: skip
