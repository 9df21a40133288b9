"""The training loop of every network: minibatches, a schedule of the rate, the weights that are kept in the end."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from math import cos, pi, sqrt
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Predictor, SolverError, TrainingLog, Unsuitable
from learners.networks.scales import mean_square
from learners.networks.stacked import refresh, replica, replicas_in
from learners.training.best import Kept
from learners.training.callbacks import TrainingState, call_back
from learners.training.counting import counting
from learners.training.levenberg_marquardt import LevenbergMarquardt, Residuals
from learners.training.run import TrainingRun
from learners.training.segments import Segments, TrainingData
from learners.training.training_step import Compiler, Optimiser, TrainingStep, clip, collect_step, descent

Objective = Callable[[Segments], Float[Tensor, " seed"]]
Schedule = Literal["cycle", "constant"]

VALIDATION_SEGMENTS = 2048
FASTEST = 0.03  # rate of SOAP in however few updates


@dataclass(frozen=True)
class Training:
    """How a network is trained. The budget's effort multiplies `updates`, unless all learners spend alike."""

    updates: int = 10_000
    batch: int = 128  # segments in an update
    learning_rate: float = 1e-2  # at the peak of the cycle, or the constant one; of SOAP, in all of the updates
    warmup: float = 0.1  # fraction of the updates before the peak
    clip: float = 1.0  # largest norm of a replica's gradient
    validations: int = 20  # times that the validation data are forecast, of which the best counts; fewer at low effort
    patience: int = 0  # validations without improvement that end training; 0: never
    schedule: Schedule = "cycle"  # one cycle of the rate; or a constant one, which falls once
    drop: float = 1.0  # fraction of the updates after which a constant rate is a tenth of what it was
    keep: Kept = "best"  # the weights that forecast the validation data best, or the last ones
    optimiser: Optimiser = "adam"  # soap: Adam in eigenbases of the gradients' covariance; levenberg-marquardt: for at
    # most about a thousand weights, without a rate and a clip

    def __post_init__(self) -> None:
        for name in ("updates", "batch", "learning_rate", "clip", "validations"):
            if not getattr(self, name) > 0:
                raise ValueError(f"training.{name} must be positive, but is {getattr(self, name)!r}")
        if not 0 <= self.warmup < 1 or self.patience < 0:
            raise ValueError(
                f"training needs 0 <= warmup < 1 and patience >= 0, but has {self.warmup} and {self.patience}"
            )
        if not 0 < self.drop <= 1:
            raise ValueError(f"training.drop must be above 0 and at most 1, but is {self.drop!r}")

    def within(self, updates: int) -> "Training":
        """For a budget of so many updates. SOAP goes faster in fewer, and slower in more, by the root of their ratio.

        In a tenth of the updates of a GRU on Lorenz, its validation forecasts err by 0.72 at the rate of all, and by
        0.04 at that rate times three.
        """
        if self.optimiser != "soap":
            return self
        fastest = max(self.learning_rate, FASTEST)
        return replace(self, learning_rate=min(self.learning_rate * sqrt(self.updates / updates), fastest))

    def rate(self, progress: float) -> float:
        """Learning rate at a fraction of training. A cycle: linear warm-up, then a half cosine down to a thousandth."""
        if self.schedule == "constant":
            return self.learning_rate * (1.0 if progress < self.drop else 0.1)
        if progress < self.warmup:
            return self.learning_rate * (0.04 + 0.96 * progress / self.warmup)
        fall = (progress - self.warmup) / (1 - self.warmup)
        return self.learning_rate * (0.001 + 0.999 * (1 + cos(pi * fall)) / 2)


def train(
    network: nn.Module,
    objective: Objective,
    data: TrainingData,
    training: Training,
    budget: Budget,
    counted: Iterable[nn.Module],
    predictor: Callable[[Any], Predictor],
    residuals: Residuals | None = None,
    compiler: Compiler | None = None,
) -> list[Predictor]:
    """Train every replica of a network in place on segments of trajectories.

    Args:
        network: a stack of replicas.
        objective: the loss of each replica on segments `[seed, batch, length, dim]`.
        data: segments to train on and to validate, and forecasts of validation data by which weights are chosen.
        training: how to train.
        budget: multiplies the number of updates, or says what all learners may spend alike.
        counted: the modules whose calls are the function evaluations.
        predictor: of the network, or of one of its replicas.
        residuals: of which the loss is the mean square, as Levenberg's and Marquardt's method needs it to be.
        compiler: makes updates with the same objective by compiled code, if there is any.

    Returns:
        A predictor for each replica, whose log says so where its loss was never finite, or its solver failed.
    """
    solver = None
    if training.optimiser == "levenberg-marquardt":
        if residuals is None:
            raise Unsuitable(
                'training.optimiser="levenberg-marquardt" minimises squared errors alone, but the loss of this learner '
                'has other terms: choose "adam"'
            )
        solver = LevenbergMarquardt(network, residuals)
    parameters = list(network.parameters())
    held_out = data.valid.evenly_spaced(VALIDATION_SEGMENTS)

    apart: list[nn.Module] = []  # the replicas, copied once: copying networks takes longer than copying their numbers

    def predictors() -> list[Predictor]:
        if apart:
            refresh(apart, network)
        else:
            apart.extend(replica(network, index) for index in range(replicas_in(network)))
        return [predictor(one) for one in apart]

    step = TrainingStep(
        network,
        objective,
        partial(data.train.batches, training.batch),
        descent(parameters, training.optimiser, training.learning_rate),
        partial(clip, parameters, training.clip),
        list(counted),
        lambda: objective(held_out),
        parameters,
        lambda: data.forecasts.errors(predictors()),
        compiler and partial(compiler, training.clip, training.optimiser),
    )
    logs = run_updates(step, training, budget, solver)
    found = predictors()
    for one, log in zip(found, logs, strict=True):
        one.log = log
    return found


def train_on_residuals(
    network: nn.Module,
    residuals: Residuals,
    data: TrainingData,
    training: Training,
    budget: Budget,
    counted: Iterable[nn.Module],
    predictor: Callable[[Any], Predictor],
    penalty: Objective | None = None,
    compiler: Compiler | None = None,
) -> list[Predictor]:
    """Train on the mean squared residual `[seed, batch, ...]` of each replica, plus a penalty if there is one.

    `compiler` makes updates without a penalty.
    """

    def objective(segments: Segments) -> Float[Tensor, " seed"]:
        error = mean_square(residuals(segments))
        return error if penalty is None else error + penalty(segments)

    if penalty is not None:
        return train(network, objective, data, training, budget, counted, predictor)
    return train(network, objective, data, training, budget, counted, predictor, residuals, compiler)


def run_updates(
    step: TrainingStep,
    training: Training,
    budget: Budget,
    solver: LevenbergMarquardt | None = None,
    count_flops: bool = True,
) -> list[TrainingLog]:
    """Take updates until the budget or the patience is spent, and put the weights back that are to be kept.

    Args:
        step: of what one update consists.
        training: how many updates, at which rates, and how often to validate.
        budget: multiplies the number of updates, or says what all learners may spend alike. Of evaluations or seconds,
            so many updates are planned as a few trial gradients foretell, and training ends where all is spent.
        solver: updates the weights in place of the step's optimiser.
        count_flops: whether the floating-point operations of an update are counted now and then.

    Returns:
        One log for each replica.
    """
    run = TrainingRun(step, solver, count_flops, training.keep)
    updates = budget.updates(training.updates)
    if collect_step(step if solver is None else None):
        return run.logs()
    run.start()
    with counting(step.counted) as run.tally:
        try:
            if budget.equal in ("nfe", "seconds"):
                updates = run.affordable(budget, updates)
            training = training.within(updates)
            validations = budget.validations(training.validations)
            validated = 0
            spent = 0.0
            every = -(-updates // validations)
            for update, minibatch in enumerate(step.minibatches(updates), 1):
                call_back(TrainingState(run.updates, updates, step.network, run.best.weights))
                run.update(minibatch, training.rate(max((update - 1) / updates, spent)))
                spent = run.spent(budget)
                ends = update == updates or spent >= 1
                reached = update // every if not spent else int(validations * max(update / updates, spent))
                if ends or reached > validated:
                    ends = run.validate(training.patience) or ends
                    validated = reached
                if ends:
                    break
        except SolverError as failure:
            run.give_up(f"{failure} in update {run.updates + 1} of {updates}")
    run.best.restore()
    return run.logs()
