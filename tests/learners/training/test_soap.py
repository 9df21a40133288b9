"""Adam in eigenbases: by its definition, replicas apart, blocks, checkpoints, every learner, compiled gradients."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from learners import (
    Budget,
    HybridODE,
    LatentODE,
    MLPClassifier,
    NeuralODE,
    ResNet,
    RKNet,
    Training,
    Transformer,
    WindowedRNN,
)
from learners.base import Unsuitable
from learners.networks.recurrent import CellType
from learners.solvers.compiled import KernelUpdates
from learners.solvers.compiled_windows import WindowUpdates
from learners.solvers.descent import Descent
from learners.streams import stream
from learners.training.soap import SOAP, TURNS, cut, join
from learners.training.training_step import clip
from learners.windowed_rnn import WindowMap
from systems import Dataset, Sampling, VanDerPol, sample
from systems.images import sample_images
from systems.solvers.fixed import TABLEAUS
from tests.support.cases import few
from tests.support.images import SAMPLING, Stripes
from tests.support.perceptrons import gradients_of, segments, stacks

ROOT = Path(__file__).parents[3]
TURNED = Training(updates=120, batch=32, validations=6, optimiser="soap")
RATE = 0.01


@pytest.fixture(scope="module")
def data() -> Dataset:
    sampling = Sampling(step=0.02, trajectories=4, samples=60, valid=1, test=2, context=4, horizon=0.2, climate=1)
    return sample(VanDerPol(), sampling, 0)


def gradients(shapes: Sequence[tuple[int, ...]], count: int, dtype: torch.dtype) -> Iterator[list[Tensor]]:
    """Of sizes from 1 down to 1e-3 in directions of their own."""
    generator = torch.Generator().manual_seed(5)
    sizes = [torch.logspace(0, -3, shape[-1], dtype=torch.float64) for shape in shapes]
    for _ in range(count):
        yield [
            (torch.randn(shape, generator=generator, dtype=torch.float64).cumsum(-1) * size).to(dtype)
            for shape, size in zip(shapes, sizes, strict=True)
        ]


def descend(optimiser: SOAP, given: Iterator[list[Tensor]]) -> None:
    for one in given:
        for parameter, gradient in zip(optimiser.param_groups[0]["params"], one, strict=True):
            parameter.grad = gradient
        optimiser.step()


def by_definition(given: list[np.ndarray]) -> np.ndarray:
    """What Vyas et al. take from one matrix at a rate of one, all averages but one being those of plain gradients."""
    rows, columns = given[0].shape
    left, right, left_basis = np.zeros((rows, rows)), np.zeros((columns, columns)), np.eye(rows)
    right_basis = np.eye(columns)
    mean, square, total = np.zeros((rows, columns)), np.zeros((rows, columns)), np.zeros((rows, columns))
    for t, gradient in enumerate(given, 1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.95 * square + 0.05 * (left_basis.T @ gradient @ right_basis) ** 2
        move = left_basis.T @ mean @ right_basis / (1 - 0.9**t) / (np.sqrt(square / (1 - 0.95**t)) + 1e-10)
        total += left_basis @ move @ right_basis.T
        left = 0.95 * left + 0.05 * gradient @ gradient.T
        right = 0.95 * right + 0.05 * gradient.T @ gradient
        if t % 10 == 0:
            left_basis, right_basis = np.linalg.qr(left @ left_basis)[0], np.linalg.qr(right @ right_basis)[0]
    return total


def test_updates_are_those_of_the_definition():
    shapes = [(2, 5, 9), (2, 1, 9), (2, 4, 3, 2), (2, 7)]  # weights and their bias, a convolution, what has one axis
    parameters = [nn.Parameter(torch.zeros(shape, dtype=torch.float64)) for shape in shapes]
    descend(SOAP(parameters, RATE), gradients(shapes, 35, torch.float64))
    given = list(gradients(shapes, 35, torch.float64))
    for seed in range(2):
        layer = by_definition([np.concatenate([one[0][seed], one[1][seed]]) for one in given])
        np.testing.assert_allclose(parameters[0][seed].detach(), -RATE * layer[:5], rtol=0, atol=1e-9)
        np.testing.assert_allclose(parameters[1][seed].detach(), -RATE * layer[5:], rtol=0, atol=1e-9)
        convolution = by_definition([one[2][seed].flatten(1).numpy() for one in given])
        np.testing.assert_allclose(parameters[2][seed].detach().flatten(1), -RATE * convolution, rtol=0, atol=1e-9)
        vector = by_definition([one[3][seed : seed + 1].numpy() for one in given])
        np.testing.assert_allclose(parameters[3][seed].detach(), -RATE * vector[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("size", [(65, 3), (150, 97), (64, 192), (193, 6401)])
def test_large_matrices_are_blocks_of_like_sizes_that_join_to_the_same_matrix(size: tuple[int, int]):
    matrix = torch.arange(2.0 * size[0] * size[1]).view(2, *size)
    blocks = cut(matrix)
    assert all(most == whole or 43 <= most <= 96 for most, whole in zip(blocks.shape[1:], size, strict=True))
    assert torch.equal(join(blocks, matrix.shape), matrix)


def test_a_block_is_a_matrix_of_its_own():
    shape = (1, 130, 110)
    whole = nn.Parameter(torch.zeros(shape))
    descend(SOAP([whole], RATE), gradients([shape], 12, torch.float32))
    for rows, columns in product((slice(0, 65), slice(65, 130)), (slice(0, 55), slice(55, 110))):
        part = nn.Parameter(torch.zeros(1, 65, 55))
        given = ([one[0][:, rows, columns]] for one in gradients([shape], 12, torch.float32))
        descend(SOAP([part], RATE), given)
        torch.testing.assert_close(whole[:, rows, columns], part, rtol=0, atol=1e-4)


@pytest.mark.parametrize("broken", [0.0, float("nan"), float("inf")])
def test_replicas_do_not_affect_each_other(broken: float):
    shapes = [(3, 6, 8), (3, 1, 8)]
    together = [nn.Parameter(torch.zeros(shape)) for shape in shapes]
    alone = [nn.Parameter(torch.zeros(1, *shape[1:])) for shape in shapes]
    given = list(gradients(shapes, 25, torch.float32))
    for one in given:
        one[0][0, 2] = broken
    descend(SOAP(together, RATE), iter(given))
    descend(SOAP(alone, RATE), ([part[2:] for part in one] for one in given))
    for joint, single in zip(together, alone, strict=True):
        torch.testing.assert_close(joint[2:], single, rtol=0, atol=2e-5)


def test_without_replicas_it_is_a_stack_of_one():
    plain, stack = nn.Parameter(torch.zeros(6, 8)), nn.Parameter(torch.zeros(1, 6, 8))
    given = list(gradients([(6, 8)], 12, torch.float32))
    descend(SOAP([plain], RATE, stacked=False), iter(given))
    descend(SOAP([stack], RATE), ([one[0].unsqueeze(0)] for one in given))
    assert torch.equal(plain, stack[0])


def test_it_moves_in_the_precision_of_the_parameters_where_networks_compute_in_another():
    shapes = [(2, 6, 8), (2, 1, 8)]
    there, here = ([nn.Parameter(torch.zeros(shape)) for shape in shapes] for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        descend(SOAP(there, RATE), gradients(shapes, 12, torch.float32))
    descend(SOAP(here, RATE), gradients(shapes, 12, torch.float32))
    assert all(torch.equal(one, other) for one, other in zip(there, here, strict=True))


def test_its_state_survives_a_checkpoint():
    shapes = [(2, 6, 8), (2, 1, 8)]
    given, file = list(gradients(shapes, 33, torch.float32)), io.BytesIO()
    through, first = ([nn.Parameter(torch.zeros(shape)) for shape in shapes] for _ in range(2))
    descend(SOAP(through, RATE), iter(given))
    begun = SOAP(first, RATE)
    descend(begun, iter(given[:17]))
    torch.save(begun.state_dict(), file)
    file.seek(0)
    again = SOAP(first, RATE)
    again.load_state_dict(torch.load(file))
    descend(again, iter(given[17:]))
    assert all(torch.equal(one, other) for one, other in zip(through, first, strict=True))


def test_a_valley_that_is_askew_is_found_down():
    """Adam, which knows the coordinates alone, is left far behind."""
    generator = torch.Generator().manual_seed(1)
    turn, other = (torch.linalg.qr(torch.randn(12, 12, generator=generator))[0] for _ in range(2))
    left, right = turn * torch.logspace(0, -2, 12), other * torch.logspace(0, -2, 12)

    def lowest(optimiser: torch.optim.Optimizer, weight: nn.Parameter) -> float:
        for update in range(300):
            optimiser.param_groups[0]["lr"] = 0.1 * (1 - update / 300)
            weight.grad = 2 * left @ (left.mT @ (weight.detach() - 1) @ right) @ right.mT
            optimiser.step()
        return float((left.mT @ (weight.detach() - 1) @ right).square().sum())

    weights = [nn.Parameter(torch.zeros(1, 12, 12)) for _ in range(2)]
    turned, adam = lowest(SOAP(weights[:1], 0.1), weights[0]), lowest(torch.optim.Adam(weights[1:]), weights[1])
    assert turned < 0.1 * adam


LEARNERS = (
    NeuralODE(width=6, training=TURNED),
    WindowedRNN(window=2, hidden=4, training=TURNED),
    NeuralODE(width=6, lookahead=3, damping=0.1, training=TURNED),
    RKNet(width=6, training=TURNED),
    ResNet(blocks=1, width=6, training=TURNED),
    WindowedRNN(cell="lstm", window=2, hidden=4, training=TURNED),
    Transformer(window=2, width=4, heads=1, blocks=1, training=TURNED),
    HybridODE(width=4, training=TURNED),
    LatentODE(lookahead=3, hidden=4, width=4, latent=2, training=TURNED),
)


@pytest.mark.parametrize("learner", few(LEARNERS, 0), ids=lambda learner: type(learner).__name__)
def test_every_learner_trains_with_it_and_a_seed_of_a_stack_is_the_seed_alone(learner: Any, data: Dataset):
    together = learner.fit_replicas(data, Budget(), [0, 1])
    (alone,) = learner.fit_replicas(data, Budget(), [1])
    for one in together:
        assert one.log.failure is None
        assert one.log.updates == TURNED.updates
        assert one.log.curve[-1].valid_loss < 0.7 * one.log.curve[0].valid_loss
    losses = [one.log.curve[-1].valid_loss for one in (together[1], alone)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)


@pytest.mark.parametrize("largest", [1e-3, 1e9], ids=["clipped", "whole"])
@pytest.mark.parametrize(("sizes", "count"), few([((3, 20, 9, 3), 2), ((17, 150, 17), 1), ((1, 97, 70, 1), 1)], 0))
def test_compiled_updates_are_those_of_torch(sizes: tuple[int, ...], count: int, largest: float):
    networks, step = stacks(sizes, "tanh", count), torch.ones(sizes[0])
    updates = partial(KernelUpdates, networks, TABLEAUS["euler"], step, step, largest, "soap")
    assert_descends_as_torch(updates, networks, largest)


@pytest.mark.parametrize("cell", few(["rnn", "gru", "lstm"], 1))
def test_compiled_updates_of_windows_are_those_of_torch(cell: CellType):
    generators, step = [stream(seed, "weights") for seed in range(2)], torch.ones(3)
    network = WindowMap(WindowedRNN(cell=cell, hidden=48), step, generators)
    updates = partial(WindowUpdates, network.recurrent, network.readout, 4, step, 1e-3, "soap")
    assert_descends_as_torch(updates, [network.recurrent, network.readout], 1e-3)


def assert_descends_as_torch(compiled: Callable[[], Descent], networks: Sequence[nn.Module], largest: float) -> None:
    """To rounding until bases turn; then as near to float64 as torch, since narrow matrices leave bases undecided."""
    before = [parameter.detach().clone() for each in networks for parameter in each.parameters()]
    theirs, exact = [[nn.Parameter(one.clone().to(kind)) for one in before] for kind in (torch.float, torch.double)]
    optimisers, updates = [SOAP(theirs, RATE), SOAP(exact, RATE)], compiled()
    mine = [parameter for each in networks for parameter in each.parameters()]
    for update, given in enumerate(gradients([tuple(one.shape) for one in theirs], 22, torch.float32), 1):
        for parameter, double, kept, gradient in zip(
            theirs, exact, gradients_of(updates, networks), given, strict=True
        ):
            kept.copy_(gradient)
            parameter.grad, double.grad = gradient, gradient.double()
        for parameters, optimiser in zip((theirs, exact), optimisers, strict=True):
            clip(parameters, largest)
            optimiser.step()
        updates.descend(RATE)
        for one, other, double, first in zip(mine, theirs, exact, before, strict=True):
            moved, rounding = (double - first).norm(), (other - double).norm()
            assert (one - double).norm() < (1e-2 * moved + 4 * rounding if update > TURNS else 1e-4 * moved)


def test_a_seed_in_a_compiled_stack_is_the_seed_alone_to_the_last_bit():
    given, h = segments(20, 3, 3, seeds=3), torch.full((3,), 0.1)
    together, alone = (
        KernelUpdates(stacks((3, 20, 3), "silu", seeds=3), TABLEAUS["rk4"], h, h, 1.0, "soap") for _ in range(2)
    )
    alone.weights, alone.gradients = alone.weights[2:], alone.gradients[2:]
    for _ in range(12):
        assert together.differentiate(given)[2] == alone.differentiate(given[2:])[0]
        together.descend(RATE)
        alone.descend(RATE)
    assert (together.weights[2:] == alone.weights).all()


@pytest.mark.parametrize(
    "learner",
    [ResNet(width=8), NeuralODE(width=8), RKNet(width=8), WindowedRNN(hidden=16)],
    ids=lambda one: type(one).__name__,
)
def test_where_the_kernel_has_the_gradients_it_descends(learner: Any, data: Dataset, monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments: Any) -> None:
        raise AssertionError("torch has descended")

    monkeypatch.setattr(SOAP, "step", refuse)
    (fitted,) = replace(learner, training=replace(TURNED, updates=12)).fit_replicas(data, Budget(), [0])
    assert fitted.log.curve[-1].valid_loss < fitted.log.curve[0].valid_loss


def test_classifiers_train_with_it_and_refuse_least_squares():
    images = sample_images(Stripes(60), SAMPLING, 0)
    classifier = MLPClassifier(hidden=8, training=replace(TURNED, updates=40, batch=20))
    (fitted,) = classifier.fit_replicas(images, Budget(), [0])
    assert fitted.log.curve[-1].valid_loss < 0.5 * fitted.log.curve[0].train_loss
    squares = replace(classifier, training=replace(classifier.training, optimiser="levenberg-marquardt"))
    with pytest.raises(Unsuitable, match='classifiers the cross-entropy: choose "adam" or "soap"'):
        squares.fit_replicas(images, Budget(), [0])


@pytest.mark.slow
def test_weights_are_the_same_to_the_last_bit_in_every_process():
    code = (
        "from tests.learners.training import test_soap as here; import torch; from hashlib import sha256\n"
        "shapes = [(2, 65, 64), (2, 1, 64)]\n"
        "weights = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes]\n"
        "here.descend(here.SOAP(weights, 0.01), here.gradients(shapes, 25, torch.float32))\n"
        "print(sha256(b''.join(weight.detach().numpy().tobytes() for weight in weights)).hexdigest())"
    )
    found = [subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) for _ in range(2)]
    assert found[0] == found[1]
