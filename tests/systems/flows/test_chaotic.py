"""Chaotic flows: forced ones against their equations with time, and exponents against the parting of two orbits."""

from dataclasses import replace
from inspect import isabstract
from typing import get_args

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import systems
from systems import BistableDuffing, Chua, Flow, ForcedDuffing, ForcedVanDerPol, Sampling, Sprott
from systems.flows.chaotic import Chaotic
from systems.flows.sprott import Case
from systems.published import known_of, true_values
from tests.support.cases import few

KINDS = [getattr(systems, name) for name in systems.__all__]
CHAOTIC = [kind() for kind in KINDS if isinstance(kind, type) and issubclass(kind, Chaotic) and not isabstract(kind)]
FLOWS: list[Flow] = [*CHAOTIC, *(Sprott(case) for case in get_args(Case))]


def exponent_of_two_orbits(flow: Flow, pairs: int, stretches: int) -> tuple[float, float]:
    """The exponent per timescale, and the half-width of its interval, from the distance of orbits that start close.

    No tangent is followed: after each timescale, the orbits of a pair are brought together again along their distance.
    """
    near, apart = flow.initial_states(pairs, np.random.default_rng(5)), 1e-7
    rng = np.random.default_rng(6)
    offset, growth = rng.normal(size=near.shape), np.zeros((stretches, pairs))
    for stretch in range(stretches):
        offset *= apart / np.linalg.norm(offset, axis=1, keepdims=True)
        pair = np.concatenate([near, near + offset])
        near, other = np.split(flow.solve(pair, np.array([0.0, flow.timescale]), 1e-11)[:, 1], 2)
        offset = other - near
        growth[stretch] = np.log(np.linalg.norm(offset, axis=1) / apart)
    each = growth[5:].mean(axis=0)
    return float(each.mean()), float(1.96 * each.std(ddof=1) / np.sqrt(pairs))


@pytest.mark.slow
@pytest.mark.parametrize("flow", FLOWS, ids=repr)
def test_the_lyapunov_time_is_that_of_two_orbits_that_part(flow: Flow):
    exponent, margin = exponent_of_two_orbits(flow, 200, 35)
    assert exponent == pytest.approx(1.0, abs=0.02 + margin)


@pytest.mark.parametrize("flow", few(FLOWS, *range(len(CHAOTIC), len(FLOWS))), ids=repr)
def test_the_truth_of_a_chaotic_flow_is_near_one_per_lyapunov_time(flow: Flow):
    assert flow.timescale_name == "Lyapunov time"
    assert true_values(flow)["lyapunov_exponent"] == pytest.approx(1.0, abs=0.04)  # published to two digits in one case


def test_other_parameters_have_no_lyapunov_time():
    assert replace(Chua(), alpha=8.0).timescale_name == "timescale"
    assert Chua().timescale_name == "Lyapunov time"


def test_an_unknown_case_is_refused():
    with pytest.raises(ValueError, match=r"Sprott\.case must be one of B, C, .* but is 'T'"):
        Sprott("T")  # type: ignore[arg-type]


@pytest.mark.parametrize("flow", [ForcedDuffing(), ForcedVanDerPol()], ids=repr)
def test_a_forced_oscillator_obeys_its_equation_with_time(flow: ForcedDuffing | ForcedVanDerPol):
    times = np.linspace(0.0, 10.0, 21)

    def rate(t: float, state: np.ndarray) -> list[float]:
        x, v = state
        force = flow.force * np.cos(flow.frequency * t)
        if isinstance(flow, ForcedDuffing):
            return [v, x - x**3 - flow.damping * v + force]
        return [v, flow.mu * (1 - x * x) * v - x + force]

    other = solve_ivp(rate, (0, 10), [0.3, -0.2], "DOP853", times, rtol=1e-12, atol=1e-12).y.T
    solution = flow.solve(np.array([[0.3, -0.2, 1.0, 0.0]]), times)[0]
    np.testing.assert_allclose(solution[:, :2], other, rtol=0, atol=1e-7)
    drive = np.stack([np.cos(flow.frequency * times), np.sin(flow.frequency * times)], axis=-1)
    np.testing.assert_allclose(solution[:, 2:], drive, rtol=0, atol=1e-9)
    assert (flow.dim, flow.scored) == (4, 2)


def test_a_drive_comes_back_to_its_circle():
    ends = ForcedDuffing().solve(np.array([[0.0, 0.0, 0.3, 0.1], [0.0, 0.0, 2.0, -1.0]]), np.array([0.0, 8.0]))[:, 1]
    np.testing.assert_allclose((ends[:, 2:] ** 2).sum(axis=-1), 1.0, rtol=0, atol=1e-9)


def test_a_learner_is_trained_in_one_well_and_asked_about_the_other():
    system = BistableDuffing()
    sampling = Sampling(trajectories=12, valid=4, test=12, climate=4)
    for part, side in (("train", 1), ("valid", 1), ("test", -1), ("climate", -1)):
        start = system.begin(part, sampling, 0)
        rest = system.solve(start, np.array([0.0, 20 * system.timescale]), 1e-8)[:, 1]
        np.testing.assert_allclose(rest, np.broadcast_to([side * np.sqrt(10), 0.0], rest.shape), rtol=0, atol=1e-3)


def test_bistable_oscillators_keep_their_energy_without_damping_and_refuse_to_creep():
    x = torch.tensor([1.3, -0.7], dtype=torch.float64)
    speed, acceleration = BistableDuffing(damping=1e-9).velocity(0.0, x)
    assert float(x[1] * acceleration - (x[0] - 0.1 * x[0] ** 3) * speed) == pytest.approx(0.0, abs=1e-8)
    with pytest.raises(ValueError, match=r"damping=3\.0: it does not oscillate"):
        BistableDuffing(damping=3.0)
    assert known_of(BistableDuffing()).orbit is not None
