"""The one training loop: Adam with a one-cycle schedule, or least squares; the best weights on validation data."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import cos, inf, isfinite, pi
from time import perf_counter
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, CurvePoint, Failure, SolverError, TrainingLog, Unsuitable
from learners.networks.scales import mean_square
from learners.training.callbacks import watch
from learners.training.counting import Tally, counting, counting_flops, keeping
from learners.training.levenberg_marquardt import LevenbergMarquardt, Residuals
from learners.training.segments import Segments, SegmentSampler
from learners.training.training_step import TrainingStep, rehearsed

Objective = Callable[[Segments], Float[Tensor, " seed"]]

Optimiser = Literal["adam", "levenberg-marquardt"]

VALIDATION_SEGMENTS = 2048


@dataclass(frozen=True)
class SquaredError:
    """The mean squared residual, of which a method of least squares sees the parts."""

    residuals: Residuals

    def __call__(self, segments: Segments) -> Float[Tensor, " seed"]:
        return mean_square(self.residuals(segments))


@dataclass(frozen=True)
class Training:
    """How a network is trained. The budget's effort multiplies `updates`."""

    updates: int = 10_000
    batch: int = 128  # segments in an update
    learning_rate: float = 1e-2  # at the peak of the cycle
    warmup: float = 0.1  # fraction of the updates before the peak
    clip: float = 1.0  # largest norm of a replica's gradient
    validations: int = 40  # times that the validation loss is taken
    patience: int = 0  # validations without improvement that end training; 0: never
    optimiser: Optimiser = "adam"  # levenberg-marquardt: for at most about a thousand weights; has no rate and no clip

    def __post_init__(self) -> None:
        for name in ("updates", "batch", "learning_rate", "clip", "validations"):
            if not getattr(self, name) > 0:
                raise ValueError(f"training.{name} must be positive, but is {getattr(self, name)!r}")
        if not 0 <= self.warmup < 1 or self.patience < 0:
            raise ValueError(
                f"training needs 0 <= warmup < 1 and patience >= 0, but has {self.warmup} and {self.patience}"
            )

    def rate(self, progress: float) -> float:
        """Learning rate at a fraction of training: linear warm-up, then a half cosine down to a thousandth."""
        if progress < self.warmup:
            return self.learning_rate * (0.04 + 0.96 * progress / self.warmup)
        fall = (progress - self.warmup) / (1 - self.warmup)
        return self.learning_rate * (0.001 + 0.999 * (1 + cos(pi * fall)) / 2)


def train(
    network: nn.Module,
    objective: Objective,
    data: tuple[SegmentSampler, SegmentSampler],
    training: Training,
    budget: Budget,
    counted: Iterable[nn.Module],
) -> list[TrainingLog]:
    """Train every replica of a network in place and leave it at its best weights on validation data.

    `objective` gives the loss of each replica on segments `[seed, batch, length, dim]`; `data` are the samplers of the
    training and the validation segments; `counted` are the modules whose calls are the function evaluations. A replica
    whose loss is never finite, or whose solver fails, is reported in its log.
    """
    run, counted = _Run(network, objective, data[1].spread(VALIDATION_SEGMENTS), training), list(counted)
    minibatches = partial(data[0].batches, training.batch)
    parts = TrainingStep(network, objective, minibatches, run.optimiser, run.clip, counted)
    if rehearsed(parts if run.least_squares is None else None):
        return run.logs()
    updates = budget.updates(training.updates)
    every = max(1, updates // training.validations)
    with counting(counted) as run.tally:
        try:
            for update, segments in enumerate(data[0].batches(training.batch, updates), 1):
                watch(run.updates, updates, network, run.best.weights)
                run.update(segments, training.rate((update - 1) / updates))
                if (update % every == 0 or update == updates) and run.validate():
                    break
        except SolverError as failure:
            run.failure = f"{failure} in update {run.updates + 1} of {updates}"
    run.best.restore()
    return run.logs()


class _Run:
    """The state of one training run of a stack of replicas."""

    def __init__(self, network: nn.Module, objective: Objective, held_out: Segments, training: Training) -> None:
        self.network, self.objective, self.held_out, self.training = network, objective, held_out, training
        self.parameters = list(network.parameters())
        self.optimiser = torch.optim.Adam(self.parameters, lr=training.learning_rate, fused=True)
        self.least_squares = _least_squares(network, objective) if training.optimiser != "adam" else None
        self.seeds = len(held_out)
        self.best = Best(self.parameters, torch.full((self.seeds,), inf, device=held_out.device))
        self.tally = Tally()
        self.unmeasured = True  # whether the bytes and operations of the next update are still to be measured
        self.updates, self.forward, self.backward, self.saved, self.failure = 0, 0, 0, 0, ""
        self.flops: list[int] = []  # of the measured updates
        self.recent = torch.zeros(self.seeds, device=held_out.device)  # sum of the losses since the last validation
        self.curve: list[tuple[int, float, list[float], list[float], int, int]] = []
        self.begun = perf_counter()

    def update(self, segments: Segments, rate: float) -> None:
        """One step of the optimiser for every replica."""
        solver = self.least_squares
        self.recent += self._descend(segments, rate) if solver is None else self._solve(solver, segments)
        self.unmeasured = False
        self.updates += 1

    def _descend(self, segments: Segments, rate: float) -> Float[Tensor, " seed"]:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        losses = self._measured(segments) if self.unmeasured else self._passes(lambda: self.objective(segments))
        self.clip()
        self.optimiser.step()
        return losses

    def _solve(self, solver: LevenbergMarquardt, segments: Segments) -> Float[Tensor, " seed"]:
        if self.unmeasured:
            step, flops = counting_flops(lambda: solver.step(segments))
            self.flops.append(flops)
        else:
            step = solver.step(segments)
        evaluations = self.tally.take() / step.passes  # in one pass over the minibatch
        self.forward += round(evaluations * (1 + step.trials))
        self.backward += round(evaluations * step.outputs)
        self.saved = max(self.saved, step.saved)
        return step.losses

    def clip(self) -> None:
        clip(self.parameters, self.training.clip)

    def _passes(self, forward: Callable[[], Float[Tensor, " seed"]]) -> Float[Tensor, " seed"]:
        """The losses, after a forward and a backward pass whose evaluations are noted."""
        losses = forward()
        spent = self.tally.take()
        losses.sum().backward()
        self.forward += spent
        self.backward += self.tally.take() or spent  # without an adjoint, every evaluation is differentiated once
        return losses.detach()

    def _measured(self, segments: Segments) -> Float[Tensor, " seed"]:
        """The same, with the bytes that are kept between the passes and the operations of both noted too."""

        def forward() -> Float[Tensor, " seed"]:
            losses, kept = keeping(lambda: self.objective(segments), self.parameters)
            self.saved = max(self.saved, kept)
            return losses

        losses, flops = counting_flops(lambda: self._passes(forward))
        self.flops.append(flops)
        return losses

    def validate(self) -> bool:
        """Note a point of the learning curve and keep what improved; true where training should end."""
        with torch.no_grad():
            loss = self.objective(self.held_out)
        self.tally.take()
        self.best.offer(loss)
        before = self.curve[-1][0] if self.curve else 0
        train_loss = self.recent / (self.updates - before)
        seconds = (perf_counter() - self.begun) / self.seeds
        point = (self.updates, seconds, train_loss.tolist(), loss.tolist(), self.forward, self.backward)
        self.curve.append(point)
        self.recent.zero_()
        self.unmeasured = True
        patience = self.training.patience
        return not loss.isfinite().any() or 0 < patience <= self.best.stale

    def logs(self) -> list[TrainingLog]:
        """One log for each replica; the time of the stack is shared out evenly."""
        seconds = (perf_counter() - self.begun) / self.seeds
        count = max(1, self.updates)
        return [
            TrainingLog(
                updates=self.updates,
                fit_seconds=seconds,
                nfe_forward=self.forward / count,
                nfe_backward=self.backward / count,
                saved_bytes=self.saved // self.seeds,
                flops=sum(self.flops) / max(1, len(self.flops)) / self.seeds,
                curve=tuple(self._points(index)),
                failure=self._failure(index),
            )
            for index in range(self.seeds)
        ]

    def _failure(self, index: int) -> Failure | None:
        if self.failure:
            return Failure("solver_failed", self.failure)
        if not isfinite(self.best.loss[index]):
            return Failure("diverged", f"the validation loss was never finite in {self.updates} updates")
        return None

    def _points(self, index: int) -> Iterator[CurvePoint]:
        last, forward_before, backward_before = 0, 0, 0
        for update, seconds, train_loss, valid_loss, forward, backward in self.curve:
            span = update - last
            yield CurvePoint(
                update,
                train_loss[index],
                valid_loss[index],
                seconds,
                (forward - forward_before) / span,
                (backward - backward_before) / span,
            )
            last, forward_before, backward_before = update, forward, backward


def _least_squares(network: nn.Module, objective: Objective) -> LevenbergMarquardt:
    if not isinstance(objective, SquaredError):
        raise Unsuitable(
            'training.optimiser="levenberg-marquardt" minimises squared errors alone, but the loss of this learner has '
            'other terms: choose "adam"'
        )
    return LevenbergMarquardt(network, objective.residuals)


class Best:
    """The weights of each replica at its lowest validation loss."""

    def __init__(self, parameters: Sequence[nn.Parameter], loss: Float[Tensor, " seed"]) -> None:
        self.parameters, self.loss = parameters, loss
        self.weights = [parameter.detach().clone() for parameter in parameters]
        self.stale = 0  # validations since any replica improved

    def offer(self, loss: Float[Tensor, " seed"]) -> None:
        """Keep the weights of the replicas whose loss is the lowest so far."""
        better = loss < self.loss
        self.stale = 0 if better.any() else self.stale + 1
        for kept, parameter in zip(self.weights, self.parameters, strict=True):
            kept[better] = parameter.detach()[better]
        self.loss = torch.where(better, loss, self.loss)

    def restore(self) -> None:
        """Put the kept weights back into the network."""
        for kept, parameter in zip(self.weights, self.parameters, strict=True):
            parameter.data.copy_(kept)


def clip(parameters: Sequence[nn.Parameter], largest: float) -> None:
    """Scale the gradient of every replica so that its norm is at most `largest`; replicas do not affect each other."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients])
    factor = largest / torch.linalg.vector_norm(norms, dim=0).clamp(min=largest)
    for gradient in gradients:
        gradient.mul_(factor.view(-1, *[1] * (gradient.dim() - 1)))
