"""Stacked perceptrons that the kernel trains, what they are given, and the gradients that it finds."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from learners.networks.stacked import Activation, StackedMLP
from learners.solvers.descent import Descent
from learners.streams import stream

SEEDS = 2


def stacks(sizes: tuple[int, ...], activation: Activation, count: int = 1, seeds: int = SEEDS) -> list[StackedMLP]:
    return [
        StackedMLP(sizes, activation, [stream(seed + 10 * one, "w") for seed in range(seeds)]) for one in range(count)
    ]


def segments(batch: int, length: int, dim: int, seeds: int = SEEDS) -> Tensor:
    drift = [torch.randn((batch, length, dim), generator=stream(seed, "segments")) for seed in range(seeds)]
    return torch.stack(drift).mul(0.1).cumsum(dim=2)


def gradients_of(updates: Descent, networks: Sequence[nn.Module]) -> list[Tensor]:
    """The kernel's gradients, in the shapes of the parameters, which are views of its weights."""
    flat = torch.from_numpy(updates.gradients).flatten()
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return [flat.as_strided(each.shape, each.stride(), each.storage_offset()) for each in parameters]
