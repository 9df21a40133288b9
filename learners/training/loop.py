"""The training loop of every network: minibatches, a one-cycle schedule, the best weights on validation data."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import cos, inf, isfinite, pi
from time import perf_counter
from typing import Literal, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, CurvePoint, Failure, SolverError, TrainingLog, Unsuitable
from learners.networks.scales import mean_square
from learners.training.best import Best
from learners.training.callbacks import TrainingState, call_back
from learners.training.counting import Tally, counting, counting_flops, keeping
from learners.training.levenberg_marquardt import LevenbergMarquardt, Residuals
from learners.training.segments import Segments, SegmentSampler
from learners.training.training_step import TrainingStep, collect_step

Objective = Callable[[Segments], Float[Tensor, " seed"]]

Result = TypeVar("Result")
Optimiser = Literal["adam", "levenberg-marquardt"]

VALIDATION_SEGMENTS = 2048


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
    residuals: Residuals | None = None,
) -> list[TrainingLog]:
    """Train every replica of a network in place on segments of trajectories, and leave it at its best weights.

    Args:
        network: a stack of replicas.
        objective: the loss of each replica on segments `[seed, batch, length, dim]`.
        data: samplers of the training and of the validation segments.
        training: how to train.
        budget: multiplies the number of updates.
        counted: the modules whose calls are the function evaluations.
        residuals: of which the loss is the mean square, as Levenberg's and Marquardt's method needs it to be.

    Returns:
        One log for each replica, which says so where its loss was never finite, or its solver failed.
    """
    solver = None
    if training.optimiser == "levenberg-marquardt":
        if residuals is None:
            raise Unsuitable(
                'training.optimiser="levenberg-marquardt" minimises squared errors alone, but the loss of this learner '
                'has other terms: choose "adam"'
            )
        solver = LevenbergMarquardt(network, residuals)
    parameters, held_out = list(network.parameters()), data[1].evenly_spaced(VALIDATION_SEGMENTS)
    step = TrainingStep(
        network,
        objective,
        partial(data[0].batches, training.batch),
        torch.optim.Adam(parameters, lr=training.learning_rate, fused=True),
        partial(clip, parameters, training.clip),
        list(counted),
        lambda: objective(held_out),
        parameters,
    )
    return run_updates(step, training, budget, solver)


def train_on_residuals(
    network: nn.Module,
    residuals: Residuals,
    data: tuple[SegmentSampler, SegmentSampler],
    training: Training,
    budget: Budget,
    counted: Iterable[nn.Module],
    penalty: Objective | None = None,
) -> list[TrainingLog]:
    """Train on the mean squared residual `[seed, batch, ...]` of each replica, plus a penalty if there is one."""

    def objective(segments: Segments) -> Float[Tensor, " seed"]:
        error = mean_square(residuals(segments))
        return error if penalty is None else error + penalty(segments)

    return train(network, objective, data, training, budget, counted, residuals if penalty is None else None)


def run_updates(
    step: TrainingStep,
    training: Training,
    budget: Budget,
    solver: LevenbergMarquardt | None = None,
    count_flops: bool = True,
) -> list[TrainingLog]:
    """Take updates until the budget or the patience is spent, and put the best weights back.

    Args:
        step: of what one update consists.
        training: how many updates, at which rates, and how often to validate.
        budget: multiplies the number of updates.
        solver: updates the weights in place of the step's optimiser.
        count_flops: whether the floating-point operations of an update are counted now and then.

    Returns:
        One log for each replica.
    """
    run = _Run(step, solver, count_flops)
    if collect_step(step if solver is None else None):
        return run.logs()
    updates = budget.updates(training.updates)
    every = max(1, updates // training.validations)
    with counting(step.counted) as run.tally:
        try:
            for update, minibatch in enumerate(step.minibatches(updates), 1):
                call_back(TrainingState(run.updates, updates, step.network, run.best.weights))
                run.update(minibatch, training.rate((update - 1) / updates))
                if (update % every == 0 or update == updates) and run.validate(training.patience):
                    break
        except SolverError as failure:
            run.give_up(f"{failure} in update {run.updates + 1} of {updates}")
    run.best.restore()
    return run.logs()


class _Run:
    """The state of one training run of a stack of replicas."""

    def __init__(self, step: TrainingStep, solver: LevenbergMarquardt | None, count_flops: bool) -> None:
        self.step, self.solver, self.count_flops = step, solver, count_flops
        self.parameters = list(step.network.parameters())
        self.seeds = len(step.weights[0])
        losses = torch.full((self.seeds,), inf, device=step.weights[0].device)
        self.best = Best(step.weights, losses)
        self.recent = torch.zeros_like(losses)  # sum of the losses since the last point of the curve
        self.tally = Tally()
        self.unmeasured = True  # whether the bytes and operations of the next update are still to be measured
        self.flops: list[int] = []  # of the measured updates
        self.updates = 0
        self.forward = 0
        self.backward = 0
        self.saved = 0
        self.failure = ""
        self.last_point = (0, 0, 0)  # updates and evaluations at the last point of the curve
        self.curves: list[list[CurvePoint]] = [[] for _ in range(self.seeds)]
        self.begun = perf_counter()

    @property
    def seconds(self) -> float:
        """For each replica: the time of the stack is shared out evenly."""
        return (perf_counter() - self.begun) / self.seeds

    def update(self, minibatch: Tensor, rate: float) -> None:
        """Update the weights of every replica."""
        if self.solver is None:
            optimiser = self.step.optimiser
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.zero_grad(set_to_none=True)
            self.recent += self._count_flops(partial(self._differentiate, minibatch))
            self.step.clip()
            optimiser.step()
        else:
            step = self._count_flops(partial(self.solver.step, minibatch))
            evaluations = self.tally.take() / step.passes  # in one pass over the minibatch
            self.forward += round(evaluations * (1 + step.trials))
            self.backward += round(evaluations * step.outputs)
            self.saved = max(self.saved, step.saved)
            self.recent += step.losses
        self.unmeasured = False
        self.updates += 1

    def _count_flops(self, run: Callable[[], Result]) -> Result:
        if not (self.unmeasured and self.count_flops):
            return run()
        result, flops = counting_flops(run)
        self.flops.append(flops)
        return result

    def _differentiate(self, minibatch: Tensor) -> Float[Tensor, " seed"]:
        """The losses, after a forward and a backward pass whose evaluations are counted."""
        if self.unmeasured:
            losses, kept = keeping(partial(self.step.objective, minibatch), self.parameters)
            self.saved = max(self.saved, kept)
        else:
            losses = self.step.objective(minibatch)
        spent = self.tally.take()
        try:
            losses.sum().backward()
        except AssertionError as failure:  # torchdiffeq's, in the backward pass of an adjoint
            raise SolverError(f"the adjoint equation could not be solved: {failure}") from failure
        self.forward += spent
        self.backward += self.tally.take() or spent  # without an adjoint, every evaluation is differentiated once
        return losses.detach()

    def validate(self, patience: int) -> bool:
        """Add a point to the learning curve and keep what improved; true where training should end."""
        with torch.no_grad():
            losses = self.step.validation_losses()
        self.tally.take()
        self.best.offer(losses)
        self._add_point(losses)
        self.unmeasured = True
        return not losses.isfinite().any() or 0 < patience <= self.best.stale

    def give_up(self, reason: str) -> None:
        """End with a failure, and keep what has been counted since the last point of the learning curve."""
        self.failure = reason
        if self.updates > self.last_point[0]:
            self._add_point(torch.full_like(self.recent, inf))

    def _add_point(self, valid_losses: Float[Tensor, " seed"]) -> None:
        updates, forward, backward = self.last_point
        span = self.updates - updates
        evaluations = (self.forward - forward) / span, (self.backward - backward) / span
        losses = zip((self.recent / span).tolist(), valid_losses.tolist(), strict=True)
        for curve, (train_loss, valid_loss) in zip(self.curves, losses, strict=True):
            curve.append(CurvePoint(self.updates, train_loss, valid_loss, self.seconds, *evaluations))
        self.last_point = self.updates, self.forward, self.backward
        self.recent.zero_()

    def logs(self) -> list[TrainingLog]:
        """One log for each replica."""
        count = max(1, self.updates)
        failed = Failure("solver_failed", self.failure)
        diverged = Failure("diverged", f"the validation loss was never finite in {self.updates} updates")
        log = TrainingLog(
            updates=self.updates,
            fit_seconds=self.seconds,
            nfe_forward=self.forward / count,
            nfe_backward=self.backward / count,
            saved_bytes=self.saved // self.seeds,
            flops=sum(self.flops) / max(1, len(self.flops)) / self.seeds,
        )
        return [
            replace(log, curve=tuple(curve), failure=failed if self.failure else None if isfinite(loss) else diverged)
            for curve, loss in zip(self.curves, self.best.loss.tolist(), strict=True)
        ]


def clip(parameters: Sequence[nn.Parameter], largest: float) -> None:
    """Scale the gradient of every replica so that its norm is at most `largest`; replicas do not affect each other."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients])
    factor = largest / torch.linalg.vector_norm(norms, dim=0).clamp(min=largest)
    for gradient in gradients:
        gradient.mul_(factor.view(-1, *[1] * (gradient.dim() - 1)))
