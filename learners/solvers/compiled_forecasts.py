"""Forecasts of perceptrons in adaptive solvers by compiled code: attempted steps, of which each state has its own."""

from copy import deepcopy

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from learners.networks.fields import VectorField
from learners.networks.stacked import StackedMLP, replicas_in
from learners.solvers.compiled import KernelUpdates, stays_in_cache, whole, with_rows
from learners.solvers.pairs import pair_named
from systems.solvers.fixed import Tableau


def compiled_steps(field: nn.Module, state: Tensor, solver: str, tolerance: float) -> "CompiledSteps | None":
    """Steps of a field from such a state; None unless it is a perceptron of one replica in the cache, on a CPU."""
    network = field.perceptron if isinstance(field, VectorField) else None
    if network is None or state.device.type != "cpu" or state.dtype != torch.float32:
        return None
    if replicas_in(network) > 1 or not stays_in_cache(network):
        return None
    return CompiledSteps(network, field.get_buffer("increment"), solver, tolerance)


class CompiledSteps:
    """Steps of an embedded pair, with the weights that a perceptron of one replica has now as a field."""

    def __init__(
        self, perceptron: StackedMLP, increment: Float[Tensor, " state"], solver: str, tolerance: float
    ) -> None:
        from learners.solvers import attempts  # which takes seconds to compile

        pair = pair_named(solver)
        unused = Tableau(((),) * len(pair.step), (0.0,) * len(pair.step))  # the pair's own table is given to each step
        network = deepcopy(perceptron)  # since its parameters are moved
        kernel = KernelUpdates([network], unused, increment, increment, 1.0)
        self.kernel, self.plan, self.weights = attempts, kernel.plan._replace(rows=0, slots=1), kernel.weights[0]
        self.increment, self.tolerance = increment.numpy(), tolerance
        self.table = torch.stack([*pair.matrix, pair.step, pair.error, pair.half]).float().numpy()

    def attempt(
        self, x: Float[Tensor, "batch state"], slope: Float[Tensor, "batch state"], h: Float64[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch state"], Float[Tensor, "3 batch state"], Float[Tensor, " batch"]]:
        """The new states; the states half-way, the first slopes and the last; the errors in tolerances."""
        if len(x) > self.plan.rows:
            self._reserve(len(x))
        found, errors = np.empty((3, *x.shape), np.float32), np.empty(len(x), np.float32)
        states, slopes = x.contiguous().numpy(), slope.contiguous().numpy()
        self.kernel.attempt_each(
            self.plan,
            self.memory,
            self.weights,
            self.table,
            self.tolerance,
            h.float().numpy(),
            states,
            slopes,
            found,
            errors,
        )
        new, half, last = torch.from_numpy(found).unbind()
        return new, torch.stack([half, slope, last]), torch.from_numpy(errors)

    def _reserve(self, count: int) -> None:
        """Memory for so many states."""
        from learners.solvers import blocks

        self.plan = with_rows(self.plan, whole(count, blocks.ROWS), self.increment)
        self.memory = self.kernel.reserve(self.plan)
