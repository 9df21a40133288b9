"""The backward pass by hand gives the gradients of autograd."""

import pytest
import torch
from torch import Tensor

from learners.networks.stacked import Activation, StackedMLP
from learners.solvers import fused
from learners.solvers.steps import STEPS
from learners.streams import stream
from systems.solvers.fixed import TABLEAUS

SEEDS, BATCH, DIM, COUNT = 2, 5, 3, 4
INCREMENT = torch.tensor([0.3, 0.1, 0.2])


def network(activation: Activation, sizes: tuple[int, ...] = (DIM, 8, 7, DIM)) -> StackedMLP:
    return StackedMLP(sizes, activation, [stream(seed, "weights") for seed in range(SEEDS)])


def by_autograd(stack: StackedMLP, start: Tensor, solver: str) -> Tensor:
    states = [start]
    for _ in range(COUNT):
        states.append(STEPS[solver](lambda s, x: stack(x) * INCREMENT, states[-1], 1.0))
    return torch.stack(states[1:], dim=2)


@pytest.mark.parametrize("solver", TABLEAUS)
@pytest.mark.parametrize("activation", fused.OUTWARD | fused.INWARD)
def test_states_and_gradients_are_those_of_autograd(solver: str, activation: Activation):
    stack = network(activation)
    start = torch.randn((SEEDS, BATCH, DIM), generator=stream(0, "start")).requires_grad_()
    weights = torch.randn((SEEDS, BATCH, COUNT, DIM), generator=stream(1, "start"))
    arguments = [start, *stack.parameters()]
    ours, theirs = fused.integrate(stack, INCREMENT, start, solver, COUNT), by_autograd(stack, start, solver)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    mine, others = (torch.autograd.grad((states * weights).sum(), arguments) for states in (ours, theirs))
    for one, other in zip(mine, others, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_network_without_hidden_layers_is_followed_too():
    stack = network("silu", (DIM, DIM))
    start = torch.ones((SEEDS, BATCH, DIM))
    ours = fused.integrate(stack, INCREMENT, start, "rk4", COUNT)
    torch.testing.assert_close(ours, by_autograd(stack, start, "rk4"), rtol=1e-5, atol=1e-6)
    ours.sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in stack.parameters())


def test_replicas_do_not_affect_each_other():
    stack = network("tanh")
    start = torch.ones((SEEDS, BATCH, DIM))
    fused.integrate(stack, INCREMENT, start, "rk4", COUNT)[0].sum().backward()
    for parameter in stack.parameters():
        assert parameter.grad is not None
        assert parameter.grad[0].any()
        assert not parameter.grad[1].any()
