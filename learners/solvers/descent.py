"""Descents along gradients by compiled code: Adam, or SOAP, of weights that lie where kernels have them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from learners.training.soap import side
from learners.training.training_step import Optimiser


class Matrix(NamedTuple):
    """Where a matrix lies among the weights of a replica: a layer's, of which the last row is often its bias."""

    start: int
    rows: int
    last: int  # place of the last row, which may lie apart from the others
    columns: int
    row: int  # numbers from one row to the next
    column: int


class Descent:
    """Weights `[seed, ...]` that compiled code descends along their gradients: a clip, then Adam or SOAP as eager ones.

    Args:
        weights: of all replicas.
        largest: norm of a replica's gradient.
        optimiser: who descends.
        matrices: that the weights of a replica consist of, which SOAP needs to know.
    """

    def __init__(self, weights: Any, largest: float, optimiser: Optimiser, matrices: Iterable[Matrix]) -> None:
        from learners.solvers import kernel  # which takes seconds to compile, and numba half a second to import

        self.kernel = kernel
        self.weights = weights
        self.largest = largest
        self.count = 0
        self.kept_bytes = 0
        self.gradients, self.means, self.squares = (np.zeros_like(weights) for _ in range(3))
        self.bases = Bases(matrices, len(weights)) if optimiser == "soap" else None

    def descend(self, rate: float) -> None:
        """Clip the gradients and take the optimiser's step."""
        if self.bases is None:
            self.kernel.descend(self.weights, self.gradients, self.means, self.squares, self.largest, rate, self.count)
        else:
            self.bases.descend(self.weights, self.gradients, self.largest, rate, self.count)
        self.count += 1


class Bases:
    """The state of `SOAP` of all matrices of a stack of replicas."""

    def __init__(self, matrices: Iterable[Matrix], seeds: int) -> None:
        from learners.solvers import bases

        places = []
        numbers = 0
        for matrix in matrices:
            height, width = side(matrix.rows), side(matrix.columns)
            places.append((*matrix, height, width))
            numbers += -(-matrix.rows // height) * -(-matrix.columns // width) * bases.state_size(height, width)
        self.compiled = bases
        self.places = np.array(places)
        self.states = np.zeros((seeds, numbers), np.float32)

    def descend(self, weights: Any, gradients: Any, largest: float, rate: float, count: int) -> None:
        """Clip the gradients and take the step after `count` others."""
        self.compiled.descend_in_bases(weights, gradients, self.places, self.states, largest, rate, count)


def adopt(parameter: nn.Parameter, view: Float[Tensor, "..."]) -> None:
    """Let a parameter, with the values that it has, lie where the kernel finds it."""
    view.copy_(parameter.data)
    parameter.data = view
