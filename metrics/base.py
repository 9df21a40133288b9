"""What a metric is: a named measure, with unit and direction, of the evidence that one trial leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import getdoc, isfunction
from math import inf, nan
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from metrics.validation import Undefined, clock
from systems.calibration import Calibration
from systems.lyapunov import Spectrum

REGULAR = np.empty((0, 0))  # stands for times one step apart

Better = Literal["lower", "higher", "truth"]
Group = Literal["forecast", "long run", "cost"]


@dataclass(frozen=True)
class Cost:
    """What fitting and forecasting one trial took; NaN where nobody counted it."""

    parameters: int
    updates: int
    nfe_forward: float  # function evaluations of one update
    nfe_backward: float
    nfe_forecast: float  # function evaluations of one forecast, divided by its length in timescales
    fit_seconds: float
    forecast_seconds: float
    saved_bytes: float
    peak_bytes: float
    flops_update: float = nan  # floating-point operations of one update, both passes
    flops_forecast: float = 0.0  # of one forecast, divided by its length in timescales
    samples: float = nan  # of the training data that all updates have seen; NaN where nobody counted them
    kept_bytes: float = nan
    energy: float = nan  # joules that the device took while fitting; NaN where it does not tell


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a model of latent states makes of what it was given, and of what lies between, in physical units."""

    given: Float64[np.ndarray, "batch window dim"]  # the samples that were read
    truth: Float64[np.ndarray, "batch window dim"]  # at these, without their noise
    states: Float64[np.ndarray, "batch window dim"]  # decoded at these
    path: Float64[np.ndarray, "place time dim"]  # trajectories from evenly spaced places between two latent states
    path_times: Float64[np.ndarray, " time"]  # since the first sample that was read, in timescales


@dataclass(frozen=True, eq=False)
class Field:
    """A learned vector field in the plane beside the true one, in physical units: means over one sampling step."""

    places: Float64[np.ndarray, "place 2"]  # first those of a grid around the training data, then some of these
    flow: Float64[np.ndarray, "place 2"]  # the true velocity
    learned: Float64[np.ndarray, "place 2"]
    around: int  # places of the grid


@dataclass(frozen=True, eq=False)
class Fit:
    """The first training trajectory beside what a model forecasts from its first samples on, in physical units."""

    times: Float64[np.ndarray, " time"]  # since the first sample, in timescales
    observed: Float64[np.ndarray, "time dim"]  # as the learner saw it, with noise
    truth: Float64[np.ndarray, "time dim"]
    forecast: Float64[np.ndarray, "time dim"]  # NaN at the samples that were given
    before: Float64[np.ndarray, "time dim"] | None = None  # the same before training, where the model was another then


def no_model() -> Spectrum:
    """The spectrum where there is no model that could be differentiated."""
    raise Undefined("there is no model to differentiate")


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one trial (cell x seed) leaves to be measured: forecasts beside the truth, in physical units, and costs.

    Scored samples only: the context is not in it. Forecasts may be non-finite after a divergence; the truth never is.
    Each evidence is equal to itself only, so that what several metrics need of it can be kept.
    """

    step: float  # between two samples of the long trajectories, in timescales
    scale: Float64[np.ndarray, " dim"]  # standard deviation of each channel over the training data
    truth: Float64[np.ndarray, "batch time dim"]
    forecast: Float64[np.ndarray, "batch time dim"]
    climate_truth: Float64[np.ndarray, "runs samples dim"]  # a few long trajectories
    climate: Float64[np.ndarray, "runs samples dim"]  # the model's own, from the same initial states
    cost: Cost
    times: Float64[np.ndarray, "batch time"] = field(default_factory=lambda: REGULAR)  # of the forecasts, in timescales
    ground_truth_time: float = inf  # how long the reference solution is the truth, in timescales
    exponents: Callable[[], Spectrum] = no_model  # Lyapunov exponents of the model, per timescale; raises Undefined
    calibration: Calibration | None = None  # of a model that is made of known equations
    decoded: Decoded | None = None  # of a model of latent states
    members: Float64[np.ndarray, "member batch time dim"] | None = None  # of a model that forecasts distributions
    ring: bool = False  # whether the channels are the sites of a ring, in their order
    field: Field | None = None  # of a model whose state is a place in the plane
    equations: Sequence[str] | None = None  # that were found, one for each channel
    fit: Fit | None = None  # to the training data, where these are longer than a context, and no ring

    def __post_init__(self) -> None:
        times = self.step if self.times is REGULAR else self.times
        object.__setattr__(self, "times", clock(times, *self.truth.shape[:2]))
        if not self.ground_truth_time >= 0:
            raise ValueError(f"ground_truth_time must not be negative, but is {self.ground_truth_time!r}")


@dataclass(frozen=True)
class Metric:
    """A measure of one trial.

    `better` says which values are better: "lower", "higher", or those near to the "truth", which the reference row of
    the true equations shows. `measure` returns NaN, or raises Undefined, where a trial leaves nothing to measure, and
    may return infinity.
    """

    name: str
    unit: str
    better: Better
    measure: Callable[[Any], float]  # of Evidence, or of that of its own family
    about: str = ""  # one line for readers of tables; without it, the first line of the docstring of `measure`
    group: Group = "forecast"  # the table that it is shown in

    def __post_init__(self) -> None:
        if not self.about and isfunction(self.measure):
            object.__setattr__(self, "about", (getdoc(self.measure) or "").partition("\n")[0])
