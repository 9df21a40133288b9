"""Lyapunov spectra: closed forms, published values, and the same for learned models."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from metrics import learned_spectrum
from systems import LinearSpiral, Lorenz, Lorenz96, Rossler, flow_spectrum, lyapunov_spectrum
from systems.lyapunov import (
    Spectrum,
    divergence,
    is_analytic,
    kaplan_yorke,
    leading_exponent,
    step_size,
)
from systems.tangents import along_imaginary, push_forward
from tests.support.problems import HarmonicOscillator, StiffRelaxation

HENON = (0.41922, -1.62319)  # Sprott, "Chaos and time-series analysis", 2003; the sum is the logarithm of 0.3


def start(system, count: int) -> Tensor:
    return torch.from_numpy(system.initial_states(count, np.random.default_rng(0)))


def henon(x: Tensor) -> Tensor:
    u, v = x.unbind(-1)
    return torch.stack([1 - 1.4 * u * u + v, 0.3 * u], dim=-1)


def on_henon(count: int) -> Tensor:
    x = 0.1 * torch.rand((count, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for _ in range(50):
        x = henon(x)
    return x


@dataclass
class Mapped:
    """A predictor that applies a map at each advance, whatever the time."""

    step: Callable[[Tensor], Tensor]

    def advance(self, state: Tensor, dt: float) -> tuple[Tensor, int]:
        return self.step(state), 1


# Maps


def test_a_linear_map_has_the_logarithms_of_its_eigenvalues():
    matrix = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.5, 3.0], [0.0, 0.0, -0.1]], dtype=torch.float64)
    spectrum = lyapunov_spectrum(lambda x: x @ matrix.T, torch.zeros((2, 3), dtype=torch.float64), 10, warm_up=60)
    np.testing.assert_allclose(spectrum.exponents, np.log([2.0, 0.5, 0.1]), atol=1e-12)


def test_the_henon_map_has_its_published_spectrum():
    spectrum = lyapunov_spectrum(henon, on_henon(200), 400, warm_up=30)
    np.testing.assert_allclose(spectrum.exponents, HENON, atol=0.004)
    assert spectrum.exponents.sum() == pytest.approx(log(0.3), abs=1e-12)
    assert spectrum.kaplan_yorke == pytest.approx(1.2583, abs=0.002)


def test_the_logistic_map_at_four_parts_like_a_tent():
    x = torch.rand((500, 1), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    spectrum = lyapunov_spectrum(lambda x: 4 * x * (1 - x), x, 200, warm_up=5)
    assert spectrum.exponents[0] == pytest.approx(log(2), abs=0.005)
    assert spectrum.interval[0, 0] < log(2) < spectrum.interval[1, 0]


def test_the_leading_exponents_are_those_of_the_whole_spectrum():
    whole, leading = (lyapunov_spectrum(henon, on_henon(5), 50, warm_up=30, leading=k) for k in (None, 1))
    np.testing.assert_allclose(leading.exponents, whole.exponents[:1], atol=1e-9)
    assert whole.complete
    assert not leading.complete
    assert np.isnan(leading.kaplan_yorke)


def test_a_spectrum_that_has_not_converged_goes_on_from_where_it_was():
    found, applied = [], []

    def step(x: Tensor) -> Tensor:
        applied.append(len(x))
        return henon(x)

    def converged(spectrum: Spectrum) -> bool:
        found.append(spectrum)
        return False

    last = lyapunov_spectrum(step, on_henon(10), 6, warm_up=4, converged=converged)
    assert len(applied) == 4 + 6 + 12 + 24
    for spectrum, warm_up, steps in zip([*found, last], (4, 10, 22), (6, 12, 24), strict=True):
        whole = lyapunov_spectrum(henon, on_henon(10), steps, warm_up=warm_up)
        np.testing.assert_array_equal(spectrum.per_trajectory, whole.per_trajectory)
        np.testing.assert_array_equal(spectrum.drift, whole.drift)
    once = lyapunov_spectrum(henon, on_henon(10), 6, warm_up=4, converged=lambda spectrum: True)
    np.testing.assert_array_equal(once.per_trajectory, found[0].per_trajectory)


def test_a_direction_that_a_map_destroys_has_a_finite_exponent():
    spectrum = lyapunov_spectrum(lambda x: x * torch.tensor([1.0, 0.0]), torch.ones(1, 2), 5, warm_up=1)
    assert spectrum.exponents[0] == pytest.approx(0.0, abs=1e-6)
    assert spectrum.exponents[1] == pytest.approx(np.log(np.finfo(np.float32).tiny), rel=1e-6)


def test_a_map_that_forgets_its_state_has_no_tangent():
    spectrum = lyapunov_spectrum(lambda x: torch.ones(x.shape, dtype=x.dtype), torch.ones(1, 2), 5)
    assert (spectrum.exponents < -80).all()


class Squared(torch.autograd.Function):
    """A function with a backward pass of its own, and no forward derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return 2 * ctx.saved_tensors[0] * gradients[0]


def test_a_map_with_only_a_backward_pass_has_the_same_spectrum():
    def step(x: Tensor) -> Tensor:
        square = Squared.apply(x[:, 0])
        return torch.stack([1 - 1.4 * square + x[:, 1], 0.3 * x[:, 0]], dim=-1)

    backward, forward = (lyapunov_spectrum(map_, on_henon(5), 20, warm_up=5) for map_ in (step, henon))
    np.testing.assert_allclose(backward.per_trajectory, forward.per_trajectory, atol=1e-7)


def test_a_run_leaves_its_states_and_the_global_generator_alone():
    states = on_henon(3)
    before, randomness = states.clone(), torch.random.get_rng_state()
    lyapunov_spectrum(henon, states, 3)
    assert torch.equal(states, before)
    assert torch.equal(torch.random.get_rng_state(), randomness)


def test_states_that_leave_the_finite_numbers_are_told():
    with pytest.raises(FloatingPointError, match="finite numbers in step"):
        lyapunov_spectrum(lambda x: x**3, torch.full((2, 1), 10.0), 20)


@pytest.mark.parametrize(("steps", "leading"), [(0, None), (1, 0), (1, 3)])
def test_numbers_that_make_no_sense_are_refused(steps, leading):
    with pytest.raises(ValueError, match="1 <= leading <= 2"):
        lyapunov_spectrum(henon, on_henon(2), steps, leading=leading)


# What a spectrum says


@pytest.mark.parametrize(
    ("exponents", "dimension"),
    [
        ([-1.0, -2.0], 0.0),
        ([0.0, -2.0], 1.0),
        ([0.5, 0.0, -1.0], 2.5),
        ([-1.0, 0.0, 0.5], 2.5),
        ([1.0, -0.5], 2.0),
        ([1.0], 1.0),
    ],
)
def test_the_kaplan_yorke_dimension_is_its_formula(exponents, dimension):
    assert kaplan_yorke(np.array(exponents)) == pytest.approx(dimension)


def test_the_interval_is_students():
    spectrum = Spectrum(np.array([[1.0], [2.0], [3.0]]), complete=True)
    np.testing.assert_allclose(spectrum.interval[:, 0], 2.0 + 4.302653 / np.sqrt(3) * np.array([-1, 1]), rtol=1e-6)
    assert np.isinf(Spectrum(np.ones((1, 2)), complete=True).interval).all()


def test_a_spectrum_can_be_told_per_timescale():
    spectrum = Spectrum(np.array([[1.0, -3.0]]), complete=True, divergence=-2.0).per(0.5)
    assert (spectrum.exponents.tolist(), spectrum.divergence) == ([0.5, -1.5], -1.0)
    assert Spectrum(np.array([[1.0]]), complete=True).per(2.0).divergence is None


# Flows


def test_a_damped_rotation_shrinks_alike_in_all_directions():
    spectrum = flow_spectrum(LinearSpiral(damping=0.3), start(LinearSpiral(), 3), 5.0, warm_up=0.0)
    np.testing.assert_allclose(spectrum.exponents, [-0.3, -0.3], atol=1e-4)
    assert spectrum.divergence == pytest.approx(-0.6, abs=1e-12)


def test_a_stiff_flow_gets_steps_that_it_can_bear():
    flow = StiffRelaxation(fast=300.0)
    spectrum = flow_spectrum(flow, start(flow, 2), 0.2, warm_up=0.1)
    assert step_size(flow, start(flow, 2)) < 1 / 300
    np.testing.assert_allclose(spectrum.exponents, [-1.0, -300.0], rtol=1e-2)


def test_a_flow_too_stiff_for_explicit_steps_is_refused():
    flow = HarmonicOscillator(omega=1e9)
    with pytest.raises(FloatingPointError, match="too stiff"):
        step_size(flow, start(flow, 2))


def test_the_divergence_is_the_trace_of_the_jacobian():
    states = start(Rossler(), 4)
    torch.testing.assert_close(divergence(Rossler(), states), 0.2 + states[:, 0] - 5.7)


def test_the_spectrum_of_lorenz_from_a_hundred_states():
    spectrum = flow_spectrum(Lorenz(), start(Lorenz(), 100), 10.0, warm_up=6.0)
    leading, neutral, contracting = spectrum.exponents
    assert leading_exponent(spectrum) == pytest.approx(0.9056, abs=0.01)
    assert leading == pytest.approx(0.9056, abs=0.05)
    assert neutral == pytest.approx(0.0, abs=0.03)
    assert contracting == pytest.approx(-14.572, abs=0.05)
    assert spectrum.interval[0, 0] < 0.9056 < spectrum.interval[1, 0]
    assert spectrum.exponents.sum() == pytest.approx(-41 / 3, abs=0.003)
    assert spectrum.divergence == pytest.approx(-41 / 3, abs=1e-9)


def test_halving_the_step_moves_no_exponent_of_lorenz_by_a_fifth_of_its_tolerance():
    states = start(Lorenz(), 20)
    h = step_size(Lorenz(), states)
    coarse, fine = (flow_spectrum(Lorenz(), states, 16 * h, warm_up=64 * h, step=step) for step in (h, h / 2))
    np.testing.assert_allclose(coarse.exponents, fine.exponents, atol=0.002)


UNITS = torch.tensor([1e-4, 1.0, 1e5], dtype=torch.float64)


@dataclass(frozen=True)
class InOtherUnits(Lorenz):
    """Lorenz' system with each channel in a unit of its own."""

    def velocity(self, t: float | Tensor, x: Any) -> Any:
        return UNITS * super().velocity(t, x / UNITS)

    def initial_states(self, count: int, rng: np.random.Generator) -> Any:
        return UNITS.numpy() * Lorenz().initial_states(count, rng)


def test_the_units_of_channels_do_not_change_the_step():
    assert step_size(InOtherUnits(), start(InOtherUnits(), 20)) == step_size(Lorenz(), start(Lorenz(), 20))


@dataclass(frozen=True)
class Spiking(LinearSpiral):
    """A rotation x' = y, y' = -x, and z' = -k (z - x), where k is `fast` for x > 0.9 and 1 elsewhere."""

    fast: float = 60.0

    @property
    def dim(self) -> int:
        return 3

    def velocity(self, t: float | Tensor, x: Any) -> Any:
        u, v, z = x.unbind(-1)
        return torch.stack([v, -u, -torch.where(u > 0.9, self.fast, 1.0) * (z - u)], dim=-1)

    def initial_states(self, count: int, rng: np.random.Generator) -> Any:
        return np.array([-1.0, 0.0, -1.0]) + 0.01 * rng.normal(size=(count, 3))


@pytest.mark.parametrize("fast", [40.0, 60.0])  # a stable step would do for the states, and miss by 36 and 11 %
def test_a_flow_that_is_fast_only_later_gets_steps_that_it_can_bear(fast: float):
    flow = Spiking(fast=fast)
    assert step_size(flow, start(flow, 2)) > 2 / fast
    spectrum = flow_spectrum(flow, start(flow, 2), 2 * np.pi, warm_up=2 * np.pi)
    np.testing.assert_allclose(spectrum.exponents[:2], 0, atol=1e-3)
    share = np.arccos(0.9) / np.pi  # of the time in which x > 0.9
    assert spectrum.exponents[2] == pytest.approx(-1 - (fast - 1) * share, rel=0.03)


@pytest.mark.slow
def test_the_spectrum_of_lorenz_in_a_long_run():
    spectrum = flow_spectrum(Lorenz(), start(Lorenz(), 1000), 20.0, warm_up=8.0)
    assert spectrum.exponents[0] == pytest.approx(0.9056, abs=0.01)
    assert spectrum.kaplan_yorke == pytest.approx(2.062, abs=0.005)


@pytest.mark.slow
def test_the_spectrum_of_rossler():
    spectrum = flow_spectrum(Rossler(), start(Rossler(), 300), 60.0, warm_up=60.0)
    np.testing.assert_allclose(spectrum.exponents[:2], [0.0714, 0.0], atol=0.003)
    assert spectrum.exponents[2] == pytest.approx(-5.39, abs=0.03)


@pytest.mark.slow
def test_the_spectrum_of_a_ring_of_forty_sites():
    spectrum = flow_spectrum(Lorenz96(40), start(Lorenz96(40), 20), 20.0, warm_up=8.0)
    assert spectrum.exponents[0] == pytest.approx(1.68, abs=0.03)
    assert spectrum.exponents.sum() == pytest.approx(-40.0, abs=0.01)
    assert spectrum.kaplan_yorke == pytest.approx(27.0, abs=0.5)


# Learned models


def test_a_learned_map_is_measured_per_unit_of_time():
    matrix = torch.diag(torch.tensor([1.5, 0.25]))
    spectrum = learned_spectrum(Mapped(lambda x: x @ matrix), torch.zeros(3, 2), 0.1, 20, warm_up=20)
    np.testing.assert_allclose(spectrum.exponents, np.log([1.5, 0.25]) / 0.1, rtol=1e-5)
    np.testing.assert_allclose(spectrum.per(2.0).exponents, np.log([1.5, 0.25]) * 20, rtol=1e-5)


def test_a_learned_rotation_neither_grows_nor_shrinks():
    turn = torch.tensor([[0.8, 0.6], [-0.6, 0.8]])
    spectrum = learned_spectrum(Mapped(lambda x: x @ turn), torch.ones(2, 2), 0.5, 50)
    np.testing.assert_allclose(spectrum.exponents, [0.0, 0.0], atol=1e-6)


def test_a_learned_window_has_the_spectrum_of_the_map_that_it_unfolds():
    def slide(window: Tensor) -> Tensor:
        following = 1 - 1.4 * window[:, 1:] ** 2 + 0.3 * window[:, :1]
        return torch.cat([window[:, 1:], following], dim=1)

    first = on_henon(200)
    window = torch.stack([first[:, 1:] / 0.3, first[:, :1]], dim=1)  # [batch, window, dim]
    spectrum = learned_spectrum(Mapped(slide), window, 1.0, 400, warm_up=30)
    np.testing.assert_allclose(spectrum.exponents, HENON, atol=0.004)


def test_a_learned_model_is_evaluated_in_its_own_precision():
    seen = []

    def step(x: Tensor) -> Tensor:
        seen.append(x.dtype)
        return 0.5 * x

    learned_spectrum(Mapped(step), torch.ones(1, 1), 1.0, 2)
    assert set(seen) == {torch.float32}


def test_a_spectrum_needs_a_step_that_takes_time():
    with pytest.raises(ValueError, match=r"step > 0, but step=0\.0"):
        learned_spectrum(Mapped(henon), on_henon(2), 0.0, 1)


@dataclass(frozen=True)
class Folded(Lorenz):
    """A flow whose velocity is not analytic: its modulus has no derivative along an imaginary step."""

    def velocity(self, t: float | Tensor, x: Tensor) -> Tensor:
        return super().velocity(t, x).abs()


def test_derivatives_along_imaginary_steps_are_exact_where_a_velocity_is_analytic():
    states, tangents = start(Lorenz(), 5), torch.ones((5, 3), dtype=torch.float64)
    exact, imaginary = (
        push(lambda x: Lorenz().velocity(0.0, x), states, tangents) for push in (push_forward, along_imaginary)
    )
    torch.testing.assert_close(imaginary, exact, rtol=1e-14, atol=1e-13)
    assert is_analytic(Lorenz(), states)
    assert is_analytic(Lorenz96(), start(Lorenz96(), 3))
    assert not is_analytic(Folded(), states)
