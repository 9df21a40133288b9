"""Polynomial one-step maps of Lorenz' system, as arXiv 2507.09652 measures them, and the ceilings of true equations."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64

from learners import Learner, PolynomialPropagator
from learners.base import STANDARD, Predictor
from learners.solvers.accurate import steps_of
from learners.solvers.rollout import EquationsPredictor
from learners.solvers.steps import EVALUATIONS
from metrics import normalised_error, valid_prediction_time
from systems import Dataset, Lorenz, Sampling, sample

SAMPLES = (1_024, 4_096, 32_768)
STEPS = (2**-4, 2**-5, 2**-6, 2**-8)  # time units
PUBLISHED = {  # mean prediction time in Lyapunov times, of the best degree, in the order of STEPS
    1_024: (12.8, 17.2, 17.4, 12.4),
    4_096: (13.0, 17.4, 18.4, 20.3),
    32_768: (12.8, 17.5, 19.0, 20.4),
}
CEILINGS = {torch.float32: 12.0, torch.float64: 32.1}  # of the equations themselves, by a solver of this precision
CEILING_STEPS = {torch.float32: 4, torch.float64: 256}  # of fourth order in 2^-6, whose error is below rounding
TRUTH_STEPS = 512
HORIZON = 36.0  # Lyapunov times
CEILING_HORIZON = 45.0
STARTS = 64


@dataclass(frozen=True)
class Row:
    """One figure of the table: training samples, time between them, published and measured, both in Lyapunov times."""

    samples: int
    step: float
    published: float
    measured: float
    monomials: int

    @property
    def agrees(self) -> bool:
        """Whether ours is as good, within one Lyapunov time."""
        return self.measured > self.published - 1


def dataset(samples: int, step: float, seed: int = 0, horizon: float = HORIZON) -> Dataset:
    """One training trajectory of so many samples, a short one to choose by, and the truth of forecasts."""
    system = Lorenz()
    units = step / system.timescale
    sampling = Sampling(
        step=units,
        trajectories=1,
        samples=samples,
        valid=2,
        test=STARTS,
        context=1,
        horizon=horizon,
        climate=1,
        climate_horizon=2 * units,
    )
    return sample(system, sampling, seed)


def prediction_time(learner: Learner, data: Dataset) -> tuple[float, int]:
    """Mean over the starts of the valid prediction time, in Lyapunov times, and the model's number of parameters."""
    model = learner.fit(data, STANDARD)
    truth = data.test.between(1).states.numpy()
    return mean_prediction_time(truth, forecasts(model, data), data), model.parameters


def ceiling(precision: torch.dtype) -> float:
    """Mean valid prediction time, in Lyapunov times, of the equations themselves, where rounding alone errs.

    The truth is the same fourth-order method in float64 and shorter steps: that of the data sets, of a tolerance, is
    one for 24.6 Lyapunov times only.
    """
    data = dataset(SAMPLES[0], 2**-6, horizon=CEILING_HORIZON)
    steps = steps_of(Lorenz(), data)

    def solved(count: int, dtype: torch.dtype) -> Float64[np.ndarray, "batch time dim"]:
        evaluations = count * EVALUATIONS["rk4"]
        model = EquationsPredictor(lambda x, time: steps(x, time, count), data.step, evaluations, dtype=dtype)
        return forecasts(model, data)

    truth = solved(TRUTH_STEPS, torch.float64)
    return mean_prediction_time(truth, solved(CEILING_STEPS[precision], precision), data)


def forecasts(model: Predictor, data: Dataset) -> Float64[np.ndarray, "batch time dim"]:
    """What a model says of the test data after their first sample."""
    return model.forecast(data.test.between(0, 1), data.test.between(1).times).states.numpy()


def mean_prediction_time(
    truth: Float64[np.ndarray, "batch time dim"], forecast: Float64[np.ndarray, "batch time dim"], data: Dataset
) -> float:
    """Mean over the starts of the valid prediction time, in Lyapunov times."""
    error = normalised_error(truth, forecast, data.std.numpy())
    return float(np.mean(valid_prediction_time(error, data.sampling.step)))


def table() -> Iterator[Row]:
    """All twelve figures; the degree is the one that validation chooses."""
    for samples in SAMPLES:
        for step, published in zip(STEPS, PUBLISHED[samples], strict=True):
            measured, parameters = prediction_time(PolynomialPropagator(), dataset(samples, step))
            yield Row(samples, step, published, measured, parameters // 3)
