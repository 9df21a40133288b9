"""Training steps of continuous depth beside plain torchdiffeq with the time written into a channel, in one run."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest
import torch
from torch import Tensor
from torchdiffeq import odeint, odeint_adjoint

from learners.images.networks import ContinuousBlock, ConvolutionalField
from tests.support.images import ConcatenatedTime

WIDTH, BATCH, ROUNDS = 64, 128, 5


def ratio(plain: Callable[[], None], mine: Callable[[], None]) -> float:
    """How many times faster mine is: the shortest of some rounds, taken in turn so that both see the same machine."""
    seconds: tuple[list[float], list[float]] = [], []
    plain()
    mine()
    for _ in range(ROUNDS):
        for step, times in zip((plain, mine), seconds, strict=True):
            begin = perf_counter()
            step()
            times.append(perf_counter() - begin)
    return min(seconds[0]) / min(seconds[1])


@pytest.mark.parametrize(
    ("solver", "adjoint", "faster"),
    [("euler", True, 1.15), ("dopri5", False, 1.0)],
    ids=["ODENet Euler", "RKNet dopri5"],
)
def test_a_training_step_is_faster_than_with_a_time_channel(benchmark, solver, adjoint, faster):
    torch.manual_seed(0)
    field = ConvolutionalField(WIDTH, "group", time=True)
    plain, block = ConcatenatedTime(field, WIDTH), ContinuousBlock(field, solver, 1e-3, 20, 500, adjoint)
    maps, times, solve = (
        torch.randn(BATCH, WIDTH, 6, 6),
        torch.tensor([0.0, 1.0]),
        odeint_adjoint if adjoint else odeint,
    )
    options = {"options": {"step_size": 0.05}} if solver == "euler" else {}

    def step(end_of: Callable[[Tensor], Any]) -> Tensor:
        end = end_of(maps.clone().requires_grad_())
        end.square().mean().backward()
        return end.detach()

    def theirs(x: Tensor) -> Any:
        return solve(plain, x, times, method=solver, rtol=1e-3, atol=1e-3, **options)[-1]

    assert torch.allclose(step(block), step(theirs), atol=1e-5, rtol=0)
    found = benchmark.pedantic(ratio, (lambda: step(theirs), lambda: step(block)), rounds=1)
    benchmark.extra_info["ratio"] = found
    assert found >= faster, f"only {found:.2f} times as fast"
