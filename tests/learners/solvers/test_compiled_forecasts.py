"""Compiled forecasts in fixed steps are those of the eager path, and are asked for numbers alone."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad

from learners.networks.fields import VectorField
from learners.networks.stacked import StackedMLP
from learners.resnet import ResidualMap, ResNet
from learners.solvers.compiled_forecasts import FixedForecasts
from learners.solvers.integration import Integration
from learners.solvers.rollout import Rollout
from learners.solvers.steps import FixedStep
from learners.streams import stream
from systems.solvers.handover import is_plain
from tests.support.cases import few

OFFSETS = [1.0, 4.0, 5.0]


def perceptron(dim: int, seed: int) -> StackedMLP:
    return StackedMLP([dim, 20, 12, dim], "silu", [stream(seed + place, "w") for place in range(2)])


def states(dim: int, count: int = 45) -> Tensor:
    return torch.randn((2 * count, dim), generator=stream(1, "start"))


def check(rollout: Rollout, start: Tensor) -> None:
    with torch.no_grad():
        found, spent = rollout(start, OFFSETS)
    eager, evaluations = rollout(start, OFFSETS)  # with gradients, which nobody else asks for
    torch.testing.assert_close(found, eager, rtol=1e-5, atol=1e-5)
    assert spent == evaluations


@pytest.mark.parametrize("solver", ["euler", "midpoint", "rk4"])
@pytest.mark.parametrize("dim", few([3, 5, 20], 0, 2))
def test_fixed_steps_of_a_field_are_those_of_the_eager_path(solver: FixedStep, dim: int):
    field = VectorField(perceptron(dim, 0), torch.linspace(0.1, 0.3, dim)).requires_grad_(False)
    rollout = Integration(solver).rollout(field)
    check(rollout, states(dim))
    network: Any = field.network
    network.layers[0].weight.data.mul_(0.5)  # forecasts take the weights of the moment
    check(rollout, states(dim))


def test_residual_blocks_take_turns():
    network = ResidualMap([perceptron(3, 0), perceptron(3, 5)], torch.tensor([0.1, 0.2, 0.3])).requires_grad_(False)
    check(ResNet()._rollout(network), states(3))


def test_compiled_forecasts_are_asked_for_nothing_but_numbers(monkeypatch: pytest.MonkeyPatch):
    field = VectorField(perceptron(3, 0), torch.tensor([0.1, 0.2, 0.3])).requires_grad_(False)
    rollout, start = Integration("rk4").rollout(field), states(3)

    def refuse(*arguments: object) -> None:
        raise AssertionError("the kernel was asked")

    monkeypatch.setattr(FixedForecasts, "__init__", refuse)
    with torch.no_grad(), pytest.raises(AssertionError, match="the kernel was asked"):
        rollout(start, OFFSETS)
    with torch.no_grad():
        rollout(start, [1.0])  # too short to be worth while
        rollout(start, [0.5, 4.5])  # between samples
        with forward_ad.dual_level():
            assert not is_plain(forward_ad.make_dual(start, start))
            moved, _ = rollout(forward_ad.make_dual(start, start), OFFSETS)
            assert forward_ad.unpack_dual(moved).tangent is not None
    given = start.clone().requires_grad_()
    assert torch.autograd.grad(rollout(given, OFFSETS)[0].sum(), given)[0].any()
