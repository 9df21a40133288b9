"""Compiled code goes on with a reference integration to the same bytes, where that is worth loading it."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from systems import CubicSpiral, Dysts, Flow, HenonHeiles, Lorenz, Lorenz96, TwoCentre, VanDerPol, over
from systems.solvers import handover
from systems.solvers.dop853 import integrate
from systems.solvers.handover import SPENT, Handover
from systems.solvers.tracing import Velocity, trace
from tests.support.cases import few
from tests.support.problems import HarmonicOscillator, StiffRelaxation, every_flow

pytestmark = pytest.mark.usefixtures("eagerly")

ROOT = Path(__file__).parents[3]
DEFAULTS = [flow for flow in every_flow() if type(flow).solve is Flow.solve and not isinstance(flow, Dysts)]
COMPILED = [flow for flow in DEFAULTS if flow.integrator is integrate and trace(flow.velocity, flow.dim)]
OTHERS = [
    VanDerPol(mu=5.0, form="velocity"),
    HenonHeiles(coupling=0.7),
    Lorenz96(sites=40),
    Lorenz96(sites=261),  # whose errors numpy adds up by halves
    HarmonicOscillator(),
    StiffRelaxation(),
]


def due_after(rounds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SPENT, "rounds", 0.0)
    monkeypatch.setattr(handover, "LOADING", rounds)


def sampled(flow: Flow, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Initial states, and times of each, irregular and the last of them far from one another."""
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0.0, 1.0, (count, 40)), axis=1) * rng.uniform(0.2, 1.0, (count, 1))
    return flow.initial_states(count, rng), times * (0.3 if flow.dim > 100 else 1.5) * flow.timescale


@pytest.mark.parametrize("count", [3, 11, 70])
@pytest.mark.parametrize("flow", few([*COMPILED, *OTHERS], 0, 2, len(COMPILED), len(COMPILED) + 3), ids=repr)
def test_compiled_code_gives_the_bytes_of_the_eager_path(flow: Flow, count: int, monkeypatch: pytest.MonkeyPatch):
    initial, times = sampled(flow, min(count, 3) if flow.dim > 100 else count)
    eager = integrate(flow.velocity, initial, times, 1e-9)
    for rounds in (0, 7.5):
        due_after(rounds, monkeypatch)
        assert integrate(flow.velocity, initial, times, 1e-9).tobytes() == eager.tobytes()
        assert SPENT.rounds < rounds + 2  # the rest was compiled


def test_members_of_a_family_share_one_compilation(monkeypatch: pytest.MonkeyPatch):
    family, rng = over(Lorenz(), rho=[26, 28, 30]), np.random.default_rng(0)
    initial, times = family.initial_states(6, rng), np.linspace(0.0, 1.0, 20)
    eager = family.solve(initial, times)
    due_after(0, monkeypatch)
    assert family.solve(initial, times).tobytes() == eager.tobytes()
    assert len(sys.modules["systems.solvers.dop853_kernel"].integrate.signatures) == 1


def explosive(t: Tensor, x: Tensor) -> Tensor:
    return x * x


@pytest.mark.parametrize(("velocity", "start"), [(explosive, 1.0), (lambda t, x: x / (t - t)[:, None], 1.0)])
def test_what_cannot_be_followed_is_told_as_the_eager_path_tells_it(
    velocity: Velocity, start: float, monkeypatch: pytest.MonkeyPatch
):
    initial, times = start * np.array([[0.1, 0.2], [1.0, 0.9], [0.3, 0.4]]), np.linspace(0.0, 1.5, 4)
    told = []
    for rounds in (np.inf, 0):
        due_after(rounds, monkeypatch)
        with pytest.raises(FloatingPointError) as error:
            integrate(velocity, initial, times)
        told.append(str(error.value))
    assert told[0] == told[1]


def test_code_is_loaded_by_a_process_that_has_worked_for_as_long_as_that_takes(monkeypatch: pytest.MonkeyPatch):
    """And by no other, nor for a velocity that it cannot do anything for."""
    asked: list[str] = []

    def ask(self: Handover, *arguments: object) -> bool:
        asked.append(type(self.velocity.__self__).__name__)  # pyright: ignore[reportFunctionMemberAccess]
        return False  # so that the eager path goes on

    monkeypatch.setattr(Handover, "integrate", ask)
    starts = {flow: (*sampled(flow, 2), 1e-6) for flow in (CubicSpiral(), TwoCentre(), Lorenz())}
    due_after(20, monkeypatch)
    for flow, arguments in starts.items():
        for _ in range(2):
            integrate(flow.velocity, *arguments)
    assert SPENT.rounds > 20
    assert asked == ["CubicSpiral", "Lorenz", "Lorenz"]


def test_a_velocity_with_other_bytes_than_its_program_stays_with_torch(monkeypatch: pytest.MonkeyPatch):
    due_after(0, monkeypatch)
    seen = []

    def velocity(t: Tensor, x: Tensor) -> Tensor:
        seen.append(t)
        return torch.add(x, -2.0 * x) if len(seen) == 1 else torch.add(x, x, alpha=-2.0) * (1 + 1e-15)

    solved = integrate(velocity, np.ones((2, 2)), np.array([0.0, 1.0]))
    np.testing.assert_allclose(solved[:, -1], np.exp(-1.0), rtol=1e-9)
    assert len(seen) > 12


@pytest.mark.slow
def test_bytes_are_the_same_on_processors_with_and_without_vectors():
    """Which also tells that no product is contracted with a sum."""
    code = (
        "from tests.systems.solvers import test_handover as here; from systems.solvers import handover\n"
        "handover.LOADING = 0\n"
        "print([here.digest(flow) for flow in (here.Lorenz(), here.Lorenz96(), here.CubicSpiral())])"
    )
    found = {
        subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True, env=os.environ | names)
        for names in ({}, {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "ATEN_CPU_CAPABILITY": "default"})
    }
    assert len(found) == 1


def digest(flow: Flow) -> str:
    initial, times = sampled(flow, 9)
    return sha256(integrate(flow.velocity, np.round(initial, 3), times).tobytes()).hexdigest()


def test_of_no_trajectories_there_is_nothing_to_hand_over(monkeypatch: pytest.MonkeyPatch):
    due_after(0.0, monkeypatch)
    assert integrate(Lorenz().velocity, np.empty((0, 3)), np.linspace(0.0, 1.0, 5)).shape == (0, 5, 3)
