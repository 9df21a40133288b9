"""Training updates beside straightforward loops that compute the same losses; and how fast help comes."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from statistics import median
from subprocess import PIPE
from time import process_time
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchdiffeq import odeint

from learners import Budget, Learner, NeuralODE, ODENet, ResNet, RKNet, Training, WindowedRNN
from learners.networks.scales import Scales
from learners.training.training_step import TrainingStep, collect_steps
from systems import Dataset, Lorenz, Sampling, sample
from systems.configuration import label

ROOT = Path(__file__).parents[2]
RATE = 1e-3
ROUNDS = 9
WORKER = "tests.performance.jax_updates"
Update = Callable[[], Tensor]


def observed() -> Dataset:
    """One trajectory of 1,000 samples on Lorenz."""
    brief = {"valid": 1, "test": 1, "horizon": 0.1, "climate": 1, "climate_horizon": 0.1}
    return sample(Lorenz(), Sampling(step=0.009056, trajectories=1, samples=1000, **brief), 0)


class Scaled(nn.Module):
    """A plain network as a vector field of standardised states, in sampling steps."""

    def __init__(self, network: nn.Module, increment: Tensor) -> None:
        super().__init__()
        self.network = network
        self.increment = increment

    def forward(self, t: Tensor, x: Tensor) -> Tensor:
        return self.network(x) * self.increment


class PlainRNN(nn.Module):
    """`torch.nn.RNN` over a window, and a linear layer for the change to the next sample."""

    def __init__(self, hidden: int, increment: Tensor) -> None:
        super().__init__()
        self.recurrent, self.readout = nn.RNN(3, hidden, batch_first=True), nn.Linear(hidden, 3)
        self.increment = increment

    def forward(self, window: Tensor) -> Tensor:
        return window[:, -1] + self.readout(self.recurrent(window)[0][:, -1]) * self.increment


def stacked(learner: Learner, data: Dataset, seeds: int, compiled: bool = True) -> tuple[TrainingStep, Update]:
    """Our update of so many replicas, as training does it, or by autograd; it returns their losses."""
    with collect_steps() as steps:
        learner.fit_replicas(data, Budget(), range(seeds))
    step = steps[0]
    minibatches = cycle(list(step.minibatches(8)))
    for group in step.optimiser.param_groups:
        group["lr"] = RATE
    kernel = step.compiled() if compiled else None

    def update() -> Tensor:
        if kernel is not None:
            losses = kernel.differentiate(next(minibatches))
            kernel.descend(RATE)
            return losses
        step.optimiser.zero_grad(set_to_none=True)
        losses = step.objective(next(minibatches))
        losses.sum().backward()
        step.clip()
        step.optimiser.step()
        return losses.detach()

    return step, update


def plain(network: nn.Module, predict: Callable[[Tensor], Tensor], increment: Tensor, step: TrainingStep) -> Update:
    """The update of one plain network on the minibatches of the first replica, as a tutorial has it."""
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    minibatches = cycle([minibatch[0] for minibatch in step.minibatches(8)])

    def update() -> Tensor:
        optimiser.zero_grad()
        predicted, truth = predict(segments := next(minibatches)), segments
        loss = ((predicted - truth[:, -predicted.shape[1] :]) / increment).square().mean()
        loss.backward()
        optimiser.step()
        return loss.detach()

    return update


def tutorial_node(step: TrainingStep, increment: Tensor) -> Update:
    """torchdiffeq's fixed-step solver in a loop, with the weights of the first replica."""
    network = nn.Sequential(nn.Linear(3, 256), nn.ReLU(), nn.Linear(256, 3))
    own = [parameter.detach()[0] for parameter in step.network.parameters()]
    with torch.no_grad():
        for theirs, mine in zip(network.parameters(), own, strict=True):
            theirs.copy_(mine.T.reshape(theirs.shape))
    field = Scaled(network, increment)

    def predict(segments: Tensor) -> Tensor:
        times = torch.arange(segments.shape[1], dtype=torch.float32)
        states: Any = odeint(field, segments[:, 0], times, method="rk4")
        return states.transpose(0, 1)[:, 1:]

    return plain(network, predict, increment, step)


def tutorial_rnn(step: TrainingStep, hidden: int, increment: Tensor) -> Update:
    network = PlainRNN(hidden, increment)
    own = {name: parameter.detach()[0] for name, parameter in step.network.named_parameters()}
    with torch.no_grad():
        for theirs, name in {
            network.recurrent.weight_ih_l0: "recurrent.embed.weight",
            network.recurrent.weight_hh_l0: "recurrent.cell.weight",
            network.recurrent.bias_ih_l0: "recurrent.embed.bias",
            network.readout.weight: "readout.weight",
            network.readout.bias: "readout.bias",
        }.items():
            theirs.copy_(own[name].T.reshape(theirs.shape))
    nn.init.zeros_(network.recurrent.get_parameter("bias_hh_l0")).requires_grad_(False)  # ours has one bias alone
    return plain(network, lambda segments: network(segments[:, :-1]).unsqueeze(1), increment, step)


def speed_up(ours: Update, theirs: Update, updates: int) -> float:
    """How many times faster ours is, where the losses agree, update by update."""
    for _ in range(5):
        mine, other = float(ours().flatten()[0]), float(theirs().flatten()[0])
        assert mine == pytest.approx(other, rel=1e-5), f"the losses are {mine} and {other}"
    return times_faster(ours, theirs, updates)


def times_faster(ours: Callable[[], object], theirs: Callable[[], object], updates: int) -> float:
    """How many times faster ours is: of the medians of rounds that take turns, in time of the processor."""

    def seconds(update: Callable[[], object]) -> float:
        begin = process_time()
        for _ in range(updates):
            update()
        return process_time() - begin

    pairs = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
    mine, other = (median(column) for column in zip(*pairs, strict=True))
    return other / mine


def node_ratio(lookahead: int, batch: int, seeds: int) -> float:
    """How many times faster a seed of a 3-256-3 network trains with ours."""
    data, training = observed(), Training(batch=batch, clip=1e9)
    learner = NeuralODE(lookahead=lookahead, width=256, depth=1, activation="relu", training=training)
    step, ours = stacked(learner, data, seeds)
    theirs = tutorial_node(step, Scales.of(data).increment)
    return seeds * speed_up(ours, theirs, max(2, 40 // lookahead))


def jax_ratio(lookahead: int, batch: int, python: str) -> float:
    """How many times faster one update of a 3-256-3 network is with ours than in JAX, by hand or by diffrax."""
    learner = NeuralODE(
        lookahead=lookahead, width=256, depth=1, activation="relu", training=Training(batch=batch, clip=1e9)
    )
    _, ours = stacked(learner, observed(), 1)
    count = max(4, 80 // lookahead)
    with subprocess.Popen([python, "-m", WORKER], cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        times: dict[str, list[float]] = {"ours": [], "hand": [], "diffrax": []}
        for _ in range(ROUNDS + 1):
            begin = process_time()
            for _ in range(count):
                ours()
            times["ours"].append((process_time() - begin) / count)
            for way in ("hand", "diffrax"):
                worker.stdin.write(f"{way} {lookahead} {batch} {count}\n")
                worker.stdin.flush()
                times[way].append(float(worker.stdout.readline()))
        worker.stdin.close()
    mine, *others = (median(values[1:]) for values in times.values())
    return min(others) / mine


def eager_ratio(name: str, seeds: int) -> float:
    """How many times faster some seeds of a learner's defaults, in batches of 128, train compiled than by autograd.

    In adaptive solvers, autograd goes through torchdiffeq's steps, or torchdiffeq solves the adjoint.
    """
    data = sample(Lorenz(), Sampling(step=0.018112, valid=1, test=1, horizon=0.1, climate=1, climate_horizon=0.1), 0)
    learners = NeuralODE(), ResNet(), RKNet(), ODENet(), *(WindowedRNN(cell=cell) for cell in ("rnn", "gru", "lstm"))
    learner = next(learner for learner in learners if label(learner) == name)
    (_, ours), (_, eager) = stacked(learner, data, seeds), stacked(learner, data, seeds, compiled=False)
    return speed_up(ours, eager, 20)


def stack_ratio(lookahead: int, batch: int) -> float:
    """How many times faster a seed of eight trains than a seed alone."""
    learner = NeuralODE(lookahead=lookahead, width=256, depth=1, activation="relu", training=Training(batch=batch))
    (_, eight), (_, one) = stacked(learner, observed(), 8), stacked(learner, observed(), 1)

    def one_after_the_other() -> None:
        for _ in range(8):
            one()

    return times_faster(eight, one_after_the_other, max(3, 40 // lookahead))


def rnn_ratio(window: int, hidden: int, batch: int) -> float:
    data, training = observed(), Training(batch=batch, clip=1e9)
    step, ours = stacked(WindowedRNN(cell="rnn", window=window, hidden=hidden, training=training), data, 1)
    return speed_up(ours, tutorial_rnn(step, hidden, Scales.of(data).increment), 40)


def apart(ratio: Callable[..., float], *arguments: int | str) -> float:
    """A ratio found in a process of its own, on one thread, where no shapes are checked as they are in tests."""
    call = f"import {__name__} as here, torch; torch.set_num_threads(1); print(here.{ratio.__name__}{arguments})"
    done = subprocess.run([sys.executable, "-c", call], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.parametrize(
    ("lookahead", "batch", "seeds", "faster"),
    [
        (1, 999, 1, 4.0),
        (9, 20, 1, 12.0),
        (49, 64, 1, 8.0),
        (9, 20, 8, 12.0),
    ],
    ids=["one step, full batch", "lookahead 9", "lookahead 49", "lookahead 9, a seed of eight"],
)
def test_a_neural_ode_trains_faster_than_a_loop_over_torchdiffeq(benchmark, lookahead, batch, seeds, faster):
    found = benchmark.pedantic(apart, (node_ratio, lookahead, batch, seeds))
    benchmark.extra_info["ratio"] = found
    assert found >= faster, f"only {found:.2f} times as fast"


@pytest.mark.parametrize(("lookahead", "batch", "faster"), [(1, 999, 1.0), (9, 20, 2.0), (49, 64, 1.8)])
def test_a_neural_ode_trains_faster_than_in_jax(benchmark, lookahead, batch, faster):
    python = os.environ.get("PEERS_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import diffrax, jax, optax"], capture_output=True).returncode:
        pytest.skip("needs the extra `peers`, here or in the Python that PEERS_PYTHON names")
    found = benchmark.pedantic(apart, (jax_ratio, lookahead, batch, python))
    benchmark.extra_info["ratio"] = found
    assert found >= faster, f"only {found:.2f} times as fast"


@pytest.mark.parametrize(
    ("learner", "seeds", "faster"),
    [
        ("NeuralODE", 3, 2.0),
        ("ResNet", 3, 2.0),
        ("RKNet", 1, 3.0),
        ("ODENet", 1, 3.0),
        ("WindowedRNN[cell=rnn]", 3, 3.0),
        ("WindowedRNN", 3, 2.0),
        ("WindowedRNN[cell=lstm]", 3, 2.0),
    ],
)
def test_the_compiled_kernel_is_faster_than_autograd(benchmark, learner, seeds, faster):
    found = benchmark.pedantic(apart, (eager_ratio, learner, seeds))
    benchmark.extra_info["ratio"] = found
    assert found >= faster, f"only {found:.2f} times as fast"


@pytest.mark.parametrize(("lookahead", "batch"), [(1, 999), (9, 20), (49, 64)])
def test_a_seed_of_eight_trains_no_slower_than_a_seed_alone(benchmark, lookahead, batch):
    found = benchmark.pedantic(apart, (stack_ratio, lookahead, batch))
    benchmark.extra_info["ratio"] = found
    assert found >= 0.95, f"only {found:.2f} times as fast"  # equal but for the noise of measuring


def test_a_windowed_network_trains_no_slower_than_torchs_own(benchmark):
    found = benchmark.pedantic(apart, (rnn_ratio, 3, 64, 128))
    benchmark.extra_info["ratio"] = found
    assert found >= 1.0, f"only {found:.2f} times as fast"


@pytest.mark.parametrize(("argument", "most"), [("--help", 0.4), ("list", 0.6)])
def test_help_and_lists_come_at_once(benchmark, argument, most):
    def seconds() -> float:
        """Of the processor, so that what else runs on the machine counts little."""
        begin = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "bench", argument], cwd=ROOT, check=True, capture_output=True)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        return end.ru_utime - begin.ru_utime + end.ru_stime - begin.ru_stime

    taken = benchmark.pedantic(lambda: min(seconds() for _ in range(7)))
    benchmark.extra_info["seconds"] = taken
    assert taken <= most
