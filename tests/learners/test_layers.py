"""Differential equations as layers, third powers in a solve with two tolerances, and residual blocks that are one."""

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn
from torchdiffeq import odeint

from learners import Budget, NeuralODE, ODELayer, ResNet, Training
from learners.networks.fields import stacked_field
from learners.networks.scales import Scales
from learners.solvers.integration import Integration
from learners.streams import stream
from systems import CubicSpiral, Dataset, Sampling, sample

SAMPLING = Sampling(
    step=0.05, trajectories=1, samples=30, valid=1, test=2, context=1, horizon=0.5, climate=1, climate_horizon=0.5
)
STILL = Training(updates=1, batch=8, learning_rate=1e-30, keep="last", validations=1)


@pytest.fixture(scope="module")
def spiral() -> Dataset:
    return sample(CubicSpiral(), SAMPLING, 0)


def test_a_solve_between_dense_layers_is_that_of_torchdiffeq(spiral: Dataset):
    (mine,) = ODELayer(channels=3, steps=5, width=4, training=STILL).fit_replicas(spiral, Budget(), [0])
    weights, scales = mine.weights(), Scales.of(spiral)

    def dense(name: str) -> nn.Linear:
        rows, columns = weights[f"{name}.weight"].shape[1:]
        layer = nn.Linear(rows, columns)
        layer.weight.data, layer.bias.data = weights[f"{name}.weight"][0].T, weights[f"{name}.bias"][0, 0]
        return layer

    field = nn.Sequential(dense("field.layers.0"), nn.Tanh(), dense("field.layers.1"))
    past = spiral.test.between(0, 1)
    start = scales.standardise(past.states[:, 0])
    solved = odeint(lambda t, u: field(u), dense("before")(start), torch.linspace(0, 1, 6), method="rk4")[-1]
    expected = scales.restore(start + scales.increment * dense("after")(solved))
    found = mine.forecast(past, spiral.test.times[:, 1:2])
    torch.testing.assert_close(found.states[:, 0], expected.detach(), rtol=0, atol=1e-5)
    assert found.evaluations == 5 * 4


def test_blocks_that_are_one_are_eulers_steps_of_one_field(spiral: Dataset):
    learner = ResNet(blocks=3, shared=True, width=4, depth=1, training=STILL)
    (shared,) = learner.fit_replicas(spiral, Budget(), [0])
    (apart,) = replace(learner, shared=False).fit_replicas(spiral, Budget(), [0])
    assert apart.parameters == 3 * shared.parameters
    field = NeuralODE(width=4, depth=1)
    stack = stacked_field(field, Scales.of(spiral), [0])
    start = torch.randn((1, 5, 2), generator=stream(0, "starts"))
    steps = Integration("euler").integrate(stack, start, 3)[:, :, -1]
    torch.testing.assert_close(shared.network(start), steps, rtol=0, atol=1e-6)  # type: ignore[attr-defined]
    assert shared.log.nfe_forward == 3


def test_relative_and_absolute_tolerance_may_differ(spiral: Dataset):
    stack = stacked_field(NeuralODE(inputs="cubic", width=6), Scales.of(spiral, physical=True), [0])
    start = torch.tensor([[[2.0, 0.0], [1e-3, 1e-3]]])
    stack.requires_grad_(False)
    tight, loose = (Integration("dopri5", 1e-6, absolute=each) for each in (1e-8, 10.0))
    usual, ends, evaluations = Integration("dopri5", 1e-6).integrate(stack, start, 4), [], []
    for each in (tight, loose):
        ends.append(float((each.integrate(stack, start, 4) - usual).abs().max()))
        evaluations.append(each.rollout(stack)(start[0], [1.0, 2.0, 40.0])[1])
    assert 0 < ends[0] < ends[1] < 1e-3
    assert evaluations[0] > evaluations[1]


@pytest.mark.parametrize("depending", [False, True])
def test_the_cost_of_rabbits_that_should_stay_comes_down(
    depending: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs/examples"))
    rabbits = import_module("rabbits")

    monkeypatch.setattr(rabbits, "TIMES", rabbits.TIMES[:21])
    parameters, costs, courses = rabbits.keep_at_one(5, depending)
    assert costs[-1] < 0.7 * costs[0]
    assert parameters.keys() == rabbits.START.keys()
    assert float(courses[0][0]) == (rabbits.START["b"] if depending else 1.0)
    assert (float(courses[-1][0]) == parameters["b"]) == depending  # the solve starts where the parameters say
    rabbits.film(courses, costs, str(tmp_path / "rabbits.gif"))
    with Image.open(tmp_path / "rabbits.gif") as film:
        assert getattr(film, "n_frames", 1) == 6
    sys.modules.pop("rabbits")
