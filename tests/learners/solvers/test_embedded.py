"""Forecasts by embedded pairs, each trajectory at steps of its own, against closed forms and torchdiffeq."""

from math import exp

import pytest
import torch
from torch import Tensor, nn
from torchdiffeq import odeint

from learners.base import SolverError
from learners.networks.fields import VectorField
from learners.networks.scales import OUT_OF_BOUNDS
from learners.networks.stacked import StackedMLP
from learners.solvers.compiled_forecasts import adaptive_forecasts
from learners.solvers.embedded import solve
from learners.solvers.integration import rollout_adaptive
from learners.solvers.pairs import MOST_STEPS
from learners.streams import stream
from tests.support.cases import few

TIMES = torch.linspace(0.25, 6.0, 24, dtype=torch.float64)
SOLVERS = ("dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun")


def turn(x: Tensor) -> Tensor:
    return torch.stack([-x[..., 1], x[..., 0]], dim=-1)


def pendulum(x: Tensor) -> Tensor:
    return torch.stack([x[..., 1], -torch.sin(x[..., 0])], dim=-1)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_rotation_is_followed(solver: str):
    states, _ = solve(turn, torch.tensor([[1.0, 0.0]]), TIMES, solver, 1e-5)
    exact = torch.stack([TIMES.cos(), TIMES.sin()], dim=-1).float()
    torch.testing.assert_close(states[:, 0], exact, rtol=0, atol=2e-2 if solver in SOLVERS[3:] else 2e-3)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_trajectory_alone_takes_nearly_the_steps_of_torchdiffeq(solver: str):
    calls = 0

    def counted(t: Tensor, x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return pendulum(x)

    start = torch.tensor([[2.0, 0.5]])
    options = {"first_step": 1.0}
    times = torch.cat([torch.zeros(1).double(), TIMES])
    theirs = odeint(counted, start, times, rtol=1e-4, atol=1e-4, method=solver, options=options)
    ours, evaluations = solve(pendulum, start, TIMES, solver, 1e-4)
    torch.testing.assert_close(ours, theirs[1:], rtol=0, atol=1e-2)
    assert evaluations.tolist() == [pytest.approx(calls, rel=0.25)]


def test_a_trajectory_depends_on_no_other():
    start = torch.tensor([[0.1, 0.0], [3.0, 0.2], [0.0, 40.0]])
    together, evaluations = solve(pendulum, start, TIMES, "dopri5", 1e-5)
    for index in range(3):
        alone, own = solve(pendulum, start[index : index + 1], TIMES, "dopri5", 1e-5)
        torch.testing.assert_close(together[:, index], alone[:, 0], rtol=2e-3, atol=1e-4)
        assert own.item() == pytest.approx(evaluations[index].item(), rel=0.1)
    assert evaluations[2] > 3 * evaluations[0]


def test_a_trajectory_that_explodes_is_followed_until_then_and_the_others_beyond():
    start = torch.tensor([[-1.0], [1.0], [0.5]])  # x' = x^2 explodes at 1 / x
    states, _ = solve(torch.square, start, torch.tensor([0.5, 0.9, 1.5, 1.9, 3.0]).double(), "dopri5", 1e-6)
    assert states.isfinite().squeeze(-1).T.tolist() == [[True] * 5, [True] * 2 + [False] * 3, [True] * 4 + [False]]
    torch.testing.assert_close(states[:2, 1, 0], torch.tensor([2.0, 10.0]), rtol=1e-3, atol=0)


def test_a_trajectory_whose_steps_become_too_small_is_given_up():
    def wild(x: Tensor) -> Tensor:
        return torch.where(x > 0.5, x * torch.nan, torch.ones_like(x))

    states, evaluations = solve(wild, torch.zeros(1, 1), torch.tensor([0.25, 1.0]).double(), "dopri5", 1e-6)
    assert states[0].item() == pytest.approx(0.25)
    assert states[1].isnan().all()
    assert evaluations.item() < 6 * 60  # each refused step is a fifth of the one before, down to the smallest


def test_states_that_start_out_of_bounds_are_not_followed():
    states, evaluations = solve(turn, torch.tensor([[2e3, 0.0], [torch.nan, 0.0]]), TIMES, "dopri5", 1e-5)
    assert states.isnan().all()
    assert evaluations.tolist() == [1, 1]


def test_many_steps_between_two_samples_and_many_samples_within_a_step_are_both_solved():
    few = torch.tensor([1e-3, 2e-3, 300.0], dtype=torch.float64)
    states, _ = solve(lambda x: -x / 100, torch.tensor([[1.0]]), few, "dopri5", 1e-6)
    assert states.flatten().tolist() == pytest.approx([exp(-1e-5), exp(-2e-5), exp(-3)], rel=1e-4)
    dense = torch.linspace(1e-3, 1.0, 1000, dtype=torch.float64)
    states, _ = solve(lambda x: -x, torch.tensor([[1.0]]), dense, "dopri5", 1e-6)
    torch.testing.assert_close(states.flatten(), (-dense).exp().float(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_bounded_field_that_is_too_stiff_ends_after_a_number_of_steps_that_is_known_before(solver: str):
    calls = 0

    def stiff(x: Tensor) -> Tensor:  # relaxes to the unit circle, and along it turns once in 2 pi sampling steps
        nonlocal calls
        calls += 1
        return turn(x) + 1e5 * x * (1 - x.square().sum(dim=-1, keepdim=True))

    with pytest.raises(SolverError, match=f"too stiff for {solver}: {MOST_STEPS} steps do not reach the next sample"):
        solve(stiff, torch.tensor([[1.0, 0.0], [0.0, 1.0]]), 1000 * TIMES, solver, 1e-5)
    assert calls < 13 * MOST_STEPS * 2


def test_one_trajectory_in_a_stiff_place_costs_no_other():
    def stiff_at_the_right(x: Tensor) -> Tensor:
        return torch.where(x > 5.0, 1e5 * (10.0 - x), -x)

    states, evaluations = solve(stiff_at_the_right, torch.tensor([[1.0], [9.0]]), TIMES, "dopri5", 1e-5)
    torch.testing.assert_close(states[:, 0, 0], torch.exp(-TIMES).float(), rtol=1e-4, atol=1e-5)
    assert states[-1, 1].isnan()
    assert evaluations[0] < 200 < MOST_STEPS * 6 < evaluations[1]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("dim", "count"), few([(3, 7), (5, 70)], 0))
def test_compiled_forecasts_are_those_of_the_field_itself(solver: str, dim: int, count: int):
    network = StackedMLP([dim, 12, 20, dim], "silu", [stream(0, "weights")])
    field = VectorField(network, torch.linspace(0.5, 1.5, dim)).requires_grad_(False)
    start = torch.randn((count, dim), generator=stream(1, "start"))
    start[0, 0], start[1, 0] = torch.nan, 2 * OUT_OF_BOUNDS
    forecasts = adaptive_forecasts(field, solver, 1e-4)
    assert forecasts is not None
    (states, evaluations), (eager, theirs) = (
        solve(lambda x: field(0.0, x.unsqueeze(0)).squeeze(0), start, TIMES, solver, 1e-4, compiled)
        for compiled in (forecasts, None)
    )
    torch.testing.assert_close(states, eager, rtol=1e-3, atol=1e-3, equal_nan=True)
    assert evaluations[:2].tolist() == theirs[:2].tolist() == [1, 1]
    assert (evaluations - theirs).abs().max() <= 0.05 * theirs.max()  # errors round otherwise, and so do steps


def test_compiled_forecasts_end_where_the_field_is_too_stiff():
    network = StackedMLP([1, 2, 1], "relu", [stream(0, "weights")])
    for parameter, values in zip(network.parameters(), ([1.0, -1.0], [0, 0], [-1.0, 1.0], [0]), strict=True):
        parameter.data.view(-1).copy_(torch.tensor(values))
    field = VectorField(network, torch.tensor([1e5])).requires_grad_(False)  # x' = -100,000 x
    forecasts = adaptive_forecasts(field, "bosh3", 1e-4)
    assert forecasts is not None
    with pytest.raises(SolverError, match="too stiff for bosh3"):
        solve(turn, torch.tensor([[1.0], [0.5]]), TIMES, "bosh3", 1e-4, forecasts)


def test_a_forecast_by_compiled_steps_is_that_of_the_field_itself():
    network = StackedMLP([3, 16, 3], "tanh", [stream(0, "weights")])
    field = VectorField(network, torch.tensor([0.5, 1.0, 0.8])).requires_grad_(False)
    start, times = torch.randn((9, 3), generator=stream(1, "start")), torch.arange(1.0, 31.0).tolist()
    states, evaluations = rollout_adaptive(field, "bosh3", 1e-5)(start, times)
    eager, count = rollout_adaptive(Other(field), "bosh3", 1e-5)(start, times)
    torch.testing.assert_close(states, eager, rtol=0, atol=2e-4)
    assert evaluations == pytest.approx(count, rel=0.02)


class Other(nn.Module):
    """A field of which nobody knows that it is a perceptron."""

    def __init__(self, field: VectorField) -> None:
        super().__init__()
        self.field = field

    def forward(self, s: float, x: Tensor) -> Tensor:
        return self.field(s, x)
