"""What a model settles on, against systems whose long-term behaviour is known."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from metrics import (
    REGIMES,
    SETTLES_ON,
    Cost,
    Evidence,
    Undefined,
    regimes,
    settles_on,
    unbounded_fraction,
    undecided_fraction,
)
from systems import CubicSpiral, LinearSpiral, Lorenz, Simulated, VanDerPol
from tests.support.cases import few

STEP = 0.02
GOLDEN = (1 + np.sqrt(5)) / 2


def run(system: Simulated, start: list[float], samples: int = 5000) -> np.ndarray:
    return system.solve(np.array([start]), np.arange(samples) * STEP * system.timescale, 1e-7)[0]


def rotation(*frequencies: float) -> np.ndarray:
    """A point on a circle, or on the product of several."""
    angles = 2 * np.pi * STEP * np.arange(6000)[:, None] * np.array(frequencies)
    return np.hstack([np.cos(angles), np.sin(angles)])


def spiral(rate: float) -> np.ndarray:
    """A rotation whose size changes at a rate, per timescale, over 120 timescales."""
    return np.exp(rate * STEP * np.arange(6000))[:, None] * rotation(1 / np.sqrt(2))


def noisy_circle(noise: float) -> np.ndarray:
    return rotation(1 / np.sqrt(2)) + noise * np.random.default_rng(0).normal(size=(6000, 2))


@cache
def halvorsen(samples: int, step: float) -> np.ndarray:
    """The Halvorsen system at a = 1.89, on its limit cycle; a step is told in units of time."""

    def velocity(_: float, state: np.ndarray) -> np.ndarray:
        x, y, z = state, np.roll(state, -1), np.roll(state, -2)
        return -1.89 * x - 4 * y - 4 * z - y**2

    times = 500 + np.arange(samples) * step
    return solve_ivp(
        velocity, (0, times[-1]), [-5.0, 0.0, 0.0], t_eval=times, rtol=1e-9, atol=1e-9, method="DOP853"
    ).y.T


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
    ("Lorenz", lambda: run(Lorenz(), [1.0, 1.0, 20.0], 6000), "chaos"),
    ("Lorenz, too few samples for so small steps", lambda: run(Lorenz(), [1.0, 1.0, 20.0], 1500), "undecided"),
    ("noise, too few samples", lambda: np.random.default_rng(0).normal(size=(1300, 3)), "undecided"),
    ("Halvorsen at a = 1.89, on the quick budget", lambda: halvorsen(2761, 0.025), "limit cycle"),
    ("Halvorsen at a = 1.89, on half of it", lambda: halvorsen(700, 0.025), "undecided"),
    ("spiral that decays by 10 % in all", lambda: spiral(-1e-3), "undecided"),
    ("spiral that decays by 70 % in all", lambda: spiral(-1e-2), "fixed point"),
    ("spiral that grows by 10 % in all", lambda: spiral(1e-3), "undecided"),
    ("spiral that grows tenfold", lambda: spiral(0.02), "undecided"),
    ("drift within bounds", lambda: np.linspace(0.0, 3.0, 6000)[:, None], "undecided"),
    ("circle that drifts", lambda: spiral(0.0) + np.linspace(0.0, 0.5, 6000)[:, None], "undecided"),
    ("Lorenz at rho = 22, at rest after chaos", lambda: run(Lorenz(rho=22.0), [1.0, 1.0, 20.0], 9000), "fixed point"),
    ("circle with 1 % of noise", lambda: noisy_circle(0.01), "limit cycle"),
    ("circle with 2 % of noise", lambda: noisy_circle(0.02), "limit cycle"),
    ("circle with 5 % of noise", lambda: noisy_circle(0.05), "undecided"),
    ("two frequencies, incommensurate by a root", lambda: rotation(1.0, np.sqrt(2)), "torus"),
    ("noise", lambda: np.random.default_rng(0).normal(size=(2000, 3)), "chaos"),
    ("blow-up", blow_up, "unbounded"),
    ("divergence", lambda: np.append(np.zeros((299, 2)), [[0.0, np.inf]], axis=0), "unbounded"),
    ("drift", lambda: np.linspace(0, 101, 1000)[:, None], "unbounded"),
    ("overflow", lambda: 1e308 * np.linspace(-1, 1, 1000)[:, None], "unbounded"),
]


QUICK = [place for place, (name, *_) in enumerate(KNOWN) if not name.startswith(("Halvorsen", "Lorenz at"))]


@pytest.mark.parametrize(("made", "expected"), few([case[1:] for case in KNOWN], *QUICK), ids=[one[0] for one in KNOWN])
def test_known_systems_settle_on_what_they_are_known_for(made: Callable[[], np.ndarray], expected: str):
    given = made()
    scale = given.std(axis=0) if expected not in ("unbounded", "fixed point") else np.ones(given.shape[1])
    assert settles_on(given, scale, STEP) == expected


def test_the_first_quarter_does_not_matter():
    cycle = rotation(0.3, 0.3)
    cycle[:1400] += np.random.default_rng(0).normal(size=(1400, 4))
    assert settles_on(cycle, np.ones(4), STEP) == "limit cycle"


def test_each_run_is_judged_alone_and_the_shares_add_up_to_one():
    kinds = [rotation(1.0, 1.0), rotation(1.0, GOLDEN), np.zeros((6000, 4)), np.full((6000, 4), np.nan)]
    climate = np.stack(kinds)
    nothing = np.zeros((1, 3, 4))
    given = Evidence(STEP, np.ones(4), nothing, nothing, climate, climate, Cost(0, 0, 0, 0, 0, 0, 0, 0, 0))
    assert regimes(given) == ("limit cycle", "torus", "fixed point", "unbounded")
    shares = {metric.name: metric.measure(given) for metric in SETTLES_ON}
    assert list(shares) == [f"{regime.replace(' ', '_')}_fraction" for regime in REGIMES]
    assert list(shares.values()) == [0.25, 0.25, 0.25, 0.0, 0.25, 0.0]


@pytest.mark.slow
def test_chaos_is_told_of_every_run_of_the_true_equations_that_a_suite_makes():
    system = Lorenz()
    initial = system.initial_states(6, np.random.default_rng(3))
    runs = system.solve(initial, np.arange(11042) * 0.018112 * system.timescale, 1e-6)
    assert {settles_on(each, runs.std(axis=(0, 1)), 0.018112) for each in runs} == {"chaos"}


def test_runs_too_short_to_tell_have_no_shares():
    short = np.zeros((2, 150, 1))
    given = Evidence(STEP, np.ones(1), short, short, short, short, Cost(0, 0, 0, 0, 0, 0, 0, 0, 0))
    for metric in SETTLES_ON:
        if metric is unbounded_fraction:
            assert metric.measure(given) == 0
        else:
            with pytest.raises(Undefined, match="150 samples are too short to tell"):
                metric.measure(given)


def test_where_half_of_the_runs_are_undecided_only_their_share_is_told():
    climate = np.stack([spiral(1e-3), spiral(0.0)])
    nothing = np.zeros((1, 3, 2))
    given = Evidence(STEP, np.ones(2), nothing, nothing, climate, climate, Cost(0, 0, 0, 0, 0, 0, 0, 0, 0))
    assert regimes(given) == ("undecided", "limit cycle")
    assert undecided_fraction.measure(given) == 0.5
    assert unbounded_fraction.measure(given) == 0
    for metric in set(SETTLES_ON) - {undecided_fraction, unbounded_fraction}:
        with pytest.raises(Undefined, match="of 2 long forecasts 1 are too short, or not stationary enough"):
            metric.measure(given)


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


@pytest.mark.parametrize("period", [19.0, 23.0, 29.0, 37.0])
@pytest.mark.parametrize("width", [0.16, 0.5, 1.5])
def test_pulses_that_come_back_too_seldom_are_no_chaos(period: float, width: float):
    """As slow bursts do: of a run that shows fewer than eight periods nothing is said."""
    since = (np.arange(10_000) * 0.02 + period / 3) % period - period / 2
    pulses = np.exp(-(since**2) / (2 * width**2))[:, None]
    assert settles_on(pulses, pulses.std(axis=0), 0.02) == "undecided"
