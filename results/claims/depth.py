"""Claims of the paper of neural ODEs about classifiers of continuous depth, on digits and on MNIST."""

from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Any

import pandas as pd

from results.claims.base import Claim, Effect, differences, effect, measured, ratios, together, trials_of
from results.claims.intuitions import ABOVE

CHEN = "Chen et al., Neural ordinary differential equations, NeurIPS 2018"

SAME_ERROR = 0.5  # percentage points
DEFAULT = "dopri5"  # the solver of networks of continuous depth
USUAL, FINE = 1e-3, 1e-5  # tolerances
HALF = 0.35, 0.65  # which counts as half
GROWTH = 0.05  # of evaluations, which is none to speak of


def _ode_net(frame: pd.DataFrame, solver: str = DEFAULT, tolerance: float = USUAL) -> pd.DataFrame:
    """The trials of the ODE-Net by one solver, held to one tolerance in training."""

    def fits(its: Mapping[str, Any]) -> bool:
        return its.get("solver", DEFAULT) == solver and its.get("tolerance", USUAL) == tolerance

    return trials_of(frame, "ODENetClassifier", fits)


def _worse_perceptron(frame: pd.DataFrame) -> Effect:
    """Error of the perceptron, less that of the ODE-Net of the same seed."""
    perceptron, ode_net = (
        measured(each, "test_error") for each in (trials_of(frame, "MLPClassifier"), _ode_net(frame))
    )
    return effect(differences(perceptron, ode_net), "percentage points", lowest=SAME_ERROR)


def _error_and_parameters(frame: pd.DataFrame) -> Effect:
    """Error at most half a percentage point above the ResNet's of the same seed, with at most 0.4 of its parameters."""
    parts = []
    usual = trials_of(frame, "ResNetClassifier")
    for name, mine in (("ODE-Net", _ode_net(frame)), ("RK-Net", trials_of(frame, "RKNetClassifier"))):
        above = differences(measured(mine, "test_error"), measured(usual, "test_error"))
        share = ratios(measured(mine, "parameters"), measured(usual, "parameters"))
        parts += [
            effect(above, f"percentage points, {name}", highest=SAME_ERROR),
            effect(share, f"of the parameters, {name}", highest=0.4),
        ]
    return together(parts)


def _memory(frame: pd.DataFrame) -> Effect:
    """Exponent of the bytes that more NFE save: 0 for the ODE-Net, 1 for the RK-Net."""
    flat, linear = (measured(each, "memory_power") for each in (_ode_net(frame), trials_of(frame, "RKNetClassifier")))
    return together([effect(flat, "exponent, ODE-Net", -0.05, 0.05), effect(linear, "exponent, RK-Net", 0.8, 1.2)])


def _within(
    metric: str, unit: str, lowest: float = -inf, highest: float = inf, solver: str = DEFAULT
) -> Callable[[pd.DataFrame], Effect]:
    """Tests that a metric of the ODE-Net lies in a range."""
    return lambda frame: effect(measured(_ode_net(frame, solver), metric), unit, lowest, highest)


def _growing(frame: pd.DataFrame, tolerance: float = USUAL) -> Effect:
    """By what part the forward evaluations have grown in training; a twentieth is no growth to speak of."""
    growth = measured(_ode_net(frame, tolerance=tolerance), "nfe_growth") - 1
    return effect(growth, "growth from the first to the last fifth of training", lowest=ABOVE, alike=GROWTH)


def _claims(suite: str, data: str, where: str = "") -> list[Claim]:
    """The claims on the images of one suite."""
    tolerant = f"ODE-Net, {data}, tolerances from 0.1 to 1e-5"
    tests = (
        ("D0", "A perceptron of equal size is much worse than networks of continuous depth.", "table 1",
         _worse_perceptron, f"perceptron of 300 units and ODE-Net, {data}"),
        ("D1", "ODE-Net and RK-Net match the ResNet's error with a third of its parameters.", "table 1",
         _error_and_parameters, f"ResNet, RK-Net and ODE-Net, {data}"),
        ("D2", "The ODE-Net's memory does not grow with the solver's steps; the RK-Net's grows linearly.", "table 1",
         _memory, f"trained RK-Net and {tolerant}"),
        ("D3", "The numerical error falls as the number of function evaluations grows.", "figure 3a",
         _within("error_power", "exponent", highest=0.0), f"trained {tolerant}"),
        ("D4", "Time is proportional to the number of forward evaluations.", "figure 3b",
         _within("time_power", "exponent", 0.85, 1.15), f"trained {tolerant}, batches of 128, ten rounds"),
        ("D5", FEWER_BACKWARD, "figure 3c", _within("backward_ratio", "backward / forward", *HALF),
         f"trained {tolerant}"),
        ("D6", MORE_LATER, "figure 3d",
         _growing, f"ODE-Net, {data}, in training"),
    )  # fmt: skip
    return [
        Claim(f"{name}{where}", statement, f"{CHEN}, {place}", suite, test, conditions)
        for name, statement, place, test, conditions in tests
    ]


MORE_LATER = "The number of forward evaluations grows as training goes on."
FEWER_BACKWARD = "There are about half as many backward as forward evaluations."
DIGITS = "16 channels, 300 updates on digits of 8 x 8"

CLAIMS: tuple[Claim, ...] = (
    *_claims("images", DIGITS),
    Claim(
        "D5 (Adams)",
        FEWER_BACKWARD,
        f"{CHEN}, figure 3c",
        "images",
        _within("backward_ratio", "backward / forward", *HALF, solver="adams"),
        f"trained ODE-Net by implicit Adams methods, as in the paper, {DIGITS}, tolerances from 0.1 to 1e-5",
    ),
    Claim(
        "D6 (fine)",
        MORE_LATER,
        f"{CHEN}, figure 3d",
        "images",
        partial(_growing, tolerance=FINE),
        f"ODE-Net, {DIGITS}, in training at a tolerance of 1e-5",
    ),
    *_claims("mnist", "64 channels, 5 epochs of MNIST", " (MNIST)"),
)
