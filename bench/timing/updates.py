"""Updates and forecast steps of a learner, taken one at a time, to be timed and counted."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from math import prod
from typing import Any, TypeVar

import torch
from torch import Tensor

from bench.timing import stopwatch
from learners import Budget, Classifier, FittedClassifier, Learner, Predictor
from learners.training.counting import Tally, counting, counting_flops, keeping
from learners.training.cuda_graph import GraphedUpdates, NotRepeatableError, captured
from learners.training.soap import SOAP, TURNS
from learners.training.training_step import TrainingStep, collect_steps
from systems import Dataset, ImageDataset

Result = TypeVar("Result")

MINIBATCHES = 8  # that updates take in turn
LEAST = Budget(effort=1e-9)  # for learners that are fitted without updates


class InapplicableError(Exception):
    """A variant that cannot be had here, and why."""


@dataclass(frozen=True)
class Updates:
    """Everything that updates of a learner consist of, and its untrained predictors."""

    steps: tuple[TrainingStep, ...]  # more than one where replicas do not train as one program
    predictors: tuple[Predictor | FittedClassifier, ...]
    minibatches: tuple[tuple[Tensor, ...], ...]  # of each step

    @classmethod
    def of(
        cls,
        learner: Learner | Classifier,
        data: Dataset | ImageDataset,
        seeds: int = 1,
        dtype: torch.dtype = torch.float32,
    ) -> "Updates":
        """The updates of a learner: weights are as they were drawn, and a rate of zero leaves them there.

        Raises Unsuitable or ValueError where the learner does not apply to the data.
        """
        with collect_steps() as steps:
            predictors: Any = learner.fit_replicas(data, LEAST, range(seeds))  # pyright: ignore[reportArgumentType]
        if isinstance(data, ImageDataset) and dtype == torch.float64:
            raise InapplicableError("images are given in float32")
        minibatches = []
        for step in steps:
            drawn = [_converted(minibatch, dtype) for minibatch in step.minibatches(2 * MINIBATCHES)]
            longest = max(minibatch.shape[2:] for minibatch in drawn)
            minibatches.append(tuple(one for one in drawn if one.shape[2:] == longest)[-MINIBATCHES:])
            step.network.to(dtype).requires_grad_(True).train()  # classifiers are handed out frozen
            for group in step.optimiser.param_groups:
                group["lr"] = 0.0
        return cls(tuple(steps), tuple(predictors), tuple(minibatches))

    @property
    def samples(self) -> int:
        """Segments or images in one update of all replicas."""
        return sum(prod(step.shape[:2]) for step, *_ in self.minibatches)

    def update(self, variant: str = "eager") -> Callable[[], None]:
        """One update of all replicas, each time with other minibatches. Raises InapplicableError."""
        updates = [
            _update(step, first, variant) for step, (first, *_) in zip(self.steps, self.minibatches, strict=True)
        ]
        inputs = cycle(zip(*self.minibatches, strict=True))

        def run() -> None:
            for update, minibatch in zip(updates, next(inputs), strict=True):
                update(minibatch)

        return run

    def parts(self, variant: str = "eager") -> list[Callable[[], Any]]:
        """The parts of an update, to be called in turn: a forward pass, a backward pass, clip and optimiser."""
        inputs = cycle(zip(*self.minibatches, strict=True))
        losses: list[Tensor] = []
        objectives = [compiled(step.objective) if variant == "compiled" else step.objective for step in self.steps]

        def forward() -> None:
            losses[:] = [objective(given) for objective, given in zip(objectives, next(inputs), strict=True)]

        def backward() -> None:
            for loss in losses:
                loss.sum().backward()

        def descend() -> None:
            for step in self.steps:
                _descend(step)

        return [forward, backward, descend]

    def forecast_step(self, data: Dataset | ImageDataset, variant: str = "eager") -> Callable[[], None]:
        """What the first predictor does at once: a sampling step of the test forecasts, or the classes of test images.

        Raises InapplicableError.
        """
        advance, state = self._at_once(self.predictors[0], data)
        with torch.no_grad():
            step = (
                _recorded(lambda: captured(advance, state), state)
                if variant == "graph"
                else compiled(advance)
                if variant == "compiled"
                else advance
            )

        def run() -> None:
            with torch.no_grad():
                step(state)

        return run

    def _at_once(self, predictor: Any, data: Dataset | ImageDataset) -> tuple[Callable[[Tensor], Tensor], Tensor]:
        if isinstance(data, ImageDataset):
            for step in self.steps:
                step.network.eval()
            return predictor.probabilities, data.test.pixels
        with torch.no_grad():
            state = predictor.encode(data.test.between(0, data.sampling.context))
        return lambda state: predictor.advance(state, data.step)[0], state

    def costs(self) -> dict[str, int]:
        """What one eager update costs: evaluations of both passes, bytes kept for autograd, operations, traffic.

        The last two are, by SOAP, means of as many updates as lie between two turns of its bases.
        """
        saved = 0
        evaluations = 0
        for step, (minibatch, *_) in zip(self.steps, self.minibatches, strict=True):
            with counting(step.counted) as tally:
                losses, kept = keeping(
                    lambda step=step, given=minibatch: step.objective(given), list(step.network.parameters())
                )
                forward = tally.take()
                losses.sum().backward()
                evaluations += forward + (tally.take() or forward)
            saved += kept
        count = TURNS if any(isinstance(step.optimiser, SOAP) for step in self.steps) else 1
        update = self.update()

        def several() -> None:
            for _ in range(count):
                update()

        traffic, flops = counting_flops(lambda: stopwatch.traffic(several))
        means = {"flops": round(flops / count), "traffic": round(traffic / count)}
        return {"nfe": evaluations, "saved_bytes": saved, **means}


def _converted(minibatch: Tensor, dtype: torch.dtype) -> Tensor:
    """Segments in a precision; indices of images as they are."""
    return minibatch.to(dtype) if minibatch.is_floating_point() else minibatch


def compiled(run: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The function by torch's compiler, for arguments of one shape; compiled by the first call."""
    return torch.compile(run, dynamic=False)


def _update(step: TrainingStep, first: Tensor, variant: str) -> Callable[[Tensor], object]:
    """An update of one stack as one function of the minibatch, all of which have the shape of the first."""
    if variant == "kernel":
        kernel = step.compiled()
        if kernel is None:
            raise InapplicableError("it is trained by autograd: the kernel is for perceptrons in float32 on a CPU")

        def update_compiled(minibatch: Tensor) -> None:
            kernel.differentiate(minibatch)
            kernel.descend(0.0)

        return update_compiled
    if variant == "graph":
        graphed = GraphedUpdates(step, Tally())
        _recorded(lambda: graphed.update(first, 0.0), first)
        return lambda minibatch: graphed.update(minibatch, 0.0)
    objective = compiled(step.objective) if variant == "compiled" else step.objective

    def update(minibatch: Tensor) -> None:
        objective(minibatch).sum().backward()
        _descend(step)

    return update


def _descend(step: TrainingStep) -> None:
    step.clip()
    step.optimiser.step()
    step.optimiser.zero_grad(set_to_none=True)


def _recorded(record: Callable[[], Result], first: Tensor) -> Result:
    """What a recording of a CUDA graph returns. Raises InapplicableError where there can be none."""
    if first.device.type != "cuda":
        raise InapplicableError("CUDA graphs need a GPU")
    try:
        return record()
    except NotRepeatableError as reason:
        raise InapplicableError(str(reason)) from reason
