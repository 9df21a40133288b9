"""Compiled updates of piecewise-linear networks, held to those of autograd."""

from dataclasses import replace

import pytest
import torch

from learners import PLRNN, Budget, StatefulRNN, Training
from learners.networks.scales import Scales
from learners.solvers import forced_updates as module
from learners.solvers.forced_updates import ForcedUpdates, forced_updates
from learners.streams import stream
from learners.training.training_step import TrainingStep, collect_steps
from systems import Dataset, Lorenz, Sampling, sample
from tests.support.cases import few

SAMPLING = Sampling(step=0.02, trajectories=3, samples=40, valid=1, test=2, context=6, horizon=0.1, climate=1)
BRIEF = Training(updates=5, batch=7, validations=1)
LEARNERS = (
    PLRNN(lookahead=9, interval=4, nonlinear=6, training=BRIEF),
    PLRNN(form="almost-linear", lookahead=9, interval=2, forcing=0.3, hidden=6, nonlinear=2, training=BRIEF),
    PLRNN(form="dendritic", lookahead=9, interval=1, forcing=0.3, hidden=2, nonlinear=5, training=BRIEF),
    PLRNN(lookahead=9, interval=1, hidden=5, nonlinear=11, training=BRIEF),
    PLRNN(lookahead=9, interval=20, nonlinear=5, training=BRIEF),
    PLRNN(form="dendritic", lookahead=1, nonlinear=5, training=BRIEF),
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(Lorenz(), replace(SAMPLING, climate_horizon=0.1), 0)


def step_of(learner: PLRNN, data: Dataset) -> TrainingStep:
    """Of three replicas whose weights are large enough to be seen."""
    with collect_steps() as steps:
        learner.fit_replicas(data, Budget(), (0, 1, 2))
    with torch.no_grad():
        for parameter in steps[0].network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=stream(0, "larger")))
    return steps[0]


@pytest.mark.parametrize("learner", few(LEARNERS, 0, 1, 2), ids=repr)
def test_losses_and_gradients_are_those_of_autograd(learner: PLRNN, data: Dataset):
    step = step_of(learner, data)
    compiled = step.compiled()
    assert isinstance(compiled, ForcedUpdates)
    for minibatch in step.minibatches(2):  # the second, lest gradients are left from the first
        losses = compiled.differentiate(minibatch)
        expected = step.objective(minibatch)
        step.optimiser.zero_grad()
        expected.sum().backward()
        torch.testing.assert_close(losses, expected.detach(), rtol=1e-5, atol=0)
        for parameter, gradient in zip(step.network.parameters(), compiled.gradients, strict=True):
            assert parameter.grad is not None
            torch.testing.assert_close(gradient, parameter.grad, rtol=1e-4, atol=1e-5 * float(gradient.abs().max()))
    assert compiled.kept_bytes > 0


@pytest.mark.parametrize("learner", few(LEARNERS[:3], 1), ids=repr)
def test_a_fit_is_that_of_the_eager_updates(learner: PLRNN, data: Dataset, monkeypatch: pytest.MonkeyPatch):
    fast = learner.fit_replicas(data, Budget(), (0, 1))
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    for one, other in zip(fast, learner.fit_replicas(data, Budget(), (0, 1)), strict=True):
        for name, weights in one.weights().items():
            torch.testing.assert_close(weights, other.weights()[name], rtol=1e-3, atol=1e-4)
        for cost in ("nfe_forward", "nfe_backward", "saved_bytes", "flops", "samples"):
            assert getattr(one.log, cost) == getattr(other.log, cost), cost


def test_networks_without_compiled_code_are_left_to_autograd(data: Dataset):
    learner = StatefulRNN(hidden=4)
    assert forced_updates(learner.network(Scales.of(data), [stream(0, "weights")]), 1, 1.0) is None
