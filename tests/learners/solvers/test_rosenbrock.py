"""The linearly implicit step of learned vector fields."""

import pytest
import torch
from torch import Tensor

from learners import Budget, NeuralODE, Training
from learners.networks.stacked import StackedMLP
from learners.solvers.integration import Integration
from learners.solvers.steps import jacobian, rosenbrock
from learners.streams import stream
from systems import LinearSpiral, Sampling, sample


def oscillator(t: float, x: Tensor) -> Tensor:
    return torch.stack([x[..., 1], -(x[..., 0] ** 3)], dim=-1)


def after_one(steps: int) -> Tensor:
    x = torch.tensor([[1.0, 0.2]], dtype=torch.float64)
    for _ in range(steps):
        x = rosenbrock(oscillator, x, 1 / steps)
    return x


def test_the_error_falls_fourfold_when_the_step_halves():
    exact = after_one(2000)
    coarse, fine = ((after_one(steps) - exact).abs().max() for steps in (20, 40))
    assert float(coarse / fine) == pytest.approx(4.0, abs=0.3)


def test_what_is_infinitely_stiff_is_damped_in_one_step():
    x = torch.tensor([[1.0, 0.5]], dtype=torch.float64)
    rates = torch.tensor([-1e8, -1e-3], dtype=torch.float64)
    after = rosenbrock(lambda t, state: rates * state, x, 1.0)
    assert abs(float(after[0, 0])) < 1e-6
    assert float(after[0, 1]) == pytest.approx(0.5 * 0.9990005, rel=1e-9)


def test_the_jacobian_is_that_of_the_field_in_every_mode():
    x = torch.tensor([[[2.0, 3.0]], [[-1.0, 0.0]]], dtype=torch.float64)
    expected = torch.tensor([[[[0.0, 1.0], [-12.0, 0.0]]], [[[0.0, 1.0], [-3.0, 0.0]]]], dtype=torch.float64)
    torch.testing.assert_close(jacobian(oscillator, x), expected)
    with torch.inference_mode():
        torch.testing.assert_close(jacobian(oscillator, x), expected)


class Field(torch.nn.Module):
    """A perceptron of each replica, whatever the time."""

    def __init__(self) -> None:
        super().__init__()
        self.network = StackedMLP([2, 8, 2], "tanh", [stream(seed, "weights") for seed in (0, 1)])

    def forward(self, s: float | Tensor, x: Tensor) -> Tensor:
        return self.network(x)


def test_intervals_of_each_trajectory_are_steps_of_their_own():
    field, start = Field(), torch.randn(2, 3, 2, generator=stream(0, "states"))
    intervals = torch.tensor([[[0.5, 2.0], [1.0, 1.0], [0.1, 3.0]], [[1.5, 0.2], [0.7, 0.3], [1.0, 1.3]]])
    found = Integration("rosenbrock").integrate_irregular(field, start, intervals)
    for trajectory in range(3):
        for seed in range(2):
            x = start[:, trajectory : trajectory + 1]
            for step in range(2):
                x = rosenbrock(field, x, float(intervals[seed, trajectory, step]))
                torch.testing.assert_close(found[seed, trajectory, step], x[seed, 0])


@pytest.mark.slow
def test_a_field_learns_through_it():
    sampling = Sampling(
        step=0.05, trajectories=4, samples=60, valid=2, test=3, context=6, horizon=0.5, climate=1, climate_horizon=0.5
    )
    data = sample(LinearSpiral(), sampling, 0)
    (predictor,) = NeuralODE(solver="rosenbrock", training=Training(updates=150)).fit_replicas(data, Budget(), [0])
    forecast = predictor.forecast(data.test.between(0, 6), data.test.times[0, 6:])
    still = (data.test.states[:, 5:6] - data.test.states[:, 6:]).abs().max()
    assert (forecast.states - data.test.states[:, 6:]).abs().max() < 0.1 * still
    assert forecast.evaluations == 3 * 10
    assert predictor.log.nfe_forward == 3
