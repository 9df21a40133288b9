"""Irregular times and hidden channels: who makes use of them, who refuses, and how they stand in one suite."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.cells.data import location, observe
from bench.suite import load
from learners import Budget, LatentODE, LatentRNN, Learner, NeuralODE, Predictor, Training, Unsuitable, WindowedRNN
from learners.delayed import Delayed
from learners.latent.networks import LatentFlow, LatentModel
from learners.streams import stream
from systems import Dataset, LinearSpiral, Lorenz, RandomSpirals, Sampling, Trajectories, sample
from systems.configuration import label
from systems.observation import Irregular, Partial
from tests.support.learners import exported_learners, learner_name

SAMPLING = Sampling(
    step=0.04, trajectories=12, samples=60, valid=3, test=6, context=12, horizon=0.6, climate=1, climate_horizon=0.6
)
NATIVE = ("NeuralODE", "RKNet", "ODENet", "LatentODE", "LatentRNN", "Mechanistic", "SINDy")
REFERENCES = ("Persistence", "TrainingMean", "Climatology", "IndependentTruth", "TrueEquations")
SHORT = Training(updates=600, batch=64, validations=6)


@pytest.fixture(scope="module")
def jittered() -> Dataset:
    return sample(Irregular(LinearSpiral()), SAMPLING, 0)


@pytest.fixture(scope="module")
def half_seen() -> Dataset:
    return sample(Partial(LinearSpiral()), SAMPLING, 0)


def fitted(learner: Learner, dataset: Dataset) -> Predictor:
    return learner.fit_replicas(dataset, Budget(), [0])[0]


def error(predictor: Predictor, dataset: Dataset) -> float:
    """Root mean square error over the forecast, in standard deviations."""
    context = dataset.sampling.context
    forecast = predictor.forecast(dataset.test.between(0, context), dataset.test.times[:, context:]).states
    return ((forecast - dataset.test.states[:, context:]) / dataset.std).square().mean().sqrt().item()


def test_an_observation_changes_the_protocol_and_nothing_else(jittered: Dataset):
    same = sample(LinearSpiral(), replace(SAMPLING, jitter=0.8, dropped=0.3), 0)
    assert torch.equal(jittered.train.states, same.train.states)
    assert jittered.sampling == same.sampling
    assert jittered.system == LinearSpiral()


def test_observations_of_observations_keep_both():
    data = sample(Partial(Irregular(Lorenz(), dropped=0.0), channels=(2,)), SAMPLING, 0)
    assert (data.dim, data.is_regular, data.is_complete) == (1, False, False)
    assert data.system == Lorenz()


def test_an_observation_has_the_name_and_the_time_of_its_system():
    seen = Irregular(Lorenz())
    assert label(seen) == "Irregular[system=Lorenz]"
    assert (seen.dim, seen.timescale, seen.timescale_name) == (3, Lorenz().timescale, "Lyapunov time")


def test_kept_data_of_an_observation_remember_the_system_too(tmp_path: Path):
    for _ in range(2):
        assert observe(Partial(LinearSpiral()), SAMPLING, 0, tmp_path).data.system == LinearSpiral()


def test_data_of_an_observation_are_kept_apart_from_those_of_its_system(tmp_path: Path):
    places = {location(one, SAMPLING, 0, tmp_path) for one in (Lorenz(), Irregular(Lorenz()), Partial(Lorenz()))}
    assert len(places) == 3


@pytest.mark.parametrize("learner", exported_learners(), ids=learner_name)
def test_who_cannot_use_irregular_times_says_so(learner: Learner, jittered: Dataset):
    if type(learner).__name__ in (*NATIVE, *REFERENCES):
        assert error(fitted(learner, jittered), jittered) < 10
    else:
        with pytest.raises(Unsuitable, match="irregular times"):
            fitted(learner, jittered)


@pytest.mark.slow
def test_a_window_that_sees_the_gaps_makes_use_of_irregular_times(jittered: Dataset):
    ignoring, seeing = (error(fitted(windowed(times), jittered), jittered) for times in ("ignored", "gaps"))
    assert seeing < ignoring / 2


def test_on_regular_times_a_window_that_ignores_them_is_the_plain_one():
    data = sample(LinearSpiral(), SAMPLING, 0)
    plain, ignoring = (error(fitted(windowed(times, 20), data), data) for times in ("regular", "ignored"))
    assert plain == ignoring


@pytest.mark.slow
def test_a_window_that_sees_the_gaps_goes_to_times_between_the_samples(jittered: Dataset):
    predictor = fitted(windowed("gaps"), jittered)
    past = jittered.test.between(0, 12)
    times = past.times[0, -1] + jittered.step * torch.tensor([0.5, 1.0, 1.8], dtype=torch.float64)
    turned = torch.atan2(*predictor.forecast(past, times).states.unbind(-1)[::-1]).diff(dim=1) % (2 * torch.pi)
    expected = 2 * torch.pi * SAMPLING.step * torch.tensor([0.5, 0.8], dtype=torch.float64)
    torch.testing.assert_close(turned.median(dim=0).values, expected, rtol=0.3, atol=0.0)


def windowed(times, updates: int = 600) -> WindowedRNN:
    return WindowedRNN(hidden=24, times=times, training=replace(SHORT, updates=updates))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [LatentODE, LatentRNN])
def test_latent_models_learn_from_irregular_times_which_way_a_spiral_turns(kind: type[LatentODE]):
    sampling = replace(SAMPLING, trajectories=40, context=12)
    data = sample(Irregular(RandomSpirals()), sampling, 0)
    learner = kind(window=12, lookahead=8, training=Training(updates=150, batch=32, validations=3))
    assert error(fitted(learner, data), data) < 0.6


def test_the_encoder_reads_the_time_to_the_next_sample():
    model = LatentModel(LatentODE(latent=2), 1, LatentFlow(2, 4, [stream(0, "weights")]), [stream(0, "weights")], 0.1)
    times = torch.tensor([0.0, 0.1, 0.4, 0.5])
    window = torch.stack([torch.ones(4), times], dim=-1)[None, None]
    torch.testing.assert_close(model.gaps(window), torch.tensor([[[1.0, 3.0, 1.0]]]))
    later = window + torch.tensor([0.0, 0.3])
    torch.testing.assert_close(model.encode(window)[0], model.encode(later)[0])
    other = torch.stack([torch.ones(4), 0.5 * times], dim=-1)[None, None]
    assert not torch.allclose(model.encode(window)[0], model.encode(other)[0], atol=1e-4)


def test_a_latent_flow_over_intervals_is_that_over_their_lengths():
    flow = LatentFlow(2, 4, [stream(0, "weights")])
    z = torch.randn(1, 3, 2, generator=torch.Generator().manual_seed(0))
    spans = torch.tensor([0.5, 1.0, 2.0]).view(1, 3, 1)
    for place, span in enumerate((0.5, 1.0, 2.0)):
        torch.testing.assert_close(flow.step(z, spans)[:, place], flow.step(z, span)[:, place])


def test_delay_coordinates_are_the_samples_before_in_their_order():
    times = torch.arange(6, dtype=torch.float64).expand(1, 6)
    embedded = Delayed(NeuralODE(), delays=2, stride=2).embed(Trajectories(times, times.unsqueeze(-1)))
    assert embedded.states.tolist() == [[[4.0, 2.0, 0.0], [5.0, 3.0, 1.0]]]
    assert embedded.times.tolist() == [[4.0, 5.0]]


@pytest.mark.slow
def test_delays_reveal_a_hidden_channel(half_seen: Dataset):
    training = Training(updates=300, batch=64, validations=3)
    blind, delayed = NeuralODE(width=16, training=training), Delayed(NeuralODE(width=16, training=training), delays=1)
    assert error(fitted(delayed, half_seen), half_seen) < 0.2 < error(fitted(blind, half_seen), half_seen)


def test_a_delayed_model_is_that_of_its_coordinates(half_seen: Dataset):
    learner = Delayed(NeuralODE(width=8, training=Training(updates=2)), delays=1, stride=3)
    predictor = fitted(learner, half_seen)
    past = half_seen.test.between(0, 12)
    state = predictor.encode(past)
    assert state.shape == (6, 2)
    torch.testing.assert_close(predictor.decode(state), past.states[:, -1], atol=1e-6, rtol=1e-6)
    assert sum(weights.numel() for weights in predictor.weights().values()) == predictor.parameters


@pytest.mark.parametrize("change", [{"delays": 12, "stride": 1}, {"delays": 2}])
def test_more_delays_than_the_context_holds_are_refused(change: dict[str, int], half_seen: Dataset):
    with pytest.raises(ValueError, match=r"needs more than 12 samples before a forecast, .* context=12, .* samples=60"):
        fitted(replace(Delayed(NeuralODE()), **change), half_seen)


def test_delays_need_regular_times(jittered: Dataset):
    with pytest.raises(Unsuitable, match="irregular times"):
        fitted(Delayed(NeuralODE(), delays=1), jittered)


def test_coordinates_of_the_past_do_not_pass_for_state_variables(half_seen: Dataset):
    data = sample(Partial(Lorenz()), SAMPLING, 0)
    jacobian = NeuralODE(jacobian=0.1, training=Training(updates=1))
    with pytest.raises(Unsuitable, match="known"):
        fitted(Delayed(jacobian, delays=2, stride=1), data)


def test_the_suite_pairs_each_irregular_system_with_the_regular_one():
    cells = load("irregular").cells("quick")
    systems = list(dict.fromkeys(label(cell.system) for cell in cells))
    assert [one for one in systems if one.startswith("Irregular")] == [
        f"Irregular[system={one}{settings}]" for one in ("VanDerPol", "Lorenz") for settings in (",dropped=0.0", "")
    ]
    assert {(cell.sampling.irregular, cell.sampling.channels) for cell in cells} == {
        (False, ()), (True, ()), (False, (0,)),
    }  # fmt: skip
