"""Compiled steps of Runge and Kutta, held to the eager ones."""

from typing import Any

import pytest
import torch
from torch import Tensor

from systems import Lorenz, Rossler
from systems.solvers import fixed_kernel
from systems.solvers.fixed import rk4
from systems.solvers.tracing import trace


def driven(t: float | Tensor, x: Tensor) -> Tensor:
    """With all operations, and the time of each stage."""
    time = torch.as_tensor(t, dtype=x.dtype).expand(x.shape[:-1])
    first, second = x.unbind(-1)
    return torch.stack([second / (1 + first.abs()) - time, -first + time * second], dim=-1)


@pytest.mark.parametrize("precision", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("rows", [1, 130])
@pytest.mark.parametrize(
    ("velocity", "dim"),
    [(Lorenz().velocity, 3), (Rossler().velocity, 3), (driven, 2)],
    ids=["Lorenz", "Rossler", "driven"],
)
def test_states_are_those_of_eager_steps_to_rounding(velocity: Any, dim: int, rows: int, precision: torch.dtype):
    start = 3 * torch.randn(rows, dim, generator=torch.Generator().manual_seed(0)).to(precision)
    program, expected = trace(velocity, dim), start
    assert program is not None
    for _ in range(5):
        expected = rk4(velocity, expected, 0.04 / 5)
    found = fixed_kernel.steps(program, start, 0.04, 5)
    assert found.dtype == precision
    torch.testing.assert_close(
        found, expected, rtol=20 * torch.finfo(precision).eps, atol=20 * torch.finfo(precision).eps
    )
