"""The exponents of fitted models: from their own long forecasts, alike for maps, fields, windows and references."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import t as student
from torch import Tensor

from bench.cells.drawings import interval_arrays
from bench.cells.exponents import exponents
from learners import (
    Budget,
    Climatology,
    Learner,
    Persistence,
    PolynomialPropagator,
    Predictor,
    ResNet,
    Training,
    TrainingMean,
    TrueEquations,
    WindowedRNN,
)
from metrics import (
    LYAPUNOV,
    Cost,
    Evidence,
    Undefined,
    central_difference,
    kaplan_yorke_dimension,
    lyapunov_exponent,
    model_spectrum,
    unbounded_fraction,
)
from systems import CubicSpiral, Dataset, LinearSpiral, Lorenz, Sampling, sample
from systems.lyapunov import Spectrum, kaplan_yorke
from systems.tangents import push_forward
from tests.support.cases import few
from tests.support.problems import ShearedCycle
from tests.support.stubs import Turning

SAMPLING = Sampling(
    step=0.036224, trajectories=6, samples=300, valid=2, test=4, context=8, horizon=1.0, climate=3, climate_horizon=30.0
)
NOTHING = np.zeros((1, 3, 1))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(Lorenz(), SAMPLING, 0)


def runs(predictor: Predictor, data: Dataset) -> np.ndarray:
    context = data.sampling.context
    return predictor.forecast(data.climate.between(0, context), data.climate.times[:, context:]).states.numpy()


def spectrum_of(learner: Learner, data: Dataset) -> Spectrum:
    (predictor,) = learner.fit_replicas(data, Budget(), [0])
    return exponents(predictor, data, runs(predictor, data))


def evidence(spectrum: Callable[[], Spectrum]) -> Evidence:
    cost = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
    return Evidence(0.1, np.ones(1), NOTHING, NOTHING, NOTHING, NOTHING, cost, exponents=spectrum)


@pytest.mark.parametrize("learner", few([TrueEquations(), PolynomialPropagator()], 0), ids=repr)
def test_who_knows_the_equations_has_their_exponents(learner: Learner, data: Dataset):
    found = spectrum_of(learner, data)
    published = np.array([0.9056, 0.0, -14.572]) * Lorenz().timescale
    low, high = found.interval
    assert (low[:2] - 0.1 < published[:2]).all()
    assert (published[:2] < high[:2] + 0.1).all()
    assert found.exponents[2] == pytest.approx(published[2], rel=0.03)
    assert found.exponents[0] == pytest.approx(1.0, abs=0.15)
    assert found.kaplan_yorke == pytest.approx(2.062, abs=0.02)


def test_what_stands_still_neither_parts_nor_meets(data: Dataset):
    for learner in (Persistence(), TrainingMean()):
        found = spectrum_of(learner, data)
        np.testing.assert_allclose(found.exponents, 0.0, atol=1e-9)
        with pytest.raises(Undefined, match="every exponent is 0"):
            kaplan_yorke_dimension.measure(evidence(lambda found=found: found))


def test_a_random_draw_has_no_exponents(data: Dataset):
    with pytest.raises(Undefined, match="ShuffledDraw is no smooth map of its state"):
        spectrum_of(Climatology(), data)


@pytest.mark.slow
def test_a_window_has_no_more_exponents_than_the_system_has_dimensions(data: Dataset):
    learner = WindowedRNN(cell="rnn", training=Training(updates=5))
    (predictor,) = learner.fit_replicas(data, Budget(), [0])
    truth = data.climate.states[:, SAMPLING.context :].numpy()
    assert predictor.encode(data.test.between(0, 8))[0].numel() == 12
    assert exponents(predictor, data, truth).exponents.shape == (3,)


def test_a_damped_rotation_is_measured_in_periods():
    sampling = replace(SAMPLING, step=0.05, climate_horizon=8.0)
    data = sample(LinearSpiral(), sampling, 0)
    found = exponents(Turning(0), data, data.climate.states[:, 8:].numpy())
    np.testing.assert_allclose(found.exponents, [-0.1 * 2 * np.pi] * 2, rtol=1e-4)


def test_runs_that_diverge_are_left_out(data: Dataset):
    (predictor,) = TrueEquations().fit_replicas(data, Budget(), [0])
    states = runs(predictor, data)
    states[0, -1] = np.nan
    states[1, 5] = np.inf
    assert exponents(predictor, data, states).exponents[0] == pytest.approx(1.0, abs=0.2)
    states[2, 0] = np.nan
    with pytest.raises(Undefined, match="every long forecast leaves the finite numbers"):
        exponents(predictor, data, states)


def test_runs_shorter_than_a_context_cannot_be_taken_up_again(data: Dataset):
    (predictor,) = TrueEquations().fit_replicas(data, Budget(), [0])
    with pytest.raises(Undefined, match="long forecasts of 5 samples are shorter than a context of 8"):
        exponents(predictor, data, runs(predictor, data)[:, :5])


def test_a_part_of_the_long_forecasts_gives_as_many_fewer_states(data: Dataset):
    (predictor,) = TrueEquations().fit_replicas(data, Budget(), [0])
    long = runs(predictor, data)
    whole, part = (exponents(predictor, data, long[:, :samples]) for samples in (long.shape[1], long.shape[1] // 3))
    assert len(part.per_trajectory) == pytest.approx(len(whole.per_trajectory) / 3, abs=3)
    assert part.exponents[0] == pytest.approx(1.0, abs=0.3)


def test_a_model_that_blows_up_cannot_be_followed(data: Dataset):
    class Exploding(Turning):
        def rollout(self, state: Tensor, offsets: object) -> tuple[Tensor, int]:
            return (1e30 * state)[None], 1

    with pytest.raises(Undefined, match="the model cannot be followed: a trajectory or its tangent left"):
        exponents(Exploding(0), data, data.climate.states[:, 8:].numpy())


# Differences in place of derivatives


def test_central_differences_agree_with_exact_derivatives_of_a_network(data: Dataset):
    (predictor,) = ResNet(width=16, training=Training(updates=300)).fit_replicas(data, Budget(), [0])
    states = predictor.encode(data.train)
    tangents = torch.nn.functional.normalize(torch.ones_like(states), dim=1)

    def advance(state: Tensor) -> Tensor:
        return predictor.advance(state, 5 * data.step)[0]

    (value, near), (exact_value, exact) = (
        push(advance, states, tangents) for push in (central_difference, push_forward)
    )
    torch.testing.assert_close(value, exact_value, rtol=0, atol=1e-4)
    torch.testing.assert_close(near, exact, rtol=0, atol=1e-4 * float(exact.abs().max()))


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_central_differences_follow_the_size_of_the_states(size: float):
    states = size * torch.randn((50, 2), generator=torch.Generator().manual_seed(0))
    tangents = torch.tensor([0.6, 0.8]).expand_as(states)
    value, derivative = central_difference(lambda x: x**3, states, tangents)
    torch.testing.assert_close(value, states**3, rtol=1e-3, atol=1e-3 * size**3)
    torch.testing.assert_close(derivative, 3 * states**2 * tangents, rtol=1e-3, atol=1e-3 * size**2)


def test_central_differences_at_rest_are_those_of_unit_states():
    value, derivative = central_difference(torch.sin, torch.zeros(3, 1), torch.ones(3, 1))
    assert not value.any()
    torch.testing.assert_close(derivative, torch.ones(3, 1), rtol=1e-5, atol=0)


# Metrics


def test_the_metrics_are_the_largest_exponent_and_the_dimension():
    given = evidence(lambda: Spectrum(np.array([[1.2, 0.0, -4.0], [0.8, 0.0, -4.0]]), complete=True))
    assert lyapunov_exponent.measure(given) == pytest.approx(1.0)
    assert kaplan_yorke_dimension.measure(given) == pytest.approx(2.25)


@pytest.mark.parametrize("neutral", [-0.004, 0.004])
def test_a_cycle_has_one_dimension_whatever_is_left_of_its_neutral_exponent(neutral: float):
    given = evidence(lambda: Spectrum(np.array([[neutral, -0.5]]), complete=True))
    assert kaplan_yorke_dimension.measure(given) == 1
    resting = evidence(lambda: Spectrum(np.array([[-0.05, -0.5]]), complete=True))
    assert kaplan_yorke_dimension.measure(resting) == 0


@pytest.mark.parametrize("works", [True, False])
def test_exponents_are_worked_out_once_for_all_metrics_also_where_there_are_none(works: bool):
    asked = []

    def spectrum() -> Spectrum:
        asked.append(1)
        if not works:
            raise Undefined("nothing to follow")
        return Spectrum(np.array([[1.0, -2.0]]), complete=True)

    given = evidence(spectrum)
    for measure in (lyapunov_exponent.measure, kaplan_yorke_dimension.measure, model_spectrum):
        if works:
            measure(given)
        else:
            with pytest.raises(Undefined, match="nothing to follow"):
                measure(given)
    assert len(asked) == 1


def test_evidence_without_a_model_says_so():
    cost = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
    with pytest.raises(Undefined, match="no model to differentiate"):
        lyapunov_exponent.measure(Evidence(0.1, np.ones(1), NOTHING, NOTHING, NOTHING, NOTHING, cost))


# Tangents that have not found their directions


def test_the_frame_of_a_sheared_cycle_is_warmed_up_until_it_has_converged():
    data = sample(ShearedCycle(), replace(SAMPLING, step=0.1, climate_horizon=60.0), 0)
    found = spectrum_of(TrueEquations(), data)
    np.testing.assert_allclose(found.exponents, [0.0, -0.118], atol=0.006)
    assert kaplan_yorke_dimension.measure(evidence(lambda: found)) == 1


def test_exponents_of_a_frame_that_does_not_converge_are_undefined():
    data = sample(ShearedCycle(contraction=0.003), replace(SAMPLING, step=0.1, climate_horizon=60.0), 0)
    with pytest.raises(Undefined, match=r"have not converged: they still drift by 0\.\d+ per timescale"):
        spectrum_of(TrueEquations(), data)


def test_what_comes_to_rest_is_a_point_whatever_grows_on_the_way_also_to_figures():
    data = sample(CubicSpiral(), replace(SAMPLING, climate_horizon=200.0), 0)
    (predictor,) = TrueEquations().fit_replicas(data, Budget(), [0])
    states = runs(predictor, data)
    found = exponents(predictor, data, states)
    assert kaplan_yorke(found.exponents) > 1  # powers of time, read as exponential
    given = replace(evidence(lambda: found), scale=data.std.numpy(), climate=states, climate_truth=states)
    assert kaplan_yorke_dimension.measure(given) == 0
    assert lyapunov_exponent.measure(given) == 0
    mean, low, high = interval_arrays(given, LYAPUNOV)["exponents"]
    np.testing.assert_allclose(mean, [0.0, found.exponents[1]], atol=1e-6)
    np.testing.assert_allclose(high - low, found.interval[1] - found.interval[0], atol=1e-6)


def test_the_dimension_has_the_interval_that_its_exponents_give_it():
    leading, last = np.random.default_rng(0).normal([[0.9], [-14.5]], [[0.2], [0.3]], (2, 60))
    found = Spectrum(np.stack([leading, 0.01 * leading, last], axis=-1), complete=True)
    given = evidence(lambda: found)
    dimension, low, high = interval_arrays(given, LYAPUNOV)["kaplan_yorke_dimension"]
    mean = 2 + leading.mean() / -last.mean()
    slopes = leading / -last.mean() + leading.mean() * last / last.mean() ** 2  # to the first order
    reach = student.ppf(0.975, 59) * slopes.std(ddof=1) / np.sqrt(60)
    assert dimension == pytest.approx(mean, abs=1e-6)
    assert (high - low) / 2 == pytest.approx(reach, rel=0.02)
    assert kaplan_yorke_dimension.measure(given) == pytest.approx(mean)


def test_a_channel_without_a_scale_leaves_no_exponents_and_no_crash():
    still = replace(
        evidence(lambda: Spectrum(np.array([[1.0, -2.0]]), complete=True)),
        scale=np.zeros(1),
        climate=np.zeros((1, 300, 1)),
        climate_truth=np.zeros((1, 300, 1)),
    )
    with pytest.raises(Undefined, match="constant in the training data"):
        lyapunov_exponent.measure(still)
    with pytest.raises(Undefined, match="constant in the training data"):
        unbounded_fraction.measure(still)
    assert interval_arrays(still, LYAPUNOV) == {}
