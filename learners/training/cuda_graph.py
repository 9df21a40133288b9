"""A computation as a CUDA graph, which a GPU is given as a whole: to launch its kernels one by one takes longer."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from learners.training.counting import Tally
from learners.training.training_step import TrainingStep

Recorded = TypeVar("Recorded")

WARM_UP = 3  # calls before a capture, in which libraries and the optimiser set up what they keep

aten = torch.ops.aten
ASKING = {  # operations whose result the program waits for
    aten._local_scalar_dense.default,
    aten._linalg_check_errors.default,
    aten._unique2.default,
    aten.equal.default,
    aten.masked_select.default,
    aten.nonzero.default,
    aten.repeat_interleave.Tensor,
}


class NotRepeatableError(RuntimeError):
    """A computation that no graph can repeat, and why."""


class Repeatable(TorchDispatchMode):
    """While the context is open, an operation that asks a GPU for values or gives it some raises NotRepeatableError.

    A graph would fail to capture the first, and repeat the second with the values of the capture.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("generator") is not None:  # before a number is drawn
            raise NotRepeatableError(f"a graph cannot repeat what comes from the CPU, as {func} draws it")
        result = func(*args, **kwargs)
        if func in ASKING:
            raise NotRepeatableError(f"a graph cannot repeat what asks the GPU for values, as {func} does")
        devices = {one.device for one in tree_leaves((args, kwargs, result)) if isinstance(one, Tensor) and one.dim()}
        if len(devices) > 1:
            raise NotRepeatableError(f"a graph cannot repeat what comes from the CPU, as {func} takes it")
        return result


def record(run: Callable[[], Recorded]) -> tuple[Recorded, Callable[[], None]]:
    """What a function returns, and what computes it anew, in the same places, from what it reads: a graph.

    It is called a few times before, on a stream of its own, so that all it needs is there when it is captured. Memory
    of gradients must be given up at its beginning or its end. Raises NotRepeatableError.
    """
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        with Repeatable():
            run()
        for _ in range(WARM_UP - 1):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = run()
    return found, graph.replay


def captured(run: Callable[[Tensor], object], first: Tensor) -> Callable[[Tensor], None]:
    """A function of one tensor as a CUDA graph: for tensors of the shape of the first. Raises NotRepeatableError."""
    still = first.clone()
    _, again = record(lambda: run(still))

    def replay(following: Tensor) -> None:
        still.copy_(following)
        again()

    return replay


class GraphedGradients:
    """Losses and gradients of one training run, by a graph for each shape of the minibatches.

    Where there is none, all are launched one by one: why is written to the error stream, once.
    """

    def __init__(self, step: TrainingStep, tally: Tally) -> None:
        self.step, self.tally = step, tally
        self.parameters = list(step.network.parameters())
        self.graphs: dict[torch.Size, Callable[[Tensor], Gradients]] = {}
        self.refused = ""

    def differentiate(self, minibatch: Tensor) -> "Gradients | None":
        """The losses, with gradients in the parameters; None where no graph computes them."""
        if self.refused:
            return None
        if minibatch.shape not in self.graphs:
            try:
                self.graphs[minibatch.shape] = self._recorded(minibatch)
            except RuntimeError as error:
                self.refused = next(iter(str(error).splitlines()), type(error).__name__)
                self.tally.take()
                self._forget()
                sys.stderr.write(f"updates are launched one by one: {self.refused}\n")
                return None
        return self.graphs[minibatch.shape](minibatch)

    def _recorded(self, first: Tensor) -> "Callable[[Tensor], Gradients]":
        still, counts = first.clone(), (0, 0)

        def run() -> list[Tensor | None]:
            nonlocal counts
            self._forget()
            self.tally.take()
            losses = self.step.objective(still)
            forward = self.tally.take()
            losses.sum().backward()
            counts = forward, self.tally.take() or forward
            return [losses.detach(), *(parameter.grad for parameter in self.parameters)]

        (losses, *gradients), again = record(run)
        assert losses is not None

        def replay(minibatch: Tensor) -> Gradients:
            still.copy_(minibatch)
            again()
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                parameter.grad = gradient
            return Gradients(losses, *counts)

        return replay

    def _forget(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None


@dataclass(frozen=True)
class Gradients:
    """The losses of each replica, and the evaluations that they and their gradients took."""

    losses: Tensor
    forward: int
    backward: int
