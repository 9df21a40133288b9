"""Compiled training of perceptrons in adaptive solvers, against torchdiffeq in double precision."""

from itertools import product

import pytest
import torch
from torch import Tensor
from torchdiffeq._impl.interp import _interp_evaluate, _interp_fit
from torchdiffeq._impl.misc import _optimal_step_size

from learners import Budget, ODENet, RKNet, SolverError, Training
from learners.networks.fields import VectorField
from learners.networks.scales import mean_square
from learners.networks.stacked import Activation, StackedMLP
from learners.solvers.compiled_adaptive import AdaptiveUpdates, Gradient
from learners.solvers.integration import Integration
from learners.solvers.pairs import Steps, pair_named
from learners.solvers.steps import Adaptive
from learners.streams import stream
from learners.training.counting import counting
from systems import Sampling, VanDerPol, sample

SOLVERS: tuple[Adaptive, ...] = ("dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun")
GRADIENTS: tuple[Gradient, ...] = ("backpropagation", "adjoint")
Case = tuple[int, float, int, int, tuple[int, ...]]  # samples, size of increments, channels, batch, hidden layers
ONE_STEP: Case = (1, 0.5, 3, 6, (16, 12))
WIDE: Case = (2, 2.0, 20, 4, (16,))
REFUSED: Case = (2, 20.0, 3, 6, (16, 12))  # steps, and states far within others
SLOW: tuple[Case, ...] = ((4, 1.0, 3, 6, (16, 12)), (3, 3.0, 5, 7, (9, 20)))
CASES = {
    "dopri5": (ONE_STEP, *SLOW, REFUSED),
    "dopri8": (ONE_STEP, REFUSED),  # with slow ones, rounding errors set the steps of single precision
    "bosh3": (ONE_STEP, *SLOW, REFUSED),
    "fehlberg2": (ONE_STEP, *SLOW),
    "adaptive_heun": (ONE_STEP, *SLOW),
}


def field_of(case: Case, activation: Activation) -> VectorField:
    _, size, dim, _, widths = case
    network = StackedMLP([dim, *widths, dim], activation, [stream(0, "weights")])
    return VectorField(network, size * torch.linspace(0.3, 1.0, dim))


def compare(solver: Adaptive, gradient: Gradient, activation: Activation, case: Case) -> None:
    count, _, dim, batch, _ = case
    field, unit = field_of(case, activation), torch.linspace(0.1, 0.2, dim)
    segments = torch.randn((1, batch, count + 1, dim), generator=stream(1, "start"))
    integration = Integration(solver, 1e-4, gradient)
    losses, evaluations, gradients = by_torchdiffeq(integration, field, segments, unit)
    compiler = integration.compiler(field, unit)
    assert compiler is not None
    updates = compiler(1.0)
    assert isinstance(updates, AdaptiveUpdates)
    torch.testing.assert_close(updates.differentiate(segments).double(), losses, rtol=1e-5, atol=0)
    assert updates.evaluations == evaluations
    updates.weights[:] = updates.updates.gradients[0]  # which the parameters are views of
    for found, expected in zip(field.parameters(), gradients, strict=True):
        largest = expected.abs().max().item()
        torch.testing.assert_close(found.detach().double(), expected, rtol=0, atol=5e-6 * largest)


def by_torchdiffeq(
    integration: Integration, field: VectorField, segments: Tensor, unit: Tensor
) -> tuple[Tensor, tuple[int, int], list[Tensor]]:
    """The loss, evaluations of both passes and gradients in double precision."""
    double = VectorField(field.network, field.increment)
    state = {name: value.clone() for name, value in field.state_dict().items()}
    double.double()
    segments, unit = segments.double(), unit.double()
    with counting([double]) as tally:
        states = integration.integrate(double, segments[:, :, 0], segments.shape[2] - 1)
        forward = tally.take()
        losses = mean_square((states - segments[:, :, 1:]) / unit)
        losses.sum().backward()
        evaluations = forward, tally.take() or forward
    gradients = [parameter.grad.clone() for parameter in double.parameters() if parameter.grad is not None]
    double.float()
    field.load_state_dict(state)
    return losses.detach(), evaluations, gradients


@pytest.mark.parametrize(("solver", "gradient"), list(product(SOLVERS, GRADIENTS)))
def test_losses_evaluations_and_gradients_are_those_of_torchdiffeq(solver: Adaptive, gradient: Gradient):
    for case in CASES[solver]:
        compare(solver, gradient, "silu", case)


@pytest.mark.parametrize(("activation", "gradient"), list(product(("tanh", "relu", "elu", "gelu"), GRADIENTS)))
def test_every_activation_is_differentiated(activation: Activation, gradient: Gradient):
    compare("dopri5", gradient, activation, ONE_STEP)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_wide_states_are_taken_too(gradient: Gradient):
    compare("dopri5", gradient, "silu", WIDE)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_a_field_that_asks_for_too_many_steps_is_given_up(gradient: Gradient, monkeypatch: pytest.MonkeyPatch):
    field, integration = field_of(REFUSED, "silu"), Integration("dopri5", 1e-4, gradient)
    segments = torch.randn((1, 6, 3, 3), generator=stream(1, "start"))
    compiler = integration.compiler(field, torch.ones(3))
    updates = compiler and compiler(1.0)
    assert updates is not None
    updates.differentiate(segments)
    for module in ("pairs", "integration"):
        monkeypatch.setattr(f"learners.solvers.{module}.MOST_STEPS", 1)
    with pytest.raises(SolverError, match=r"dopri5 at tolerance 0.0001 could not go on: 1 steps do not reach the next"):
        updates.differentiate(segments)
    with pytest.raises(SolverError, match=r"dopri5 at tolerance 0.0001 could not go on: max_num_steps exceeded"):
        integration.integrate(field, segments[:, :, 0], 2)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_a_field_that_leaves_the_finite_numbers_fails_as_with_torchdiffeq(gradient: Gradient):
    field = field_of(ONE_STEP, "relu")
    for parameter in field.parameters():
        parameter.data *= 1e12
    segments, integration = torch.ones(1, 4, 2, 3), Integration("dopri5", 1e-4, gradient)
    compiler = integration.compiler(field, torch.ones(3))
    updates = compiler and compiler(1.0)
    assert updates is not None
    for run in (
        lambda: integration.integrate(field, segments[:, :, 0], 1),
        lambda: updates.differentiate(segments),
    ):
        with pytest.raises(SolverError, match=r"dopri5 at tolerance 0.0001 could not go on: .*(underflow|non-finite)"):
            run()


@pytest.mark.parametrize("learner", [RKNet, ODENet])
def test_training_is_that_of_torchdiffeq(learner: type, monkeypatch: pytest.MonkeyPatch):
    sampling = Sampling(
        step=0.1, trajectories=2, samples=40, valid=1, test=1, horizon=0.5, climate=1, climate_horizon=0.5
    )
    dataset = sample(VanDerPol(), sampling, 0)
    short = learner(width=16, lookahead=2, training=Training(updates=6, batch=16, validations=2))
    (compiled,) = short.fit_replicas(dataset, Budget(), [0])
    monkeypatch.setattr(Integration, "compiler", lambda *_: None)
    (eager,) = short.fit_replicas(dataset, Budget(), [0])
    for name, weights in eager.weights().items():
        torch.testing.assert_close(compiled.weights()[name], weights, rtol=1e-3, atol=1e-4)
    for mine, theirs in zip(compiled.log.curve, eager.log.curve, strict=True):
        assert mine.train_loss == pytest.approx(theirs.train_loss, rel=1e-4)
    same = ("nfe_forward", "nfe_backward", "updates", "saved_bytes")
    assert [getattr(compiled.log, name) for name in same] == [getattr(eager.log, name) for name in same]
    assert compiled.log.flops == pytest.approx(eager.log.flops, rel=1e-6)
    assert compiled.log.kept_bytes > 0


@pytest.mark.parametrize("solver", SOLVERS)
def test_states_within_a_step_are_those_of_torchdiffeq(solver: str):
    pair, generator = pair_named(solver), torch.Generator().manual_seed(0)
    slopes = torch.randn((len(pair.step), 4), dtype=torch.float64, generator=generator)
    old, length = torch.ones(4, dtype=torch.float64), 0.7
    new, middle = (old + length * row @ slopes for row in (pair.step, pair.half))
    coefficients = _interp_fit(old, new, middle, slopes[0], slopes[-1], length)
    for fraction in (0.0, 0.3, 1.0):
        theirs = _interp_evaluate(coefficients, *torch.tensor([0.0, 1.0, fraction], dtype=torch.float64))
        torch.testing.assert_close(old + length * pair.within(fraction) @ slopes, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("error", [0.0, 1e-9, 0.3, 1.0, 1.2, 1e9, float("inf")])
def test_steps_become_as_long_as_those_of_torchdiffeq(error: float):
    control = Steps(pair_named("dopri5"))
    assert control.judge(error) == (error <= 1)
    last, ratio, safety, most, least = torch.tensor([1.0, error, 0.9, 10.0, 0.2], dtype=torch.float64)
    assert control.h == pytest.approx(_optimal_step_size(last, ratio, safety, most, least, 5).item(), rel=1e-12)
    assert control.t == (error <= 1)


def test_a_step_without_an_error_to_go_by_is_the_last():
    with pytest.raises(SolverError, match="underflow in dt 0"):
        Steps(pair_named("dopri5")).judge(float("nan"))
