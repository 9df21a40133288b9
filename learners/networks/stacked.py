"""Networks with a leading replica axis, so that all the seeds of a cell train as one program.

Every tensor of a stack is `[seed, ...]` and no operation mixes replicas: a stack of one is the plain network.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import pairwise
from math import sqrt
from typing import Literal, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Unsuitable

Activation = Literal["silu", "tanh", "relu", "elu", "gelu", "leaky_relu"]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": nn.functional.silu,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "elu": nn.functional.elu,
    "gelu": nn.functional.gelu,
    "leaky_relu": nn.functional.leaky_relu,
}

NetworkKind = Literal["mlp", "convolution", "matrix"]
Network = TypeVar("Network", bound=nn.Module)


@runtime_checkable
class Architecture(Protocol):
    """The hyper-parameters of a network, which learners have among their own."""

    @property
    def network(self) -> NetworkKind: ...
    @property
    def width(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def widths(self) -> tuple[int, ...]: ...  # of the hidden layers one by one; none: as many as `depth` of one width
    @property
    def activation(self) -> Activation: ...
    @property
    def kernel(self) -> int: ...
    @property
    def patch(self) -> int: ...
    @property
    def damping(self) -> float: ...  # of a learned linear damping at the start of training; 0: none


def stacked_network(
    architecture: Architecture, sites: int, inputs: int, outputs: int, generators: Sequence[torch.Generator]
) -> nn.Module:
    """A network for every replica. To a convolution, inputs and outputs are channels one after the other, of `sites`.

    Raises Unsuitable where they are not.
    """
    if architecture.network == "matrix":
        return StackedMatrix(inputs, outputs, generators)
    hidden = architecture.widths or [architecture.width] * architecture.depth
    if architecture.network == "mlp":
        return StackedMLP([inputs, *hidden, outputs], architecture.activation, generators)
    kernel, patch = architecture.kernel, architecture.patch
    if inputs % sites or outputs % sites or sites % patch or kernel * patch > sites:
        raise Unsuitable(
            f"a convolution with kernel={kernel} and patch={patch} needs sites of which whole patches can be made, as "
            f"many as the kernel at least, and whole channels on them, but there are {sites} sites, {inputs} inputs "
            f'and {outputs} outputs: choose another kernel or patch, or network="mlp"'
        )
    channels = [inputs // sites * patch, *hidden, outputs // sites * patch]
    return StackedConvolution(channels, kernel, patch, architecture.activation, generators)


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


def refresh(replicas: Sequence[nn.Module], stack: nn.Module) -> None:
    """Give replicas that were taken from a stack its numbers of now."""
    with torch.no_grad():
        for index, one in enumerate(replicas):
            for mine, its in zip(one.parameters(), stack.parameters(), strict=True):
                mine.copy_(its[index : index + 1])
            for mine, its in zip(one.buffers(), stack.buffers(), strict=True):
                mine.copy_(its)


def joined(stacks: Sequence[Network]) -> Network:
    """The replicas of several stacks as one stack, apart from the originals."""
    together = deepcopy(stacks[0])
    for parameters in zip(together.parameters(), *(stack.parameters() for stack in stacks), strict=True):
        parameters[0].data = torch.cat([one.data for one in parameters[1:]])
    return together


def replicas_in(stack: nn.Module) -> int:
    """How many networks a stack has."""
    return len(next(stack.parameters()))


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


class StackedMatrix(nn.Module):
    """x -> x W for every replica, where W is random at first, with a standard deviation of a half."""

    def __init__(self, inputs: int, outputs: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        draws = [torch.randn((inputs, outputs), generator=generator) for generator in generators]
        self.weight = nn.Parameter(torch.stack(draws) / 2)

    def forward(self, x: Float[Tensor, "seed batch inputs"]) -> Float[Tensor, "seed batch outputs"]:
        return torch.bmm(x, self.weight)


class StackedMLP(nn.Module):
    """A multilayer perceptron for every replica: linear layers with an activation between them."""

    def __init__(self, sizes: Sequence[int], activation: Activation, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        layers = (StackedLinear(inputs, outputs, generators) for inputs, outputs in pairwise(sizes))
        self.layers = nn.ModuleList(layers)
        self.activation: Activation = activation

    def forward(self, x: Float[Tensor, "seed batch inputs"]) -> Float[Tensor, "seed batch outputs"]:
        *hidden, last = self.layers
        for layer in hidden:
            x = ACTIVATIONS[self.activation](layer(x))
        return last(x)


class StackedConvolution(nn.Module):
    """Periodic convolutions along a ring of sites for every replica, with an activation between them.

    `patch` neighbouring sites stand together as channels of one place; `channels` counts them so. The initial weights
    are distributed as those of `torch.nn.Conv1d`. Replicas are groups of one convolution.
    """

    def __init__(
        self,
        channels: Sequence[int],
        kernel: int,
        patch: int,
        activation: Activation,
        generators: Sequence[torch.Generator],
    ) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in pairwise(channels):
            bound = 1 / sqrt(inputs * kernel)
            self.weights.append(uniform((outputs, inputs, kernel), bound, generators))
            self.biases.append(uniform((outputs,), bound, generators))
        self.channels = channels[0]
        self.patch = patch
        self.around = (kernel // 2, kernel - 1 - kernel // 2)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Float[Tensor, "seed batch inputs"]) -> Float[Tensor, "seed batch outputs"]:
        seeds, batch, _ = x.shape
        x = x.view(seeds, batch, self.channels // self.patch, -1, self.patch)
        x = x.permute(1, 0, 2, 4, 3).reshape(batch, seeds * self.channels, -1)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x if layer == 0 else self.activation(x)
            x = nn.functional.pad(x, self.around, mode="circular")
            x = nn.functional.conv1d(x, weight.flatten(0, 1), bias.flatten(), groups=seeds)
        x = x.view(batch, seeds, -1, self.patch, x.shape[-1])
        return x.permute(1, 0, 2, 4, 3).reshape(seeds, batch, -1)
