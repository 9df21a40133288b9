"""Flows that events interrupt, against closed forms."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from scipy.optimize import brentq

from systems import BouncingBall, DoubleScroll, lyapunov_spectrum

START = np.array([[0.7, 1.0], [0.5, -2.0]])


def fall(ball: BouncingBall, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """A ball's states by the formulas of free fall and of geometric series: bounce by bounce."""
    height, speed = start
    g, states = ball.gravity, []
    impact = np.sqrt(speed**2 + 2 * g * height)
    first = (speed + impact) / g
    for t in times:
        if t < first:
            states.append((height + speed * t - g * t**2 / 2, speed - g * t))
            continue
        up, since = impact * ball.restitution, t - first
        while since >= 2 * up / g:
            since, up = since - 2 * up / g, up * ball.restitution
        states.append((up * since - g * since**2 / 2, up - g * since))
    return np.array(states)


@pytest.mark.parametrize("restitution", [1.0, 0.9])
def test_a_bouncing_ball_is_where_its_closed_form_says(restitution: float):
    ball, times = BouncingBall(restitution=restitution), np.linspace(0.0, 4.0, 101)
    solution = ball.solve(START, times)
    for start, path in zip(START, solution, strict=True):
        np.testing.assert_allclose(path, fall(ball, start, times), atol=1e-10)


def test_steps_of_fourth_order_bounce_as_the_closed_form_says():
    ball = BouncingBall(restitution=0.9)
    moved = ball.accurate_steps(torch.from_numpy(START), 2.0, 16)
    expected = np.stack([fall(ball, start, np.array([2.0]))[0] for start in START])
    np.testing.assert_allclose(moved.numpy(), expected, atol=1e-9)


def test_derivatives_of_steps_know_that_the_moment_of_a_bounce_moves():
    ball, start = BouncingBall(restitution=0.9), torch.from_numpy(START[0])
    jacobian = torch.autograd.functional.jacobian(lambda x: ball.accurate_steps(x, 0.8, 4), start)
    near = [fall(ball, START[0] + side * step, np.array([0.8]))[0] for step in 1e-6 * np.eye(2) for side in (1, -1)]
    expected = np.stack([(near[0] - near[1]) / 2e-6, (near[2] - near[3]) / 2e-6], axis=1)
    np.testing.assert_allclose(jacobian, expected, atol=1e-6)


def test_bounces_that_accumulate_are_told_with_the_moment():
    ball = BouncingBall(restitution=0.5)
    impact = np.sqrt(1.0 + 2 * ball.gravity * 0.7)
    end = (1.0 + impact) / ball.gravity + 2 * impact / ball.gravity  # 0.5 + 0.25 + ... = 1 of an impact's flight
    with pytest.raises(FloatingPointError, match=f"events accumulate at t={end:.5f}"):
        ball.solve(START[:1], np.linspace(0.0, 2.0, 21))


def by_exponentials(system: DoubleScroll, start: np.ndarray, end: float) -> tuple[np.ndarray, list[float]]:
    """The state at the end and the moments of the switches: the pieces are linear, and have closed forms."""
    matrix = np.array([[0.0, 1, 0], [0, 0, 1], [-system.a] * 3])
    side, now, x, switches = np.sign(start[0]), 0.0, start, []

    def after(time: float) -> np.ndarray:
        rest = np.array([side, 0.0, 0.0])
        return rest + expm(time * matrix) @ (x - rest)  # from the rest of this side

    while True:
        looks = np.arange(1e-6, end - now + 0.2, 0.2)
        out = next(
            (k for k in range(1, len(looks)) if after(looks[k])[0] * side < 0 < after(looks[k - 1])[0] * side), 0
        )
        find: Any = brentq
        length = find(lambda time: after(time)[0], looks[out - 1], looks[out], xtol=1e-15) if out else np.inf
        if now + length > end:
            return after(end - now), switches
        x, now, side = after(length), now + length, -side
        switches.append(now)


def test_the_switch_of_the_double_scroll_is_found_to_ten_digits():
    system, start = DoubleScroll(), np.array([0.05, -0.6, 0.1])
    end, switches = by_exponentials(system, start, 50.0)
    assert len(switches) >= 2
    found = system.solve(start[None], np.array([0.0, *switches, 50.0]))[0]
    np.testing.assert_allclose(found[1:-1, 0], 0.0, atol=1e-10)
    np.testing.assert_allclose(found[-1], end, atol=1e-9)


@pytest.mark.slow
def test_the_spectrum_of_the_double_scroll_sums_to_its_damping_and_has_the_growth_of_neighbours():
    system = DoubleScroll()
    near = torch.from_numpy(system.initial_states(300, np.random.default_rng(5)))
    apart = near + 1e-9 * torch.from_numpy(np.random.default_rng(6).standard_normal(near.shape))
    pair, logs = torch.cat([near, apart]), []
    for _ in range(6):
        pair = system.accurate_steps(pair, 20.0, 240)
        logs.append(float((pair[:300] - pair[300:]).norm(dim=1).log().mean()))
    growth = (logs[-1] - logs[0]) / 100
    spectrum = lyapunov_spectrum(system.spectrum_map.step, near[:40], 120, warm_up=60, leading=3)
    assert spectrum.exponents.sum() == pytest.approx(-0.8, abs=1e-3)
    assert spectrum.exponents[0] == pytest.approx(growth, abs=0.006)


def test_a_restitution_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"needs 0 < restitution <= 1, but restitution=1\.5"):
        BouncingBall(restitution=1.5)
