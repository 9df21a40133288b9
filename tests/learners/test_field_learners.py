"""Learners of fields on a ring, and the variants of the neural ODE: what each option promises."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from bench.suite import load
from learners import Budget, Learner, NeuralODE, Predictor, ResNet, RKNet, Training, Unsuitable
from learners.networks.fields import Damping, RingDamping, VectorField, stacked_field
from learners.networks.scales import Scales
from learners.networks.stacked import StackedConvolution
from learners.neural_ode import jacobian_mismatch
from learners.resnet import ResidualMap
from learners.solvers.integration import Integration, Paced
from learners.streams import stream
from learners.training.segments import SegmentSampler, segments_of
from systems import CubicSpiral, Dataset, KuramotoSivashinsky, LinearSpiral, Lorenz96, Sampling, sample
from tests.support.cases import few
from tests.support.problems import Forced

SAMPLING = Sampling(
    step=0.05, trajectories=8, samples=60, valid=2, test=4, context=4, horizon=0.5, climate=1, climate_horizon=0.5
)
SHORT = Training(updates=200, batch=64, validations=4)
HARDLY = Training(updates=6, batch=16)


@pytest.fixture(scope="module")
def spiral() -> Dataset:
    return sample(LinearSpiral(), SAMPLING, 0)


@pytest.fixture(scope="module")
def ring() -> Dataset:
    return sample(Lorenz96(sites=8), SAMPLING, 0)


def fitted(learner: Learner, dataset: Dataset) -> Predictor:
    return learner.fit_replicas(dataset, Budget(), [0])[0]


def forecast(predictor: Predictor, dataset: Dataset) -> Float[Tensor, "batch time dim"]:
    context = dataset.sampling.context
    return predictor.forecast(dataset.test.between(0, context), dataset.test.times[:, context:]).states


def error(predictor: Predictor, dataset: Dataset) -> float:
    """Root mean square error over the forecast, in standard deviations."""
    truth = dataset.test.states[:, dataset.sampling.context :]
    return ((forecast(predictor, dataset) - truth) / dataset.std).square().mean().sqrt().item()


CONVOLUTIONS = [NeuralODE(network="convolution", width=8), ResNet(network="convolution", width=8, damping=0.2)]


def shifted(dataset: Dataset, places: int) -> Dataset:
    return replace(dataset, test=replace(dataset.test, states=dataset.test.states.roll(places, dims=-1)))


@pytest.mark.parametrize("learner", CONVOLUTIONS, ids=lambda learner: type(learner).__name__)
@pytest.mark.parametrize(("patch", "shift"), [(1, 3), (2, 4)])
def test_a_convolution_forecasts_a_shifted_field_as_the_shifted_forecast(
    learner, patch: int, shift: int, ring: Dataset
):
    predictor = fitted(replace(learner, kernel=3, patch=patch, training=HARDLY), ring)
    expected = forecast(predictor, ring).roll(shift, dims=-1)
    torch.testing.assert_close(forecast(predictor, shifted(ring, shift)), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("learner", CONVOLUTIONS, ids=lambda learner: type(learner).__name__)
def test_a_convolution_learns_a_field(learner, ring: Dataset):
    trained, untrained = (fitted(replace(learner, training=training), ring) for training in (SHORT, HARDLY))
    assert error(trained, ring) < 0.5 * error(untrained, ring)


def test_a_convolution_equals_the_plain_one():
    stack = StackedConvolution([2, 4, 2], 3, 1, "tanh", [stream(0, "weights"), stream(1, "weights")])
    x = torch.randn(2, 5, 2 * 6, generator=stream(2, "inputs"))
    for seed in range(2):
        first, last = (nn.Conv1d(a, b, 3, padding=1, padding_mode="circular") for a, b in ((2, 4), (4, 2)))
        for layer, weight, bias in zip((first, last), stack.weights, stack.biases, strict=True):
            layer.load_state_dict({"weight": weight[seed], "bias": bias[seed]})
        expected = last(torch.tanh(first(x[seed].unflatten(-1, (2, 6))))).flatten(1)
        torch.testing.assert_close(stack(x)[seed], expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("options", [{"kernel": 9}, {"patch": 3}, {"augmented": 4}])
def test_a_convolution_that_does_not_fit_the_ring_is_refused_with_the_remedy(options: dict[str, Any], ring: Dataset):
    with pytest.raises(Unsuitable, match=r"a convolution with kernel=.* 8 sites, .*: choose another kernel or patch"):
        fitted(NeuralODE(network="convolution", **options), ring)


def test_sites_of_a_ring_share_their_scales(ring: Dataset):
    scales = Scales.of(ring, shared=True)
    states = scales.standardise(ring.train.states)
    assert len(scales.mean.unique()) == len(scales.std.unique()) == len(scales.increment.unique()) == 1
    assert states.mean().item() == pytest.approx(0, abs=1e-5)
    assert states.square().mean().item() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("damping", [Damping(6, 0.3, 2), RingDamping(6, 1, 0.3, 2)], ids=["dense", "ring"])
def test_damping_starts_at_its_rate_and_is_never_negative(damping: nn.Module):
    x = torch.randn(2, 50, 6, generator=stream(0, "inputs"))
    torch.testing.assert_close(damping(x), 0.3 * x)
    with torch.no_grad():
        for parameter in damping.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=stream(1, "weights")))
    assert ((damping(x) * x).sum(dim=-1) >= 0).all()


@pytest.mark.parametrize("network", ["mlp", "convolution"])
def test_a_damped_field_of_a_bounded_network_comes_back_from_anywhere(network, ring: Dataset):
    predictor = fitted(NeuralODE(network=network, kernel=3, activation="tanh", damping=0.5, training=HARDLY), ring)
    far = 1e3 * torch.ones(1, ring.dim)
    (later,), _ = predictor.rollout(far, [200 * ring.step])
    assert later.abs().max() < 100


def test_a_damped_residual_map_of_a_bounded_network_comes_back_from_anywhere(ring: Dataset):
    predictor = fitted(ResNet(activation="tanh", damping=0.5, training=HARDLY), ring)
    (later,), _ = predictor.rollout(1e3 * torch.ones(1, ring.dim), [200 * ring.step])
    assert later.abs().max() < 100


def test_a_residual_map_is_damped_before_its_blocks():
    stack = ResidualMap([nn.Identity()], torch.ones(4), Damping(4, 0.25, 1))
    torch.testing.assert_close(stack(torch.ones(1, 2, 4)), torch.full((1, 2, 4), 1.5))


@pytest.mark.slow
def test_cubic_inputs_learn_the_cubic_spiral_with_no_hidden_curvature():
    """The field is linear in the cubes of the coordinates, so that hardly any training is needed."""
    dataset = sample(CubicSpiral(), SAMPLING, 0)
    plain, cubic = (
        fitted(NeuralODE(inputs=inputs, width=16, training=SHORT), dataset) for inputs in ("state", "cubic")
    )
    assert error(cubic, dataset) < 0.5 * error(plain, dataset)


def test_cubic_inputs_are_those_of_physical_coordinates(spiral: Dataset):
    scales = Scales.of(spiral)
    field = stacked_field(NeuralODE(inputs="cubic", width=8, depth=1), scales, [0])
    x = scales.standardise(spiral.test.states[:, 0])[None]
    cubes = (spiral.test.states[:, 0] / scales.std) ** 3
    torch.testing.assert_close(field(0.0, x), field.network(cubes.float()[None]) * scales.increment)


@pytest.mark.slow
def test_the_time_as_input_learns_a_forced_flow():
    """The same states go different ways at different times: without the time there is nothing to learn them by."""
    dataset = sample(Forced(), replace(SAMPLING, step=0.1, trajectories=2, valid=2, test=2, horizon=4.0), 0)
    blind, timed = (fitted(NeuralODE(time=time, training=SHORT), dataset) for time in (False, True))
    assert error(timed, dataset) < 0.5 * error(blind, dataset)


@pytest.mark.parametrize("solver", ["rk4", "dopri5"])
def test_the_time_runs_at_its_pace_and_is_not_part_of_the_forecast(solver, spiral: Dataset):
    predictor = fitted(NeuralODE(time=True, augmented=1, solver=solver, training=HARDLY), spiral)
    state = predictor.encode(spiral.test.between(0, 4))
    (later,), _ = predictor.rollout(state, [5 * spiral.step])
    assert state.shape[-1] == 2 + 1 + 1
    torch.testing.assert_close(later[:, -1] - state[:, -1], torch.full((4,), 5 / 59), atol=1e-5, rtol=1e-4)
    assert predictor.decode(later).shape == (4, 2)


def test_a_convolution_sees_time_and_augmented_channels_at_every_site(ring: Dataset):
    learner = NeuralODE(network="convolution", kernel=3, width=4, time=True, augmented=8, damping=0.1, training=HARDLY)
    predictor = fitted(learner, ring)
    expected = forecast(predictor, ring).roll(3, dims=-1)
    torch.testing.assert_close(forecast(predictor, shifted(ring, 3)), expected, atol=1e-4, rtol=1e-4)


def test_augmented_channels_start_at_zero_and_are_not_scored(spiral: Dataset):
    scales = Scales.of(spiral, augmented=2)
    states = scales.lift(spiral.valid)
    assert states.shape[-1] == 4
    assert not states[..., 2:].any()
    assert scales.residuals(states[None] + torch.tensor([0.0, 0.0, 9.0, 9.0]), states[None]).eq(0).all()


@pytest.mark.slow
def test_augmented_channels_take_part_in_the_field(spiral: Dataset):
    predictor = fitted(NeuralODE(augmented=2, lookahead=3, training=SHORT), spiral)
    (later,), _ = predictor.rollout(predictor.encode(spiral.test.between(0, 4)), [spiral.step])
    assert later[:, 2:].abs().min() > 0
    assert error(predictor, spiral) < 0.2


def numbered(length: int, **options) -> SegmentSampler:
    """Segments of two trajectories whose samples are the numbers 0 to 9 and 10 to 19."""
    return SegmentSampler(torch.arange(20.0).reshape(2, 10, 1), length, [0, 1], **options)


def test_segments_grow_from_one_step_to_their_length_over_the_curriculum():
    lengths = [segments.shape[2] for segments in numbered(5, curriculum=0.5).batches(4, 16)]
    assert lengths == [2, 2, 2, 3, 3, 4, 4, 5, *[5] * 8]
    assert numbered(5, curriculum=0.5).evenly_spaced(8).shape[2] == 5


def test_without_a_curriculum_segments_have_their_length():
    assert {segments.shape[2] for segments in numbered(5).batches(4, 6)} == {5}


def test_a_batch_that_holds_all_segments_is_all_of_them():
    sampler = numbered(3)
    for segments in sampler.batches(16, 3):
        assert segments[0, :, 0, 0].tolist() == [*range(8), *range(10, 18)]
        assert torch.equal(segments[0], segments[1])


def test_noise_perturbs_only_the_starts_and_each_seed_alike_in_any_stack():
    quiet = next(numbered(3).batches(8, 1))
    noisy = next(numbered(3, noise=torch.tensor([0.1])).batches(8, 1))
    assert torch.equal(noisy[:, :, 1:], quiet[:, :, 1:])
    apart = (noisy - quiet)[:, :, 0]
    assert 0.02 < apart.std() < 0.3
    assert not torch.equal(apart[0], apart[1])
    alone = SegmentSampler(torch.arange(20.0).reshape(2, 10, 1), 3, [1], torch.tensor([0.1]))
    assert torch.equal(next(alone.batches(8, 1))[0], noisy[1])


def test_noise_and_curriculum_leave_validation_data_alone(spiral: Dataset):
    scales = Scales.of(spiral, clock=True)
    data = segments_of(spiral, scales, 4, [0], noise=0.1, curriculum=0.5)
    assert data.train.noise is not None
    assert data.train.noise.tolist() == pytest.approx([0.1, 0.1, 0.0])
    assert (data.valid.noise, data.valid.curriculum) == (None, 0.0)


class Linear(VectorField):
    """x' = x A, in standardised states and sampling steps."""

    def __init__(self, matrix: Float[Tensor, "dim dim"]) -> None:
        nn.Module.__init__(self)
        self.matrix = matrix

    def forward(self, s: float | Tensor, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        return x @ self.matrix


def test_the_jacobian_of_the_true_field_has_no_mismatch_and_a_wrong_one_its_own(spiral: Dataset):
    scales = Scales.of(spiral)
    std, dim = scales.std, spiral.dim
    columns = LinearSpiral().velocity(0.0, torch.eye(dim, dtype=torch.float64) * std) / std
    true = (spiral.step * columns).float()
    states = scales.standardise(spiral.train.states[:, 0])[None]
    assert jacobian_mismatch(Linear(true), spiral, scales)(states).item() < 1e-6
    wrong = jacobian_mismatch(Linear(true + torch.eye(dim)), spiral, scales)(states).item()
    assert wrong == pytest.approx((1 / scales.increment**2).mean().item() / dim, rel=0.1)


@pytest.mark.slow
def test_jacobian_matching_keeps_the_derivatives_from_noise():
    noisy = sample(LinearSpiral(), replace(SAMPLING, noise=0.1), 0)
    scales = Scales.of(noisy)
    x = scales.standardise(noisy.valid.states[0])[None]

    def mismatch(weight: float) -> float:
        predictor = fitted(NeuralODE(width=16, jacobian=weight, training=SHORT), noisy)
        return jacobian_mismatch(predictor.network, noisy, scales)(x).item()  # pyright: ignore[reportAttributeAccessIssue]

    assert mismatch(1.0) < 0.6 * mismatch(0.0)


def test_jacobian_matching_needs_a_known_velocity_of_all_channels():
    partial = sample(Lorenz96(sites=8), replace(SAMPLING, channels=(0, 1)), 0)
    with pytest.raises(Unsuitable, match=r"NeuralODE.jacobian needs a system whose velocity is known.*set jacobian=0"):
        fitted(NeuralODE(jacobian=1.0), partial)


@pytest.mark.parametrize(
    "learner", few([NeuralODE(lookahead=2), NeuralODE(solver="adaptive_heun")], 0), ids=["fixed", "adaptive"]
)
def test_irregular_samples_are_learned_as_well_as_regular_ones(learner: NeuralODE, spiral: Dataset):
    jittered = sample(LinearSpiral(), replace(SAMPLING, jitter=0.8, dropped=0.3), 0)
    training = replace(SHORT, updates=50)
    regular, irregular = (error(fitted(replace(learner, training=training), data), data) for data in (spiral, jittered))
    assert not jittered.is_regular
    assert irregular < 4 * regular


def test_maps_refuse_irregular_samples():
    with pytest.raises(Unsuitable, match="irregular times"):
        fitted(ResNet(), sample(LinearSpiral(), replace(SAMPLING, jitter=0.5), 0))


def test_intervals_stretch_the_time_of_a_field():
    field = Paced(Linear(torch.eye(1)), torch.tensor([[0.5, 2.0]]))
    assert field(0.0, torch.ones(1, 2, 1)).flatten().tolist() == [0.5, 2.0]


@pytest.mark.parametrize("solver", ["rk4", "dopri5"])
def test_the_adjoint_gives_the_gradients_of_backpropagation(solver, spiral: Dataset):
    scales = Scales.of(spiral)
    start = scales.standardise(spiral.train.states[:, 0])[None]
    gradients = []
    for gradient in ("backpropagation", "adjoint"):
        field = stacked_field(NeuralODE(width=8), scales, [0])
        Integration(solver, 1e-7, gradient).integrate(field, start, 3).square().sum().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in field.parameters() if p.grad is not None]))
    torch.testing.assert_close(gradients[0], gradients[1], atol=2e-3 * gradients[0].abs().max().item(), rtol=0)


def test_a_neural_ode_in_an_adaptive_solver_is_the_rk_net(spiral: Dataset):
    one = fitted(NeuralODE(solver="dopri5", training=HARDLY), spiral)
    two = fitted(RKNet(training=HARDLY), spiral)
    assert torch.equal(forecast(one, spiral), forecast(two, spiral))


@pytest.mark.parametrize("field", ["augmented", "damping", "curriculum", "noise", "jacobian"])
def test_a_negative_option_is_named(field: str):
    with pytest.raises(ValueError, match=rf"NeuralODE.{field} must not be negative, but is -1"):
        replace(NeuralODE(), **{field: -1})


def test_the_adjoint_needs_a_solver_that_has_one():
    with pytest.raises(
        ValueError, match=r'NeuralODE.gradient="adjoint" .* not with "rosenbrock": choose another solver'
    ):
        NeuralODE(solver="rosenbrock", gradient="adjoint")


def test_a_longer_curriculum_than_training_is_refused():
    with pytest.raises(ValueError, match=r"NeuralODE.curriculum must be a fraction of the updates, but is 1.5"):
        NeuralODE(curriculum=1.5)


@pytest.mark.slow
def test_a_damped_convolution_forecasts_the_flame_front_and_never_leaves_it():
    """At the standard budget: 2.4 Lyapunov times for one seed, and bounded for 100 from all of the test states."""
    suite = load("spatiotemporal")
    learner = next(one for one in suite.learners if isinstance(one, ResNet) and one.network == "convolution")
    assert isinstance(suite.sampling, Sampling)
    dataset = sample(KuramotoSivashinsky(), replace(suite.sampling, climate=1, climate_horizon=1.0), suite.data_seed)
    predictor, context = fitted(learner, dataset), dataset.sampling.context
    truth = dataset.test.states[:, context:]
    wrong = ((forecast(predictor, dataset) - truth) / dataset.std).square().mean(dim=-1).sqrt()
    valid = (wrong < 0.5).cumprod(dim=1).sum(dim=1) * dataset.sampling.step
    assert valid.median() > 2.4
    state = predictor.encode(dataset.test.between(0, context))
    for _ in range(round(100 / dataset.sampling.step)):
        state, _ = predictor.advance(state, dataset.step)
        assert ((predictor.decode(state) - dataset.mean) / dataset.std).abs().max() < 10
