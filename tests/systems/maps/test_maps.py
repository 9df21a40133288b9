"""Maps: whole times, exponents, certificates, and who can learn them."""

from math import log

import numpy as np
import pytest
import torch

from learners import (
    Budget,
    LatentODE,
    LatentRNN,
    NeuralODE,
    ODENet,
    PolynomialPropagator,
    RKNet,
    SINDy,
    Training,
    TrueEquations,
    Unsuitable,
)
from systems import HenonMap, IkedaMap, LogisticMap, Map, Sampling, StandardMap, certify, sample
from systems.ground_truth import ground_truth_time
from systems.lyapunov import log_volume
from tests.support.cases import few

MAPS = [LogisticMap(), HenonMap(), IkedaMap(), StandardMap()]
SMALL = Sampling(trajectories=4, samples=200, valid=2, test=4, context=8, horizon=8.0, climate=1, climate_horizon=8.0)


@pytest.mark.parametrize("system", MAPS, ids=repr)
def test_a_solution_is_the_map_step_by_step(system: Map):
    start = system.initial_states(3, np.random.default_rng(0))
    x, by_hand = torch.from_numpy(start), [start]
    for _ in range(6):
        x = system.step(x)
        by_hand.append(x.numpy())
    found = system.solve(start, np.array([[2.0, 3.0, 8.0], [0.0, 1.0, 4.0], [5.0, 5.0, 10.0]]))
    expected = [[by_hand[n][row] for n in numbers] for row, numbers in enumerate(([0, 1, 6], [0, 1, 4], [0, 0, 5]))]
    np.testing.assert_array_equal(found, expected)


def test_times_are_whole_numbers():
    with pytest.raises(ValueError, match="HenonMap is a map, whose times are whole numbers"):
        HenonMap().solve(np.zeros((1, 2)), np.array([0.0, 1.5]))
    with pytest.raises(ValueError, match=r"LogisticMap is a map, .* set Sampling\.jitter to 0, not 0\.5"):
        sample(LogisticMap(), Sampling(jitter=0.5), 0)


@pytest.mark.parametrize("system", MAPS, ids=repr)
@pytest.mark.parametrize("asked", [0.001, 1.0, 5.0])
def test_samples_are_a_whole_number_of_steps_apart(system: Map, asked: float):
    sampling = system.adapt(Sampling(step=asked), 0)
    steps = sampling.step * system.timescale
    assert steps == pytest.approx(max(1, round(asked * system.timescale)), abs=1e-12)
    assert system.adapt(sampling, 0) == sampling


def test_a_map_that_grows_without_bound_has_no_solution():
    with pytest.raises(FloatingPointError, match="no finite solution of HenonMap"):
        HenonMap().solve(np.array([[5.0, 5.0]]), np.array([0.0, 40.0]))


@pytest.mark.parametrize(
    ("system", "growth"), [(HenonMap(), log(0.3)), (IkedaMap(), 2 * log(0.9)), (StandardMap(), 0.0)], ids=repr
)
def test_volumes_grow_at_the_known_rate_everywhere(system: Map, growth: float):
    states = torch.from_numpy(system.initial_states(5, np.random.default_rng(1)))
    torch.testing.assert_close(log_volume(system.step, states), torch.full((5,), growth, dtype=torch.float64))


@pytest.mark.parametrize("system", few(MAPS, 3), ids=repr)
def test_a_map_is_held_to_its_exponents(system: Map):
    certificate = certify(system)
    found = {check.name: check for check in certificate.checks}
    assert [check for check in certificate.checks if not check.passed] == []
    assert "exponent along the flow" not in found
    assert 0 < found["largest Lyapunov exponent"].margin < 0.02 * float(found["largest Lyapunov exponent"].value)


@pytest.mark.parametrize(
    "learner",
    [NeuralODE(), RKNet(), ODENet(), SINDy(), LatentODE(window=2, lookahead=2)],
    ids=lambda one: type(one).__name__,
)
def test_learners_of_flows_say_in_one_line_that_they_cannot_learn_a_map(learner):
    with pytest.raises(Unsuitable) as refusal:
        learner.fit_replicas(sample(HenonMap(), SMALL, 0), Budget(), [0])
    assert str(refusal.value) == f"{type(learner).__name__} learns a flow in continuous time, but HenonMap is a map"


def test_learners_of_maps_learn_them():
    data = sample(HenonMap(), SMALL, 0)
    past, truth = data.test.between(0, 8), data.test.between(8, 16)
    (found,) = PolynomialPropagator(degree=2).fit_replicas(data, Budget(), [0])
    torch.testing.assert_close(found.forecast(past, truth.times).states, truth.states, rtol=0, atol=1e-6)
    (true,) = TrueEquations().fit_replicas(data, Budget(), [0])
    forecast = true.forecast(past, truth.times)
    torch.testing.assert_close(forecast.states, truth.states, rtol=0, atol=1e-4)
    assert forecast.evaluations == 8
    assert LatentRNN(window=2, lookahead=2, training=Training(updates=1)).fit_replicas(data, Budget(), [0])


def test_rounding_limits_for_how_long_the_orbit_of_a_map_is_the_truth():
    sampling = Sampling(trajectories=2, samples=20, valid=1, test=16, context=1, horizon=60.0, climate=1)
    assert 28 < ground_truth_time(sample(LogisticMap(), sampling, 0)) < 38  # rounding errors grow by e in each
