"""What a metric is: a named measure, with unit and direction, of the evidence that one trial leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import getdoc, isfunction
from typing import Literal

import numpy as np
from jaxtyping import Float64

Better = Literal["lower", "higher", "truth"]


@dataclass(frozen=True)
class Cost:
    """What fitting and forecasting one trial took."""

    parameters: int
    updates: int
    nfe_forward: float  # function evaluations of one update
    nfe_backward: float
    nfe_forecast: float  # function evaluations of one forecast, divided by its length in timescales
    fit_seconds: float
    forecast_seconds: float
    saved_bytes: int
    peak_bytes: int


@dataclass(frozen=True)
class Evidence:
    """What one trial (cell x seed) leaves to be measured: forecasts beside the truth, in physical units, and costs.

    Scored samples only: the context is not in it. Forecasts may be non-finite after a divergence; the truth never is.
    """

    step: float  # between two samples, in timescales
    scale: Float64[np.ndarray, " dim"]  # standard deviation of each channel over the training data
    truth: Float64[np.ndarray, "batch time dim"]
    forecast: Float64[np.ndarray, "batch time dim"]
    climate_truth: Float64[np.ndarray, "runs samples dim"]  # a few long trajectories
    climate: Float64[np.ndarray, "runs samples dim"]  # the model's own, from the same initial states
    cost: Cost


@dataclass(frozen=True)
class Metric:
    """A measure of one trial.

    `better` says which values are better: "lower", "higher", or those near to the "truth", which the reference row of
    the true equations shows. `measure` returns NaN where a trial leaves nothing to measure, and may return infinity.
    """

    name: str
    unit: str
    better: Better
    measure: Callable[[Evidence], float]
    about: str = ""  # one line for readers of tables; without it, the first line of the docstring of `measure`

    def __post_init__(self) -> None:
        if not self.about and isfunction(self.measure):
            object.__setattr__(self, "about", (getdoc(self.measure) or "").partition("\n")[0])
