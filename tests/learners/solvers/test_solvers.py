"""Fixed-step solvers: their order, and that they are torchdiffeq's schemes of the same names."""

from math import exp

import pytest
import torch
from torchdiffeq import odeint

from learners.solvers.steps import EVALUATIONS, STEPS, Solver


def decay(t: float | torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return -x


def pendulum(t: float | torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    angle, speed = x.unbind(-1)
    return torch.stack([speed, -torch.sin(angle)], dim=-1)


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("midpoint", 2), ("rk4", 4)])
def test_the_error_falls_with_the_order_when_the_step_halves(solver: Solver, order: int):
    def error(steps: int) -> float:
        x = torch.ones(1, dtype=torch.float64)
        for _ in range(steps):
            x = STEPS[solver](decay, x, 1 / steps)
        return abs(x.item() - exp(-1))

    assert error(20) / error(40) == pytest.approx(2**order, rel=0.1)


@pytest.mark.parametrize("solver", ["euler", "midpoint", "rk4"])
def test_steps_are_those_of_torchdiffeq(solver: Solver):
    x = torch.tensor([[1.0, 0.5], [-2.0, 0.1]], dtype=torch.float64)
    times = torch.tensor([0.0, 0.3], dtype=torch.float64)
    expected = odeint(pendulum, x, times, method=solver)[-1]
    torch.testing.assert_close(STEPS[solver](pendulum, x, 0.3), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("solver", ["euler", "midpoint", "rk4"])
def test_a_step_takes_as_many_evaluations_as_it_says(solver: Solver):
    calls = []

    def field(t: float, x: torch.Tensor) -> torch.Tensor:
        calls.append(t)
        return -x

    STEPS[solver](field, torch.ones(1), 0.1)
    assert len(calls) == EVALUATIONS[solver]
