"""Random spirals, and the latent models that read their sense of rotation off a window."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from learners import Budget, LatentODE, LatentRNN, Learner, Training
from learners.latent.learners import EvidenceBound
from learners.latent.networks import LatentFlow, LatentModel
from learners.latent.predictor import LatentPredictor
from learners.streams import stream
from systems import Dataset, RandomSpirals, Sampling, Trajectories, sample
from systems.observation import Irregular

SAMPLING = Sampling(
    step=0.05, trajectories=40, samples=60, valid=8, test=12, context=12, horizon=1.0, climate=1, climate_horizon=1.0
)
SHORT = Training(updates=100, batch=32, validations=3)


@pytest.fixture(scope="module")
def spirals() -> Dataset:
    return sample(RandomSpirals(), SAMPLING, 0)


def turning(states: torch.Tensor) -> torch.Tensor:
    """The angle of each step, positive against the clock."""
    x, y = states.unbind(-1)
    return x[..., :-1] * y[..., 1:] - y[..., :-1] * x[..., 1:]


def test_every_other_spiral_turns_clockwise(spirals: Dataset):
    senses = turning(spirals.train.states).sign()
    assert (senses[0::2] == 1).all()
    assert (senses[1::2] == -1).all()


def test_spirals_are_damped_rotations():
    data = sample(RandomSpirals(damping=0.1), SAMPLING, 0).train
    times = data.times[0]
    angle = times[:, None, None] * torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    exact = torch.exp(-0.1 * times)[:, None] * (torch.linalg.matrix_exp(angle) @ data.states[0, 0])
    torch.testing.assert_close(data.states[0], exact, atol=1e-9, rtol=1e-9)


def test_with_variety_each_spiral_has_a_damping_and_a_speed_of_its_own():
    data = sample(RandomSpirals(damping=0.1, variety=0.5), SAMPLING, 0).train
    times = data.times[0]
    place = torch.view_as_complex(data.states)
    rate = (place[:, 1:] / place[:, :-1]).log() / times.diff()  # minus the damping, and the speed in its sense
    torch.testing.assert_close(rate, rate[:, :1].expand_as(rate), atol=1e-6, rtol=1e-6)
    damping, speed = -rate[:, 0].real, rate[:, 0].imag
    assert (speed[0::2] > 0).all()
    assert (speed[1::2] < 0).all()
    for found, usual in ((damping, 0.1), (speed.abs(), 1.0)):
        assert usual / 2 <= float(found.min()) < float(found.max()) <= usual * 1.5
        assert len(found.unique()) == len(found)
    with pytest.raises(ValueError, match=r"RandomSpirals\.variety is a share below 1"):
        RandomSpirals(variety=1.0)


def test_spirals_at_irregular_times_lie_on_the_same_curves():
    irregular = Sampling(**{**vars(SAMPLING), "jitter": 0.5, "dropped": 0.2})
    data = sample(RandomSpirals(damping=0.0), irregular, 0).train
    radius = data.states.norm(dim=-1)
    torch.testing.assert_close(radius, radius[:, :1].expand_as(radius), atol=1e-8, rtol=1e-8)
    assert data.times[0].diff().std() > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("learner", [LatentODE(12, 8, training=SHORT), LatentRNN(12, 8, training=SHORT)], ids=repr)
def test_latent_models_learn_which_way_a_spiral_turns(learner: Learner, spirals: Dataset):
    (predictor,) = learner.fit_replicas(spirals, Budget(), [0])
    forecast = predictor.forecast(spirals.test.between(0, 12), spirals.test.times[:, 12:]).states
    truth = spirals.test.states[:, 12:]
    assert (turning(forecast).mean(dim=1).sign() == turning(truth).mean(dim=1).sign()).all()
    assert float((forecast - truth).square().mean().sqrt() / truth.std()) < 0.5


def test_a_context_shorter_than_the_window_is_refused(spirals: Dataset):
    with pytest.raises(ValueError, match=r"LatentODE\.window=13 needs as many samples .* Sampling\.context=12"):
        LatentODE(window=13).fit_replicas(spirals, Budget(), [0])


def test_the_bound_of_a_standard_normal_code_and_a_perfect_decoder_is_zero():
    form, generators = LatentODE(window=3, lookahead=1, latent=2), [stream(0, "weights")]
    model = LatentModel(form, 1, LatentFlow(2, 4, generators), generators)
    for parameter in model.parameters():
        parameter.data.zero_()
    with torch.no_grad():
        model.readout.bias[..., 2:].fill_(2.0)  # the logarithm of the standard deviation is then zero
        list(model.decoder.parameters())[-1].fill_(0.7)  # the bias of the last layer
        bound = EvidenceBound(3, form.deviation, model, generators)(torch.full((1, 5, 4, 1), 0.7))
    assert float(bound) == pytest.approx(0.0, abs=1e-6)


def test_the_bound_adds_the_divergence_and_the_scaled_error():
    form, generators = LatentODE(window=3, lookahead=1, latent=2, deviation=0.5), [stream(0, "weights")]
    model = LatentModel(form, 1, LatentFlow(2, 4, generators), generators)
    for parameter in model.parameters():
        parameter.data.zero_()
    with torch.no_grad():
        bound = EvidenceBound(3, form.deviation, model, generators)(torch.full((1, 5, 4, 1), 1.0))
    divergence = 2 * ((np.exp(-4.0) - 1) / 2 + 2.0)
    assert float(bound) == pytest.approx(2.0 + divergence / 4, rel=1e-5)


def test_a_latent_forecast_does_not_depend_on_its_neighbours_at_irregular_times():
    irregular = Sampling(**{**vars(SAMPLING), "jitter": 0.8, "dropped": 0.4})
    data = sample(RandomSpirals(), irregular, 0)
    (predictor,) = LatentODE(window=6, lookahead=4, training=Training(updates=2)).fit_replicas(data, Budget(), [0])
    past = data.valid.between(0, 8)
    with torch.no_grad():
        for weight in predictor.network.dynamics.parameters():  # type: ignore[attr-defined]
            weight *= 2.0
    together = predictor.encode(past)
    alone = [
        predictor.encode(Trajectories(*pair)) for pair in zip(past.times.split(1), past.states.split(1), strict=True)
    ]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-6)


def test_a_window_of_one_sample_begins_at_its_end(spirals: Dataset):
    (predictor,) = LatentODE(window=1, lookahead=2, training=Training(updates=2)).fit_replicas(spirals, Budget(), [0])
    assert isinstance(predictor, LatentPredictor)
    past = spirals.test.between(0, 12)
    assert torch.equal(predictor.encode(past), predictor.latent(past))


@pytest.mark.parametrize("kind", [LatentODE, LatentRNN])
def test_a_window_of_none_is_all_that_comes_before_a_forecast(kind: type[LatentODE], spirals: Dataset):
    training = Training(updates=3, batch=8, validations=1)
    context = spirals.sampling.context
    whole, named = (kind(window, 4, training=training).fit(spirals, Budget(), 0) for window in (0, context))
    assert whole.least_past == context
    past = spirals.test.between(0, context)
    assert torch.equal(whole.encode(past), named.encode(past))


def test_a_latent_network_is_told_the_gaps_between_irregular_samples():
    sampling = replace(SAMPLING, dropped=0.5)
    data = sample(Irregular(RandomSpirals(), jitter=0.0, dropped=0.5), sampling, 0)
    training = Training(updates=3, batch=8, validations=1)
    predictor = LatentRNN(6, 4, training=training).fit(data, Budget(), 0)
    past = data.test.between(0, 6)
    stretched = Trajectories(past.times * 1.5, past.states)
    assert not torch.equal(predictor.encode(past), predictor.encode(stretched))
    later = past.times[:, -1:] + data.step * torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    assert predictor.forecast(past, later).states.isfinite().all()
