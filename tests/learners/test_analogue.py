"""Analogue forecasts: the continuation of the nearest window of the training data, found by brute force here."""

from dataclasses import replace

import pytest
import torch

from learners import Analogue, Budget
from systems import Dataset, LinearSpiral, Lorenz, Sampling, Trajectories, sample

SAMPLING = Sampling(step=0.02, trajectories=5, samples=80, valid=1, test=6, context=6, horizon=1.5, climate=1)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(Lorenz(), replace(SAMPLING, climate_horizon=0.1), 0)


def distance(data: Dataset, one: torch.Tensor, other: torch.Tensor) -> float:
    return float(((one - other) / data.std).square().sum())


@pytest.mark.parametrize("window", [1, 4])
def test_a_forecast_is_what_followed_on_the_nearest_window_and_goes_on_behind_one_in_a_first_half(
    data: Dataset, window: int
):
    (predictor,) = Analogue(window).fit_replicas(data, Budget(), [0])
    found = predictor.forecast(data.test.between(0, 6), data.test.times[0, 6:]).states
    train = data.train.states
    for past, forecast in zip(data.test.states[:, 6 - window : 6], found, strict=True):
        ends = [(row, last) for row in range(5) for last in range(window - 1, 79)]
        row, last = min(ends, key=lambda end: distance(data, train[end[0], end[1] + 1 - window : end[1] + 1], past))
        for state in forecast:
            if last == 79:
                latest, ends = train[row, -window:], [(r, i) for r in range(5) for i in range(window - 1, 40)]
                row, last = min(
                    ends, key=lambda end: distance(data, train[end[0], end[1] + 1 - window : end[1] + 1], latest)
                )
            last += 1
            assert torch.equal(state, train[row, last])


def test_a_past_that_is_known_is_gone_on_with_exactly(data: Dataset):
    (predictor,) = Analogue().fit_replicas(data, Budget(), [0])
    known = Trajectories(data.train.times[:, :20], data.train.states[:, :20])
    forecast = predictor.forecast(known, data.train.times[0, 20:70])
    assert torch.equal(forecast.states, data.train.states[:, 20:70])
    assert forecast.evaluations == 0


def test_the_nearest_is_that_of_standardised_states():
    data = sample(LinearSpiral(), replace(SAMPLING, climate_horizon=0.1), 0)
    unit = torch.tensor([1.0, 1e6], dtype=torch.float64)
    parts = {name: getattr(data, name) for name in ("train", "valid", "test", "climate")}
    scaled = replace(data, **{name: Trajectories(part.times, unit * part.states) for name, part in parts.items()})
    times = data.test.times[0, 6:]
    one, other = (
        Analogue().fit_replicas(each, Budget(), [0])[0].forecast(each.test.between(0, 6), times).states
        for each in (data, scaled)
    )
    torch.testing.assert_close(unit * one, other)


def test_of_short_trajectories_and_contexts_fewer_samples_are_compared(data: Dataset):
    short = replace(data, train=data.train.between(0, 9))
    assert [one.least_past for one in Analogue(5).fit_replicas(short, Budget(), [0])] == [4]
    alone = replace(data, sampling=replace(data.sampling, context=1))
    assert [one.least_past for one in Analogue(5).fit_replicas(alone, Budget(), [0])] == [1]
