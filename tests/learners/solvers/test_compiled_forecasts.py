"""Compiled forecasts in fixed steps are those of the eager path, and are asked for numbers alone."""

from collections.abc import Sequence
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
BETWEEN = [0.3, 1.0, 1.2, 3.9, 7.0]  # no whole steps, and some that are longer than one


def perceptron(dim: int, seed: int) -> StackedMLP:
    return StackedMLP([dim, 20, 12, dim], "silu", [stream(seed + place, "w") for place in range(2)])


def states(dim: int, count: int = 45) -> Tensor:
    return torch.randn((2 * count, dim), generator=stream(1, "start"))


def check(rollout: Rollout, start: Tensor, offsets: Sequence[float] = OFFSETS) -> None:
    with torch.no_grad():
        found, spent = rollout(start, offsets)
    eager, evaluations = rollout(start.clone().requires_grad_(), offsets)  # which nobody else asks for
    assert eager.grad_fn is not None
    torch.testing.assert_close(found, eager.detach(), rtol=1e-5, atol=1e-5)
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
    check(rollout, states(dim), BETWEEN)


@pytest.mark.parametrize("solver", ["euler", "midpoint", "rk4"])
@pytest.mark.parametrize("offsets", [OFFSETS, BETWEEN], ids=["whole", "between"])
def test_the_time_goes_on_beside_the_coordinates(
    solver: FixedStep, offsets: Sequence[float], monkeypatch: pytest.MonkeyPatch
):
    field = VectorField(perceptron(3, 0), torch.tensor([0.1, 0.2, 0.3]), pace=0.01).requires_grad_(False)
    asked, in_steps = [], FixedForecasts.in_steps
    monkeypatch.setattr(
        FixedForecasts, "in_steps", lambda own, *given: asked.append(len(given[1])) or in_steps(own, *given)
    )
    check(Integration(solver).rollout(field), states(4), offsets)
    assert asked == [5 if offsets is OFFSETS else 10]


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
        with forward_ad.dual_level():
            assert not is_plain(forward_ad.make_dual(start, start))
            moved, _ = rollout(forward_ad.make_dual(start, start), OFFSETS)
            assert forward_ad.unpack_dual(moved).tangent is not None
    given = start.clone().requires_grad_()
    assert torch.autograd.grad(rollout(given, OFFSETS)[0].sum(), given)[0].any()
