"""The pendulum as a differential-algebraic equation: its constraint, its closed form."""

import numpy as np
import pytest
import torch
from scipy.special import ellipj, ellipk

from systems import ConstrainedPendulum


def test_the_length_is_kept_to_rounding_and_the_speed_stays_across_the_rod():
    system = ConstrainedPendulum(length=2.0)
    start = system.initial_states(5, np.random.default_rng(0))
    solution = torch.from_numpy(system.solve(start, np.linspace(0.0, 30.0, 201)))
    assert system.stretch(solution).abs().max() < 5e-15
    energy = system.invariant(solution)
    assert (energy - energy[:, :1]).abs().max() < 1e-9 * energy.max()


def test_it_swings_as_elliptic_functions_do():
    system, start = ConstrainedPendulum(), 2.0
    times, rate, k = np.linspace(0.0, 12.0, 61), np.sqrt(9.81), np.sin(start / 2)
    sn = ellipj(ellipk(k**2) - rate * times, k**2)[0]
    angle = 2 * np.arcsin(k * sn)
    solution = system.solve(np.array([[np.sin(start), -np.cos(start), 0.0, 0.0]]), times)[0]
    np.testing.assert_allclose(solution[:, :2], np.stack([np.sin(angle), -np.cos(angle)], axis=-1), atol=1e-8)


def test_the_tension_is_that_of_the_constraint_differentiated_twice():
    system = ConstrainedPendulum()
    x = torch.from_numpy(system.initial_states(4, np.random.default_rng(1)))
    velocity = system.velocity(0.0, x)
    second = (velocity[:, :2] ** 2).sum(dim=1) + (x[:, :2] * velocity[:, 2:]).sum(dim=1)  # of half of x^2 + y^2
    assert second.abs().max() < 1e-13


def test_steps_of_a_model_of_it_stay_on_the_circle_in_single_precision():
    system = ConstrainedPendulum()
    x = torch.from_numpy(system.initial_states(4, np.random.default_rng(1))).float()
    for _ in range(50):
        x = system.accurate_steps(x, 0.05, 2)
    assert system.stretch(x).abs().max() < 1e-6


def test_a_state_off_the_circle_is_refused():
    with pytest.raises(ValueError, match=r"must be 1\.0 from the pivot"):
        ConstrainedPendulum().solve(np.array([[1.1, 0.0, 0.0, 0.0]]), np.array([0.0, 1.0]))
