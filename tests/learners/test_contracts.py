"""The promises that every exported learner keeps."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

import learners
from learners import Budget, Learner, Predictor
from learners.linear.reservoir import ReservoirPredictor
from learners.teacher_forcing import ForcedPredictor
from systems import Dataset, LinearSpiral, Sampling, sample
from tests.support.learners import exported_learners, learner_name

SAMPLING = Sampling(
    step=0.05, trajectories=4, samples=60, valid=2, test=3, context=6, horizon=0.5, climate=1, climate_horizon=0.5
)
SEEDS = (0, 1)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return sample(LinearSpiral(), SAMPLING, 0)


@pytest.fixture(scope="module", params=exported_learners(), ids=learner_name)
def learner(request: pytest.FixtureRequest) -> Learner:
    return request.param


@pytest.fixture(scope="module")
def before(dataset: Dataset) -> str:
    """A digest of the data, as they were before the first fit."""
    return digest(dataset)


@pytest.fixture(scope="module")
def fitted(learner: Learner, dataset: Dataset, before: str) -> list[Predictor]:
    return learner.fit_replicas(dataset, Budget(), SEEDS)


def digest(dataset: Dataset) -> str:
    parts = (dataset.train, dataset.valid, dataset.test, dataset.climate)
    return hashlib.sha256(b"".join(part.states.numpy().tobytes() for part in parts)).hexdigest()


def forecast(predictor: Predictor, dataset: Dataset) -> learners.Forecast:
    return predictor.forecast(dataset.test.between(0, SAMPLING.context), dataset.test.times[0, SAMPLING.context :])


def test_fit_gives_a_predictor_for_each_seed_and_leaves_the_data_alone(
    fitted: list[Predictor], dataset: Dataset, before: str
):
    for predictor in fitted:
        forecast(predictor, dataset)
    assert len(fitted) == len(SEEDS)
    assert digest(dataset) == before


def test_a_forecast_has_the_shape_of_the_truth_in_float64_and_is_finite(fitted: list[Predictor], dataset: Dataset):
    states = forecast(fitted[0], dataset).states
    assert states.shape == dataset.test.states[:, SAMPLING.context :].shape
    assert states.dtype == torch.float64
    assert states.isfinite().all()
    assert not states.requires_grad


def test_fit_and_forecast_are_deterministic(learner: Learner, fitted: list[Predictor], dataset: Dataset):
    torch.manual_seed(123)
    again = learner.fit_replicas(dataset, Budget(), SEEDS)
    for one, two in zip(fitted, again, strict=True):
        assert torch.equal(forecast(one, dataset).states, forecast(two, dataset).states)


def test_a_seed_gives_the_same_model_alone_as_in_a_stack(learner: Learner, fitted: list[Predictor], dataset: Dataset):
    (alone,) = learner.fit_replicas(dataset, Budget(), SEEDS[1:])
    torch.testing.assert_close(
        forecast(alone, dataset).states, forecast(fitted[1], dataset).states, atol=1e-4, rtol=1e-4
    )


def test_forecasts_do_not_use_the_global_random_state(fitted: list[Predictor], dataset: Dataset):
    before = torch.random.get_rng_state()
    forecast(fitted[0], dataset)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_advancing_step_by_step_gives_the_forecast(learner: Learner, fitted: list[Predictor], dataset: Dataset):
    predictor, context = fitted[0], dataset.test.between(0, SAMPLING.context)
    tolerance = 10 * getattr(learner, "tolerance", 1e-5)  # adaptive steps depend on where they are asked to stop
    state, states, evaluations = predictor.encode(context), [], 0
    for _ in range(3):
        state, spent = predictor.advance(state, dataset.step)
        states.append(predictor.decode(state))
        evaluations += spent
    torch.testing.assert_close(
        torch.stack(states, dim=1), forecast(predictor, dataset).states[:, :3], atol=tolerance, rtol=tolerance
    )
    assert evaluations >= 0


def test_only_the_context_is_looked_at(fitted: list[Predictor], dataset: Dataset):
    changed = dataset.test.states.clone()
    changed[:, SAMPLING.context :] = torch.nan
    blind = replace(dataset, test=replace(dataset.test, states=changed))
    assert torch.equal(forecast(fitted[0], blind).states, forecast(fitted[0], dataset).states)


def test_costs_are_stated(learner: Learner, fitted: list[Predictor]):
    log = fitted[0].log
    assert fitted[0].parameters >= 0
    assert all(weights.isfinite().all() for weights in fitted[0].weights().values())
    if hasattr(learner, "training"):
        assert log.updates == 6
        assert log.nfe_forward > 0
        assert log.nfe_backward > 0
        assert log.saved_bytes > 0
        assert log.curve[-1].update == 6
        assert log.fit_seconds > 0
        assert sum(weights.numel() for weights in fitted[0].weights().values()) == fitted[0].parameters


def test_training_effort_follows_the_budget(learner: Learner, dataset: Dataset):
    if not hasattr(learner, "training"):
        pytest.skip("this learner does not train in updates")
    (predictor,) = learner.fit_replicas(dataset, Budget(0.5), SEEDS[:1])
    assert predictor.log.updates == 3


@pytest.mark.parametrize("seeds", [[], [-1]], ids=str)
def test_what_is_no_seed_is_refused_by_name(learner: Learner, dataset: Dataset, seeds: list):
    with pytest.raises(ValueError, match=r"^seeds must be whole numbers of at least 0, one for each .* but is \["):
        learner.fit_replicas(dataset, Budget(), seeds)


def test_a_past_of_any_length_is_forecast_from_alike_or_refused_by_name(fitted: list[Predictor], dataset: Dataset):
    (predictor, *_), end = fitted, SAMPLING.context
    times = dataset.test.times[0, end : end + 2]
    whole = predictor.forecast(dataset.test.between(0, end), times).states
    for samples in range(1, end + 1):
        past = dataset.test.between(end - samples, end)
        if samples >= predictor.least_past:
            states = predictor.forecast(past, times).states
            assert states.isfinite().all()
            if not isinstance(predictor, (ReservoirPredictor, ForcedPredictor)):  # which remember what they were shown
                torch.testing.assert_close(states, whole, rtol=1e-6, atol=1e-6)
        else:
            with pytest.raises(ValueError, match=rf"^past has {samples} samples, but \w+ starts from \d: give it more"):
                predictor.forecast(past, times)
    with pytest.raises(ValueError, match=r"^past has 0 samples, but \w+ starts from \d: give it more"):
        predictor.forecast(dataset.test.between(0, 0), dataset.test.times[0, :2])


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, 4])
def test_validation_trajectories_of_any_length_are_learned_from_or_refused_by_name(
    learner: Learner, dataset: Dataset, samples: int
):
    short = replace(dataset, valid=dataset.valid.between(0, samples))
    try:
        (predictor,) = learner.fit_replicas(short, Budget(), SEEDS[:1])
    except ValueError as error:
        assert re.match(r"validation (needs segments|trajectories leave) .*(lower.*longer|longer.*lower)", str(error))  # noqa: PT017
    else:
        assert forecast(predictor, dataset).states.isfinite().all()


@pytest.mark.parametrize(
    "change",
    [
        lambda states: states[0],
        torch.Tensor.float,
    ],
    ids=["no batch", "single precision"],
)
def test_a_past_of_another_shape_is_refused_by_name(fitted: list[Predictor], dataset: Dataset, change: Callable):
    past = dataset.test.between(0, 4)
    object.__setattr__(past, "states", change(past.states))  # behind the back of the type checks that tests run with
    with pytest.raises(
        ValueError, match=r"^past\.states must be \[batch, time, dim\] in float64, but has the shape \("
    ):
        fitted[0].forecast(past, dataset.test.times[0, 4:])
