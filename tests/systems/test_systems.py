"""The promises that every exported system keeps, and what is known of each of them."""

from dataclasses import FrozenInstanceError, fields, replace
from functools import cache
from math import log, pi

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor
from torch.autograd import gradcheck

from systems import (
    BouncingBall,
    CubicSpiral,
    Flow,
    Hybrid,
    KuramotoSivashinsky,
    LinearSpiral,
    Lorenz,
    Lorenz96,
    LotkaVolterra,
    MackeyGlass,
    Robertson,
    Rossler,
    Simulated,
    TwoCentre,
    VanDerPol,
)
from systems.published import true_values
from tests.support.problems import PROBLEMS, every_flow, every_system, one_of_a_kind

FLOWS = one_of_a_kind([*every_flow(), *PROBLEMS])


@cache
def many(system: Simulated) -> np.ndarray:
    return system.initial_states(150, np.random.default_rng(0))


def states(system: Simulated, count: int = 3) -> np.ndarray:
    """Copies of initial states that are drawn once: on attractors they take a while."""
    return many(system)[:count].copy()


def by_name(system: Simulated) -> str:
    return type(system).__name__


def real_parameters(flow: Flow) -> list[str]:
    return [field.name for field in fields(flow) if isinstance(getattr(flow, field.name), float)]


def learnable(flow: Flow) -> bool:
    """Whether a flow has parameters, all of which its velocity depends on."""
    return bool(real_parameters(flow)) and not isinstance(flow, BouncingBall)


def smooth_flows() -> list[Flow]:
    """Those that no event interrupts, which other codes can solve as they are."""
    return [flow for flow in every_flow() if not isinstance(flow, Hybrid)]


# Every system


@pytest.mark.parametrize("system", one_of_a_kind(every_system()), ids=by_name)
def test_a_system_knows_its_dimension_and_its_timescale(system: Simulated):
    assert states(system).shape == (3, system.dim)
    assert 0 < system.timescale < np.inf
    assert system.timescale_name in ("Lyapunov time", "period", "timescale")


@pytest.mark.parametrize(
    ("system", "name"),
    [
        (Lorenz(rho=14.0), "timescale"),  # comes to rest
        (Rossler(c=4.0), "timescale"),
        (MackeyGlass(tau=15.0), "timescale"),
        (MackeyGlass(points=48), "Lyapunov time"),
        (Lorenz96(sites=7), "Lyapunov time"),
        (Lorenz96(sites=11), "timescale"),
        (Lorenz96(forcing=6.0), "timescale"),
        (KuramotoSivashinsky(length=100.0, grid=128), "Lyapunov time"),
        (KuramotoSivashinsky(length=50.0), "timescale"),
        (TwoCentre(rotation_b=-2.0), "timescale"),
        (Robertson(), "timescale"),  # nothing comes back
        (VanDerPol(mu=3.0), "period"),
    ],
    ids=repr,
)
def test_a_timescale_is_called_what_it_is(system: Simulated, name: str):
    assert system.timescale_name == name


@pytest.mark.parametrize(
    ("sites", "exponent"), [(5, 0.46705), (6, 0.94633), (7, 1.2652), (8, 1.5918), (9, 1.2164), (40, 1.68)]
)
def test_rings_of_few_sites_have_the_lyapunov_times_that_are_published(sites: int, exponent: float):
    assert 1 / Lorenz96(sites).timescale == pytest.approx(exponent, rel=1e-9)


def test_the_truth_of_a_small_ring_is_what_long_runs_give_though_its_timescale_is_as_published():
    assert true_values(Lorenz96(sites=9))["lyapunov_exponent"] == pytest.approx(1.228 / 1.2164)
    assert true_values(Lorenz96(sites=7))["lyapunov_exponent"] == pytest.approx(1.261 / 1.2652)


@pytest.mark.parametrize("system", one_of_a_kind(every_system()), ids=by_name)
def test_a_system_is_its_parameters(system: Simulated):
    again = type(system)(**{field.name: getattr(system, field.name) for field in fields(system)})
    assert (again, hash(again)) == (system, hash(system))
    with pytest.raises(FrozenInstanceError):
        setattr(system, fields(system)[0].name, 1.0)


@pytest.mark.parametrize("system", one_of_a_kind(every_system()), ids=by_name)
def test_initial_states_are_drawn_from_the_generator_alone(system: Simulated):
    first, other = states(system, 150), system.initial_states(150, np.random.default_rng(1))
    np.testing.assert_array_equal(first, system.initial_states(150, np.random.default_rng(0)))
    assert (first != other).any(axis=1).all()
    assert first.dtype == np.float64
    assert np.isfinite(first).all()


@pytest.mark.parametrize("system", one_of_a_kind(every_flow(), KuramotoSivashinsky, MackeyGlass), ids=by_name)
def test_the_reference_solution_converges_far_below_what_a_forecast_can_resolve(system: Simulated):
    times = np.linspace(0.0, system.timescale, 51)
    solution = system.solve(states(system, 4), times)
    finer = system.solve(states(system, 4), times, 1e-14)
    assert abs(solution - finer).max() < 1e-8 * abs(finer).max()


@pytest.mark.parametrize("system", one_of_a_kind(smooth_flows(), KuramotoSivashinsky, MackeyGlass), ids=by_name)
def test_the_reference_solution_agrees_with_another_code(system: Flow):
    initial = states(system, 1)
    times = np.linspace(0.0, system.timescale, 5)

    def rate(t: float, x: np.ndarray) -> np.ndarray:
        return system.velocity(t, torch.from_numpy(x)).numpy()

    other = solve_ivp(rate, (0.0, times[-1]), initial[0], "LSODA", times, rtol=1e-12, atol=1e-13).y.T
    assert abs(system.solve(initial, times)[0] - other).max() < 1e-7 * abs(other).max()


# Every velocity


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("flow", FLOWS, ids=by_name)
def test_a_velocity_keeps_shape_and_precision(flow: Flow, dtype: torch.dtype):
    x = torch.from_numpy(states(flow, 2)).to(dtype)
    for given in (x[0], x, x.expand(5, *x.shape)):
        velocity = flow.velocity(0.0, given)
        assert velocity.shape == given.shape
        assert velocity.dtype == dtype


@pytest.mark.parametrize("flow", FLOWS, ids=by_name)
def test_a_velocity_treats_the_states_of_a_batch_alike(flow: Flow):
    x, times = torch.from_numpy(states(flow, 2)), torch.tensor([0.3, 1.7], dtype=torch.float64)
    one_by_one = torch.stack([flow.velocity(float(t), state) for t, state in zip(times, x, strict=True)])
    # The fourth derivative of the shortest waves magnifies what a Fourier transform of another batch rounds by 7,000.
    rounding = 1e-11 if isinstance(flow, KuramotoSivashinsky) else 1e-13 if isinstance(flow, MackeyGlass) else 0
    torch.testing.assert_close(flow.velocity(times, x), one_by_one, rtol=1e-14, atol=rounding)


@pytest.mark.parametrize("flow", FLOWS, ids=by_name)
def test_a_velocity_leaves_the_states_as_they_are(flow: Flow):
    x = torch.from_numpy(states(flow, 2))
    flow.velocity(0.0, x)
    torch.testing.assert_close(x, torch.from_numpy(states(flow, 2)), rtol=0, atol=0)


@pytest.mark.parametrize("flow", FLOWS, ids=by_name)
def test_a_velocity_can_be_differentiated_by_the_state(flow: Flow):
    x = torch.from_numpy(states(flow, 2)).requires_grad_()
    assert gradcheck(lambda state: flow.velocity(0.5, state), (x,))


@pytest.mark.parametrize("flow", one_of_a_kind([one for one in every_flow() if learnable(one)]), ids=by_name)
def test_the_parameters_of_a_velocity_can_be_learned(flow: Flow):
    names = real_parameters(flow)
    x = torch.from_numpy(states(flow, 2))

    def velocity(*parameters: Tensor) -> Tensor:
        return replace(flow, **dict(zip(names, parameters, strict=True))).velocity(0.0, x)

    parameters = tuple(torch.tensor(getattr(flow, name), dtype=torch.float64, requires_grad=True) for name in names)
    assert gradcheck(velocity, parameters)
    slopes = torch.autograd.grad(velocity(*parameters).square().sum(), parameters)
    assert all(slope != 0 for slope in slopes)


@pytest.mark.parametrize("flow", FLOWS, ids=by_name)
def test_the_velocity_is_the_slope_of_the_solution(flow: Flow):
    h = 1e-3 * flow.timescale
    solution = flow.solve(states(flow, 2), np.arange(9) * h, 1e-13)
    weights = np.array([1, -8, 0, 8, -1]) / (12 * h)  # fourth-order central difference about the fifth sample
    slope = np.einsum("k,bkd->bd", weights, solution[:, 2:7])
    expected = flow.velocity(4 * h, torch.from_numpy(solution[:, 4])).numpy()
    np.testing.assert_allclose(slope, expected, rtol=2e-3, atol=1e-5 * abs(expected).max())


# Each system


def test_the_linear_spiral_shrinks_and_turns_as_its_matrix_exponential():
    system, initial = LinearSpiral(damping=0.1, rotation=1.0), states(LinearSpiral(), 5)
    times = np.linspace(0.0, 4 * pi, 33)
    exact = initial @ [[1], [1j]] * np.exp((-0.1 + 1j) * times)
    solution = system.solve(initial, times)
    np.testing.assert_allclose(solution, np.stack([np.real(exact), np.imag(exact)], axis=-1), rtol=0, atol=1e-10)
    assert system.timescale == 2 * pi


def test_the_cubic_spiral_has_the_field_of_the_literature():
    velocity = CubicSpiral().velocity(0.0, torch.tensor([2.0, -1.0]))
    matrix = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])  # row vectors: u' = (u^3) A
    torch.testing.assert_close(velocity, torch.tensor([8.0, -1.0]) @ matrix)


@pytest.mark.parametrize("rotation", [2.0, -2.0, 5.0])
def test_the_timescale_of_the_cubic_spiral_is_its_first_turn(rotation: float):
    system = CubicSpiral(damping=0.05 * abs(rotation), rotation=rotation)
    times = np.linspace(0.0, system.timescale, 200)
    turned = system.solve(np.array([[2.0, 0.0]]), times)[0]
    angle = np.unwrap(np.arctan2(turned[:, 1], turned[:, 0]))
    assert abs(angle[-1]) == pytest.approx(2 * pi, abs=1e-4)


@pytest.mark.parametrize("system", [LinearSpiral(), CubicSpiral()], ids=by_name)
def test_spirals_start_between_radius_half_and_two_in_every_direction(system: Simulated):
    x, y = system.initial_states(4000, np.random.default_rng(0)).T
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    assert 0.5 <= radius.min() < 0.51
    assert 1.99 < radius.max() <= 2.0
    assert radius.mean() == pytest.approx(1.25, abs=0.03)
    assert np.histogram(angle, 8, (-pi, pi))[0] == pytest.approx(np.full(8, 500), rel=0.2)


@pytest.mark.parametrize(("mu", "period"), [(1.0, 6.66329), (5.0, 11.6122), (100.0, 162.837)])
def test_van_der_pol_has_its_measured_period(mu: float, period: float):
    assert VanDerPol(mu).timescale == pytest.approx(period, rel=1e-5)


@pytest.mark.parametrize("mu", [0.3, 1.0, 3.0])
def test_van_der_pol_comes_back_after_its_period(mu: float):
    system = VanDerPol(mu)
    cycle = system.solve(np.array([[2.0, 0.0]]), np.linspace(0.0, 12 * system.timescale, 13), 1e-10)[0]
    np.testing.assert_allclose(cycle[-1], cycle[-2], atol=1e-3)


def test_van_der_pol_in_lienard_form_has_the_same_first_variable():
    mu, times = 1.5, np.linspace(0.0, 10.0, 21)
    x, y = initial = np.array([1.0, -0.5])
    speed = mu * (x - x**3 / 3 - y)
    other = solve_ivp(
        lambda t, s: [s[1], mu * (1 - s[0] ** 2) * s[1] - s[0]],
        (0, 10),
        [x, speed],
        "DOP853",
        times,
        rtol=1e-12,
        atol=1e-12,
    )
    np.testing.assert_allclose(VanDerPol(mu).solve(initial[None], times)[0, :, 0], other.y[0], atol=1e-7)


def test_lotka_volterra_keeps_its_invariant():
    system, times = LotkaVolterra(), np.linspace(0.0, 60.0, 200)
    prey, predators = np.moveaxis(system.solve(states(system, 8), times), -1, 0)
    invariant = system.g * prey - system.d * np.log(prey) + system.b * predators - system.a * np.log(predators)
    assert abs(invariant - invariant[:, :1]).max() < 1e-9


def test_small_lotka_volterra_oscillations_take_the_timescale():
    system = LotkaVolterra()
    near_equilibrium = np.array([[system.d / system.g + 1e-3, system.a / system.b]])
    solution = system.solve(near_equilibrium, np.array([0.0, system.timescale]))
    np.testing.assert_allclose(solution[0, 1], near_equilibrium[0], atol=1e-6)


@pytest.mark.parametrize("system", [Lorenz(), Rossler(), Lorenz96()], ids=by_name)
def test_neighbours_on_an_attractor_part_by_e_in_one_timescale(system: Simulated):
    count, align, span = 150, 2, 3
    near = states(system, count)
    rng = np.random.default_rng(9)
    pair = np.concatenate([near, near + 1e-6 * rng.normal(size=near.shape)])
    ends = system.solve(pair, np.array([0.0, align, align + span]) * system.timescale, 1e-10)
    distance = np.linalg.norm(ends[:count] - ends[count:], axis=-1)
    assert np.log(distance[:, 2] / distance[:, 1]).mean() / span == pytest.approx(1.0, abs=0.1)


def divergence(flow: Flow) -> float:
    """Trace of the Jacobian, which for these systems is the same everywhere."""
    x = torch.from_numpy(states(flow, 1)[0])
    jacobian = torch.autograd.functional.jacobian(lambda state: flow.velocity(0.0, state), x)
    assert isinstance(jacobian, Tensor)
    return float(jacobian.trace())


def test_volumes_of_the_lorenz_system_shrink_at_their_known_rate():
    assert divergence(Lorenz()) == pytest.approx(-(10 + 1 + 8 / 3))
    assert divergence(Lorenz96(sites=40)) == pytest.approx(-40)


def test_the_lorenz_system_rests_at_its_fixed_points():
    wing = np.sqrt(8 / 3 * 27)
    fixed = torch.tensor([[0.0, 0.0, 0.0], [wing, wing, 27.0], [-wing, -wing, 27.0]], dtype=torch.float64)
    assert Lorenz().velocity(0.0, fixed).abs().max() < 1e-12


def test_the_rossler_system_rests_at_its_fixed_points():
    a, b, c = 0.2, 0.2, 5.7
    for sign in (-1, 1):
        z = (c + sign * np.sqrt(c * c - 4 * a * b)) / (2 * a)
        assert Rossler().velocity(0.0, torch.tensor([a * z, -z, z], dtype=torch.float64)).abs().max() < 1e-12


def test_lorenz96_is_the_same_seen_from_every_site():
    x = torch.from_numpy(states(Lorenz96(), 1)[0])
    velocity = Lorenz96().velocity(0.0, x)
    torch.testing.assert_close(Lorenz96().velocity(0.0, x.roll(3)), velocity.roll(3))
    indices = [(i, i + 1, i - 1, i - 2) for i in range(10)]
    by_hand = [(x[ahead % 10] - x[two]) * x[one] - x[i] + 8 for i, ahead, one, two in indices]
    torch.testing.assert_close(velocity, torch.stack(by_hand))


def test_the_advection_of_lorenz96_keeps_the_energy():
    x = torch.from_numpy(states(Lorenz96(), 4))
    advection = Lorenz96().velocity(0.0, x) + x - 8
    assert (x * advection).sum(dim=-1).abs().max() < 1e-10


@pytest.mark.parametrize(("sites", "exponent"), [(10, 1.17), (40, 1.68), (41, 1.68)])
def test_the_timescale_of_lorenz96_depends_on_its_size(sites: int, exponent: float):
    assert Lorenz96(sites).timescale == pytest.approx(1 / exponent)


@pytest.mark.parametrize("system", [Lorenz(), Rossler(), Lorenz96()], ids=by_name)
def test_chaotic_systems_start_on_their_attractors(system: Simulated):
    start = states(system, 64)
    later = system.solve(start, np.array([0.0, 5.0 * system.timescale]), 1e-8)[:, 1]
    spread = later.std(axis=0)
    np.testing.assert_allclose(start.mean(axis=0), later.mean(axis=0), atol=0.8 * spread.max())
    assert log(start.std() / later.std()) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (VanDerPol, {"mu": 0.0}, r"VanDerPol needs mu > 0, but mu=0\.0"),
        (VanDerPol, {"mu": float("nan")}, "mu=nan"),
        (LinearSpiral, {"rotation": 0.0}, "LinearSpiral needs a rotation other than 0"),
        (CubicSpiral, {"rotation": 0.0}, "CubicSpiral needs a rotation other than 0"),
        (LotkaVolterra, {"d": -1.0}, r"LotkaVolterra needs d > 0, but d=-1\.0"),
        (Lorenz96, {"sites": 3}, "Lorenz96 needs sites >= 4, but sites=3"),
    ],
)
def test_parameters_without_a_timescale_are_refused(kind: type[Simulated], parameters: dict, message: str):
    with pytest.raises(ValueError, match=message):
        kind(**parameters)
