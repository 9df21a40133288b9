"""The compiled kernel gives the gradients of autograd, the updates of torch, and the same numbers everywhere."""

import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from learners import Budget, Learner, NeuralODE, ResNet, Training
from learners.networks.scales import mean_square
from learners.networks.stacked import ACTIVATIONS, Activation, StackedMLP
from learners.solvers import kernel
from learners.solvers.compiled import KernelUpdates
from learners.solvers.steps import STEPS
from learners.streams import stream
from learners.training.training_step import TrainingStep, clip
from systems import Dataset, LinearSpiral, Lorenz96, Sampling, sample
from systems.solvers.fixed import TABLEAUS
from tests.support.perceptrons import gradients_of, segments, stacks

ROOT = Path(__file__).parents[3]


def in_double(
    networks: list[StackedMLP], solver: str, h: Tensor, unit: Tensor, given: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Losses, and their gradients by the networks' parameters, by autograd in float64."""
    networks = [deepcopy(network).double() for network in networks]
    given, h, unit = given.double(), h.double(), unit.double()
    states = [given[:, :, 0]]
    for _ in range(given.shape[2] - 1):
        x = states[-1]
        for network in networks:
            x = STEPS[solver](lambda s, y, network=network: network(y) * h, x, 1.0)
        states.append(x)
    errors = (torch.stack(states, dim=2) - given)[:, :, 1:, : len(unit)] / unit
    losses = mean_square(errors)
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return losses.detach(), list(torch.autograd.grad(losses.sum(), parameters))


def check(networks: list[StackedMLP], solver: str, batch: int, length: int, scored: int = 0) -> None:
    """The kernel's losses and gradients are those of float64 autograd to 1e-5."""
    dim = next(networks[0].parameters()).shape[1]
    h = torch.linspace(0.05, 0.15, dim)
    unit = h[: scored or dim]
    given = segments(batch, length, dim)
    losses, gradients = in_double(networks, solver, h, unit, given)
    updates = KernelUpdates(networks, TABLEAUS[solver], h, unit, 1.0)
    torch.testing.assert_close(updates.differentiate(given).double(), losses, rtol=1e-5, atol=0)
    for mine, theirs in zip(gradients_of(updates, networks), gradients, strict=True):
        assert (mine - theirs).norm() < 1e-5 * theirs.norm()


@pytest.mark.parametrize("solver", TABLEAUS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_autograd_in_float64(solver: str, activation: Activation):
    check(stacks((3, 24, 17, 3), activation), solver, batch=21, length=5)


@pytest.mark.parametrize(
    ("sizes", "count", "batch", "length"),
    [
        ((1, 7, 1), 1, 1, 2),
        ((2, 5, 9, 4, 2), 1, 3, 4),
        ((4, 16, 16, 4), 1, 40, 3),
        ((40, 50, 30, 40), 2, 33, 3),
        ((3, 64, 64, 3), 2, 128, 2),
        ((3, 256, 3), 1, 70, 30),
        ((17, 300, 300, 17), 1, 5, 4),
    ],
    ids=str,
)
def test_gradients_are_right_for_any_widths_depths_and_blocks(sizes: tuple, count: int, batch: int, length: int):
    check(stacks(sizes, "silu", count), "rk4" if count == 1 else "euler", batch, length)


@pytest.mark.parametrize("solver", TABLEAUS)
def test_steps_are_as_long_as_the_time_between_samples(solver: str):
    networks, h, pace = stacks((3, 12, 3), "tanh"), torch.linspace(0.05, 0.15, 3), 0.01
    given = segments(batch=21, length=5, dim=4)
    intervals = 0.2 + torch.rand(given[..., -1].shape, generator=stream(0, "intervals"))
    given[..., -1] = pace * (3 + intervals.cumsum(dim=2))
    updates = KernelUpdates(networks, TABLEAUS[solver], h, h, 1.0, pace=pace)
    found = updates.differentiate(given).double()
    states, lengths = given[..., :3].double(), given[..., -1:].double().diff(dim=2) / pace
    (network,) = (deepcopy(network).double() for network in networks)
    x, errors = states[:, :, 0], []
    for index, length in enumerate(lengths.unbind(2), start=1):
        x = STEPS[solver](lambda s, y, length=length: length * h.double() * network(y), x, 1.0)
        errors.append((x - states[:, :, index]) / h.double())
    losses = mean_square(torch.stack(errors, dim=2))
    torch.testing.assert_close(found, losses.detach(), rtol=1e-5, atol=0)
    gradients = torch.autograd.grad(losses.sum(), list(network.parameters()))
    for mine, theirs in zip(gradients_of(updates, networks), gradients, strict=True):
        assert (mine - theirs).norm() < 1e-5 * theirs.norm()


@pytest.mark.parametrize("solver", TABLEAUS)
@pytest.mark.parametrize("substeps", [2, 3])
def test_several_steps_between_samples_are_one_of_a_longer_tableau(solver: str, substeps: int):
    networks, h = stacks((3, 12, 3), "tanh"), torch.linspace(0.05, 0.15, 3)
    dense = segments(batch=21, length=1 + 4 * substeps, dim=3)
    updates = KernelUpdates(networks, TABLEAUS[solver].repeated(substeps), h, h, 1.0)
    found = updates.differentiate(dense[:, :, ::substeps].contiguous()).double()
    (network,) = (deepcopy(network).double() for network in networks)
    x, errors = dense[:, :, 0].double(), []
    for sample_ in dense[:, :, substeps::substeps].double().unbind(2):
        for _ in range(substeps):
            x = STEPS[solver](lambda s, y: network(y) * h.double(), x, 1.0 / substeps)
        errors.append((x - sample_) / h.double())
    losses = mean_square(torch.stack(errors, dim=2))
    torch.testing.assert_close(found, losses.detach(), rtol=1e-5, atol=0)
    gradients = torch.autograd.grad(losses.sum(), list(network.parameters()))
    for mine, theirs in zip(gradients_of(updates, networks), gradients, strict=True):
        assert (mine - theirs).norm() < 1e-5 * theirs.norm()


def test_a_neural_ode_of_several_steps_a_sample_is_trained_and_forecast_in_them():
    data = sample(LinearSpiral(), Sampling(trajectories=2, samples=60, valid=1, test=2, horizon=0.5, climate=1), 0)
    learner = NeuralODE(width=8, substeps=3, training=Training(updates=30, batch=16))
    one, three = (replace(learner, substeps=count).fit_replicas(data, Budget(), [0])[0] for count in (1, 3))
    assert three.log.nfe_forward == 3 * one.log.nfe_forward == 12
    context = data.sampling.context
    past = data.test.between(0, context)
    network: Any = three
    forecast = three.forecast(past, data.test.between(context, context + 8).times)
    assert forecast.evaluations == 12 * 8
    field, x = network.network, three.encode(past).unsqueeze(0)
    states = []
    for _ in range(8):
        for _ in range(3):
            x = STEPS["rk4"](field, x, 1 / 3)
        states.append(three.decode(x[0]))
    torch.testing.assert_close(forecast.states, torch.stack(states, dim=1), rtol=1e-5, atol=1e-6)


def test_channels_beside_those_that_are_scored_count_for_nothing():
    check(stacks((5, 12, 5), "tanh"), "rk4", batch=9, length=4, scored=3)


def test_a_channel_that_never_changes_has_no_error():
    networks = stacks((3, 8, 3), "silu")
    h = torch.tensor([0.1, 0.1, 1e-20])
    given = segments(4, 3, 3)
    given[..., 2] = 1.5
    updates = KernelUpdates(networks, TABLEAUS["rk4"], h, h, 1.0)
    torch.testing.assert_close(
        updates.differentiate(given).double(), in_double(networks, "rk4", h, h, given)[0], rtol=1e-5, atol=0
    )
    assert all(gradient.isfinite().all() for gradient in gradients_of(updates, networks))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_not_finite_is_not_hidden(activation: Activation):
    networks = stacks((3, 8, 3), activation)
    updates = KernelUpdates(networks, TABLEAUS["rk4"], torch.ones(3), torch.ones(3), 1.0)
    with torch.no_grad():
        next(networks[0].parameters())[1, 0, 0] = torch.nan
    given = segments(4, 3, 3)
    assert updates.differentiate(given).isfinite().tolist() == [True, False]
    updates.descend(0.1)
    assert updates.differentiate(given).isfinite().tolist() == [True, False]


def test_a_seed_in_a_stack_is_the_seed_alone_to_the_last_bit():
    given, h = segments(50, 6, 3, seeds=3), torch.full((3,), 0.1)
    together = KernelUpdates(stacks((3, 20, 20, 3), "gelu", seeds=3), TABLEAUS["rk4"], h, h, 1.0)
    alone = KernelUpdates(stacks((3, 20, 20, 3), "gelu", seeds=3), TABLEAUS["rk4"], h, h, 1.0)
    alone.weights, alone.gradients = alone.weights[2:], alone.gradients[2:]
    alone.means, alone.squares = alone.means[2:], alone.squares[2:]
    for rate in (0.1, 0.01):
        assert together.differentiate(given)[2] == alone.differentiate(given[2:])[0]
        together.descend(rate)
        alone.descend(rate)
    assert (together.weights[2:] == alone.weights).all()


@pytest.mark.parametrize("largest", [1e-3, 1e9], ids=["clipped", "whole"])
def test_a_descent_is_that_of_adam_along_clipped_gradients(largest: float):
    networks = stacks((3, 20, 3), "tanh")
    theirs = [nn.Parameter(parameter.detach().clone()) for parameter in networks[0].parameters()]
    optimiser = torch.optim.Adam(theirs)
    updates = KernelUpdates(networks, TABLEAUS["euler"], torch.ones(3), torch.ones(3), largest)
    for rate, length in ((0.1, 2), (0.02, 4), (0.05, 3)):
        updates.differentiate(segments(8, length, 3))
        for parameter, gradient in zip(theirs, gradients_of(updates, networks), strict=True):
            parameter.grad = gradient.clone()
        clip(theirs, largest)
        optimiser.param_groups[0]["lr"] = rate
        optimiser.step()
        updates.descend(rate)
        for mine, other in zip(networks[0].parameters(), theirs, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def ring() -> Dataset:
    sampling = Sampling(
        step=0.03, trajectories=4, samples=60, valid=2, test=2, horizon=1.0, climate=1, climate_horizon=2
    )
    return sample(Lorenz96(sites=6), sampling, 0)


SHORT = Training(updates=30, batch=16, validations=3)


@pytest.mark.parametrize(
    "learner",
    [
        NeuralODE(lookahead=6, width=20, curriculum=0.5, noise=0.01, augmented=2, training=SHORT),
        ResNet(width=20, training=SHORT),
    ],
    ids=lambda learner: type(learner).__name__,
)
@pytest.mark.parametrize("jitter", [0.0, 0.8], ids=["regular", "irregular"])
def test_training_is_that_of_the_eager_path_to_rounding(
    learner: Learner, ring: Dataset, jitter: float, monkeypatch: pytest.MonkeyPatch
):
    if jitter and isinstance(learner, ResNet):
        pytest.skip("maps have no irregular samples")
    data = sample(ring.system, replace(ring.sampling, jitter=jitter, dropped=jitter / 4), 0)
    compiled = learner.fit_replicas(data, Budget(), [0, 1])
    monkeypatch.setattr(TrainingStep, "compiled", lambda step: None)
    for mine, theirs in zip(compiled, learner.fit_replicas(data, Budget(), [0, 1]), strict=True):
        for one, other in zip(mine.log.curve, theirs.log.curve, strict=True):
            assert one.train_loss == pytest.approx(other.train_loss, rel=1e-4)
            assert one.valid_loss == pytest.approx(other.valid_loss, rel=1e-4)
        for name, weight in theirs.weights().items():
            torch.testing.assert_close(mine.weights()[name], weight, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        {"network": "convolution", "width": 4, "kernel": 3},
        {"damping": 0.1},
        {"inputs": "cubic"},
        {"time": True},
        {"jacobian": 0.1},
        {"gradient": "adjoint"},
        {"solver": "rosenbrock"},
        {"width": 400, "depth": 2},
        {"training": Training(updates=1, optimiser="levenberg-marquardt")},
    ],
    ids=str,
)
def test_what_the_kernel_does_not_cover_is_left_to_autograd(
    change: dict[str, Any], ring: Dataset, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*arguments: Any) -> None:
        raise AssertionError("the kernel was asked")

    monkeypatch.setattr(KernelUpdates, "differentiate", refuse)
    options: dict[str, Any] = {"width": 4, "depth": 1, "training": Training(updates=1), **change}
    assert NeuralODE(**options).fit_replicas(ring, Budget(), [0])[0].log.updates == 1
    with pytest.raises(AssertionError, match="the kernel was asked"):
        NeuralODE(width=4, training=Training(updates=1)).fit_replicas(ring, Budget(), [0])


def test_all_trainings_share_one_compilation(ring: Dataset):
    for learner in (NeuralODE(solver="midpoint", training=Training(updates=1)), ResNet(training=Training(updates=1))):
        learner.fit_replicas(ring, Budget(), [0, 1])
    assert len(kernel.differentiate.signatures) == len(kernel.descend.signatures) == 1


@pytest.mark.slow
def test_weights_are_the_same_to_the_last_bit_in_every_process():
    code = (
        "from tests.learners.solvers import test_kernel as here; import torch; from hashlib import sha256\n"
        "networks, one = here.stacks((3, 20, 20, 3), 'silu'), torch.ones(3)\n"
        "updates = here.KernelUpdates(networks, here.TABLEAUS['rk4'], one, one, 1.0)\n"
        "for _ in range(20): updates.differentiate(here.segments(50, 6, 3)); updates.descend(0.01)\n"
        "print(sha256(updates.weights.tobytes()).hexdigest())"
    )
    found = [subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) for _ in range(2)]
    assert found[0] == found[1]
