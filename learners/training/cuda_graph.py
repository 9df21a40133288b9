"""A computation as a CUDA graph, which a GPU is given as a whole: to launch its kernels one by one takes longer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from learners.training.counting import Tally
from learners.training.training_step import TrainingStep

Result = TypeVar("Result")

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


def record(run: Callable[[], Result]) -> tuple[Result, Callable[[], None]]:
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


class GraphedUpdates:
    """Updates of one training run, by a graph for each shape of the minibatches."""

    def __init__(self, step: TrainingStep, tally: Tally) -> None:
        self.step, self.tally = step, tally
        self.graphs: dict[torch.Size, Callable[[Tensor, float], Replayed]] = {}

    def update(self, minibatch: Tensor, rate: float) -> "Replayed":
        """Update the weights of every replica. Raises RuntimeError where no graph does it, and leaves them be."""
        if minibatch.shape not in self.graphs:
            self.graphs[minibatch.shape] = self._recorded(minibatch)
        return self.graphs[minibatch.shape](minibatch, rate)

    def _recorded(self, first: Tensor) -> "Callable[[Tensor, float], Replayed]":
        still = first.clone()
        counts = (0, 0)
        optimiser = self.step.optimiser
        groups = optimiser.param_groups
        precision = torch.float32 if still.is_cuda else torch.float64  # torch's Adam reads the former on a GPU
        zero = torch.zeros((), dtype=precision, device=still.device)
        places = [{name: zero.clone() for name in optimiser.varying} for _ in groups]

        def run() -> list[Tensor]:
            nonlocal counts
            self._forget()
            self.tally.take()
            losses = self.step.objective(still)
            forward = self.tally.take()
            losses.sum().backward()
            counts = forward, self.tally.take() or forward
            self.step.clip()
            optimiser.descend()
            return [losses.detach()]

        before = self._tensors()
        numbers = [dict(group) for group in groups]
        for group, place in zip(groups, places, strict=True):
            group.update(place)
        try:
            (losses,), again = record(run)
        finally:
            self.tally.take()
            self._forget()
            for group, number in zip(groups, numbers, strict=True):
                group.update(number)
            with torch.no_grad():
                for tensor, value in before:
                    tensor.copy_(value)

        def replay(minibatch: Tensor, rate: float) -> Replayed:
            optimiser.begin()
            for group, place in zip(groups, places, strict=True):
                group["lr"] = rate
                for name, tensor in place.items():
                    tensor.fill_(group[name])
            still.copy_(minibatch)
            again()
            optimiser.end()
            return Replayed(losses, *counts)

        return replay

    def _tensors(self) -> list[tuple[Tensor, Tensor]]:
        """All that an update changes, with copies."""
        states = self.step.optimiser.state.values()
        kept = [one for state in states for one in state.values() if isinstance(one, Tensor)]
        return [(one, one.detach().clone()) for one in (*self.step.network.state_dict().values(), *kept)]

    def _forget(self) -> None:
        self.step.optimiser.zero_grad(set_to_none=True)


@dataclass(frozen=True)
class Replayed:
    """The losses of each replica, before the update, and the evaluations that they and their gradients took."""

    losses: Tensor
    forward: int
    backward: int
