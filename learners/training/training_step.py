"""One update of a network in its parts: for the training loop, and for those who time updates without training."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn, optim

from learners.training.soap import SOAP


@runtime_checkable
class CompiledUpdates(Protocol):
    """Updates of weights by compiled code, which does what a step's objective, clip and optimiser do, to rounding."""

    kept_bytes: int  # that the last differentiation worked in
    evaluations: tuple[int, int] | None  # in its forward and its backward pass, where they are not always as many

    def differentiate(self, segments: Tensor) -> Float[Tensor, " seed"]: ...  # the losses; the gradients are kept
    def descend(self, rate: float) -> None: ...  # along these


Optimiser = Literal["adam", "soap", "levenberg-marquardt"]
Compiler = Callable[..., CompiledUpdates | None]  # from the largest norm of a replica's gradient, and who descends


class Adam(optim.Adam):
    """torch's, in the parts of which a CUDA graph can repeat `descend`, as SOAP has them."""

    varying = ("lr",)

    def begin(self) -> None: ...

    def descend(self) -> None:
        for group in self.param_groups:
            group["capturable"] = group["params"][0].is_cuda and torch.cuda.is_current_stream_capturing()
        self.step()

    def end(self) -> None: ...


@dataclass(frozen=True)
class TrainingStep:
    """One update of a stack of replicas: losses, gradients, a clip of these, the optimiser's step."""

    network: nn.Module
    objective: Callable[[Tensor], Float[Tensor, " seed"]]  # the loss of each replica on a minibatch
    minibatches: Callable[[int], Iterator[Tensor]]  # as many as there are updates
    optimiser: Adam | SOAP
    clip: Callable[[], object]  # limits the gradients
    counted: Sequence[nn.Module]  # whose calls are the function evaluations
    validation_losses: Callable[[], Float[Tensor, " seed"]]
    weights: Sequence[Tensor]  # [seed, ...]: all that is kept of the best model
    validation_errors: Callable[[], Float[Tensor, " seed"]] | None = None  # of forecasts; lowest for the best model
    compiler: Callable[[], CompiledUpdates | None] | None = None

    def compiled(self) -> CompiledUpdates | None:
        """The same updates by compiled code, where there is any: for float32 weights on a CPU."""
        weights = self.weights[0]
        fits = weights.device.type == "cpu" and weights.dtype == torch.float32
        return self.compiler() if self.compiler and fits else None


_collected: ContextVar[list[TrainingStep] | None] = ContextVar("collected", default=None)


@contextmanager
def collect_steps() -> Iterator[list[TrainingStep]]:
    """While the context is open, nothing is trained: the steps that training would take are added to the list.

    `fit_replicas` then returns untrained predictors at once, and the steps in the list can be taken at will.
    """
    steps: list[TrainingStep] = []
    token = _collected.set(steps)
    try:
        yield steps
    finally:
        _collected.reset(token)


def collect_step(step: TrainingStep | None) -> bool:
    """Whether `collect_steps` is open, whose list then gets the step; None where updates do not have these parts."""
    steps = _collected.get()
    if steps is not None and step is not None:
        steps.append(step)
    return steps is not None


def descent(parameters: Sequence[nn.Parameter], optimiser: Optimiser, rate: float, stacked: bool = True) -> Adam | SOAP:
    """The optimiser that training asks for, of parameters that are stacked or not; Adam where a solver replaces it."""
    return SOAP(parameters, rate, stacked) if optimiser == "soap" else Adam(parameters, lr=rate, fused=True)


def clip(parameters: Sequence[nn.Parameter], largest: float) -> None:
    """Scale the gradient of every replica so that its norm is at most `largest`; replicas do not affect each other."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients])
    factor = largest / torch.linalg.vector_norm(norms, dim=0).clamp(min=largest)
    for gradient in gradients:
        gradient.mul_(factor.view(-1, *[1] * (gradient.dim() - 1)))
