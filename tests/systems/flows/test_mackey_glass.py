"""The Mackey-Glass equation: its solution, its flow, its attractor."""

import numpy as np
import pytest
import torch

from systems import MackeyGlass, lyapunov_spectrum
from systems.solvers.dop853 import STATISTICS_TOLERANCE


def by_runge_kutta(start: float, time: float, steps: int) -> float:
    """x at a time that is a multiple of the delay, from a constant history: another method, of fourth order.

    Classical Runge-Kutta steps, so many in a delay of 17; what is in between in the past is a cubic of Hermite.
    """
    h = 17.0 / steps
    count = round(time / h)
    x, slope = np.full(count + 1, start), np.zeros(count + 1)

    def rate(now: float, past: float) -> float:
        return 0.2 * past / (1 + past**10) - 0.1 * now

    def half_way(index: int) -> float:
        if index < 0:
            return start
        return (x[index] + x[index + 1]) / 2 + h * (slope[index] - slope[index + 1]) / 8

    for step in range(count):
        before, between = step - steps, half_way(step - steps)
        past, following = (start if place < 0 else x[place] for place in (before, before + 1))
        k1 = rate(x[step], past)
        k2 = rate(x[step] + h / 2 * k1, between)
        k3 = rate(x[step] + h / 2 * k2, between)
        k4 = rate(x[step] + h * k3, following)
        slope[step] = k1
        x[step + 1] = x[step] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        slope[step + 1] = rate(x[step + 1], following)
    return float(x[-1])


def test_the_method_of_steps_agrees_with_another_method_of_fourth_order():
    solution = MackeyGlass().solve(np.full((1, 32), 0.6), np.array([0.0, 170.0]))[0, -1, -1]
    errors = [abs(by_runge_kutta(0.6, 170.0, steps) - solution) for steps in (50, 100, 200)]
    assert errors[0] > 12 * errors[1] > 144 * errors[2]
    assert errors[2] < 1e-9


def test_a_state_is_the_history_over_one_delay():
    system = MackeyGlass()
    initial = system.initial_states(2, np.random.default_rng(0))
    ages = (1 - np.cos(np.pi * np.arange(32) / 31)) / 2 * 17.0  # of the first channel 0, of the last one delay
    path = system.solve(initial, np.concatenate([[0.0], 5.0 + ages]))
    np.testing.assert_allclose(path[:, 1:, -1], path[:, -1], atol=1e-8)


def test_times_may_differ_between_trajectories_and_start_anywhere():
    system = MackeyGlass()
    initial = system.initial_states(2, np.random.default_rng(0))
    times = np.array([[0.0, 3.0, 50.0], [0.0, 17.0, 34.0]])
    each = np.concatenate([system.solve(initial[[k]], 7.0 + times[k]) for k in range(2)])
    np.testing.assert_allclose(system.solve(initial, times), each, atol=1e-12)
    np.testing.assert_allclose(system.solve(initial, times)[:, 0], initial, atol=1e-13)


def test_one_delay_onward_is_the_same_as_the_solution():
    system = MackeyGlass()
    initial = system.initial_states(3, np.random.default_rng(0))
    moved = system.propagate(torch.from_numpy(initial))
    np.testing.assert_allclose(moved, system.solve(initial, np.array([0.0, 17.0]))[:, 1], atol=1e-8)


def test_its_largest_exponent_is_that_of_its_timescale():
    system = MackeyGlass()
    states = torch.from_numpy(system.initial_states(60, np.random.default_rng(0)))
    spectrum = lyapunov_spectrum(system.propagate, states, 200, warm_up=60, duration=17.0, leading=3)
    assert spectrum.exponents[0] * system.timescale == pytest.approx(1.0, abs=0.08)
    assert spectrum.exponents[1] == pytest.approx(0.0, abs=2e-4)


def test_parameters_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"MackeyGlass needs tau > 0, but tau=0\.0"):
        MackeyGlass(tau=0.0)
    with pytest.raises(ValueError, match="needs points >= 4, but points=3"):
        MackeyGlass(points=3)


def test_a_solution_that_is_not_finite_is_told():
    with pytest.raises(FloatingPointError, match="no finite solution of MackeyGlass"):
        MackeyGlass().solve(np.full((1, 32), np.nan), np.array([0.0, 1.0]))


def test_the_ground_truth_of_a_delay_ends_where_other_points_give_another_solution():
    system = MackeyGlass()
    start, times = system.initial_states(3, np.random.default_rng(0)), np.linspace(0, 40, 81) * system.timescale
    reference, looser = system.solve(start, times), system.solve(start, times, 1e-10)
    apart = abs(reference - looser).max(axis=(0, 2))
    assert apart[1] < 1e-9
    assert apart[-1] > 1e-2
    assert np.array_equal(reference, system.solve(start, times, STATISTICS_TOLERANCE))
