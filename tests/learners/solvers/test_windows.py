"""The compiled kernel of windows gives the gradients of autograd, and trains and forecasts as the eager path does."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor

from learners import Budget, Training, WindowedRNN
from learners.networks.recurrent import CellType
from learners.networks.scales import mean_square
from learners.solvers.compiled_windows import WindowUpdates, window_forecasts, window_updates
from learners.streams import stream
from learners.training.training_step import TrainingStep
from learners.windowed_rnn import WindowMap, rollout_window
from systems import Dataset, Lorenz, Sampling, sample
from tests.support.cases import few

CELLS: tuple[CellType, ...] = ("rnn", "gru", "lstm")


def stack(cell: CellType, dim: int = 3, hidden: int = 32, seeds: int = 2) -> WindowMap:
    generators = [stream(seed, "weights") for seed in range(seeds)]
    return WindowMap(WindowedRNN(cell=cell, hidden=hidden), torch.linspace(0.05, 0.15, dim), generators)


def segments(batch: int, length: int, dim: int = 3, seeds: int = 2) -> Tensor:
    drawn = [torch.randn((batch, length, dim), generator=stream(seed, "segments")) for seed in range(seeds)]
    return torch.stack(drawn).mul(0.3)


def losses_of(network: WindowMap, given: Tensor) -> Tensor:
    return mean_square((network(given[:, :, :-1]) - given[:, :, -1]) / network.increment)


def updates_of(network: WindowMap, window: int) -> WindowUpdates:
    compiler = window_updates(network.recurrent, network.readout, window, network.increment)
    assert compiler is not None
    updates = compiler(1.0)
    assert isinstance(updates, WindowUpdates)
    return updates


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("dim", "hidden", "batch", "window"), few([(3, 32, 37, 4), (1, 16, 1, 1), (20, 48, 70, 6)], 0))
def test_gradients_are_those_of_autograd_in_float64(cell: CellType, dim: int, hidden: int, batch: int, window: int):
    network, given = stack(cell, dim, hidden), segments(batch, window + 1, dim)
    double = deepcopy(network).double()
    expected = losses_of(double, given.double())
    gradients = torch.autograd.grad(expected.sum(), list(double.parameters()), allow_unused=True)
    updates = updates_of(network, window)
    torch.testing.assert_close(updates.differentiate(given).double(), expected.detach(), rtol=1e-5, atol=0)
    flat = torch.from_numpy(updates.gradients).flatten()
    for parameter, theirs in zip(network.parameters(), gradients, strict=True):
        mine = flat.as_strided(parameter.shape, parameter.stride(), parameter.storage_offset())
        theirs = torch.zeros_like(mine) if theirs is None else theirs  # of one sample, there is no state before it
        assert (mine - theirs).norm() <= 1e-5 * theirs.norm()


@pytest.mark.parametrize("cell", CELLS)
def test_forecasts_are_those_of_the_network_with_the_weights_that_it_has_now(cell: CellType):
    network = stack(cell).requires_grad_(False)
    start = segments(5, 4).flatten(0, 1)
    rollout = rollout_window(network, 4, gaps=False)
    for _ in range(2):
        with torch.no_grad():
            states, evaluations = rollout(start, [2.0, 3.0, 6.0])
        eager, count = rollout(start, [2.0, 3.0, 6.0])  # with gradients, which nobody else asks for
        torch.testing.assert_close(states, eager, rtol=1e-5, atol=1e-6)
        assert evaluations == count == 24
        network.readout.weight.data.mul_(0.5)


def test_a_forecast_that_leaves_the_finite_numbers_says_so():
    network = stack("lstm").requires_grad_(False)
    start = segments(5, 4).flatten(0, 1)
    start[1, 2, 0] = torch.nan
    with torch.no_grad():
        states, _ = rollout_window(network, 4, gaps=False)(start, [6.0])
    assert states.isfinite().flatten(2).all(dim=2).tolist() == [[place != 1 for place in range(10)]]


@pytest.fixture(scope="module")
def lorenz() -> Dataset:
    sampling = Sampling(trajectories=4, samples=60, valid=2, test=2, horizon=1.0, climate=1, climate_horizon=2)
    return sample(Lorenz(), sampling, 0)


@pytest.mark.parametrize("cell", CELLS)
def test_training_is_that_of_the_eager_path_to_rounding(
    cell: CellType, lorenz: Dataset, monkeypatch: pytest.MonkeyPatch
):
    learner = WindowedRNN(cell=cell, hidden=16, training=Training(updates=30, batch=20, validations=3))
    compiled = learner.fit_replicas(lorenz, Budget(), [0, 1])
    monkeypatch.setattr(TrainingStep, "compiled", lambda step: None)
    for mine, theirs in zip(compiled, learner.fit_replicas(lorenz, Budget(), [0, 1]), strict=True):
        for one, other in zip(mine.log.curve, theirs.log.curve, strict=True):
            assert one.train_loss == pytest.approx(other.train_loss, rel=1e-4)
            assert one.valid_loss == pytest.approx(other.valid_loss, rel=1e-4)
            assert one.nfe_forward == other.nfe_forward
        for name, weight in theirs.weights().items():
            torch.testing.assert_close(mine.weights()[name], weight, rtol=1e-2, atol=1e-4)


def test_what_the_kernel_does_not_cover_is_left_to_autograd():
    for hidden in (20, 16 * 40):  # no whole vectors; more than stays in the cache
        network = stack("gru", hidden=hidden)
        assert window_updates(network.recurrent, network.readout, 4, network.increment) is None
        assert window_forecasts(network.recurrent, network.readout, network.increment) is None
