"""What is timed: an update and a forecast step of a learner, taken at will."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import torch
from torch import Tensor, nn

from bench.timing import stopwatch
from learners import Budget, Learner, Predictor
from learners.training.counting import counting, counting_flops, keeping
from learners.training.training_step import TrainingStep, rehearsing
from systems import Dataset

MINIBATCHES = 8  # that updates take in turn


LEAST = Budget(effort=1e-9)  # for learners that are fitted without updates


class InapplicableError(Exception):
    """A variant that cannot be had here, and why."""


@dataclass(frozen=True)
class Subject:
    """A learner whose updates can be taken at will, with its untrained predictors."""

    steps: tuple[TrainingStep, ...]  # more than one where replicas do not train as one program
    predictors: tuple[Predictor, ...]
    minibatches: tuple[tuple[Tensor, ...], ...]  # of each step

    @classmethod
    def of(cls, learner: Learner, data: Dataset, seeds: int = 1, dtype: torch.dtype = torch.float32) -> "Subject":
        """Weights are as they were drawn, and a rate of zero leaves them there. Raises Unsuitable or ValueError."""
        with rehearsing() as steps:
            predictors = learner.fit(data, LEAST, range(seeds))
        minibatches = []
        for step in steps:
            drawn = [minibatch.to(dtype) for minibatch in step.minibatches(2 * MINIBATCHES)]
            longest = max(minibatch.shape[2] for minibatch in drawn)
            minibatches.append(tuple(one for one in drawn if one.shape[2] == longest)[-MINIBATCHES:])
            step.network.to(dtype)
            for group in step.optimiser.param_groups:
                group |= {"lr": 0.0, "capturable": data.mean.device.type == "cuda"}
        return cls(tuple(steps), tuple(predictors), tuple(minibatches))

    @property
    def samples(self) -> int:
        """Segments in one update of all replicas."""
        return sum(step.shape[0] * step.shape[1] for step, *_ in self.minibatches)

    def update(self, variant: str = "eager") -> Callable[[], None]:
        """One update of all replicas, each time with other minibatches. Raises InapplicableError."""
        moves = [_update(step, first, variant) for step, (first, *_) in zip(self.steps, self.minibatches, strict=True)]
        inputs = cycle(zip(*self.minibatches, strict=True))

        def run() -> None:
            for move, minibatch in zip(moves, next(inputs), strict=True):
                move(minibatch)

        return run

    def parts(self, variant: str = "eager") -> list[Callable[[], Any]]:
        """A forward and a backward pass, and what follows from the gradients, to be called in turn."""
        inputs, losses = cycle(zip(*self.minibatches, strict=True)), []
        forwards = [_objective(step, variant) for step in self.steps]

        def forward() -> None:
            losses[:] = [pass_(minibatch) for pass_, minibatch in zip(forwards, next(inputs), strict=True)]

        def backward() -> None:
            for loss in losses:
                loss.sum().backward()

        def descend() -> None:
            for step in self.steps:
                _descend(step)

        return [forward, backward, descend]

    def forecast_step(self, data: Dataset, variant: str = "eager") -> Callable[[], Any]:
        """One sampling step of the test forecasts by the first predictor."""
        predictor = self.predictors[0]
        with torch.no_grad():
            state = predictor.encode(data.test.between(0, data.sampling.context))

        def advance(state: Tensor) -> Tensor:
            return predictor.advance(state, data.step)[0]

        move = _variant(advance, state, variant)

        def run() -> None:
            with torch.no_grad():
                move(state)

        return run


def count(subject: Subject) -> dict[str, int]:
    """Of one eager update: function evaluations of both passes, bytes that autograd keeps, operations, traffic."""
    saved, forward, backward = 0, 0, 0
    for step, (minibatch, *_) in zip(subject.steps, subject.minibatches, strict=True):
        with counting(step.counted) as tally:
            losses, kept = keeping(lambda step=step, given=minibatch: step.objective(given), list(_parameters([step])))
            spent = tally.take()
            losses.sum().backward()
            saved, forward, backward = saved + kept, forward + spent, backward + (tally.take() or spent)
    _, flops = counting_flops(subject.update())
    return {
        "nfe": forward + backward,
        "saved_bytes": saved,
        "flops": flops,
        "traffic": stopwatch.traffic(subject.update()),
    }


def _update(step: TrainingStep, first: Tensor, variant: str) -> Callable[[Tensor], object]:
    """An update of one stack as one function of the minibatch, all of which have the shape of the first."""
    objective = _objective(step, variant)

    def update(minibatch: Tensor) -> None:
        objective(minibatch).sum().backward()
        _descend(step)

    return _graph(update, first) if variant == "graph" else update


def _descend(step: TrainingStep) -> None:
    step.clip()
    step.optimiser.step()
    step.optimiser.zero_grad(set_to_none=True)


def _objective(step: TrainingStep, variant: str) -> Callable[[Tensor], Tensor]:
    return compiled(step.objective) if variant == "compiled" else step.objective


def compiled(run: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The function by torch's compiler, for arguments of one shape; compiled by the first call."""
    return torch.compile(run, dynamic=False)


def _variant(run: Callable[[Tensor], Tensor], first: Tensor, variant: str) -> Callable[[Tensor], object]:
    if variant == "graph":
        return _graph(run, first)
    return compiled(run) if variant == "compiled" else run


def _graph(run: Callable[[Tensor], object], first: Tensor) -> Callable[[Tensor], None]:
    if first.device.type != "cuda":
        raise InapplicableError("CUDA graphs need a GPU")
    return stopwatch.replayed(run, first)


def _parameters(steps: Iterable[TrainingStep]) -> Iterator[nn.Parameter]:
    for step in steps:
        yield from step.network.parameters()
