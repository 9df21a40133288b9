"""Metrics do not depend on the units and the zero in which each channel was measured, as far as float64 holds it."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from metrics import (
    ATTRACTOR,
    COMMON_TASK,
    LONG_TERM,
    SETTLES_ON,
    STANDARD,
    Cost,
    Evidence,
    Metric,
    central_difference,
    mixture_divergence,
    relative_roughness,
    spectral_distance,
)
from metrics.zero_one import first_minimum_of_mutual_information, subsampling, zero_one
from systems import Lorenz
from systems.base import settle
from systems.lyapunov import lyapunov_spectrum
from systems.solvers.fixed import classical_rk4

COST = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
STEP = 0.09  # Lyapunov times
# These are relative to the size of a truth, or to lengths in the plane of several channels, by their definitions.
RELATIVE_TO_SIZE = {"smape", "ctf_short", "ctf_long_field"}
OF_ONE_UNIT = {"cme"}
NOT_OF_ARRAYS = {metric.name for metric in (*STANDARD, *LONG_TERM) if metric.group == "cost"} | {
    "lyapunov_exponent",
    "kaplan_yorke_dimension",
}
MEASURED: dict[str, Metric] = {
    metric.name: metric
    for metric in (*STANDARD, *LONG_TERM, *ATTRACTOR, *SETTLES_ON, *COMMON_TASK)
    if metric.name not in NOT_OF_ARRAYS | RELATIVE_TO_SIZE
}


def lorenz_runs(rho: float, seed: int) -> np.ndarray:
    system = Lorenz(rho=rho)
    start = np.array([0.0, 0.0, rho]) + np.random.default_rng(seed).uniform(-8.0, 8.0, (2, 3))
    return system.solve(settle(system, start, timescales=15), np.arange(2400) * 0.1, 1e-6)


@cache
def true_runs() -> np.ndarray:
    return lorenz_runs(28.0, 0)


@cache
def model_runs() -> np.ndarray:
    return lorenz_runs(32.0, 1)


def evidence(scale: np.ndarray, shift: np.ndarray) -> Evidence:
    """Lorenz systems at two parameters, seen in other units."""
    short = true_runs()[:, :40]
    parting = short + 1e-3 * np.exp(0.2 * np.arange(40))[:, None]
    truth, forecast, climate_truth, climate = (
        scale * part + shift for part in (short, parting, true_runs(), model_runs())
    )
    return Evidence(STEP, scale * true_runs().std(axis=(0, 1)), truth, forecast, climate_truth, climate, COST)


@cache
def plain(name: str) -> float:
    return MEASURED[name].measure(evidence(np.ones(3), np.zeros(3)))


scales = st.floats(-12, 12).map(lambda power: 10.0**power)
shifts = st.tuples(st.sampled_from([-1, 1]), st.floats(-9, 9)).map(lambda drawn: drawn[0] * 10.0 ** drawn[1])


@settings(max_examples=3, deadline=None, derandomize=True)
@given(units=st.tuples(*[scales] * 3), zeros=st.tuples(*[shifts] * 3))
@pytest.mark.parametrize("name", MEASURED)
def test_units_and_zeros_change_nothing(name: str, units: tuple[float, ...], zeros: tuple[float, ...]):
    scale = np.full(3, units[0]) if name in OF_ONE_UNIT else np.array(units)
    spread = true_runs().std(axis=(0, 1))
    found = MEASURED[name].measure(evidence(scale, np.array(zeros) * scale * spread))
    resolution = 1e-16 * max(map(abs, zeros))
    assert found == pytest.approx(plain(name), rel=1e-3 + 100 * resolution, abs=1e-4 + 100 * resolution)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(scale=scales, shift=shifts)
def test_the_0_1_test_and_its_lags_do_not_depend_on_units(scale: float, shift: float):
    series = true_runs()[:, :, 0]
    seen = scale * (series + shift * series.std())
    assert first_minimum_of_mutual_information(seen) == first_minimum_of_mutual_information(series)
    assert subsampling(seen) == subsampling(series)
    assert zero_one(seen[0]).k == pytest.approx(zero_one(series[0]).k, abs=1e-4)


def test_a_series_shifted_by_three_millions_has_the_spectrum_that_it_had():
    shifted = true_runs() + 3e6
    assert spectral_distance(shifted, shifted) == pytest.approx(0, abs=1e-6)
    assert spectral_distance(shifted, 3e6 + model_runs()) == pytest.approx(
        spectral_distance(true_runs(), model_runs()), abs=1e-6
    )


def test_a_pressure_in_pascals_keeps_its_signal():
    seen = np.array([0.05, 1.0, 1.0])
    zero = np.array([101325.0, 0.0, 0.0])
    assert zero_one((seen * true_runs() + zero)[0, :, 0]).k == pytest.approx(zero_one(true_runs()[0, :, 0]).k, abs=1e-6)
    assert spectral_distance(seen * true_runs() + zero, seen * model_runs() + zero) == pytest.approx(
        spectral_distance(true_runs(), model_runs()), abs=1e-6
    )


def test_mixtures_and_roughness_do_not_depend_on_units():
    scale = np.array([1e-6, 1.0, 1e6])
    shift = 1e6 * scale
    seen = scale * true_runs() + shift, scale * model_runs() + shift
    assert mixture_divergence(*seen) == pytest.approx(mixture_divergence(true_runs(), model_runs()), rel=1e-4)
    spread = true_runs().std(axis=(0, 1))
    np.testing.assert_allclose(
        relative_roughness(*seen, scale * spread), relative_roughness(true_runs(), model_runs(), spread), rtol=1e-4
    )


@pytest.mark.parametrize(
    ("scale", "shift"),
    [
        ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
        ((1e3, 1.0, 1.0), (0.0, 0.0, 0.0)),
        ((1e-3, 1e3, 1.0), (0.0, 0.0, 0.0)),
        ((0.05, 1.0, 1.0), (101325.0, 0.0, 0.0)),
    ],
)
def test_exponents_of_lorenz_by_central_differences_in_any_units(scale: tuple[float, ...], shift: tuple[float, ...]):
    unit, zero = torch.tensor(scale, dtype=torch.float64), torch.tensor(shift, dtype=torch.float64)
    system = Lorenz()

    def advance(seen: Tensor) -> Tensor:
        states = (seen - zero) / unit
        for _ in range(10):
            states = classical_rk4(system.velocity, states, 0.01)
        return unit * states + zero

    states = unit * torch.from_numpy(true_runs()[:, ::40].reshape(-1, 3)) + zero
    found = lyapunov_spectrum(advance, states, 200, warm_up=60, duration=0.1, push=central_difference)
    np.testing.assert_allclose(found.exponents, [0.906, 0.0, -14.57], atol=0.02)


def test_central_differences_agree_with_the_derivative_of_a_map_of_mixed_units():
    generator = torch.Generator().manual_seed(0)
    unit = torch.tensor([1e-6, 1.0, 1e6], dtype=torch.float64)
    states = unit * (1e3 + torch.randn((50, 3), generator=generator, dtype=torch.float64))
    tangents = unit.expand_as(states) / unit.norm()
    _, derivative = central_difference(lambda x: unit * torch.sin(x / unit - 1e3), states, tangents)
    torch.testing.assert_close(derivative / tangents, torch.cos(states / unit - 1e3), rtol=0, atol=1e-4)
