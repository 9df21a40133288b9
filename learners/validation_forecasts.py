"""How a model is chosen among all that a learner tries: by free-running forecasts of the validation data."""

from collections.abc import Sequence

import torch
from jaxtyping import Float64
from torch import Tensor

from learners.base import Predictor, SolverError, forecast_replicas
from systems import Dataset, Trajectories

FORECAST = 2.0  # timescales that forecasts run, where the trajectories are that long
FORECASTS = 32  # about as many; at irregular times, where none can go on together, a quarter
LOWEST, HIGHEST = 1e-12, 1e2  # errors in standard deviations beyond which they are all the same


class ValidationForecasts:
    """Forecasts from samples that are evenly spread over the validation trajectories, with a context up to each."""

    def __init__(self, dataset: Dataset) -> None:
        valid, sampling, self.std = dataset.valid, dataset.sampling, dataset.std
        samples, device = valid.states.shape[1], self.std.device
        context = min(sampling.context, samples - 1)
        horizon = max(1, min(round(FORECAST / sampling.step), samples - context))
        starts = torch.arange(0, samples - context - horizon + 1, max(1, horizon // 4), device=device)
        row, start = torch.cartesian_prod(torch.arange(len(valid), device=device), starts).unbind(1)
        every = max(1, len(start) // (FORECASTS if dataset.is_regular else FORECASTS // 4))
        rows, columns = row[::every, None], start[::every, None] + torch.arange(context + horizon, device=device)
        pieces = Trajectories(valid.times[rows, columns], valid.states[rows, columns])
        self.past, self.future = pieces.between(0, context), pieces.between(context)

    def errors(self, predictors: Sequence[Predictor]) -> Float64[Tensor, " predictor"]:
        """The geometric mean error of each model, in standard deviations; the highest where its solver gives up.

        Those that can go on together do so. Raises ValueError where there is less before a forecast than they need.
        """
        first, *others = predictors
        if (samples := self.past.states.shape[1]) < first.least_past:
            raise ValueError(
                f"validation trajectories leave {samples} samples before a forecast, but {type(first).__name__} starts "
                f"from {first.least_past}: give longer ones (Sampling.samples), or lower the learner's window or delays"
            )
        together = first.ensemble(others) if others else first
        if together is None:
            return torch.cat([self.errors([one]) for one in predictors])
        try:
            forecasts = forecast_replicas(together, len(predictors), self.past, self.future.times)
        except SolverError:
            return self.std.new_full((len(predictors),), HIGHEST)
        errors = [((one.states - self.future.states) / self.std).square().mean(dim=-1).sqrt() for one in forecasts]
        logs = torch.stack(errors).nan_to_num(HIGHEST).clamp(LOWEST, HIGHEST).log()
        return logs.flatten(1).mean(dim=1).exp()
