"""Forecasts by graphs of several steps, as a GPU replays them: here a graph is played by what it records."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from learners.solvers import replayed_steps
from learners.solvers.replayed_steps import BLOCK, MANY, replayed
from learners.solvers.rollout import Rollout, rollout_flow, rollout_map
from learners.training import cuda_graph
from tests.support.graphs import played

STATE = torch.linspace(-1, 1, 6).view(2, 3)


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The CPU is given graphs: how often each record was replayed."""
    counts: list[int] = []
    monkeypatch.setattr(replayed_steps, "DEVICES", ("cpu",))
    monkeypatch.setattr(cuda_graph, "record", played(counts))
    return counts


def step(x: Tensor, h: float = 1.0) -> Tensor:
    return x + h * (0.1 * torch.sin(3 * x) - 0.02 * x)


@torch.no_grad()
def by_steps(count: int) -> Tensor:
    states = [STATE]
    for _ in range(count):
        states.append(step(states[-1]))
    return torch.stack(states[1:])


@pytest.mark.parametrize("count", [MANY, MANY + 1, MANY + BLOCK - 1])
def test_states_are_those_of_step_after_step(records: list[int], count: int):
    with torch.no_grad():
        found = replayed(step, STATE, count)
    assert found is not None
    assert torch.equal(found, by_steps(count))
    assert records == [-(-count // BLOCK)]


@pytest.mark.parametrize("rollout", [rollout_map(step, 1), rollout_flow(step, 1)])
@pytest.mark.parametrize("offsets", [range(1, 61), (3, 50, 60)])
def test_forecasts_are_replayed(records: list[int], rollout: Rollout, offsets: Sequence[float]):
    with torch.no_grad():
        states, evaluations = rollout(STATE, [float(one) for one in offsets])
    torch.testing.assert_close(states, by_steps(60)[torch.tensor(offsets) - 1])
    assert evaluations == 60
    assert len(records) == 1


def test_steps_that_depend_on_values_few_ones_and_derivatives_are_not_replayed(records: list[int]):
    def asking(x: Tensor) -> Tensor:
        return x / 2 if float(x.sum()) > 0 else x

    with torch.no_grad():
        assert replayed(asking, STATE, 100) is None
        assert replayed(step, STATE, MANY - 1) is None
    assert replayed(step, STATE, 100) is None
    assert not records


def test_on_a_cpu_nothing_is_replayed():
    with torch.no_grad():
        assert replayed(step, STATE, 100) is None
