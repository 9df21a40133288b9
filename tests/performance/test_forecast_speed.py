"""Compiled forecasts beside those of the eager path, of few states over a long time and of many."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import pytest
import torch
from torch import Tensor

from learners import WindowedRNN
from learners.networks.fields import VectorField
from learners.networks.recurrent import CellType
from learners.networks.stacked import StackedMLP
from learners.solvers.integration import Integration
from learners.solvers.rollout import Rollout
from learners.streams import stream
from learners.windowed_rnn import WindowMap, rollout_window

ROOT = Path(__file__).parents[2]
ROUNDS = 5
STEPS = 40
INCREMENT = torch.full((3,), 0.1)


def fixed() -> tuple[Rollout, Tensor]:
    network = StackedMLP([3, 64, 64, 3], "silu", [stream(0, "weights")])
    return Integration("rk4").rollout(VectorField(network, INCREMENT)), torch.randn(256, 3)


def adaptive() -> tuple[Rollout, Tensor]:
    network = StackedMLP([3, 64, 64, 3], "silu", [stream(0, "weights")])
    return Integration("dopri5").rollout(VectorField(network, INCREMENT)), torch.randn(256, 3)


def windowed(cell: CellType) -> tuple[Rollout, Tensor]:
    network = WindowMap(WindowedRNN(cell=cell), INCREMENT, [stream(0, "weights")])
    return rollout_window(network, 4, gaps=False), torch.randn(256, 4, 3)


def forecast_ratio(kind: str, count: int) -> float:
    """How many times faster compiled code forecasts so many states than the eager path, which gets one step a time."""
    make: dict[str, Callable[[], tuple[Rollout, Tensor]]] = {"fixed": fixed, "adaptive": adaptive}
    rollout, states = make[kind]() if kind in make else windowed(kind)  # pyright: ignore[reportArgumentType]
    start = states[:count]

    def at_once() -> Tensor:
        return rollout(start, [float(step + 1) for step in range(STEPS)])[0][-1]

    def one_by_one() -> Tensor:
        state = start
        for _ in range(STEPS):
            state = rollout(state, [1.0])[0][0]
        return state

    def seconds(run: Callable[[], Tensor]) -> float:
        begin = process_time()
        run()
        return process_time() - begin

    with torch.no_grad():
        torch.testing.assert_close(at_once(), one_by_one(), rtol=1e-3, atol=1e-3)
        pairs = [(seconds(at_once), seconds(one_by_one)) for _ in range(ROUNDS)]
    mine, other = (median(column) for column in zip(*pairs, strict=True))
    return other / mine


@pytest.mark.parametrize("count", [4, 256])
@pytest.mark.parametrize(
    ("kind", "few", "many"),
    [("fixed", 10.0, 2.0), ("adaptive", 40.0, 20.0), ("rnn", 10.0, 2.0), ("gru", 10.0, 2.0), ("lstm", 10.0, 2.0)],
)
def test_compiled_forecasts_are_faster(benchmark, kind, few, many, count):
    call = f"import {__name__} as here, torch; torch.set_num_threads(1); print(here.forecast_ratio({kind!r}, {count}))"

    def apart() -> float:
        done = subprocess.run([sys.executable, "-c", call], cwd=ROOT, capture_output=True, text=True, check=True)
        return float(done.stdout)

    found = benchmark.pedantic(apart)
    benchmark.extra_info["ratio"] = found
    assert found >= (few if count == 4 else many), f"only {found:.2f} times as fast"
