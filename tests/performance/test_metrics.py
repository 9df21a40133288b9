"""Metrics beside their definitions written plainly, on one thread."""

from collections.abc import Callable
from time import process_time

import numpy as np

from metrics import ATTRACTOR, Cost, Evidence
from metrics.zero_one import FREQUENCIES, zero_one


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the processor, the least of three."""
    spans = []
    for _ in range(3):
        begin = process_time()
        work()
        spans.append(process_time() - begin)
    return min(spans)


def by_double_loop(series: np.ndarray) -> None:
    """The mean square displacement of one frequency, lag by lag."""
    j, lags = np.arange(1, len(series) + 1), len(series) // 10
    p, q = np.cumsum(series * np.cos(j)), np.cumsum(series * np.sin(j))
    starts = len(series) - lags
    for n in range(1, lags + 1):
        ((p[n : n + starts] - p[:starts]) ** 2 + (q[n : n + starts] - q[:starts]) ** 2).mean()


def test_fourier_transforms_are_thirty_times_faster_than_the_double_loop(benchmark):
    series = np.random.default_rng(0).normal(size=20_000)
    ours = fastest(lambda: zero_one(series, c=FREQUENCIES[:5])) / 5
    found = benchmark.pedantic(lambda: fastest(lambda: by_double_loop(series)) / ours)
    benchmark.extra_info["ratio"] = found
    assert found > 30


def test_four_long_runs_are_measured_in_seconds(benchmark):
    runs = np.cumsum(np.random.default_rng(0).normal(size=(4, 11_000, 3)), axis=1)
    cost = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
    given = Evidence(0.018, runs.std(axis=(0, 1)), runs[:, :5], runs[::-1, :5], runs, runs[::-1], cost)
    taken = benchmark.pedantic(lambda: fastest(lambda: [metric.measure(given) for metric in ATTRACTOR]))
    benchmark.extra_info["seconds"] = taken
    assert taken < 3
