"""Fields that see the past: the method of steps, and what is learned of a system with a delay."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from learners import Budget, NeuralDDE, NeuralODE, Training
from learners.neural_dde import DelayMap, cubic
from systems import MackeyGlass, Sampling, sample
from systems.observation import Partial


class NegativeOfThePast(nn.Module):
    """x'(t) = -x(t - delay), of one channel, in a time of which one unit is a sample."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        return -self.rate * x[..., 1:]


def error_of_a_turn(delay: int) -> float:
    """After 2 pi, of x' = -x(t - pi / 2), which the cosine solves, at so many samples in a delay."""
    h = np.pi / 2 / delay
    history = np.cos(h * np.arange(-delay - 1, 1))
    step = DelayMap(NegativeOfThePast(h), torch.ones(1, dtype=torch.float64))
    window = torch.from_numpy(history)[None, None, :, None]
    for _ in range(4 * delay):
        window = torch.cat([window[:, :, 1:], step(window).unsqueeze(2)], dim=2)
    return abs(float(window[0, 0, -1, 0]) - 1.0)


def test_the_method_of_steps_is_of_fourth_order():
    errors = [error_of_a_turn(delay) for delay in (8, 16, 32)]
    assert errors[0] > 13 * errors[1] > 169 * errors[2]
    assert errors[2] < 1e-5


def test_a_cubic_goes_through_its_four_values_and_is_right_between_them():
    values = np.array([-1.0, 0.0, 1.0, 2.0]) ** 3
    for s in (-1.0, 0.0, 0.3, 1.0, 2.0):
        assert np.dot(cubic(s), values) == pytest.approx(s**3)


def test_a_delay_of_one_sample_is_refused():
    with pytest.raises(ValueError, match=r"NeuralDDE\.delay must be 2 samples at least"):
        NeuralDDE(delay=1)


@pytest.mark.slow
def test_a_field_that_sees_the_past_forecasts_mackey_glass_and_one_that_does_not_cannot():
    sampling = Sampling(
        step=0.85 * 0.00514,
        trajectories=8,
        samples=400,
        valid=2,
        test=16,
        context=24,
        horizon=0.5,
        climate=1,
        climate_horizon=0.1,
    )
    data = sample(Partial(MackeyGlass(), channels=(31,)), Partial(MackeyGlass(), (31,)).adapt(sampling, 0), 0)
    past, truth = data.test.between(0, 24), data.test.between(24)
    found = []
    for learner in (NeuralDDE(training=Training(updates=1500)), NeuralODE(training=Training(updates=1500))):
        (model,) = learner.fit_replicas(data, Budget(), (0,))
        error = (model.forecast(past, truth.times).states - truth.states) / data.std
        found.append(float(error.square().mean().sqrt()))
    assert found[0] < 0.2 < 5 * found[0] < found[1]
