"""Polynomial one-step maps of Lorenz' system, as arXiv 2507.09652 measures them, and the ceilings of true equations."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from learners import Learner, PolynomialPropagator
from learners.base import STANDARD
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
HORIZON = 36.0  # Lyapunov times
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


def dataset(samples: int, step: float, seed: int = 0) -> Dataset:
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
        horizon=HORIZON,
        climate=1,
        climate_horizon=2 * units,
    )
    return sample(system, sampling, seed)


def prediction_time(learner: Learner, data: Dataset) -> tuple[float, int]:
    """Mean over the starts of the valid prediction time, in Lyapunov times, and the model's number of parameters."""
    model = learner.fit(data, STANDARD)
    past, truth = data.test.between(0, 1), data.test.between(1)
    found = model.forecast(past, truth.times).states.numpy()
    error = normalised_error(truth.states.numpy(), found, data.std.numpy())
    times = valid_prediction_time(error, data.sampling.step)
    return float(np.mean(times)), model.parameters


def table() -> Iterator[Row]:
    """All twelve figures; the degree is the one that validation chooses."""
    for samples in SAMPLES:
        for step, published in zip(STEPS, PUBLISHED[samples], strict=True):
            measured, parameters = prediction_time(PolynomialPropagator(), dataset(samples, step))
            yield Row(samples, step, published, measured, parameters // 3)
