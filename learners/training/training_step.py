"""Updates without training: of what one update of a learner consists, for whoever wants to time it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn, optim


@dataclass(frozen=True)
class TrainingStep:
    """One update of a stack of replicas in its parts: losses, gradients, a clip of these, the optimiser's step."""

    network: nn.Module
    objective: Callable[[Tensor], Float[Tensor, " seed"]]  # the loss of each replica on a minibatch
    minibatches: Callable[[int], Iterator[Tensor]]  # so many, as training draws them
    optimiser: optim.Optimizer
    clip: Callable[[], None]
    counted: Sequence[nn.Module]  # whose calls are the function evaluations


_rehearsed: ContextVar[list[TrainingStep] | None] = ContextVar("rehearsed", default=None)


@contextmanager
def rehearsing() -> Iterator[list[TrainingStep]]:
    """While the context is open, `train` does no update, but adds to the list what its updates would have been.

    So `fit` gives untrained predictors at once, and the steps in the list can be taken at will.
    """
    steps: list[TrainingStep] = []
    token = _rehearsed.set(steps)
    try:
        yield steps
    finally:
        _rehearsed.reset(token)


def rehearsed(step: TrainingStep | None) -> bool:
    """Whether this is a rehearsal, to which the step has been added; None where updates do not have these parts."""
    steps = _rehearsed.get()
    if steps is not None and step is not None:
        steps.append(step)
    return steps is not None
