"""What a learner is: hyper-parameters that, fitted to a dataset, give predictors; and what a predictor can do."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from math import inf, nan
from numbers import Integral
from typing import Any, ClassVar, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from learners.forecast_checks import offsets_after, states_and_count, states_of_shape
from systems import Dataset, Trajectories
from systems.calibration import Calibration
from systems.html import html_table

Equal = Literal["", "updates", "nfe", "seconds"]
Selection = Literal["", "validation loss", "validation forecasts"]

FEW = 0.3  # effort below which a model is validated less often


@dataclass(frozen=True)
class Budget:
    """How much computing a cell may spend."""

    effort: float = 1.0  # multiplies the number of updates, or what all learners may spend alike
    climate: float = 1.0  # fraction of the long forecasts that is run
    equal: Equal = ""  # what every learner that is trained update by update spends alike; "": its own number of updates
    allowance: float = 0.0  # how much of that, to each seed: updates, function evaluations of both passes, or seconds

    def __post_init__(self) -> None:
        if not 0 < self.effort < inf or not 0 < self.climate <= 1:
            found = f"effort={self.effort!r} and climate={self.climate!r}"
            raise ValueError(f"a budget needs a positive effort and 0 < climate <= 1, but has {found}")
        if self.equal not in get_args(Equal) or (self.allowance > 0) != bool(self.equal):
            kinds = ", ".join(filter(None, get_args(Equal)))
            found = f"equal={self.equal!r} and allowance={self.allowance!r}"
            raise ValueError(
                f"a budget has a positive allowance of what is equal ({kinds}), or neither, but has {found}"
            )

    def updates(self, standard: int) -> int:
        """How many updates to take, where a learner's own standard number is `standard`, unless all take as many."""
        return max(1, round((self.allowance if self.equal == "updates" else standard) * self.effort))

    def validations(self, standard: int) -> int:
        """How often to validate, where the standard number is `standard`: less often below an effort of 0.3.

        Twenty validations of a network on Lorenz take as long as a tenth of its standard updates.
        """
        return max(1, round(standard * min(1.0, self.effort / FEW)))


class Unsuitable(ValueError):  # noqa: N818 (an outcome, not a mistake)
    """A learner does not apply to these data: irregular times, hidden channels, an extra that is not installed."""


class SolverError(RuntimeError):
    """An adaptive solver could not go on: its step became too small, or its states left the finite numbers."""


@dataclass(frozen=True)
class Failure:
    """Why training ended without a model that can be trusted."""

    status: Literal["diverged", "solver_failed"]
    reason: str


@dataclass(frozen=True)
class CurvePoint:
    """The state of training after `update` updates; losses are mean squared errors of standardised quantities."""

    update: int
    train_loss: float
    valid_loss: float
    seconds: float
    nfe_forward: float  # function evaluations of one update, mean since the point before
    nfe_backward: float
    valid_vpt: float = nan  # prediction time on validation trajectories, in timescales; NaN where it is not measured
    valid_error: float = nan  # geometric mean error of forecasts of these, in standard deviations; chooses the model


@dataclass(frozen=True)
class TrainingLog:
    """What fitting one predictor cost, and how it went; NaN where nobody counted a cost."""

    updates: int = 0
    fit_seconds: float = nan  # of this seed: a stacked fit's time divided by its seeds
    nfe_forward: float = nan  # function evaluations of one update, mean over training
    nfe_backward: float = nan
    saved_bytes: float = nan  # most that autograd would keep between the forward and backward pass of one update
    kept_bytes: float = nan  # most that is kept: less where a backward pass is written by hand
    flops: float = nan  # floating-point operations of one update, both passes, mean of those that were measured
    samples: float = nan  # of the training data that the updates have seen in all
    together: int = 1  # seeds that were fitted as one program
    selection: Selection = ""  # what was lowest of all that were tried: the loss or the error of free-running forecasts
    curve: tuple[CurvePoint, ...] = ()
    failure: Failure | None = None


FREE = TrainingLog(0, 0.0, 0.0, 0.0, 0, 0, 0.0, 0)  # of what is not trained


@dataclass(frozen=True)
class Forecast:
    """States `[batch, time, dim]` in physical units, non-finite after a divergence, and the function evaluations spent.

    `evaluations` counts evaluations of the learned map or field for one trajectory of the batch.
    """

    states: Float[Tensor, "batch time dim"]
    evaluations: int


class Predictor(ABC):
    """A fitted model seen as a dynamical system of its own.

    Its `state` is a tensor `[batch, ...]` of whatever the model carries from one time to the next; `past` and every
    decoded state are in physical units. No method changes the predictor or its arguments.
    """

    differentiable: bool = True  # whether `advance` is a smooth map of the state, so that it has exponents
    stochastic: bool = False  # whether forecasts from the same past, side by side in a batch, are drawn at random
    least_past: int = 1  # samples before a forecast, without which it cannot start
    fitted_to: Dataset | None = None  # where it is known
    log: TrainingLog = TrainingLog()
    calibration: Calibration | None = None  # of a model that is made of known equations
    parameters_at: Callable[[Mapping[str, Tensor]], dict[str, float]] | None = None  # of known equations, for weights
    equations: tuple[str, ...] | None = None  # of a model that has found some, one for each channel

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Number of learned numbers."""

    @abstractmethod
    def encode(self, past: Trajectories) -> Tensor:
        """The model's state at the last time of `past`."""

    @abstractmethod
    def decode(self, state: Float[Tensor, "*batch state"]) -> Float[Tensor, "*batch dim"]:
        """The system's state, in float64, that the model's state stands for; leading axes are kept."""

    @abstractmethod
    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        """The states `[time, batch, ...]` at increasing `offsets` after `state`, and the evaluations that they took.

        Evaluations are those of the learned map or field, for one trajectory of the batch. Raises ValueError where the
        model is a map of another step than the offsets ask for.
        """

    def advance(self, state: Tensor, dt: float) -> tuple[Tensor, int]:
        """The state `dt` later, and the evaluations that it took."""
        states, evaluations = self.rollout(state, [dt])
        return states[0], evaluations

    def forecast(self, past: Trajectories, times: Float[Tensor, "*batch time"]) -> Forecast:
        """Predict the states at increasing `times` after the last of `past`: one row for all of the batch, or for each.

        Trajectories whose times lie alike behind their past, to single precision, are rolled out together.
        """
        self._check(past)
        offsets = offsets_after(past, times)
        _, group = torch.unique(offsets.float(), dim=0, return_inverse=True)
        states = past.states.new_empty(*offsets.shape, past.states.shape[-1])
        evaluations = 0
        with torch.inference_mode():
            state = self.encode(past)
            for index in range(int(group.max()) + 1):
                members = group == index
                rolled_out = self.rollout(state[members], offsets[members][0].tolist())
                found, count = states_and_count(rolled_out, self)
                shape = offsets.shape[1], int(members.sum()), states.shape[-1]
                states[members] = states_of_shape(self.decode(found), shape, self).transpose(0, 1)
                evaluations += count * shape[1]
        return Forecast(states, round(evaluations / len(offsets)))

    def forecast_after(self, past: Trajectories, offsets: Float[Tensor, " time"]) -> Forecast:
        """Predict the states at increasing `offsets` after the last time of `past`, in the system's time unit."""
        return self.forecast(past, past.times[:, -1:] + offsets.to(past.times))

    def simulate(self, samples: int, past: Trajectories | None = None, step: float | None = None) -> Trajectories:
        """So many samples of the model's own, one `step` apart, after `past`.

        Without these, from the first test state of the data that it was fitted to, at their sampling step; ValueError
        where those are not known.
        """
        if past is None or step is None:
            if (data := self.fitted_to) is None:
                raise ValueError("this model does not know its data: give simulate the past and the step to go on with")
            given = data.test.between(0, data.sampling.context)
            past = Trajectories(given.times[:1], given.states[:1]) if past is None else past
            step = data.step if step is None else step
        offsets = step * torch.arange(1, samples + 1, dtype=torch.float64)
        return Trajectories(past.times[:, -1:] + offsets, self.forecast_after(past, offsets).states)

    def __repr__(self) -> str:
        """What it is, how large, and how training went."""
        failure = self.log.failure
        ending = failure.status if failure else f"{self.log.updates:,} updates" if self.log.updates else "no updates"
        return f"{type(self).__name__}({self.parameters:,} parameters, {ending})"

    def _repr_html_(self) -> str:
        spent = ("updates", "fit_seconds", "nfe_forward", "nfe_backward", "saved_bytes")
        return html_table(repr(self), ("of training", ""), [(name, getattr(self.log, name)) for name in spent])

    def _check(self, past: Trajectories) -> None:
        """Raise ValueError unless a forecast can go on from `past`."""
        shape = tuple(past.states.shape)
        if len(shape) != 3 or past.states.dtype != torch.float64:
            raise ValueError(
                f"past.states must be [batch, time, dim] in float64, but has the shape {shape} and {past.states.dtype}"
            )
        if shape[1] < self.least_past:
            raise ValueError(
                f"past has {shape[1]} samples, but {type(self).__name__} starts from {self.least_past}: "
                "give it more samples before the forecast"
            )

    def ensemble(self, others: Sequence["Predictor"]) -> "Predictor | None":
        """One predictor of this replica and others of the same fit, which has so many equal parts of a batch, in order.

        None where their forecasts cannot go on together without affecting each other.
        """
        return None

    def weights(self) -> dict[str, Tensor]:
        """The learned numbers by name, for a checkpoint."""
        return {}

    def constants(self) -> dict[str, Tensor]:
        """What forecasts need beside these and is not learned, as the scales of the training data; likewise by name."""
        return {}


STANDARD = Budget()


class Method(ABC):
    """What learners and classifiers have in common: they fit one model for each seed, and refuse what is no seed."""

    reference: ClassVar[bool] = False  # a yardstick shown beside the methods that are compared
    for_rings: ClassVar[bool] = False  # for systems alone whose channels are sites of a ring: suites give it no others

    def __init_subclass__(cls) -> None:
        if "fit_replicas" in vars(cls):
            cls.fit_replicas = _checked(cls.fit_replicas)

    @abstractmethod
    def fit_replicas(self, dataset: Any, budget: Budget, seeds: Sequence[int]) -> list[Any]:
        """Fit one model for each seed."""


def _checked(fit_replicas: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(fit_replicas)
    def fit_to_seeds(self: Any, dataset: Any, budget: Budget, seeds: Sequence[int]) -> Any:
        if len(seeds) == 0 or not all(isinstance(seed, Integral) and seed >= 0 for seed in seeds):
            raise ValueError(f"seeds must be whole numbers of at least 0, one for each model to fit, but is {seeds!r}")
        return fit_replicas(self, dataset, budget, seeds)

    return fit_to_seeds


@dataclass(frozen=True)
class Learner(Method):
    """A method of learning dynamical systems whose dataclass fields are its hyper-parameters."""

    @abstractmethod
    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        """Fit one predictor for each seed, on the device where the dataset lies, without changing the dataset.

        A model that fails to train is returned all the same, with the reason in its `log.failure`. Raises Unsuitable
        where the method does not apply to the data.
        """

    def fit(self, dataset: Dataset, budget: Budget = STANDARD, seed: int = 0) -> Predictor:
        """Fit one predictor, which remembers the data that it was fitted to; see `fit_replicas`."""
        (predictor,) = self.fit_replicas(dataset, budget, [seed])
        predictor.fitted_to = dataset
        return predictor
