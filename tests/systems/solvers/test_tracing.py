"""Velocities become programs that give torch's bytes, or are left to torch."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from systems import Dysts, Flow
from systems.solvers.tracing import Velocity, trace
from tests.support.problems import every_flow

EAGER = {  # functions, choices, vmap, transforms
    "Colpitts", "DoublePendulum", "DoubleScroll", "Family", "KuramotoSivashinsky", "MackeyGlass", "Thomas", "TwoCentre",
}  # fmt: skip
FORMULAS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "operators": lambda t, x: torch.stack([x[:, 0] * 3 - x[:, 1], 2 / x[:, 2], -abs(x[:, 1]) / 7], dim=-1),
    "from the right": lambda t, x: 1 - (2 + (3 * x)) * x.reciprocal(),
    "powers": lambda t, x: x**2 - 0.3 * x**3 + x.square(),
    "time": lambda t, x: x * (0.1 * t)[:, None] - torch.as_tensor(t).unsqueeze(-1),
    "order": lambda t, x: torch.cat([x[..., 1:], x[..., :1]], dim=-1) - x.roll(1, dims=-1) + x.flip(-1),
    "shapes": lambda t, x: (x.mT * torch.tensor([0.1, 0.7])[:, None, None]).sub(1.5)[1].T.reshape(-1, 3).expand(-1, 3),
    "constants": lambda t, x: torch.stack(
        [x[:, 0], torch.zeros_like(t), torch.as_tensor(5.0).expand(t.shape).to(x)], dim=-1
    ),
}
UNTRACED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "a function": lambda t, x: torch.sin(x),
    "a root": lambda t, x: x.abs().sqrt(),
    "another power": lambda t, x: x**4,
    "a sum along the state": lambda t, x: x - x.sum(dim=-1, keepdim=True),
    "a product of matrices": lambda t, x: x @ torch.eye(3, dtype=x.dtype),
    "a mean over the batch": lambda t, x: x - x.mean(dim=0),
    "another state": lambda t, x: x - x[:1],
    "a neighbour": lambda t, x: x - x.roll(1, dims=0),
    "a choice by value": lambda t, x: x if x[0, 0] > 0 else -x,
    "an element-wise choice": lambda t, x: torch.where(x > 0, x, 2 * x),
    "numpy": lambda t, x: torch.from_numpy(x.numpy() * 2),
    "a number": lambda t, x: x * float(x[0, 0]),
    "a factor of a sum": lambda t, x: torch.add(x, x, alpha=0.1),
    "a rounded quotient": lambda t, x: torch.div(x, 3.0, rounding_mode="floor"),
    "single precision": lambda t, x: x.float() * 0.1,
    "complex numbers": lambda t, x: (x * 1j).real,
    "in place": lambda t, x: x.clone().mul_(2.0),
    "a mistake": lambda t, x: getattr(x, "no_such_method")(),  # noqa: B009
}


def states(dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Times, and states of all magnitudes, of which some numbers are zero or not finite."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((257, dim)) * 10.0 ** rng.integers(-3, 3, (257, dim))
    x[rng.integers(0, 257, 20), rng.integers(0, dim, 20)] = np.resize([0.0, -0.0, np.inf, 1e-310, 1e200], 20)
    return rng.uniform(0, 9, 257), x


def is_same(velocity: Velocity, dim: int) -> bool:
    """Whether a velocity's program gives its bytes, whatever the sign of NaN."""
    t, x = states(dim)
    program = trace(velocity, dim)
    assert program is not None
    with np.errstate(all="ignore"):
        ours, eager = program(t, x), velocity(torch.from_numpy(t), torch.from_numpy(x)).numpy()
    return np.array_equal(ours, eager, equal_nan=True) and np.array_equal(
        np.signbit(ours[~np.isnan(ours)]), np.signbit(eager[~np.isnan(ours)])
    )


@pytest.mark.parametrize("flow", [flow for flow in every_flow() if not isinstance(flow, Dysts)], ids=repr)
def test_velocities_of_arithmetic_alone_are_programs_to_the_last_bit(flow: Flow):
    if type(flow).__name__ in EAGER:
        assert trace(flow.velocity, flow.dim) is None
    else:
        assert is_same(flow.velocity, flow.dim)


@pytest.mark.parametrize("name", FORMULAS)
def test_whatever_way_arithmetic_is_written_it_becomes_a_program(name: str):
    assert is_same(FORMULAS[name], 3)


@pytest.mark.parametrize("name", UNTRACED)
def test_what_is_no_arithmetic_of_one_state_becomes_none(name: str):
    assert trace(UNTRACED[name], 3) is None


def test_numbers_that_are_needed_no_more_leave_their_registers():
    program = trace(lambda t, x: x + x * x + x * x * x + x * x * x * x, 3)
    assert program is not None
    assert len(program.lines) == 6 * 3  # what is the same is worked out once
    assert program.registers == 3 + 1 + 3 + 2  # the state, the time, the outputs, and what is under way
