"""The promises that every system keeps, held against MySystem, and its solutions against a closed form."""

import numpy as np
import pytest
import torch
from my_system import MySystem

from systems import Sampling, sample

SAMPLING = Sampling(trajectories=2, samples=40, valid=1, test=2, context=4, horizon=0.2, climate=1, climate_horizon=0.4)


def test_its_initial_states_have_its_dimension_and_come_from_the_generator_alone():
    system = MySystem()
    states = system.initial_states(5, np.random.default_rng(0))
    assert states.shape == (5, system.dim)
    np.testing.assert_array_equal(states, system.initial_states(5, np.random.default_rng(0)))


def test_its_velocity_is_the_slope_of_its_solutions():
    system, step = MySystem(damping=0.3), 1e-4
    initial = system.initial_states(5, np.random.default_rng(0))
    solution = system.solve(initial, step * np.arange(3.0))
    slope = (solution[:, 2] - solution[:, 0]) / (2 * step)
    np.testing.assert_allclose(system.velocity(step, torch.from_numpy(solution[:, 1])), slope, atol=1e-7)


def test_every_state_has_a_velocity_of_its_own():
    system = MySystem()
    states = torch.from_numpy(system.initial_states(4, np.random.default_rng(0)))
    apart = torch.stack([system.velocity(0.0, state) for state in states])
    torch.testing.assert_close(system.velocity(0.0, states), apart)


def test_it_turns_as_the_closed_form_does():
    times = np.linspace(0.0, 2 * np.pi, 9)
    turned = np.stack([np.cos(times), -np.sin(times)], axis=-1)
    np.testing.assert_allclose(MySystem().solve(np.array([[1.0, 0.0]]), times)[0], turned, atol=1e-8)


def test_it_can_be_sampled():
    data = sample(MySystem(), SAMPLING, seed=0)
    assert data.test.states.shape == (2, SAMPLING.context + SAMPLING.forecast_samples, MySystem().dim)
    assert data.train.states.isfinite().all()
    assert data.step == pytest.approx(SAMPLING.step * MySystem().timescale)
