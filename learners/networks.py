"""Networks with a leading replica axis, so that all the seeds of a cell train as one program.

Every tensor of a stack is `[seed, ...]` and no operation mixes replicas: a stack of one is the plain network.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import pairwise
from math import sqrt
from typing import Literal, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

Activation = Literal["silu", "tanh", "relu", "elu", "gelu"]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": nn.functional.silu,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "elu": nn.functional.elu,
    "gelu": nn.functional.gelu,
}

Network = TypeVar("Network", bound=nn.Module)


def stream(seed: int, purpose: str) -> torch.Generator:
    """The random stream of one seed for one purpose, on the CPU, independent of all others."""
    state = np.random.SeedSequence([seed, *purpose.encode()]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


def uniform(shape: Sequence[int], bound: float, generators: Sequence[torch.Generator]) -> nn.Parameter:
    """A stacked parameter `[seed, *shape]`, uniform on [-bound, bound], each replica from its own generator."""
    draws = [torch.rand(tuple(shape), generator=generator) for generator in generators]
    return nn.Parameter(bound * (2 * torch.stack(draws) - 1))


def replica(stack: Network, index: int) -> Network:
    """One network of a stack, as a stack of one, apart from the original."""
    single = deepcopy(stack)
    for parameter in single.parameters():
        parameter.data = parameter.data[index : index + 1].clone()
    return single.requires_grad_(False)


def size(stack: nn.Module) -> int:
    """Number of learned numbers of one network of the stack."""
    return sum(parameter[0].numel() for parameter in stack.parameters())


class StackedLinear(nn.Module):
    """x -> x W + b for every replica, initialised as `torch.nn.Linear` is."""

    def __init__(self, inputs: int, outputs: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.weight = uniform((inputs, outputs), 1 / sqrt(inputs), generators)
        self.bias = uniform((1, outputs), 1 / sqrt(inputs), generators)

    def forward(self, x: Float[Tensor, "seed batch inputs"]) -> Float[Tensor, "seed batch outputs"]:
        return torch.baddbmm(self.bias, x, self.weight)


class StackedMLP(nn.Module):
    """A multilayer perceptron for every replica: linear layers with an activation between them."""

    def __init__(self, sizes: Sequence[int], activation: Activation, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        layers = (StackedLinear(inputs, outputs, generators) for inputs, outputs in pairwise(sizes))
        self.layers = nn.ModuleList(layers)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Float[Tensor, "seed batch inputs"]) -> Float[Tensor, "seed batch outputs"]:
        *hidden, last = self.layers
        for layer in hidden:
            x = self.activation(layer(x))
        return last(x)
