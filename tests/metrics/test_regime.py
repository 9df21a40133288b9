"""What a model settles on, against systems whose long-term behaviour is known."""

from collections.abc import Callable

import numpy as np
import pytest

from metrics import REGIMES, SETTLES_ON, Cost, Evidence, regimes, settles_on
from systems import CubicSpiral, LinearSpiral, Lorenz, Simulated, VanDerPol

STEP = 0.02
GOLDEN = (1 + np.sqrt(5)) / 2


def run(system: Simulated, start: list[float], samples: int = 5000) -> np.ndarray:
    return system.solve(np.array([start]), np.arange(samples) * STEP * system.timescale, 1e-7)[0]


def rotation(*frequencies: float) -> np.ndarray:
    """A point on a circle, or on the product of several."""
    angles = 2 * np.pi * STEP * np.arange(6000)[:, None] * np.array(frequencies)
    return np.hstack([np.cos(angles), np.sin(angles)])


def blow_up() -> np.ndarray:
    """x' = x^2 from x = 0.1 reaches infinity at t = 10; the pole lies between two samples."""
    return 1 / (10.001 - STEP * np.arange(501))[:, None]


KNOWN: list[tuple[str, Callable[[], np.ndarray], str]] = [
    ("stable spiral", lambda: run(LinearSpiral(), [1.0, 0.0], 2000), "fixed point"),
    ("slow spiral", lambda: run(CubicSpiral(), [2.0, 0.0], 2000), "fixed point"),
    ("persistence", lambda: np.full((300, 3), 0.7), "fixed point"),
    ("van der Pol", lambda: run(VanDerPol(), [0.1, 0.1], 2000), "limit cycle"),
    ("van der Pol, out of step", lambda: run(VanDerPol(), [0.1, 0.1], 1983)[::3], "limit cycle"),
    ("circle rotation", lambda: rotation(1 / np.sqrt(2)), "limit cycle"),
    ("commensurate circle rotation", lambda: rotation(1.0), "limit cycle"),
    ("commensurate rotation in few steps", lambda: rotation(5.0), "limit cycle"),
    ("Lorenz at rho = 160", lambda: run(Lorenz(rho=160.0), [1.0, 1.0, 160.0], 4000), "limit cycle"),
    ("two frequencies", lambda: rotation(1.0, GOLDEN), "torus"),
    ("two frequencies seen in one channel", lambda: rotation(1.0, GOLDEN)[:, :2].sum(axis=1, keepdims=True), "torus"),
    ("Lorenz", lambda: run(Lorenz(), [1.0, 1.0, 20.0], 3000), "chaos"),
    ("Lorenz, sampled densely", lambda: run(Lorenz(), [1.0, 1.0, 20.0], 3000)[:1500], "chaos"),
    ("noise", lambda: np.random.default_rng(0).normal(size=(2000, 3)), "chaos"),
    ("blow-up", blow_up, "unbounded"),
    ("divergence", lambda: np.append(np.zeros((299, 2)), [[0.0, np.inf]], axis=0), "unbounded"),
    ("drift", lambda: np.linspace(0, 101, 1000)[:, None], "unbounded"),
    ("overflow", lambda: 1e308 * np.linspace(-1, 1, 1000)[:, None], "unbounded"),
]


@pytest.mark.parametrize(("made", "expected"), [case[1:] for case in KNOWN], ids=[case[0] for case in KNOWN])
def test_known_systems_settle_on_what_they_are_known_for(made: Callable[[], np.ndarray], expected: str):
    given = made()
    scale = given.std(axis=0) if expected not in ("unbounded", "fixed point") else np.ones(given.shape[1])
    assert settles_on(given, scale, STEP) == expected


def test_the_first_quarter_does_not_matter():
    cycle = rotation(0.3, 0.3)
    cycle[:1400] += np.random.default_rng(0).normal(size=(1400, 4))
    assert settles_on(cycle, np.ones(4), STEP) == "limit cycle"


def test_each_run_is_judged_alone_and_the_shares_add_up_to_one():
    kinds = [rotation(0.3, 0.3), rotation(0.3, 0.3 * GOLDEN), np.zeros((6000, 4)), np.full((6000, 4), np.nan)]
    climate = np.stack(kinds)
    nothing = np.zeros((1, 3, 4))
    given = Evidence(STEP, np.ones(4), nothing, nothing, climate, climate, Cost(0, 0, 0, 0, 0, 0, 0, 0, 0))
    assert regimes(given) == ("limit cycle", "torus", "fixed point", "unbounded")
    shares = {metric.name: metric.measure(given) for metric in SETTLES_ON}
    assert list(shares) == [f"{regime.replace(' ', '_')}_fraction" for regime in REGIMES]
    assert list(shares.values()) == [0.25, 0.25, 0.25, 0.0, 0.25]


def test_runs_too_short_to_tell_have_no_shares():
    short = np.zeros((2, 150, 1))
    given = Evidence(STEP, np.ones(1), short, short, short, short, Cost(0, 0, 0, 0, 0, 0, 0, 0, 0))
    assert all(np.isnan(metric.measure(given)) for metric in SETTLES_ON)


@pytest.mark.parametrize(
    ("given", "scale", "step", "message"),
    [
        (
            np.zeros((199, 2)),
            np.ones(2),
            STEP,
            r"at least 200 samples, but has the shape \(199, 2\): raise the climate",
        ),
        (np.zeros((3, 300, 2)), np.ones(2), STEP, r"shape \(3, 300, 2\)"),
        (np.zeros((300, 2)), np.ones(3), STEP, "for each of 2 channels"),
        (np.zeros((300, 2)), np.array([1.0, 0.0]), STEP, "positive number"),
        (np.zeros((300, 2)), np.ones(2), -1.0, "step must be positive, but is -1.0"),
    ],
)
def test_bad_input_is_refused(given: np.ndarray, scale: np.ndarray, step: float, message: str):
    with pytest.raises(ValueError, match=message):
        settles_on(given, scale, step)
