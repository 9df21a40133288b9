"""The Kuramoto-Sivashinsky equation and its exponential integrator."""

from dataclasses import replace
from math import pi

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor
from torch.autograd import gradcheck

from systems import KuramotoSivashinsky, Sampling, sample
from systems.solvers.etdrk4 import ETDRK4

ANGLES = 2 * pi * np.arange(64) / 64
SMOOTH = torch.from_numpy(np.cos(ANGLES) * (1 + np.sin(ANGLES)))[None]  # of length 22, zero mean


@pytest.fixture(scope="module")
def attractor() -> Tensor:
    return torch.from_numpy(KuramotoSivashinsky().initial_states(32, np.random.default_rng(0)))


def error(states: Tensor, truth: Tensor) -> float:
    return float(((states - truth).norm(dim=-1) / truth.norm(dim=-1)).max())


@pytest.fixture(scope="module")
def errors() -> dict[float, float]:
    """After 50 time units, by step."""
    system = KuramotoSivashinsky()
    truth = system.propagate(SMOOTH, 50.0, 0.005)
    return {step: error(system.propagate(SMOOTH, 50.0, step), truth) for step in (0.25, 0.1, 0.05)}


def test_a_step_of_a_tenth_errs_by_less_than_a_millionth_after_fifty_time_units(errors: dict[float, float]):
    assert errors[0.25] < 3e-5
    assert errors[0.1] < 1e-6
    assert errors[0.05] < 1e-7


@pytest.mark.slow
def test_the_error_falls_sixteenfold_when_the_step_halves(attractor: Tensor):
    system = KuramotoSivashinsky()
    truth = system.propagate(attractor, 10.0, 0.0025)
    coarse, fine = (error(system.propagate(attractor, 10.0, step), truth) for step in (0.02, 0.01))
    assert 14 < coarse / fine < 17


def test_the_integrator_solves_a_linear_equation_exactly_where_the_product_of_rate_and_step_is_small_or_large():
    rates = torch.tensor([-1e4, -3.0, -1e-7, 0.0, 0.5], dtype=torch.float64)
    forcing = torch.ones(5, dtype=torch.complex128)
    scheme = ETDRK4.coefficients(rates, 2 * forcing, step=0.5)
    ends = scheme.advance(forcing, lambda modes: torch.ones_like(modes))  # v' = rate v + 2 from v = 1
    z = (0.5 * rates).numpy()
    growth = np.array([np.expm1(each) / each if each else 1.0 for each in z])
    np.testing.assert_allclose(ends.numpy(), np.exp(z) + growth, rtol=1e-13)


def test_the_solution_agrees_with_an_implicit_method_on_the_velocity(attractor: Tensor):
    system, times = KuramotoSivashinsky(), np.array([0.0, 3.0, 10.0])

    def rate(t: float, x: np.ndarray) -> np.ndarray:
        return system.velocity(t, torch.from_numpy(x)).numpy()

    initial = attractor[:1].numpy()
    other = solve_ivp(rate, (0, 10), initial[0], "LSODA", times, rtol=1e-10, atol=1e-11).y.T
    assert abs(system.solve(initial, times)[0] - other).max() < 1e-7


def test_a_long_domain_agrees_with_smaller_steps():
    system, times = KuramotoSivashinsky(200.0, 512), np.array([0.0, 1 / 0.095])
    initial = system.initial_states(2, np.random.default_rng(0))
    solution, finer = (torch.from_numpy(system.solve(initial, times, tolerance)[:, 1]) for tolerance in (1e-11, 1e-14))
    assert error(solution, finer) < 1e-8
    assert system.timescale == times[1]


def test_the_mean_stays_zero(attractor: Tensor):
    states = KuramotoSivashinsky().solve(attractor.numpy(), np.linspace(0.0, 100.0, 51), 1e-8)
    assert abs(states.mean(axis=-1)).max() < 1e-13


def test_the_equation_is_the_same_seen_from_every_point_and_in_the_mirror(attractor: Tensor):
    system = KuramotoSivashinsky()
    after = system.propagate(attractor, 5.0)
    torch.testing.assert_close(system.propagate(attractor.roll(7, -1), 5.0), after.roll(7, -1), rtol=0, atol=1e-10)
    torch.testing.assert_close(system.propagate(-attractor.flip(-1), 5.0), -after.flip(-1), rtol=0, atol=1e-10)


def test_the_velocity_is_the_equation_on_a_wave():
    k = 2 * pi / 22
    a, b = (torch.from_numpy(wave(2 * ANGLES)) for wave in (np.cos, np.sin))
    k = 2 * k
    expected = k * a * b + (k**2 - k**4) * a  # -u u_x, -u_xx and -u_xxxx of cos(k x)
    torch.testing.assert_close(KuramotoSivashinsky().velocity(0.0, a), expected, rtol=0, atol=1e-10)


def test_products_of_short_waves_do_not_come_back_as_long_ones():
    system = KuramotoSivashinsky()
    short = torch.from_numpy(np.cos(21 * ANGLES) + np.cos(20 * ANGLES))  # 21 + 20 would be seen as 23 on this grid
    k = 2 * pi / 22 * np.array([20, 21])
    waves = torch.from_numpy(np.cos(ANGLES[:, None] * [20, 21]))
    linear = waves @ torch.from_numpy(k**2 - k**4)
    product = torch.from_numpy(np.sin(ANGLES)) * (2 * pi / 22) / 2  # of the difference alone
    torch.testing.assert_close(system.velocity(0.0, short), linear + product, rtol=0, atol=1e-9)


def test_a_state_of_any_modes_crosses_an_interval_as_its_velocity_says(attractor: Tensor):
    system = KuramotoSivashinsky()
    rough = attractor + 0.01 * torch.from_numpy(np.cos(28 * ANGLES))
    h = 1e-6
    slope = (system.propagate(rough, h) - system.propagate(rough, 0.0)) / h
    torch.testing.assert_close(slope, system.velocity(0.0, rough), rtol=0, atol=0.1)


def test_states_can_be_propagated_in_single_precision(attractor: Tensor):
    system = KuramotoSivashinsky()
    single = system.propagate(attractor.float(), 2.0)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), system.propagate(attractor, 2.0), rtol=0, atol=1e-3)


def test_the_flow_map_can_be_differentiated_by_state_and_length():
    x = torch.from_numpy(np.cos(2 * pi * np.arange(20) / 20))[None].requires_grad_()
    length = torch.tensor(12.0, dtype=torch.float64, requires_grad=True)

    def flow(state: Tensor, circumference: Tensor) -> Tensor:
        return replace(KuramotoSivashinsky(12.0, 20), length=circumference).propagate(state, 0.2, 0.1)

    assert gradcheck(flow, (x, length))


@pytest.mark.slow
def test_a_looser_tolerance_takes_larger_steps(attractor: Tensor):
    times, system = np.array([0.0, 10.0]), KuramotoSivashinsky()
    finest = system.solve(attractor.numpy(), times, 1e-14)[:, 1]
    off = [abs(system.solve(attractor.numpy(), times, tolerance)[:, 1] - finest).max() for tolerance in (1e-11, 1e-8)]
    assert 50 * off[0] < off[1] < 1e-4


def test_irregular_times_are_met(attractor: Tensor):
    system, times = KuramotoSivashinsky(), np.array([1.0, 1.3, 2.0, 6.0])
    irregular = system.solve(attractor.numpy(), times)
    regular = system.solve(attractor.numpy(), np.linspace(0.0, 5.0, 51))
    np.testing.assert_allclose(irregular, regular[:, [0, 3, 10, 50]], rtol=0, atol=1e-8)


def test_neighbours_part_by_e_in_one_timescale():
    system, count = KuramotoSivashinsky(), 64
    rng = np.random.default_rng(0)
    near = torch.from_numpy(system.initial_states(count, rng))
    shift = torch.from_numpy(rng.normal(size=near.shape))
    pair = torch.cat([near, near + 1e-8 * (shift - shift.mean(dim=-1, keepdim=True))])
    distances = []
    for span in (4 * system.timescale, 6 * system.timescale):
        pair = system.propagate(pair, span, 0.25)
        distances.append((pair[:count] - pair[count:]).norm(dim=-1).log().mean())
    assert float(distances[1] - distances[0]) / 6 == pytest.approx(1.0, abs=0.2)


def test_initial_fields_lie_on_the_attractor(attractor: Tensor):
    later = KuramotoSivashinsky().propagate(attractor, 200.0, 0.1)
    assert float(attractor.std() / later.std()) == pytest.approx(1, abs=0.15)
    assert float(attractor.std()) == pytest.approx(1.25, abs=0.2)


def test_a_dataset_of_fields_can_be_sampled():
    sampling = Sampling(
        step=0.05, trajectories=2, samples=5, valid=1, test=2, context=3, horizon=0.5, climate=1, climate_horizon=1
    )
    dataset = sample(KuramotoSivashinsky(), sampling, 0)
    assert dataset.train.states.shape == (2, 5, 64)
    assert dataset.test.states.shape == (2, 13, 64)


def test_fields_that_leave_the_finite_numbers_are_told():
    with pytest.raises(FloatingPointError, match="no finite solution of KuramotoSivashinsky"):
        KuramotoSivashinsky().solve(1e6 * SMOOTH.numpy(), np.array([0.0, 1.0]), 1e-5)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"length": -1.0}, r"needs length > 0, but length=-1\.0"),
        ({"length": 200.0}, r"length=200\.0 needs grid >= 193, but grid=64"),
    ],
)
def test_grids_that_cannot_hold_the_waves_are_refused(parameters: dict, message: str):
    with pytest.raises(ValueError, match=message):
        KuramotoSivashinsky(**parameters)
