"""Learned vector fields, in standardised states and in time counted in sampling steps."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from learners.networks import Activation, StackedMLP, stream
from learners.standard import Scales


class VectorField(nn.Module):
    """dx/ds = h f(x) for every replica: f is a multilayer perceptron, h the size of the data's own increments."""

    increment: Tensor

    def __init__(self, network: StackedMLP, increment: Float[Tensor, " dim"]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("increment", increment)

    def forward(self, s: float | Tensor, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        return self.network(x) * self.increment


def stacked_field(scales: Scales, hidden: Sequence[int], activation: Activation, seeds: Sequence[int]) -> VectorField:
    """A vector field for every seed, with `hidden` units in its layers, on the device of the scales."""
    dim = len(scales.mean)
    network = StackedMLP([dim, *hidden, dim], activation, [stream(seed, "weights") for seed in seeds])
    return VectorField(network, scales.increment.cpu()).to(scales.mean.device)
