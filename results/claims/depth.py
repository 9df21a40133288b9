"""Claims about networks of continuous depth that classify images."""

from collections.abc import Callable
from math import inf

import numpy as np
import pandas as pd

from results.claims.base import Claim, Effect, by_seed, effect, together


def _error_and_parameters(frame: pd.DataFrame) -> Effect:
    """Error at most half a percentage point above the ResNet's of the same seed, with at most 0.4 of its parameters."""
    parts = []
    for kind in ("ODENetClassifier", "RKNetClassifier"):
        above = _paired(frame, "test_error", kind, "ResNetClassifier", np.subtract)
        share = _paired(frame, "parameters", kind, "ResNetClassifier", np.divide)
        parts += [effect(above, "percentage points", highest=0.5), effect(share, "of the parameters", highest=0.4)]
    return together(parts)


def _memory(frame: pd.DataFrame) -> Effect:
    """Exponent of saved bytes over NFE: 0 for the ODE-Net, 1 for the RK-Net."""
    flat = effect(by_seed(frame, "memory_power", "ODENetClassifier").to_numpy(), "exponent", -0.05, 0.05)
    linear = effect(by_seed(frame, "memory_power", "RKNetClassifier").to_numpy(), "exponent", 0.8, 1.2)
    return together([flat, linear])


def _within(metric: str, unit: str, lowest: float = -inf, highest: float = inf) -> Callable[[pd.DataFrame], Effect]:
    """Tests that a metric of the ODE-Net lies in a range."""
    return lambda frame: effect(by_seed(frame, metric, "ODENetClassifier").to_numpy(), unit, lowest, highest)


def _paired(
    frame: pd.DataFrame, metric: str, kind: str, other: str, compare: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """A comparison of two kinds of learners, seed by seed, where both have a value."""
    one, two = (by_seed(frame, metric, each).groupby(["system", "seed"]).median() for each in (kind, other))
    both = one.index.intersection(two.index)
    return compare(one.loc[both].to_numpy(), two.loc[both].to_numpy())


_CHEN = "Chen et al., Neural ordinary differential equations, NeurIPS 2018"

DEPTH_CLAIMS: tuple[Claim, ...] = (
    Claim(
        "D1",
        "ODE-Net and RK-Net match the ResNet's error with a third of its parameters.",
        f"{_CHEN}, table 1",
        "images",
        _error_and_parameters,
    ),
    Claim(
        "D2",
        "The ODE-Net's memory does not grow with the solver's steps; the RK-Net's grows linearly.",
        f"{_CHEN}, table 1",
        "images",
        _memory,
    ),
    Claim(
        "D3",
        "The numerical error falls as the number of function evaluations grows.",
        f"{_CHEN}, figure 3a",
        "images",
        _within("error_power", "exponent", highest=0.0),
    ),
    Claim(
        "D4",
        "Time is proportional to the number of forward evaluations.",
        f"{_CHEN}, figure 3b",
        "images",
        _within("time_power", "exponent", 0.85, 1.15),
    ),
    Claim(
        "D5",
        "There are about half as many backward as forward evaluations.",
        f"{_CHEN}, figure 3c",
        "images",
        _within("backward_ratio", "backward / forward", 0.35, 0.65),
    ),
    Claim(
        "D6",
        "The number of forward evaluations grows as training goes on.",
        f"{_CHEN}, figure 3d",
        "images",
        _within("nfe_growth", "last / first fifth", np.nextafter(1.0, 2.0)),
    ),
)
