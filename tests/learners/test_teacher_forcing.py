"""Teacher forcing: what corrects a state and when, and what is learned by it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from learners import PLRNN, Budget, StatefulRNN
from learners.networks.recurrent import CellType
from learners.networks.scales import Scales
from learners.streams import stream
from learners.teacher_forcing import ForcedPredictor, TeacherForced
from systems import Dataset, LinearSpiral, Sampling, sample
from tests.support.cases import few

SAMPLING = Sampling(
    step=0.02, trajectories=8, samples=100, valid=2, test=4, context=11, horizon=1.0, climate=1, climate_horizon=1.0
)
LEARNERS = (
    PLRNN(form="almost-linear", hidden=3, nonlinear=2),
    StatefulRNN(cell="lstm", hidden=5),
    StatefulRNN(hidden=5),
    StatefulRNN(cell="rnn", hidden=5),
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(LinearSpiral(), SAMPLING, 0)


def network(learner: TeacherForced, data: Dataset) -> Any:
    return learner.network(Scales.of(data), [stream(0, "weights")])


def shown(data: Dataset, samples: int) -> Tensor:
    return Scales.of(data).standardise(data.train.states[None, :, :samples])


@pytest.mark.parametrize("learner", few(LEARNERS, 0, 1), ids=repr)
@pytest.mark.parametrize(("interval", "forcing"), [(1, 1.0), (1, 0.3), (3, 1.0), (3, 0.3)])
def test_states_are_carried_on_and_corrected_as_defined(
    learner: TeacherForced, interval: int, forcing: float, data: Dataset
):
    learner = replace(learner, interval=interval, forcing=forcing)
    stack, samples = network(learner, data), shown(data, 8)
    found = learner.follow(stack, samples)
    state = stack.begin(samples[:, :, 0])
    assert torch.equal(found[0], state)
    for index in range(1, 8):
        state = stack(state)
        torch.testing.assert_close(found[index], state)
        if index in (range(1, 8) if interval == 1 else (3, 6)):
            x = (1 - forcing) * state[..., :2] + forcing * samples[:, :, index]
            state = torch.cat([x, state[..., 2:]], dim=-1)


def test_gradients_pass_a_correction_through_the_share_of_the_forecast_alone(data: Dataset):
    """With a state of nothing but the system's, of which a share is left at every step."""
    sizes = []
    for forcing in (0.0001, 0.5, 1.0):
        learner = PLRNN(interval=1, forcing=forcing)
        samples = shown(data, 6).requires_grad_()
        learner.follow(network(learner, data), samples)[-1].sum().backward()
        assert samples.grad is not None
        sizes.append(samples.grad[:, :, 0].abs().max().item())
    assert sizes[0] > 0
    assert sizes[1] == pytest.approx(sizes[0] / 2**4, rel=0.5)
    assert sizes[2] == 0


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_wholly_forced_network_is_that_of_pytorch_read_sample_by_sample(cell: CellType, data: Dataset):
    learner = StatefulRNN(cell=cell, hidden=5, interval=1)
    stack, samples = network(learner, data), shown(data, 8)
    hidden = [
        stack.recurrent(samples[:, :, :end]) for end in range(1, 8)
    ]  # held to torch.nn in the tests of stacked networks
    change = torch.stack([stack.readout(one) for one in hidden], dim=2) * stack.increment
    states = torch.stack(learner.follow(stack, samples), dim=2)
    torch.testing.assert_close(states[:, :, 1:, :2], samples[:, :, :-1] + change)
    torch.testing.assert_close(states[:, :, 1:, 2:7], torch.stack(hidden, dim=2))


def test_a_forecast_starts_from_the_last_sample_and_what_a_sequence_up_to_it_left_in_the_network(data: Dataset):
    learner = replace(LEARNERS[0], interval=4, training=replace(LEARNERS[0].training, updates=2))
    (predictor,) = learner.fit_replicas(data, Budget(), [0])
    assert isinstance(predictor, ForcedPredictor)
    past = data.test.between(0, 11)
    state, samples = predictor.encode(past), Scales.of(data).standardise(past.states)[None]
    followed = learner.follow(predictor.network, samples[:, :, 2:])[-1][0]  # corrected at samples 2, 6 and 10
    torch.testing.assert_close(state[:, 2:], followed[:, 2:])
    torch.testing.assert_close(predictor.decode(state), past.states[:, -1])


@pytest.mark.parametrize(
    "learner",
    few(
        [
            PLRNN(),
            StatefulRNN(),
            PLRNN(form="almost-linear", hidden=5, nonlinear=2),
            PLRNN(form="dendritic", hidden=5, nonlinear=20),
            StatefulRNN(cell="lstm"),
            StatefulRNN(cell="rnn"),
            PLRNN(interval=1, forcing=0.2),
        ],
        0,
    ),
    ids=repr,
)
def test_a_short_training_forecasts_a_turn_of_the_spiral(learner: TeacherForced, data: Dataset):
    brief = replace(learner, lookahead=20, training=replace(learner.training, updates=300))
    (predictor,) = brief.fit_replicas(data, Budget(), [0])
    context = SAMPLING.context
    forecast = predictor.forecast(data.test.between(0, context), data.test.times[0, context:])
    error = (forecast.states[:, -1] - data.test.states[:, -1]) / data.std
    assert error.square().mean().sqrt() < 0.15
    assert forecast.evaluations == 50


@pytest.mark.parametrize(
    ("learner", "complaint"),
    [
        (lambda: PLRNN(forcing=1.5), r"PLRNN.forcing is the share of the data, at most 1, but is 1.5"),
        (lambda: PLRNN(interval=0), r"PLRNN.interval must be positive, but is 0"),
        (lambda: StatefulRNN(hidden=0), r"StatefulRNN.hidden must be positive, but is 0"),
    ],
    ids=["share", "interval", "hidden"],
)
def test_settings_that_make_no_sense_are_refused(learner, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        learner()


def test_more_nonlinear_units_than_there_are_units_are_refused(data: Dataset):
    with pytest.raises(ValueError, match=r"PLRNN.nonlinear=9 .* its 3 units, 2 channels and hidden=1: lower"):
        PLRNN(form="almost-linear", hidden=1, nonlinear=9).fit_replicas(data, Budget(), [0])


def test_the_seeds_of_a_stack_begin_differently(data: Dataset):
    one, other = PLRNN(training=replace(PLRNN().training, updates=1)).fit_replicas(data, Budget(), [0, 1])
    assert not np.allclose(one.weights()["weight"], other.weights()["weight"])
