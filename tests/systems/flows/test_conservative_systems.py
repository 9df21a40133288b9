"""Systems that keep their energy, and the two-centre field."""

from dataclasses import replace
from math import pi, sqrt

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from systems import DoublePendulum, HenonHeiles, TwoCentre

Conservative = HenonHeiles | DoublePendulum
CONSERVATIVE = [HenonHeiles(), HenonHeiles(coupling=-2.5), DoublePendulum(), DoublePendulum(2.0, 0.5, 0.7, 1.3, 3.0)]


def states(system: Conservative | TwoCentre, count: int) -> np.ndarray:
    return system.initial_states(count, np.random.default_rng(0))


@pytest.mark.parametrize("system", CONSERVATIVE, ids=repr)
def test_the_energy_drifts_by_less_than_a_billionth_of_itself_in_ten_timescales(system: Conservative):
    times = np.linspace(0.0, 10 * system.timescale, 101)
    energy = system.invariant(torch.from_numpy(system.solve(states(system, 16), times)))
    assert float((energy / energy[:, :1] - 1).abs().max()) < 1e-9


@pytest.mark.parametrize("system", CONSERVATIVE, ids=repr)
def test_the_energy_does_not_change_along_the_velocity(system: Conservative):
    x = torch.from_numpy(states(system, 16)) + torch.tensor([0.0, 0.0, 1.0, -0.5])
    slope = jacobian(lambda state: system.invariant(state).sum(), x)
    assert isinstance(slope, Tensor)
    assert float((slope * system.velocity(0.0, x)).sum(dim=-1).abs().max()) < 1e-12 * float(slope.square().sum())


@pytest.mark.parametrize("system", CONSERVATIVE, ids=repr)
def test_solutions_run_backwards_when_the_velocities_are_turned(system: Conservative):
    turn, times = np.array([1, 1, -1, -1]), np.array([0.0, 2 * system.timescale])
    start = states(system, 8)
    back = system.solve(system.solve(start, times)[:, 1] * turn, times)[:, 1] * turn
    np.testing.assert_allclose(back, start, rtol=0, atol=1e-6)


@pytest.mark.parametrize("coupling", [1.0, -2.0])
def test_henon_heiles_orbits_start_at_an_eighth_and_stay_inside(coupling: float):
    system = HenonHeiles(coupling)
    start = states(system, 64)
    energy = system.invariant(torch.from_numpy(start)) * coupling**2
    torch.testing.assert_close(energy, torch.full_like(energy, 1 / 8))
    later = system.solve(start, np.linspace(0.0, 20 * system.timescale, 100), 1e-8)
    assert abs(later * coupling).max() < 1.0


def test_henon_heiles_has_the_saddles_where_orbits_escape():
    saddles = torch.tensor([[0.0, 1.0], [sqrt(3) / 2, -0.5], [-sqrt(3) / 2, -0.5]], dtype=torch.float64)
    at_rest = torch.cat([saddles, torch.zeros_like(saddles)], dim=-1)
    system = HenonHeiles()
    assert float(system.velocity(0.0, at_rest).abs().max()) < 1e-15
    torch.testing.assert_close(system.invariant(at_rest), torch.full((3,), 1 / 6, dtype=torch.float64))


def test_the_accelerations_of_henon_heiles_are_the_slope_of_its_potential():
    system = HenonHeiles(coupling=1.5)
    place = torch.tensor([0.3, -0.2], dtype=torch.float64)

    def potential(position: Tensor) -> Tensor:
        return system.invariant(torch.cat([position, torch.zeros_like(position)]))

    slope = jacobian(potential, place)
    assert isinstance(slope, Tensor)
    torch.testing.assert_close(system.velocity(0.0, torch.cat([place, 0 * place]))[2:], -slope)


def test_small_oscillations_of_henon_heiles_take_the_timescale():
    system = HenonHeiles()
    start = np.array([[1e-6, 0.0, 0.0, 1e-6]])
    ends = system.solve(start, np.array([0.0, system.timescale]), 1e-14)[:, 1]
    np.testing.assert_allclose(ends, start, rtol=0, atol=1e-10)


def test_the_double_pendulum_obeys_its_equations():
    system = DoublePendulum(2.0, 0.5, 0.7, 1.3, 3.0)
    x = states(replace(system), 8) * [1, 1, 20, 20]
    (angle1, angle2, w1, w2), (_, _, a1, a2) = x.T, system.velocity(0.0, torch.from_numpy(x)).numpy().T
    sine, cosine, total = np.sin(angle1 - angle2), np.cos(angle1 - angle2), 2.5
    first = total * 0.7 * a1 + 0.5 * 1.3 * a2 * cosine + 0.5 * 1.3 * w2**2 * sine + total * 3.0 * np.sin(angle1)
    second = 1.3 * a2 + 0.7 * a1 * cosine - 0.7 * w1**2 * sine + 3.0 * np.sin(angle2)
    np.testing.assert_allclose([first, second], 0, atol=1e-12)


def test_a_double_pendulum_with_a_light_second_bob_swings_like_a_single_one():
    assert DoublePendulum(mass2=1e-9, length1=2.0, length2=1.0).timescale == pytest.approx(2 * pi * sqrt(2 / 9.81))


@pytest.mark.parametrize("system", [DoublePendulum(), DoublePendulum(2.0, 0.5, 0.7, 1.3, 3.0)], ids=repr)
def test_small_oscillations_in_phase_take_the_timescale(system: DoublePendulum):
    matrix = jacobian(lambda x: system.velocity(0.0, x), torch.zeros(4, dtype=torch.float64))
    assert isinstance(matrix, Tensor)
    slowest = torch.linalg.eigvals(matrix).imag.abs().min()
    assert system.timescale == pytest.approx(2 * pi / float(slowest))


@pytest.mark.slow
def test_double_pendulums_do_not_turn_over():
    system = DoublePendulum()
    swings = system.solve(states(system, 32), np.linspace(0.0, 20 * system.timescale, 200), 1e-8)
    assert abs(swings[..., :2]).max() < pi


def test_the_two_centre_field_is_that_of_its_matrices():
    x, centre = torch.tensor([[0.6, 0.3], [-2.0, 1.0]]), torch.tensor([-1.0, 0.0])
    a, b = torch.tensor([[-0.1, -0.5], [0.5, -0.1]]), torch.tensor([[0.2, 1.0], [-1.0, 0.2]])
    side = (x @ centre)[:, None]
    expected = torch.sigmoid(side) * ((x - centre) @ a.T) + torch.sigmoid(-side) * ((x + centre) @ b.T)
    torch.testing.assert_close(TwoCentre().velocity(0.0, x), expected)


def test_two_centre_orbits_come_to_rest_one_turn_a_timescale():
    system = TwoCentre()
    turns = system.solve(states(system, 8), np.arange(12) * system.timescale)
    rest = system.solve(states(system, 8), np.array([0.0, 40 * system.timescale]))[:, 1]
    np.testing.assert_allclose(rest, np.broadcast_to([-1.8793, 0.0], rest.shape), rtol=0, atol=1e-4)
    left = turns[:, 8:] - rest[:, None]
    np.testing.assert_allclose(left[:, 1:], 0.2546 * left[:, :-1], rtol=0, atol=2e-3 * abs(left[:, 0]).max())


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (HenonHeiles, {"coupling": 0.0}, "HenonHeiles needs a coupling other than 0"),
        (DoublePendulum, {"length2": -1.0}, r"DoublePendulum needs length2 > 0, but length2=-1\.0"),
    ],
)
def test_parameters_without_a_motion_are_refused(kind: type[Conservative], parameters: dict, message: str):
    with pytest.raises(ValueError, match=message):
        kind(**parameters)
