"""Training of perceptrons in adaptive solvers by compiled code: through the steps, or by the adjoint equation.

Steps, states and gradients are those of torchdiffeq's `odeint` and `odeint_adjoint`, to rounding.
"""

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from learners.base import SolverError
from learners.networks.stacked import StackedMLP
from learners.solvers.compiled import KernelUpdates, with_rows
from learners.solvers.pairs import Steps, pair_named
from learners.training.training_step import Optimiser
from systems.solvers.fixed import Tableau

Gradient = Literal["backpropagation", "adjoint"]
Row = Float32[np.ndarray, " number"]  # of all states of a batch, or with their gradients and those of the weights


@dataclass
class _Taken:
    """A step that was taken."""

    memory: Any  # of its stages
    table: Any
    first: int  # stage that was evaluated
    outputs: list[Row]  # what states that were asked for within it take of its slopes


class AdaptiveUpdates:
    """Updates of one perceptron as a field in an adaptive solver, as the eager ones make them, to rounding.

    Args:
        network: of one replica, whose parameters become views of the kernel's array.
        solver: name of the pair.
        tolerance: relative and absolute.
        gradient: by backpropagation through the steps, or by the adjoint equation.
        increment: the size of each number of the state.
        unit: what errors of the leading numbers are measured in; others do not count.
        largest: norm of the gradient.
        optimiser: who descends.
    """

    def __init__(
        self,
        network: StackedMLP,
        solver: str,
        tolerance: float,
        gradient: Gradient,
        increment: Float[Tensor, " state"],
        unit: Float[Tensor, " dim"],
        largest: float,
        optimiser: Optimiser = "adam",
    ) -> None:
        from learners.solvers import attempts  # which takes seconds to compile

        self.pair = pair_named(solver)
        self.solver = solver
        self.tolerance = tolerance
        self.gradient = gradient
        self.stages = len(self.pair.step)
        unused = Tableau(((),) * self.stages, (0.0,) * self.stages)  # steps are scaled, and so have tables of their own
        self.kernel = attempts
        self.updates = KernelUpdates([network], unused, increment, unit, largest, optimiser)
        self.increment = increment.numpy()
        self.weights = self.updates.weights[0]
        self.sizes = [parameter.numel() for parameter in network.parameters()]
        self.batch, self.forward, self.kept_bytes = 0, 0, 0
        self.evaluations: tuple[int, int] | None = None
        last = np.eye(1, self.stages + 1, self.stages)
        rows = [*self.pair.matrix.numpy(), self.pair.step.numpy(), self.pair.error.numpy()]
        self.table = np.pad(np.stack(rows), ((0, 0), (0, 1)))
        self.constant = np.repeat([1.0, 0.0], [self.stages + 1, 1])[:, None] * last

    def differentiate(self, segments: Float[Tensor, "1 batch length state"]) -> Float[Tensor, " 1"]:
        """The loss, whose gradients are kept for the descent. Raises SolverError where the solver cannot go on."""
        try:
            return torch.tensor([self._differentiate(segments[0].numpy())])
        except SolverError as failure:
            raise SolverError(f"{self.solver} at tolerance {self.tolerance:g} could not go on: {failure}") from failure

    def descend(self, rate: float) -> None:
        """Clip the gradients and take the optimiser's step."""
        self.updates.descend(rate)

    def _differentiate(self, segments: Float32[np.ndarray, "batch length state"]) -> float:
        batch, length, dim = segments.shape
        if batch != self.batch:
            self._reserve(batch)
        count = length - 1
        shape = (-1, self.plan.rows, self.size // self.plan.rows)
        start = np.zeros(shape[1:], np.float32)
        start[:batch, :dim] = segments[:, 0]
        start[:, self.updates.plan.sizes[0]] = 1
        steps, states = self._solve(start.ravel(), count)
        importance = self.plan.importance
        errors = (np.stack(states).reshape(shape)[:, :batch, :dim] - segments[:, 1:].swapaxes(0, 1)) * importance
        asked = np.zeros((count, *shape[1:]), np.float32)
        asked[:, :batch, :dim] = 2 / (batch * count) * importance * errors
        if self.gradient == "adjoint":
            self._solve_back(states, list(asked.reshape(count, -1)))
        else:
            self._take_back(steps, list(asked.reshape(count, -1)))
        return float(np.square(errors).sum(dtype=np.float64)) / (batch * count)

    def _reserve(self, batch: int) -> None:
        """Memory for batches of this size."""
        self.plan = with_rows(self.updates.plan, batch)._replace(slots=1)
        self.batch = batch
        self.size = len(self.plan.increments)
        self.memories = []
        self.single = self.plan._replace(tableau=np.zeros((2, 2), np.float32))
        self.memory = self.kernel.reserve(self.single)
        self.slopes = np.zeros((self.stages, 2 * self.size + len(self.weights)), np.float32)

    def _memory(self, place: int) -> Any:
        """That of a step: of each of them where gradients go through the steps, else of this one and the one before."""
        place = place % 2 if self.gradient == "adjoint" else place
        while place >= len(self.memories):
            self.memories.append(self.kernel.reserve(self.plan))
        return self.memories[place]

    def _scaled(self, h: float) -> Float32[np.ndarray, "row number"]:
        return (self.table * h + self.constant).astype(np.float32)

    def _solve(self, start: Row, count: int) -> tuple[list[_Taken], list[Row]]:
        """The steps to the states at times 1, ..., `count`, and these."""
        control = Steps(self.pair)
        size = self.size
        last = self.stages - 1
        first = 0
        taken: list[_Taken] = []
        states: list[Row] = []
        memory = self._memory(0)
        evaluations = 0
        memory.states[:size] = memory.slopes[-size:] = start
        while len(states) < count:
            begin = control.t
            h = control.h
            table = self._scaled(control.h)
            squares = self.kernel.attempt(self.plan, memory, self.weights, table, first, self.tolerance)
            evaluations += self.stages - first
            first = 1
            if control.judge(sqrt(squares / (self.batch * len(self.increment)))):
                slopes = memory.slopes.reshape(-1, size)
                passed = control.passed(begin, h, len(states), count)
                outputs = [np.append(self.pair.within(one) * h, 1).astype(np.float32) for one in passed]
                states += [weights @ slopes for weights in outputs]
                taken.append(_Taken(memory, table, int(bool(taken)), outputs))
                if len(states) < count:
                    before = memory
                    memory = self._memory(len(taken))
                    memory.states[:size] = memory.slopes[-size:] = before.states[-size:]
                    memory.slopes[:size] = slopes[last]
        self.forward = evaluations
        self.evaluations = evaluations, evaluations
        self.kept_bytes = max(self.kept_bytes, sum(array.nbytes for memory in self.memories for array in memory))
        return taken, states

    def _take_back(self, steps: list[_Taken], asked: list[Row]) -> None:
        """Gradients of the weights from those of the states that were asked for, by the steps in reverse."""
        gradients = self.updates.gradients[0]
        stages = self.stages
        size = self.size
        gradients[:] = 0
        of_state: Row | None = None  # behind the step, and that of the slope there
        of_slope: Row | None = None
        for step in reversed(steps):
            ends = [asked.pop() for _ in step.outputs][::-1]
            rows = [weights[:stages] for weights in step.outputs]
            if of_state is not None:
                ends.append(of_state)
                rows.append(step.table[stages, :stages])
            given = np.stack(rows).T @ np.stack(ends)
            if of_slope is not None:
                given[-1] += of_slope
            last = stages if given[-1].any() else stages - 1
            step.memory.slopes[: stages * size] = given.ravel()
            self.kernel.take_back(self.plan, step.memory, self.weights, gradients, step.table, step.first, last)
            pulled = step.memory.pulled.reshape(-1, size)[step.first : last]
            of_state = np.sum(ends, axis=0) + pulled.sum(axis=0)
            of_slope = step.memory.slopes[:size]

    def _solve_back(self, states: list[Row], asked: list[Row]) -> None:
        """Gradients of the weights by the adjoint equation, from each state back to the one before."""
        evaluations = 0
        size = self.size
        row = np.zeros(self.slopes.shape[1], np.float32)
        for state, gradient in zip(reversed(states), reversed(asked), strict=True):
            row[:size] = state
            row[size : 2 * size] += gradient
            row, spent = self._step_back(row)
            evaluations += spent
        self.updates.gradients[0] = row[2 * size :]
        self.evaluations = self.forward, evaluations

    def _step_back(self, row: Row) -> tuple[Row, int]:
        """The row one sampling step before, and the evaluations that it took."""
        control = Steps(self.pair)
        first = 0
        evaluations = 0
        errors = np.zeros(2 + len(self.sizes), np.float32)
        sizes = np.array([self.batch * len(self.increment)] * 2 + self.sizes)
        while True:
            h = control.h
            begin = control.t
            table = self._scaled(control.h)
            new = np.empty_like(row)
            self.kernel.attempt_adjoint(
                self.single, self.memory, self.weights, table, first, self.tolerance, row, new, self.slopes, errors
            )
            evaluations += self.stages - first
            first = 1
            state, gradient, *others = np.sqrt(errors / sizes).tolist()
            if control.judge(max(0.0, state, gradient, max(others))):
                if passed := control.passed(begin, h, 0, 1):
                    return row + (self.pair.within(passed[0]) * h).numpy().astype(np.float32) @ self.slopes, evaluations
                if not isfinite(float(new.sum())):
                    raise SolverError("the adjoint equation has no finite solution")
                row = new
                self.slopes[0] = self.slopes[-1]
