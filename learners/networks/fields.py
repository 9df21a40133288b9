"""Learned vector fields, in standardised states and in time counted in sampling steps."""

from collections.abc import Sequence
from math import sqrt
from typing import Literal, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.networks.scales import Scales
from learners.networks.stacked import Architecture, StackedMLP, stacked_network
from learners.streams import stream

Inputs = Literal["state", "cubic"]


class FieldForm(Architecture, Protocol):
    """The hyper-parameters of a vector field."""

    @property
    def inputs(self) -> Inputs: ...
    @property
    def time(self) -> bool: ...


class VectorField(nn.Module):
    """dx/ds = h f(x) - D x for every replica: f is a network, h the size of the data's own increments.

    The second term is there where a damping is given. With an `origin`, f sees the third powers of the coordinates
    about it. Where the state ends with the time, that runs at its constant pace, and f sees `clocks` copies of it.
    """

    increment: Tensor
    origin: Tensor | None

    def __init__(
        self,
        network: nn.Module,
        increment: Float[Tensor, " dim"],
        damping: nn.Module | None = None,
        origin: Float[Tensor, " dim"] | None = None,
        pace: float = 0.0,
        clocks: int = 0,
    ) -> None:
        super().__init__()
        self.network = network
        self.damping = damping
        self.pace = pace
        self.clocks = clocks
        self.register_buffer("increment", increment)
        self.register_buffer("origin", origin)

    @property
    def perceptron(self) -> StackedMLP | None:
        """The network, where the field is no more than a perceptron of the state times the increments."""
        return None if self.pace else self.moving

    @property
    def moving(self) -> StackedMLP | None:
        """The network, where coordinates follow a perceptron of them times the increments, whatever the time does."""
        more = self.damping is not None or self.origin is not None or bool(self.clocks)
        return self.network if isinstance(self.network, StackedMLP) and not more else None

    def forward(self, s: float | Tensor, x: Float[Tensor, "seed batch state"]) -> Float[Tensor, "seed batch state"]:
        position, clock = x.tensor_split([len(self.increment)], dim=-1) if self.pace else (x, None)
        seen = position if self.origin is None else (position - self.origin) ** 3
        if clock is not None and self.clocks:
            seen = torch.cat([seen, clock.expand(*clock.shape[:-1], self.clocks)], dim=-1)
        velocity = self.network(seen) * self.increment
        if self.damping is not None:
            velocity = velocity - self.damping(position)
        return velocity if clock is None else torch.cat([velocity, torch.full_like(clock, self.pace)], dim=-1)


class Damping(nn.Module):
    """x -> A A^T x for every replica, of which A is learned: positive, so that its negative drives all states to zero.

    Linot and Graham, "Data-driven reduced-order modeling of spatiotemporal chaos with neural ordinary differential
    equations", Chaos 32, 2022.
    """

    def __init__(self, dim: int, rate: float, replicas: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(sqrt(rate) * torch.eye(dim).repeat(replicas, 1, 1))

    def forward(self, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        return torch.bmm(torch.bmm(x, self.factor), self.factor.transpose(1, 2))


class RingDamping(nn.Module):
    """Damping alike at all sites of a ring: each Fourier mode of each channel decays at a learned rate of its own."""

    def __init__(self, sites: int, channels: int, rate: float, replicas: int) -> None:
        super().__init__()
        self.sites = sites
        self.roots = nn.Parameter(torch.full((replicas, 1, channels, sites // 2 + 1), sqrt(rate)))

    def forward(self, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        modes = torch.fft.rfft(x.unflatten(-1, (-1, self.sites)))
        return torch.fft.irfft(self.roots**2 * modes, self.sites).flatten(-2)


def stacked_field(form: FieldForm, scales: Scales, seeds: Sequence[int]) -> VectorField:
    """A vector field for every seed, on the device of the scales."""
    dim = scales.dim + scales.augmented
    clocks = (scales.dim if form.network == "convolution" else 1) if form.time else 0
    generators = [stream(seed, "weights") for seed in seeds]
    network = stacked_network(form, scales.dim, dim + clocks, dim, generators)
    increment = scales.increment
    origin = None
    if scales.augmented:
        increment = torch.cat([increment, increment.mean().expand(scales.augmented)])
    if form.inputs == "cubic":
        origin = nn.functional.pad(-(scales.mean / scales.std).float(), (0, scales.augmented))
    damping = stacked_damping(form, scales, len(seeds))
    return VectorField(network, increment, damping, origin, scales.pace, clocks).to(scales.mean.device)


def stacked_damping(form: Architecture, scales: Scales, replicas: int) -> nn.Module | None:
    """The damping that a learner asks for, of equal rates at the start of training."""
    if not form.damping:
        return None
    if form.network == "convolution":
        return RingDamping(scales.dim, 1 + scales.augmented // scales.dim, form.damping, replicas)
    return Damping(scales.dim + scales.augmented, form.damping, replicas)
