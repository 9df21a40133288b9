"""Least squares for networks: the linear problem's own solution, exact Jacobians, replicas apart, every learner."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import learners.training.levenberg_marquardt as method
from learners import Budget, HybridODE, LatentODE, NeuralODE, ResNet, Training, Transformer, WindowedRNN
from learners.base import Unsuitable
from learners.networks.stacked import StackedLinear, StackedMLP, replica
from learners.streams import stream
from learners.training.levenberg_marquardt import LevenbergMarquardt
from systems import Dataset, Sampling, VanDerPol, sample
from tests.support.cases import few

SOLVED = Training(updates=12, batch=64, validations=4, optimiser="levenberg-marquardt")


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(
        VanDerPol(),
        Sampling(step=0.02, trajectories=4, samples=60, valid=1, test=2, context=4, horizon=0.2, climate=1),
        0,
    )


def examples(replicas: int) -> Tensor:
    """Inputs x, and y = sin(x1) + x2^2 with a little noise, as segments of two samples."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(replicas, 40, 2, generator=generator)
    y = torch.stack([x[..., 0].sin() + x[..., 1] ** 2, x[..., 0]], dim=-1)
    return torch.stack([x, y + 0.1 * torch.randn(x.shape, generator=generator)], dim=2)


def solver(network: torch.nn.Module) -> LevenbergMarquardt:
    return LevenbergMarquardt(network, lambda pairs: network(pairs[:, :, 0]) - pairs[:, :, 1])


def perceptrons(*seeds: int) -> StackedMLP:
    return StackedMLP([2, 5, 2], "tanh", [stream(seed, "weights") for seed in seeds])


def test_a_linear_problem_is_solved_as_by_an_orthogonal_factorisation():
    network, pairs = StackedLinear(2, 2, [stream(0, "weights")]), examples(1)
    least_squares = solver(network)
    for _ in range(12):
        least_squares.step(pairs)
    x, y = (each[0].double().numpy() for each in pairs.unbind(2))
    expected = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]
    np.testing.assert_allclose(network.weight[0].detach().numpy(), expected[:2], atol=2e-4)
    np.testing.assert_allclose(network.bias[0].detach().numpy(), expected[2:], atol=2e-4)


def test_the_jacobian_is_that_of_automatic_differentiation():
    network, pairs = perceptrons(0), examples(1)
    jacobian, residuals = solver(network)._linearised(pairs)
    names = [name for name, _ in network.named_parameters()]

    def flat(*values: Tensor) -> Tensor:
        told = dict(zip(names, values, strict=True))
        return (torch.func.functional_call(network, told, (pairs[:, :, 0],)) - pairs[:, :, 1]).flatten()

    expected = torch.autograd.functional.jacobian(flat, tuple(network.parameters()))
    torch.testing.assert_close(jacobian[0], torch.cat([one.flatten(1) for one in expected], dim=1))
    torch.testing.assert_close(residuals[0], flat(*network.parameters()).detach())


def test_a_block_that_stands_in_a_network_twice_is_differentiated_as_one_and_keeps_its_weights():
    block, pairs = StackedLinear(2, 2, [stream(seed, "weights") for seed in (0, 1)]), examples(2)
    twice = torch.nn.Sequential(block, block)
    before = [parameter.detach().clone() for parameter in block.parameters()]
    jacobian, residuals = solver(twice)._linearised(pairs)
    loss = (twice(pairs[:, :, 0]) - pairs[:, :, 1]).square().sum() / 2
    expected = torch.cat([one.flatten(1) for one in torch.autograd.grad(loss, tuple(block.parameters()))], dim=1)
    torch.testing.assert_close(torch.einsum("srw,sr->sw", jacobian, residuals), expected, rtol=1e-4, atol=1e-4)
    for parameter, old in zip(twice.parameters(), before, strict=True):
        assert torch.equal(parameter, old)


def test_a_step_improves_what_it_is_given_far_more_than_one_along_the_gradient():
    network, pairs = perceptrons(0), examples(1)
    found = [solver(network).step(pairs).losses.item()]
    one = solver(network)
    found += [one.step(pairs).losses.item() for _ in range(30)]
    assert all(after <= before for before, after in pairwise(found))
    assert found[-1] < 0.05 < 0.5 < found[0]


def test_replicas_do_not_affect_each_other():
    together, pairs = perceptrons(0, 1), examples(2)
    apart = [replica(together, index).requires_grad_() for index in (0, 1)]
    solvers = [solver(network) for network in (together, *apart)]
    for _ in range(5):
        both, *single = [one.step(part) for one, part in zip(solvers, (pairs, pairs[:1], pairs[1:]), strict=True)]
        torch.testing.assert_close(both.losses, torch.cat([one.losses for one in single]))
    for joint, first, second in zip(*(network.parameters() for network in (together, *apart)), strict=True):
        torch.testing.assert_close(joint, torch.cat([first, second]), atol=1e-5, rtol=1e-4)


def test_large_jacobians_are_summed_up_in_parts(monkeypatch: pytest.MonkeyPatch):
    whole, parts, pairs = perceptrons(0), perceptrons(0), examples(1)
    first = solver(whole).step(pairs)
    monkeypatch.setattr(method, "ENTRIES", 7 * 27)  # of 27 weights and 7 examples
    second = solver(parts).step(pairs)
    assert (first.passes, second.passes) == (1 + first.trials, 6 + second.trials)
    assert second.saved < first.saved
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_where_nothing_is_better_the_weights_stay_as_they_are():
    network, pairs = perceptrons(0), examples(1)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    step = LevenbergMarquardt(network, lambda pairs: 1 + 0 * network(pairs[:, :, 0])).step(pairs)
    assert step.trials == method.ATTEMPTS
    assert all(torch.equal(now, then) for now, then in zip(network.parameters(), before, strict=True))


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_replica_that_is_not_finite_stays_and_leaves_the_other_alone(broken: float):
    network, pairs = perceptrons(0, 1), examples(2)
    pairs[0, 3, 1, 0] = broken
    before = [parameter.detach().clone() for parameter in network.parameters()]
    solver(network).step(pairs)
    for now, then in zip(network.parameters(), before, strict=True):
        assert torch.equal(now[0], then[0])
        assert not torch.equal(now[1], then[1])


def test_after_minibatches_that_nothing_improves_a_replica_learns_from_others():
    network, pairs = perceptrons(0), examples(1)
    least_squares = solver(network)
    broken = pairs.clone()
    broken[0, 3, 1, 0] = torch.nan
    for _ in range(100):  # damping would be infinite by then
        least_squares.step(broken)
    losses = [float(least_squares.step(pairs).losses[0]) for _ in range(40)]
    assert losses[-1] < losses[0] / 10


LEARNERS = (
    NeuralODE(width=6, training=SOLVED),
    NeuralODE(width=6, lookahead=3, activation="tanh", damping=0.1, training=SOLVED),
    NeuralODE(width=4, solver="dopri5", training=replace(SOLVED, updates=4)),
    ResNet(blocks=1, width=6, training=SOLVED),
    WindowedRNN(window=2, hidden=4, training=SOLVED),
    Transformer(window=2, width=4, heads=1, blocks=1, training=SOLVED),
    HybridODE(width=4, training=SOLVED),
)


@pytest.mark.parametrize("learner", few(LEARNERS, 0), ids=lambda learner: type(learner).__name__)
def test_learners_of_squared_errors_are_trained_by_it(learner: Any, data: Dataset):
    solved = learner.fit_replicas(data, Budget(), [0, 1])
    descended = replace(learner, training=replace(learner.training, optimiser="adam")).fit_replicas(
        data, Budget(), [0, 1]
    )
    for least_squares, adam in zip(solved, descended, strict=True):
        assert least_squares.log.updates == learner.training.updates
        assert least_squares.log.failure is None
        assert least_squares.log.curve[-1].valid_loss < 0.5 * adam.log.curve[-1].valid_loss


def test_evaluations_and_bytes_are_those_of_the_examples(data: Dataset):
    log = NeuralODE(width=6, training=replace(SOLVED, updates=1)).fit_replicas(data, Budget(), [0])[0].log
    assert log.nfe_forward in range(8, 4 * 10, 4)  # to linearise, and to try a step or more
    assert log.nfe_backward == 4 * 2  # of each channel
    weights = 2 * 6 + 6 + 6 * 6 + 6 + 6 * 2 + 2
    assert log.saved_bytes > 4 * 64 * 2 * weights + 8 * weights**2
    assert log.flops > 0


@pytest.mark.parametrize(
    "learner", [NeuralODE(jacobian=0.1, training=SOLVED), LatentODE(training=replace(SOLVED, updates=2))]
)
def test_other_losses_are_refused_with_the_remedy(learner: Any, data: Dataset):
    with pytest.raises(Unsuitable, match=r'squared errors alone, .* has other terms: choose "adam"'):
        learner.fit_replicas(data, Budget(), [0])
