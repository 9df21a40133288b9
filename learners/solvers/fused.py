"""Fixed Runge-Kutta steps of a multilayer perceptron with a backward pass by hand: the same gradients, sooner.

Autograd forms the gradient of the weights in every evaluation and adds them up; here those of several small evaluations
are one product, that is added to in place. And products with narrow matrices are taken the way round that is fast.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from learners.networks.stacked import ACTIVATIONS, Activation, StackedMLP
from systems.solvers.fixed import TABLEAUS, Tableau

ROWS = 128  # of small evaluations that are put together for one product

aten = torch.ops.aten
OUTWARD: dict[Activation, Callable[[Tensor, Tensor], Tensor]] = {  # derivatives that the activation itself tells
    "tanh": lambda gradient, y: aten.tanh_backward(gradient, y, grad_input=gradient),
    "relu": lambda gradient, y: aten.threshold_backward(gradient, y, 0, grad_input=gradient),
}
INWARD: dict[Activation, Callable[[Tensor, Tensor], Tensor]] = {  # those that take what went into the activation
    "silu": lambda gradient, z: aten.silu_backward(gradient, z, grad_input=gradient),
    "elu": lambda gradient, z: aten.elu_backward(gradient, 1, 1, 1, False, z, grad_input=gradient),
    "gelu": lambda gradient, z: aten.gelu_backward(gradient, z, grad_input=gradient),
}

State = Float[Tensor, "seed batch state"]


def integrate(
    network: StackedMLP, increment: Float[Tensor, " state"], start: State, solver: str, count: int
) -> Float[Tensor, "seed batch {count} state"]:
    """The states after 1, ..., `count` unit steps of dx/ds = h f(x), differentiable once."""
    parameters = [each for layer in network.layers for each in (layer.weight, layer.bias)]
    return _Rollout.apply(start, increment, TABLEAUS[solver], network.activation, count, *parameters)


class _Rollout(torch.autograd.Function):
    """Takes the start, the increments, how to step, and the weights and biases of the layers in turns."""

    @staticmethod
    def forward(
        ctx: Any,
        start: State,
        increment: Tensor,
        tableau: Tableau,
        activation: Activation,
        count: int,
        *parameters: Tensor,
    ) -> Tensor:
        layers = [(_fast(weight), bias) for weight, bias in zip(parameters[::2], parameters[1::2], strict=True)]
        kept: list[Tensor] = []  # of each layer of each evaluation in turns: the state, then what derivatives need
        states = [start]
        for _ in range(count):
            slopes: list[Tensor] = []
            for row in tableau.stages:
                value = seen = _moved(states[-1], row, slopes)
                for place, (weight, bias) in enumerate(layers):
                    if place:
                        seen = ACTIVATIONS[activation](value)
                    kept.append(seen if activation in OUTWARD else value)
                    value = torch.baddbmm(bias, seen, weight)
                slopes.append(value.mul_(increment))
            states.append(_moved(states[-1], tableau.weights, slopes))
        ctx.save_for_backward(increment, *parameters, *kept)
        ctx.how = tableau, activation, count, len(parameters)
        return torch.stack(states[1:], dim=2)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        tableau, activation, count, parameters = ctx.how
        increment, *saved = ctx.saved_tensors
        weights, kept = saved[:parameters:2], saved[parameters:]
        after, depth = gradients[0].unbind(2), len(weights)
        derivative = (OUTWARD | INWARD)[activation]
        learned = [_Sums(weight, activation if place else None) for place, weight in enumerate(weights)]
        gradient = after[-1]
        for step in reversed(range(count)):
            of_stages: list[Tensor] = []  # gradients of the stages' states, from the last one on
            for stage in reversed(range(len(tableau.stages))):
                later = [row[stage] for row in tableau.stages[:stage:-1]]
                pulled = _moved(gradient * tableau.weights[stage], later, of_stages) * increment
                first = (step * len(tableau.stages) + stage) * depth
                for place in reversed(range(depth)):
                    learned[place].add(kept[first + place], pulled)
                    pulled = torch.bmm(pulled, weights[place].mT)
                    if place:
                        pulled = derivative(pulled, kept[first + place])
                of_stages.append(pulled)
            gradient = _moved(gradient, [1.0] * len(of_stages), of_stages)
            if step:
                gradient = gradient + after[step - 1]
        return gradient, None, None, None, None, *(each for sums in learned for each in sums.take())


class _Sums:
    """Gradients of the weights and biases of one layer, summed over evaluations."""

    def __init__(self, weight: Tensor, activation: Activation | None) -> None:
        self.activation = activation if activation in INWARD else None  # to be applied to what was kept
        self.narrow = weight.shape[2] < weight.shape[1]
        self.weight = torch.zeros_like(weight.mT if self.narrow else weight, memory_format=torch.contiguous_format)
        self.bias = weight.new_zeros(weight.shape[0], 1, weight.shape[2])
        self.ahead: list[Tensor] = []
        self.behind: list[Tensor] = []

    def add(self, kept: Tensor, gradient: Tensor) -> None:
        """Of one more evaluation: what was kept of the layer's input, and the gradient of its output."""
        self.ahead.append(kept)
        self.behind.append(gradient)
        if len(self.ahead) * kept.shape[1] >= ROWS:
            self._sum()

    def take(self) -> tuple[Tensor, Tensor]:
        if self.ahead:
            self._sum()
        return self.weight.mT if self.narrow else self.weight, self.bias

    def _sum(self) -> None:
        ahead, behind = (each[0] if len(each) == 1 else torch.cat(each, dim=1) for each in (self.ahead, self.behind))
        seen = ahead if self.activation is None else ACTIVATIONS[self.activation](ahead)
        first, second = (behind, seen) if self.narrow else (seen, behind)
        torch.baddbmm(self.weight, first.mT, second, out=self.weight)
        self.bias += behind.sum(dim=1, keepdim=True)
        self.ahead, self.behind = [], []


def _fast(weight: Float[Tensor, "seed inputs outputs"]) -> Float[Tensor, "seed inputs outputs"]:
    """The same matrices, laid out so that a product with them is fast: narrow ones row by row of their transposes."""
    return weight.mT.contiguous().mT if weight.shape[2] < weight.shape[1] else weight


def _moved(state: Tensor, weights: Sequence[float], slopes: Sequence[Tensor]) -> Tensor:
    for weight, slope in zip(weights, slopes, strict=True):
        if weight:
            state = torch.add(state, slope, alpha=weight)
    return state
