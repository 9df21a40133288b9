"""How a model is chosen among all that a learner tries: by free-running forecasts of the validation data."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from learners.base import Predictor, SolverError
from learners.replicas import forecast_replicas
from systems import Dataset, Trajectories

FORECAST = 2.0  # timescales that forecasts run, where the trajectories are that long
FORECASTS = 32  # about as many; at irregular times, where none can go on together, a quarter
LOWEST, HIGHEST = 1e-12, 1e2  # errors in standard deviations beyond which they are all the same


class ValidationForecasts:
    """Forecasts from samples that are evenly spread over the validation trajectories, with a context up to each.

    Of models that draw them at random, so many `members` from each.
    """

    def __init__(self, dataset: Dataset, members: int = 1) -> None:
        self.members = members
        valid, sampling, self.std = dataset.valid, dataset.sampling, dataset.std
        samples = valid.states.shape[1]
        device = self.std.device
        context = min(sampling.context, samples - 1)
        horizon = max(1, min(round(FORECAST / sampling.step), samples - context))
        starts = torch.arange(0, samples - context - horizon + 1, max(1, horizon // 4), device=device)
        row, start = torch.cartesian_prod(torch.arange(len(valid), device=device), starts).unbind(1)
        every = max(1, len(start) // (FORECASTS if dataset.is_regular else FORECASTS // 4))
        rows = row[::every, None]
        columns = start[::every, None] + torch.arange(context + horizon, device=device)
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
        if first.stochastic:
            return torch.cat([self._scores(one) for one in predictors])
        together = first.ensemble(others) if others else first
        if together is None:
            return torch.cat([self.errors([one]) for one in predictors])
        try:
            forecasts = forecast_replicas(together, len(predictors), self.past, self.future.times)
        except SolverError:
            return self.std.new_full((len(predictors),), HIGHEST)
        return self._summary(
            [((one.states - self.future.states) / self.std).square().mean(dim=-1).sqrt() for one in forecasts]
        )

    def _scores(self, predictor: Predictor) -> Float64[Tensor, "1"]:
        """The mean energy score of forecasts that are drawn, which is their error where they do not differ.

        No geometric mean: it would favour forecasts that are too sure, and a score of one start may be negative.
        """
        count = self.members
        past = Trajectories(self.past.times.repeat(count, 1), self.past.states.repeat(count, 1, 1))
        states = predictor.forecast(past, self.future.times.repeat(count, 1)).states.unflatten(0, (count, -1))
        return mean_energy_score(states, self.future.states, self.std).expand(1)

    def _summary(self, errors: Sequence[Float64[Tensor, "batch time"]]) -> Float64[Tensor, " predictor"]:
        logs = torch.stack(tuple(errors)).nan_to_num(HIGHEST).clamp(LOWEST, HIGHEST).log()
        return logs.flatten(1).mean(dim=1).exp()


def energy_score(members: Float[Tensor, "member *shape dim"], truth: Float[Tensor, "*shape dim"]) -> Tensor:
    """E|X - y| - E|X - X'| / 2 of the norms of vectors, `[*shape]`, without bias by the number of members.

    The lower, the better; on average lowest where members are distributed as the truth is.

    Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation", Journal of the American
    Statistical Association 102, 2007.
    """
    error = torch.linalg.vector_norm(members - truth, dim=-1).mean(dim=0)
    if len(members) == 1:
        return error
    one, other = torch.triu_indices(len(members), len(members), 1, device=members.device)
    return error - torch.linalg.vector_norm(members[one] - members[other], dim=-1).mean(dim=0) / 2


def mean_energy_score(
    members: Float[Tensor, "member *shape dim"], truth: Float[Tensor, "*shape dim"], std: Float[Tensor, " dim"]
) -> Tensor:
    """The mean of energy scores, of root mean squares over the channels in standard deviations.

    None counts as more than HIGHEST, and where any member is farther off or not finite, it counts as that: among huge
    ones differences cancel, down to scores below those of a perfect forecast.
    """
    unit = std * std.numel() ** 0.5
    near = (torch.linalg.vector_norm((members - truth) / unit, dim=-1) < HIGHEST).all(dim=0)
    return torch.where(near, energy_score(members / unit, truth / unit), HIGHEST).mean().clamp(min=LOWEST)
