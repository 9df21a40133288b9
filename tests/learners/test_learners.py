"""Learners one by one: what each promises beyond the contract that all of them keep."""

from dataclasses import replace

import pytest
import torch

from learners import (
    Budget,
    Climatology,
    NeuralODE,
    ODENet,
    Persistence,
    PolynomialPropagator,
    ResNet,
    RKNet,
    TrainingMean,
    TrueEquations,
    WindowedRNN,
)
from learners.linear.polynomial import evaluate, monomials
from learners.networks.fields import VectorField, stacked_field
from learners.networks.scales import Scales
from learners.solvers.accurate import accurate_substeps
from learners.solvers.integration import rollout_adaptive
from learners.solvers.rollout import rollout_flow, rollout_map
from systems import (
    Dataset,
    KuramotoSivashinsky,
    LinearSpiral,
    Lorenz,
    LotkaVolterra,
    RandomSpirals,
    Sampling,
    Trajectories,
    sample,
)
from tests.support.cases import few

SAMPLING = Sampling(
    step=0.02, trajectories=8, samples=100, valid=2, test=4, context=4, horizon=1.0, climate=1, climate_horizon=1.0
)
ERRORS_AFTER_ONE_TURN = {  # after so many updates
    NeuralODE(): (300, 0.02),
    ResNet(): (300, 0.02),
    WindowedRNN(): (400, 0.1),
    RKNet(): (200, 0.05),
    ODENet(): (200, 0.05),
}


@pytest.fixture(scope="module")
def spiral() -> Dataset:
    return sample(LinearSpiral(), SAMPLING, 0)


def past(dataset: Dataset) -> Trajectories:
    return dataset.test.between(0, dataset.sampling.context)


def future(dataset: Dataset) -> Trajectories:
    return dataset.test.between(dataset.sampling.context)


def error(learner, dataset: Dataset, effort: float = 1.0) -> float:
    """Root mean square error at the end of the forecast, in standard deviations."""
    (predictor,) = learner.fit_replicas(dataset, Budget(effort), [0])
    states = predictor.forecast(past(dataset), future(dataset).times[0]).states
    return ((states[:, -1] - future(dataset).states[:, -1]) / dataset.std).square().mean().sqrt().item()


@pytest.mark.parametrize("learner", few(ERRORS_AFTER_ONE_TURN, 1, 2), ids=lambda learner: type(learner).__name__)
def test_a_short_training_forecasts_a_turn_of_the_spiral(learner, spiral: Dataset):
    updates, largest = ERRORS_AFTER_ONE_TURN[learner]
    assert error(replace(learner, training=replace(learner.training, updates=updates)), spiral) < largest


def test_persistence_repeats_the_last_observation(spiral: Dataset):
    (predictor,) = Persistence().fit_replicas(spiral, Budget(), [0])
    forecast = predictor.forecast(past(spiral), future(spiral).times[0])
    assert torch.equal(forecast.states, past(spiral).states[:, -1:].expand_as(forecast.states))
    assert forecast.evaluations == 0


def test_the_training_mean_is_that_of_the_training_data(spiral: Dataset):
    (predictor,) = TrainingMean().fit_replicas(spiral, Budget(), [0])
    states = predictor.forecast(past(spiral), future(spiral).times[0]).states
    torch.testing.assert_close(states[2, 7], spiral.train.states.mean(dim=(0, 1)))


def test_climatology_draws_training_states_differently_for_each_seed_and_trajectory(spiral: Dataset):
    one, two = Climatology().fit_replicas(spiral, Budget(), [0, 1])
    first, second = (p.forecast(past(spiral), future(spiral).times[0]).states for p in (one, two))
    known = {tuple(state) for state in spiral.train.states.flatten(0, 1).tolist()}
    assert {tuple(state) for state in first.flatten(0, 1).tolist()} <= known
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_true_equations_lose_only_what_float32_rounds(spiral: Dataset):
    assert error(TrueEquations(), spiral) < 1e-5
    assert error(TrueEquations(), sample(LotkaVolterra(), SAMPLING, 0)) < 1e-5


def test_true_equations_that_are_stiff_take_few_exponential_steps():
    small = replace(SAMPLING, trajectories=1, samples=10, valid=1, test=1, horizon=0.1, climate_horizon=0.1)
    dataset = sample(KuramotoSivashinsky(), small, 0)
    assert accurate_substeps(KuramotoSivashinsky(), dataset) <= 64
    assert error(TrueEquations(), dataset) < 1e-4


def test_true_equations_take_more_steps_where_the_samples_are_further_apart(spiral: Dataset):
    counts = [
        accurate_substeps(LinearSpiral(), replace(spiral, sampling=replace(SAMPLING, step=step)))
        for step in (0.001, 0.02, 0.1)
    ]
    assert counts[0] == 1
    assert counts[0] < counts[1] < counts[2]


def test_true_equations_need_a_velocity(spiral: Dataset):
    with pytest.raises(ValueError, match="TrueEquations needs a system with a velocity, but RandomSpirals has none"):
        TrueEquations().fit_replicas(replace(spiral, system=RandomSpirals()), Budget(), [0])


def test_a_polynomial_propagator_is_exact_on_a_linear_system(spiral: Dataset):
    assert error(PolynomialPropagator(degree=1), spiral) < 1e-10


@pytest.mark.slow
def test_a_polynomial_propagator_forecasts_lorenz_for_a_lyapunov_time():
    dataset = sample(Lorenz(), replace(SAMPLING, trajectories=16, samples=400), 0)
    assert error(PolynomialPropagator(), dataset) < 1e-3


def test_noise_raises_the_penalty_of_the_polynomial_propagator():
    """With few noisy samples a degree-5 fit without penalty would forecast worse than the mean."""
    dataset = sample(LinearSpiral(), replace(SAMPLING, trajectories=2, samples=50, noise=0.1), 0)
    assert error(PolynomialPropagator(), dataset) < 2


def test_monomials_are_counted_and_the_degree_gives_way():
    assert len(monomials(3, 5, 300)) == 56
    assert len(monomials(10, 5, 300)) == 286
    assert monomials(2, 2, 300) == [(), (0,), (1,), (0, 0), (0, 1), (1, 1)]
    assert len(monomials(1000, 5, 300)) == 1001


def test_monomials_are_evaluated():
    values = evaluate(monomials(2, 3, 300), torch.tensor([2.0, 3.0]))
    assert values.tolist() == [1, 2, 3, 4, 6, 9, 8, 12, 18, 27]


def test_a_window_longer_than_the_context_is_refused_with_the_remedy(spiral: Dataset):
    with pytest.raises(ValueError, match=r"WindowedRNN.window=5 .* Sampling.context=4: lower the window or raise"):
        WindowedRNN(window=5).fit_replicas(spiral, Budget(), [0])


@pytest.mark.parametrize(
    ("learner", "field", "value"),
    [
        (NeuralODE, "lookahead", 0),
        (ResNet, "blocks", -1),
        (WindowedRNN, "hidden", 0),
        (RKNet, "tolerance", 0.0),
        (ODENet, "width", 0),
        (PolynomialPropagator, "terms", 0),
    ],
)
def test_a_hyper_parameter_out_of_range_is_named(learner, field: str, value: float):
    with pytest.raises(ValueError, match=rf"{learner.__name__}.{field} must be positive, but is {value}"):
        learner(**{field: value})


def test_a_map_refuses_times_between_its_steps():
    propagate = rollout_map(lambda state: state + 1, evaluations=3)
    states, evaluations = propagate(torch.zeros(1, 1), [1.0, 2.0, 4.0])
    assert states.flatten().tolist() == [1, 2, 4]
    assert evaluations == 12
    with pytest.raises(ValueError, match=r"cannot go from step 0 to 1\.5"):
        propagate(torch.zeros(1, 1), [1.5])


def test_a_field_goes_to_any_time_in_equal_steps_of_at_most_one_sample():
    taken = []

    def step(state: torch.Tensor, h: float) -> torch.Tensor:
        taken.append(h)
        return state + h

    states, evaluations = rollout_flow(step, evaluations=4)(torch.zeros(1, 1), [0.5, 1.5, 4.0])
    assert taken == pytest.approx([0.5, 1.0, 2.5 / 3, 2.5 / 3, 2.5 / 3])
    assert states.flatten().tolist() == pytest.approx([0.5, 1.5, 4.0])
    assert evaluations == 20


@pytest.mark.slow
def test_backpropagation_and_adjoint_train_the_same_network(spiral: Dataset):
    short = {"training": replace(RKNet().training, updates=20), "tolerance": 1e-6}
    (by_steps,), (by_adjoint,) = (learner(**short).fit_replicas(spiral, Budget(), [0]) for learner in (RKNet, ODENet))
    for name, weights in by_steps.weights().items():
        torch.testing.assert_close(weights, by_adjoint.weights()[name], atol=1e-3, rtol=1e-3)


def cost(learner, dataset: Dataset, tolerance: float):
    training = replace(RKNet().training, updates=20, validations=2)
    return learner(lookahead=6, tolerance=tolerance, training=training).fit_replicas(dataset, Budget(), [0])[0].log


@pytest.mark.slow
def test_saved_bytes_grow_with_solver_steps_by_backpropagation_and_not_by_the_adjoint(spiral: Dataset):
    loose, tight = (cost(RKNet, spiral, tolerance) for tolerance in (1e-2, 1e-7))
    assert tight.nfe_forward > 1.3 * loose.nfe_forward
    assert tight.saved_bytes > 1.3 * loose.saved_bytes
    assert cost(ODENet, spiral, 1e-2).saved_bytes == cost(ODENet, spiral, 1e-7).saved_bytes < loose.saved_bytes / 20


def test_the_adjoint_evaluates_the_field_again_on_the_way_back(spiral: Dataset):
    short = replace(ODENet().training, updates=5)
    log = ODENet(training=short).fit_replicas(spiral, Budget(), [0])[0].log
    assert log.nfe_forward >= 7
    assert log.nfe_backward >= 6


class Explosion(VectorField):
    """x' = x^2: finite-time blow-up from positive states, decay to zero from negative ones."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def forward(self, s: float | torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return x * x


def test_a_trajectory_that_blows_up_does_not_take_its_neighbours_along():
    states, _ = rollout_adaptive(Explosion(), "dopri5", 1e-6)(torch.tensor([[-1.0], [1.0], [-0.5]]), [1.0, 2.0, 3.0])
    assert states[:, 1].isnan().all() or not states[-1, 1].isfinite().any()
    torch.testing.assert_close(states[:, 0, 0], torch.tensor([-1 / 2, -1 / 3, -1 / 4]), atol=1e-4, rtol=0)
    torch.testing.assert_close(states[:, 2, 0], torch.tensor([-1 / 3, -1 / 4, -1 / 5]), atol=1e-4, rtol=0)


def test_a_trajectory_out_of_bounds_is_not_followed():
    states, _ = rollout_adaptive(Explosion(), "dopri5", 1e-6)(torch.tensor([[-1.0], [2e3]]), [0.5])
    assert states[0, 1].isnan().all()
    assert states[0, 0].isfinite().all()


def test_a_vector_field_has_the_size_of_the_increments(spiral: Dataset):
    scales = Scales.of(spiral)
    field = stacked_field(NeuralODE(width=8, depth=1), scales, [0])
    x = torch.ones(1, 3, 2)
    torch.testing.assert_close(field(0.0, x), field.network(x) * scales.increment)
