"""Reference integration by the eager path, against solutions in closed form."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from systems.solvers.dop853 import integrate
from tests.support.problems import PROBLEMS, Explosion, Forced, HarmonicOscillator, LogisticGrowth, Problem

pytestmark = pytest.mark.usefixtures("eagerly")

TIMES = np.linspace(0.3, 4.3, 41)


@dataclass
class Counted:
    """A velocity that counts the states it has been asked about."""

    flow: Problem
    states: int = 0

    def velocity(self, t: Tensor, x: Tensor) -> Tensor:
        self.states += len(x)
        return self.flow.velocity(t, x)


def start(problem: Problem) -> np.ndarray:
    return problem.initial_states(2, np.random.default_rng(0))


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_solutions_agree_with_their_closed_forms(problem: Problem):
    solution = integrate(problem.velocity, start(problem), TIMES)
    np.testing.assert_allclose(solution, problem.exact(start(problem), TIMES), rtol=0, atol=5e-9)


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_the_error_falls_with_the_tolerance(problem: Problem):
    times = np.array([0.3, 4.3])
    exact = problem.exact(start(problem), times)
    errors = [abs(integrate(problem.velocity, start(problem), times, each) - exact).max() for each in (1e-4, 1e-8)]
    assert errors[0] < 1e-2
    assert errors[1] < 0.05 * errors[0]


def test_the_error_of_a_few_steps_falls_with_the_ninth_power_of_their_length():
    problem = HarmonicOscillator(omega=1.0)

    def error(span: float) -> float:
        times = np.array([0.0, span])
        taken = integrate(problem.velocity, start(problem), times, tolerance=1e300)  # so that no step is too long
        return abs(taken - problem.exact(start(problem), times)).max()

    assert np.log(error(4.0) / error(0.5)) / np.log(8) == pytest.approx(9, abs=0.2)


def test_the_solution_starts_from_the_initial_states():
    solution = integrate(HarmonicOscillator().velocity, start(HarmonicOscillator()), TIMES)
    np.testing.assert_array_equal(solution[:, 0], start(HarmonicOscillator()))
    assert solution.shape == (2, 41, 2)
    assert solution.dtype == np.float64


def test_a_single_time_gives_the_initial_states_back():
    solution = integrate(HarmonicOscillator().velocity, start(HarmonicOscillator()), np.array([2.0]))
    np.testing.assert_array_equal(solution[:, 0], start(HarmonicOscillator()))


def test_between_the_ends_of_a_step_the_error_falls_at_least_with_the_eighth_power_of_its_length():
    problem = HarmonicOscillator(omega=1.0)

    def error(length: float) -> float:
        times = np.array([0.0, *(length * np.linspace(4.0, 4.99, 100))])
        steps = integrate(problem.velocity, start(problem), times, tolerance=1e300)  # two, of this length
        return abs(steps - problem.exact(start(problem), times)).max()

    assert np.log(error(1.0) / error(0.25)) / np.log(4) > 7.8


def test_samples_within_a_step_are_those_of_steps_that_end_on_them():
    times, problem = np.linspace(0.0, 3.0, 301), HarmonicOscillator()
    together = integrate(problem.velocity, start(problem), times)
    for sample in (1, 17, 150, 299):
        alone = integrate(problem.velocity, start(problem), times[[0, sample]])
        np.testing.assert_allclose(together[:, sample], alone[:, 1], rtol=0, atol=1e-9)


def test_samples_may_lie_apart_by_any_distance():
    times = np.array([0.0, 1e-3, 0.5, 0.500001, 7.0])
    solution = integrate(HarmonicOscillator().velocity, start(HarmonicOscillator()), times)
    exact = HarmonicOscillator().exact(start(HarmonicOscillator()), times)
    np.testing.assert_allclose(solution, exact, rtol=0, atol=1e-9)


def test_a_trajectory_does_not_depend_on_its_neighbours():
    together = integrate(LogisticGrowth().velocity, np.array([[0.01], [1.7], [0.9]]), TIMES)
    alone = integrate(LogisticGrowth().velocity, np.array([[1.7]]), TIMES)
    np.testing.assert_allclose(together[1:2], alone, rtol=1e-14)


def test_the_easy_trajectories_of_a_batch_do_not_take_the_steps_of_the_hard_one():
    states = np.array([[0.5, 0.0], [5000.0, 0.0], [0.0, 0.5]])
    together, hard = Counted(HarmonicOscillator()), Counted(HarmonicOscillator())
    times = np.array([0.0, 20.0])
    integrate(together.velocity, states * 1e-6, times)
    integrate(hard.velocity, states[1:2] * 1e-6, times)
    assert together.states < 2 * hard.states


def test_velocities_are_given_the_time_of_each_state():
    seen: list[Tensor] = []

    def velocity(t: Tensor, x: Tensor) -> Tensor:
        assert t.shape == x.shape[:1]
        seen.append(t)
        return Forced().velocity(t, x)

    integrate(velocity, start(Forced()), TIMES)
    assert all(t.dtype == torch.float64 and t.ndim == 1 for t in seen)
    assert min(float(t.min()) for t in seen) == TIMES[0]
    assert max(float(t.max()) for t in seen) == TIMES[-1]


def test_inputs_are_left_as_they_are():
    initial, times = start(HarmonicOscillator()), TIMES.copy()
    integrate(HarmonicOscillator().velocity, initial, times)
    np.testing.assert_array_equal(initial, start(HarmonicOscillator()))
    np.testing.assert_array_equal(times, TIMES)


def test_a_solution_is_followed_until_shortly_before_it_explodes():
    times = np.linspace(0.0, 0.999, 10)
    solution = integrate(Explosion().velocity, start(Explosion()), times)
    np.testing.assert_allclose(solution, Explosion().exact(start(Explosion()), times), rtol=1e-7)


def test_a_solution_that_leaves_the_finite_numbers_is_refused_with_the_time():
    with pytest.raises(FloatingPointError, match=r"no finite solution beyond t=(0\.999\d*|1(\.0\d*)?): "):
        integrate(Explosion().velocity, start(Explosion()), np.linspace(0.0, 1.5, 4))


def test_a_velocity_that_is_not_a_number_is_refused():
    with pytest.raises(FloatingPointError, match="beyond t=0:"):
        integrate(lambda t, x: x * torch.nan, np.ones((1, 1)), np.array([0.0, 1.0]))
