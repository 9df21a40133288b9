"""Training of perceptrons by the compiled kernel: where their weights lie, and how their rollouts are cut up."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.networks.stacked import StackedMLP
from learners.solvers.descent import Descent, Matrix, adopt
from learners.training.training_step import Optimiser
from systems.solvers.fixed import Tableau

CACHE = 2**18  # bytes that hidden layers may take for all that a core does to stay in its own cache
MOST_ROWS = 32  # of a block
LARGEST = 2**17  # weights of a layer: BLAS is as fast where they do not stay in the cache


def kernel_updates(
    networks: Iterable[nn.Module],
    tableau: Tableau,
    increment: Float[Tensor, " state"],
    unit: Float[Tensor, " dim"],
    pace: float = 0.0,
) -> "Callable[..., KernelUpdates] | None":
    """The function that makes `KernelUpdates` from what training asks for; None where the kernel is no gain.

    It is for perceptrons whose layers stay in the cache, and needs numba, which a machine may lack that has a GPU.
    """
    perceptrons = compilable(networks)
    return partial(KernelUpdates, perceptrons, tableau, increment, unit, pace=pace) if perceptrons else None


def compilable(networks: Iterable[nn.Module | None]) -> list[StackedMLP] | None:
    """The networks, where the kernel can have them: all are perceptrons that stay in the cache, and numba is here."""
    perceptrons: list[StackedMLP] = []
    for network in networks:
        if not isinstance(network, StackedMLP) or not stays_in_cache(network):
            return None
        perceptrons.append(network)
    return perceptrons if find_spec("numba") else None


def stays_in_cache(network: StackedMLP) -> bool:
    """Whether each of a network's layers does."""
    return max(each[0].numel() for each in network.parameters()) <= LARGEST


class KernelUpdates(Descent):
    """Updates of a stack of rollouts x <- x + h f(x), as the clip and Adam of the eager ones make them, to rounding.

    The weights are moved to where the kernel finds them: the networks' parameters are views of one array from then on.

    Args:
        networks: that take turns within one sampling step.
        tableau: of the steps that each network takes.
        increment: the size h of each number of the state.
        unit: what errors of the leading numbers are measured in; others do not count.
        largest: norm of a replica's gradient.
        optimiser: who descends.
        pace: what a sampling step adds to the time, where that is the last number of each sample: then steps are as
            long as the time from one sample to the next.
    """

    def __init__(
        self,
        networks: Sequence[StackedMLP],
        tableau: Tableau,
        increment: Float[Tensor, " state"],
        unit: Float[Tensor, " dim"],
        largest: float,
        optimiser: Optimiser = "adam",
        pace: float = 0.0,
    ) -> None:
        from learners.solvers import arithmetic, blocks

        self.evaluations: tuple[int, int] | None = None
        layers: list[Any] = list(networks[0].layers)
        state = len(increment)
        sizes = [blocks.NARROW if state <= blocks.NARROW else whole(state, blocks.LANES)] * (len(layers) + 1)
        sizes[1:-1] = [whole(layer.weight.shape[2], blocks.LANES) for layer in layers[:-1]]
        shapes = [blocks.shape(inputs, outputs) for inputs, outputs in pairwise(sizes)]
        offsets = [0, *accumulate(rows * columns for rows, columns in shapes)]
        weights = np.zeros((len(layers[0].weight), len(networks) * offsets[-1]), np.float32)
        super().__init__(weights, largest, optimiser, _matrices(networks, sizes, offsets))
        places = torch.from_numpy(self.weights).split(offsets[-1], dim=1)
        for network, place in zip(networks, places, strict=True):
            for index, layer in enumerate(network.layers):
                own = place[:, offsets[index] : offsets[index + 1]].unflatten(1, shapes[index])
                _move(layer, own.mT if sizes[index + 1] == blocks.NARROW else own, sizes[index])
        stages = len(tableau.weights)
        coefficients = np.zeros((stages + 1, stages + 1), np.float32)
        for row, values in zip(coefficients, (*tableau.stages, tableau.weights), strict=True):
            row[: len(values)] = values
        coefficients[:, -1] = 1
        of_row = 8 * stages * sum(size + blocks.LANES for size in sizes[1:-1])
        rows = min(max(CACHE // of_row // blocks.ROWS, 1) * blocks.ROWS, MOST_ROWS)
        plan = blocks.BlockPlan(
            sizes=np.array(sizes),
            offsets=np.array(offsets),
            networks=len(networks),
            activation=arithmetic.ACTIVATIONS.index(networks[0].activation),
            tableau=coefficients,
            transposed=np.ascontiguousarray(coefficients.T),
            increment=increment.numpy().astype(np.float32),
            increments=None,
            pace=np.float32(pace),
            importance=np.pad(1 / (unit * len(unit) ** 0.5).numpy(), (0, state - len(unit))),
            rows=0,
            slots=max(1, CACHE // (of_row * rows)),
        )
        self.plan = with_rows(plan, rows)

    def differentiate(self, segments: Float[Tensor, "seed batch length state"]) -> Float[Tensor, " seed"]:
        """The loss of each replica, whose gradients are kept for the descent."""
        losses = np.empty(len(segments), np.float32)
        self.kept_bytes = len(segments) * self.kernel.differentiate(  # in which the replicas take turns
            self.plan, segments.contiguous().numpy(), self.weights, self.gradients, losses
        )
        return torch.from_numpy(losses)


def _matrices(networks: Sequence[StackedMLP], sizes: Sequence[int], offsets: Sequence[int]) -> Iterator[Matrix]:
    """Where the kernel has the layers' weights, each with its bias behind all the inputs that it is filled up to."""
    from learners.solvers import blocks

    for start, network in zip(range(0, len(networks) * offsets[-1], offsets[-1]), networks, strict=True):
        layers: list[Any] = list(network.layers)
        for index, layer in enumerate(layers):
            _, rows, columns = layer.weight.shape
            _, length = blocks.shape(sizes[index], sizes[index + 1])
            apart = (1, length) if sizes[index + 1] == blocks.NARROW else (length, 1)
            yield Matrix(start + offsets[index], rows + 1, sizes[index], columns, *apart)


def whole(count: int, multiple: int) -> int:
    """The least multiple of a number that is no smaller than the count."""
    return -(-count // multiple) * multiple


def with_rows(plan: Any, count: int) -> Any:
    """The plan for blocks of so many states, filled up to whole tiles by others in which nothing moves."""
    from learners.solvers import blocks

    increments = np.zeros((whole(count, blocks.ROWS), blocks.row(int(plan.sizes[0]))), np.float32)
    increments[:count, : len(plan.increment)] = plan.increment
    return plan._replace(rows=len(increments), increments=increments.ravel())


def _move(layer: Any, own: Float[Tensor, "seed rows columns"], inputs: int) -> None:
    """Let a layer's parameters be views of the kernel's array, in which the bias is the row behind all inputs."""
    _, rows, columns = layer.weight.shape
    adopt(layer.weight, own[:, :rows, :columns])
    adopt(layer.bias, own[:, inputs : inputs + 1, :columns])
