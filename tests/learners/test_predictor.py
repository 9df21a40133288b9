"""What every predictor does in the same way: forecasts at the times of each trajectory."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from learners import Unsuitable
from systems import Trajectories
from tests.support.stubs import Turning


def past(starts: list[float]) -> Trajectories:
    """A single sample of each trajectory, at a time of its own."""
    times = torch.tensor(starts, dtype=torch.float64)[:, None]
    states = torch.randn((len(starts), 1, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return Trajectories(times, states)


class Counting(Turning):
    """Remembers the batches that it was asked to roll out."""

    batches: list[int] = []  # noqa: RUF012

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        self.batches.append(len(state))
        return super().rollout(state, offsets)


OFFSETS = torch.tensor([0.1, 0.3, 0.7], dtype=torch.float64)


def test_times_may_be_shared_or_given_for_each_trajectory():
    shared = Turning(0).forecast(past([2.0, 2.0]), 2.0 + OFFSETS)
    each = Turning(0).forecast(past([2.0, 2.0]), (2.0 + OFFSETS).expand(2, -1))
    assert torch.equal(shared.states, each.states)
    assert shared.evaluations == each.evaluations == 3


def test_each_trajectory_is_forecast_at_its_own_times():
    starts = [0.0, 5.0, 0.0, 5.0]
    times = torch.stack([OFFSETS, 5.0 + OFFSETS, 2 * OFFSETS, 5.0 + OFFSETS])
    together = Turning(0).forecast(past(starts), times).states
    alone = [
        Turning(0).forecast(Trajectories(past(starts).times[[i]], past(starts).states[[i]]), times[i]).states[0]
        for i in range(4)
    ]
    torch.testing.assert_close(together, torch.stack(alone), rtol=1e-12, atol=1e-12)


def test_trajectories_whose_times_lie_alike_behind_their_past_are_rolled_out_together():
    starts = torch.tensor([0.0, 0.1, 7.3, 1000.7], dtype=torch.float64)
    times = starts[:, None] + OFFSETS
    times[1, -1] += 0.01
    Counting.batches.clear()
    Counting(0).forecast(past(starts.tolist()), times)
    assert sorted(Counting.batches) == [1, 3]


@pytest.mark.parametrize(
    ("times", "complaint"),
    [
        (torch.zeros(2, 3, 1), r"shape \(2, 3, 1\)"),
        (OFFSETS.expand(3, -1), r"\[2, time\].*shape \(3, 3\)"),
        (OFFSETS[:0], r"shape \(0,\)"),
        (OFFSETS - 0.2, "sample 0 of trajectory 0 is -0.1 after it, and the sample before 0"),
        (OFFSETS.flip(0), "sample 1 of trajectory 0 is 0.3 after it, and the sample before 0.7"),
        (torch.stack([OFFSETS, 0 * OFFSETS]), "sample 0 of trajectory 1 is 0 after it"),
    ],
)
def test_times_that_make_no_sense_are_refused(times: Tensor, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        Turning(0).forecast(past([0.0, 0.0]), times)


def test_unsuitable_data_are_a_value_error():
    assert issubclass(Unsuitable, ValueError)


class OneChannel(Turning):
    """Decodes one channel of two."""

    def decode(self, state: Tensor) -> Tensor:
        return super().decode(state)[..., :1]


class OneState(Turning):
    """Rolls out the first state of a batch alone."""

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        return super().rollout(state[:1], offsets)


class Single(Turning):
    """Decodes in single precision."""

    def decode(self, state: Tensor) -> Tensor:
        return super().decode(state).float()


class Uncounted(Turning):
    """Does not say how many evaluations it took."""

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> Any:
        return super().rollout(state, offsets)[0]


class Whole(Turning):
    """Decodes whole numbers."""

    def decode(self, state: Tensor) -> Tensor:
        return super().decode(state).long()


class Array(Turning):
    """Decodes an array of NumPy."""

    def decode(self, state: Tensor) -> Any:
        return super().decode(state).numpy()


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (Uncounted, r"Uncounted\.rollout must give two things, .* but gives Tensor"),
        (Whole, r"Whole\.decode must give a tensor of floating-point numbers, but gives torch\.int64"),
        (Array, r"Array\.decode must give a tensor of floating-point numbers, but gives ndarray"),
    ],
)
def test_a_predictor_that_gives_something_else_is_named_with_what_it_gives(kind, complaint: str):
    with pytest.raises(TypeError, match=complaint):
        kind(0).forecast(past([2.0, 2.0]), 2.0 + OFFSETS)


@pytest.mark.parametrize(("kind", "shape"), [(OneChannel, r"\(3, 2, 1\)"), (OneState, r"\(3, 1, 2\)")])
def test_forecasts_of_a_wrong_shape_are_refused_rather_than_given_to_all_channels_or_states(kind, shape: str):
    with pytest.raises(ValueError, match=rf"{kind.__name__} must forecast .* \(3, 2, 2\) .* decode give {shape}"):
        kind(0).forecast(past([2.0, 2.0]), 2.0 + OFFSETS)


def test_forecasts_in_single_precision_are_taken_as_they_are():
    found = Single(0).forecast(past([2.0, 2.0]), 2.0 + OFFSETS).states
    torch.testing.assert_close(found, Turning(0).forecast(past([2.0, 2.0]), 2.0 + OFFSETS).states, rtol=1e-6, atol=1e-6)
    assert found.dtype == torch.float64
