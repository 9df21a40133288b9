"""Stiff systems, and the implicit solver that integrates them."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import systems.flows.van_der_pol
from systems import Robertson, Sampling, VanDerPol, sample
from systems.flows.van_der_pol import Form
from systems.solvers.lsoda import integrate_stiff
from tests.support.problems import PROBLEMS, Explosion, Problem

FORMS: tuple[Form, ...] = ("lienard", "velocity")


def by_name(problem: Problem) -> str:
    return type(problem).__name__


# The solver


@pytest.mark.parametrize("problem", PROBLEMS, ids=by_name)
@pytest.mark.parametrize("first", [0.0, 2.5])
def test_the_implicit_solver_reaches_closed_forms(problem: Problem, first: float):
    initial, times = np.array(problem.start), first + np.linspace(0.0, 3.0, 13)
    solution = integrate_stiff(problem.velocity, initial, times)
    np.testing.assert_allclose(solution, problem.exact(initial, times), rtol=0, atol=1e-9)


def test_a_looser_tolerance_is_honoured():
    problem, times = PROBLEMS[0], np.linspace(0.0, 3.0, 4)
    initial = np.array(problem.start)
    exact = problem.exact(initial, times)
    errors = [abs(integrate_stiff(problem.velocity, initial, times, t) - exact).max() for t in (1e-5, 1e-8, 1e-11)]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[0] < 1e-3


def test_a_solution_at_its_first_time_is_the_initial_state():
    initial = np.array([[1.0, 2.0]])
    np.testing.assert_array_equal(integrate_stiff(PROBLEMS[0].velocity, initial, np.array([3.0])), initial[:, None])


def test_a_solution_that_leaves_the_finite_numbers_is_told():
    with pytest.raises(FloatingPointError, match=r"no finite solution beyond t=2 from state \[0\.5\]"):
        integrate_stiff(Explosion().velocity, np.array([[0.5]]), np.array([0.0, 3.0]))


# Van der Pol


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("mu", "period"), [(1.0, 6.66329), (5.0, 11.6122), (100.0, 162.837), (1000.0, 1614.401)])
def test_van_der_pol_has_its_period_to_five_digits(mu: float, period: float, form: Form):
    assert VanDerPol(mu, form).timescale == pytest.approx(period, rel=3e-6)


@pytest.mark.parametrize("mu", [0.1, 3.0, 10.0, 100.0])
def test_both_forms_have_the_same_first_variable(mu: float):
    lienard, velocity = (VanDerPol(mu, form) for form in FORMS)
    x, y = start = np.array([[2.0], [0.4]])
    times = np.linspace(0.0, 1.2 * lienard.timescale, 24)
    one = lienard.solve(start.T, times)
    other = velocity.solve(np.stack([x, mu * (x - x**3 / 3 - y)], axis=-1), times)
    np.testing.assert_allclose(one[..., 0], other[..., 0], rtol=0, atol=2e-7)
    u, v = other[..., 0], other[..., 1]
    np.testing.assert_allclose(u - u**3 / 3 - v / mu, one[..., 1], rtol=0, atol=2e-7)


def test_both_forms_start_from_the_same_states():
    lienard, velocity = (VanDerPol(3.0, form).initial_states(5, np.random.default_rng(0)) for form in FORMS)
    x, y = lienard.T
    np.testing.assert_allclose(velocity, np.stack([x, 3 * (x - x**3 / 3 - y)], axis=-1))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mu", [100.0, 1000.0])
def test_a_stiff_oscillator_agrees_with_another_implicit_code(mu: float, form: Form):
    system = VanDerPol(mu, form)
    times = np.linspace(0.0, 0.9 * system.timescale, 6)
    initial = np.array([[2.0, 0.5 if form == "lienard" else 0.0]])

    def rate(t: float, x: np.ndarray) -> np.ndarray:
        return system.velocity(t, torch.from_numpy(x)).numpy()

    other = solve_ivp(rate, (0, times[-1]), initial[0], "Radau", times, rtol=1e-9, atol=1e-10).y.T
    np.testing.assert_allclose(system.solve(initial, times)[0], other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_only_mild_oscillators_are_integrated_explicitly(form: Form, monkeypatch: pytest.MonkeyPatch):
    def explicit(*problem: object) -> None:
        raise AssertionError("integrated explicitly")

    monkeypatch.setattr(systems.flows.van_der_pol, "integrate", explicit)
    start, times = np.array([[2.0, 0.0]]), np.array([0.0, 1.0])
    with pytest.raises(AssertionError, match="explicitly"):
        VanDerPol(10.0, form).solve(start, times)
    assert np.isfinite(VanDerPol(10.5, form).solve(start, times)).all()


def test_a_stiff_oscillator_can_be_sampled():
    sampling = Sampling(
        step=0.1, trajectories=2, samples=5, valid=1, test=2, context=3, horizon=0.5, climate=1, climate_horizon=1
    )
    dataset = sample(VanDerPol(1000.0), sampling, 0)
    assert dataset.train.states.shape == (2, 5, 2)
    x, y = dataset.train.states[:, 1:].unbind(-1)
    torch.testing.assert_close(y, x - x**3 / 3, rtol=0, atol=1e-3)  # on the slow branches
    assert float(x.abs().min()) >= 1


def test_another_form_is_refused():
    with pytest.raises(ValueError, match="must be 'lienard' or 'velocity', but is 'phase'"):
        VanDerPol(form="phase")  # pyright: ignore[reportArgumentType]


# Robertson


def test_the_reactions_reach_the_published_concentrations():
    """Hairer and Wanner, "Solving ordinary differential equations II", test set ROBER, from pure first species."""
    solution = Robertson().solve(np.array([[1.0, 0.0, 0.0]]), np.array([0.0, 0.4, 40.0]))[0]
    np.testing.assert_allclose(solution[1], [0.985172, 3.38640e-5, 1.47940e-2], rtol=1e-5)
    np.testing.assert_allclose(solution[2], [0.715827, 9.18553e-6, 0.284164], rtol=1e-5)


def test_the_sum_of_the_species_stays():
    system = Robertson()
    mixtures = system.solve(system.initial_states(8, np.random.default_rng(0)), np.geomspace(1.0, 1e6, 25) - 1)
    np.testing.assert_allclose(mixtures.sum(axis=-1), 1, rtol=0, atol=1e-9)
    assert mixtures.min() > 0
    assert (np.diff(mixtures[..., 2]) > 0).all()


def test_the_second_species_starts_in_balance():
    x = Robertson().initial_states(64, np.random.default_rng(0))
    velocity = Robertson().velocity(0.0, torch.from_numpy(x)).numpy()
    assert abs(velocity[:, 1] / (0.04 * x[:, 0])).max() < 1e-3
    np.testing.assert_allclose(x.sum(axis=-1), 1)
    assert (x > 0).all()
    assert Robertson().timescale == 25.0


def test_reactions_without_a_rate_are_refused():
    with pytest.raises(ValueError, match=r"Robertson needs k2 > 0, but k2=0\.0"):
        Robertson(k2=0.0)
