"""A cell that is judged by forecasts of its validation data: neither its learner nor its score sees the test data."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float64

from bench.cells.data import SystemCell, observe
from bench.cells.drawings import Arrays
from bench.cells.forecasts import draw_members
from bench.cells.records import failed_trial, measure
from bench.cells.trial import Ending, Trial
from learners import Predictor
from learners.validation_forecasts import mean_energy_score
from metrics import Metric, normalised_error
from systems import Dataset, Trajectories

HORIZON = 4.0  # timescales that are forecast, where the protocol and the trajectories are that long
STARTS = 64  # of forecasts, at the most, or one in each validation trajectory
LOWEST, HIGHEST = 1e-8, 1e2  # errors in standard deviations beyond which they are all the same


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Forecasts beside the validation data, in physical units, and what one standard deviation is.

    Of a model that draws its forecasts, there are several of each.
    """

    truth: Float64[np.ndarray, "batch time dim"]
    forecast: Float64[np.ndarray, "batch time dim"]
    scale: Float64[np.ndarray, " dim"]
    members: Float64[np.ndarray, "member batch time dim"] | None = None


def _error(found: HeldOut) -> float:
    """Error of forecasts of the validation data in standard deviations: geometric mean over starts and samples.

    Of forecasts that are drawn, the mean of their energy scores: the lowest error of single ones is that of the mean.
    """
    if found.members is not None:
        return mean_energy_score(*map(torch.from_numpy, (found.members, found.truth, found.scale))).item()
    error = normalised_error(found.truth, found.forecast, found.scale)
    return float(np.exp(np.log(np.clip(error, LOWEST, HIGHEST)).mean()))


validation_error = Metric("validation_error", "std", "lower", _error)


@final
class HeldOutCell(SystemCell):
    """A system met by a learner, whose forecasts of the validation trajectories are scored as they were observed."""

    def run(self, data: Path) -> list[Trial]:
        dataset = held_out(observe(self.system, self.sampling, self.data_seed, data).data).to(self.device)
        predictors, _ = self.fit(dataset, Predictor)

        def trial(seed: int, predictor: Predictor) -> Trial:
            try:
                found = forecast_held_out(predictor, dataset)
                record = measure(self, seed, found, Ending.of_training(predictor.log.failure))
                return Trial(record, predictor.log.curve)
            except Exception as error:
                return failed_trial(self, seed, error, predictor.log.curve)

        return self.trials_of(predictors, trial)

    def arrays(self, evidence: Any) -> Arrays:
        return {}


def held_out(data: Dataset) -> Dataset:
    """The data with pieces of the validation trajectories, a context and what follows it, in place of all test data.

    Raises ValueError where these trajectories are no longer than the context.
    """
    context = data.sampling.context
    samples = data.valid.states.shape[1]
    if samples <= context:
        raise ValueError(
            f"validation trajectories of {samples} samples leave nothing to forecast after a context of {context}: "
            "raise Sampling.samples or lower Sampling.context"
        )
    wanted = min(HORIZON, data.sampling.horizon) / data.sampling.step
    length = context + max(1, min(round(wanted), samples - context))
    each = max(1, min(STARTS // len(data.valid), 1 + (samples - length) // (length - context)))
    starts = np.linspace(0, samples - length, each).round().astype(int)
    pieces = [data.valid.between(start, start + length) for start in starts.tolist()]
    scored = Trajectories(torch.cat([one.times for one in pieces]), torch.cat([one.states for one in pieces]))
    return replace(data, test=scored, climate=scored)


def forecast_held_out(predictor: Predictor, data: Dataset) -> HeldOut:
    """Forecast what `held_out` has put in place of the test data."""
    context = data.sampling.context
    scale = data.std.numpy(force=True)
    if predictor.stochastic:
        members = draw_members(predictor, data.test, context, data.dim)
        return HeldOut(data.test.between(context).states.numpy(force=True), members[0], scale, members)
    with torch.no_grad():
        forecast = predictor.forecast(data.test.between(0, context), data.test.times[:, context:])
    truth = data.test.between(context).states.numpy(force=True)
    return HeldOut(truth, forecast.states.double().numpy(force=True), scale)
