"""Reference solutions and certificates beside plain baselines that do the same work, on one thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from statistics import median
from time import process_time

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from systems import KuramotoSivashinsky, Lorenz, Lorenz96, Rossler, certify
from systems.flows.kuramoto_sivashinsky import LARGEST_STEP
from systems.solvers import handover


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seconds(run: Callable[[], object]) -> float:
    """Of the processor, so that what else runs on the machine counts little."""
    begin = process_time()
    run()
    return process_time() - begin


def ratio(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> float:
    """Of the medians of runs that take turns."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    mine, other = (median(column) for column in zip(*pairs, strict=True))
    return mine / other


def sixty_four() -> tuple[Lorenz, np.ndarray, np.ndarray]:
    """Lorenz, the initial states of 64 trajectories, and the times of 10,000 samples of them."""
    system = Lorenz()
    return system, system.initial_states(64, np.random.default_rng(0)), 0.01 * np.arange(10_000)


@contextmanager
def uncompiled() -> Iterator[None]:
    """Meanwhile, all solutions are the eager path's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handover, "KERNEL", "not loaded")
        patch.setattr(handover, "LOADING", inf)
        yield


def test_lorenz_trajectories_take_no_longer_than_by_scipy_on_the_stacked_state(benchmark):
    system, initial, times = sixty_four()

    def stacked(t: float, flat: np.ndarray) -> np.ndarray:
        return system.velocity(t, torch.from_numpy(flat).view(64, 3)).numpy().ravel()

    def by_hand(t: float, flat: np.ndarray) -> np.ndarray:
        x, y, z = flat.reshape(64, 3).T
        return np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], axis=1).ravel()

    def ours() -> object:
        with uncompiled():
            return system.solve(initial, times, 1e-9)

    def scipy(velocity: Callable[[float, np.ndarray], np.ndarray]) -> Callable[[], object]:
        span = (0.0, times[-1])
        return lambda: solve_ivp(velocity, span, initial.ravel(), "DOP853", times, rtol=1e-9, atol=1e-9)

    found = benchmark.pedantic(ratio, (ours, scipy(stacked), 3))
    benchmark.extra_info["ratio"] = found
    benchmark.extra_info["ratio to a velocity written in numpy for Lorenz alone"] = ratio(ours, scipy(by_hand), 3)
    assert found <= 1.0


@pytest.mark.parametrize(("system", "faster"), [(Lorenz(), 20.0), (Rossler(), 20.0), (Lorenz96(sites=40), 5.0)])
def test_compiled_code_solves_several_times_sooner_than_the_eager_path(benchmark, system, faster):
    initial = system.initial_states(64, np.random.default_rng(0))
    times = 0.02 * system.timescale * np.arange(2_000)

    def eager() -> object:
        with uncompiled():
            return system.solve(initial, times, 1e-9)

    from systems.solvers import dop853_kernel  # noqa: F401  (from now on, all is compiled)

    found = benchmark.pedantic(ratio, (eager, lambda: system.solve(initial, times, 1e-9), 3))
    benchmark.extra_info["ratio"] = found
    assert found >= faster, f"only {found:.2f} times as fast"


def test_a_step_of_a_field_takes_little_more_than_its_eight_fourier_transforms(benchmark):
    system = KuramotoSivashinsky(length=200.0, grid=512)
    modes = torch.fft.rfft(torch.randn((64, 512), dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    scheme, _, decay = system._scheme(torch.zeros(1, dtype=torch.float64), LARGEST_STEP, LARGEST_STEP)
    field = torch.fft.irfft(modes, 512)

    def step() -> None:
        for _ in range(50):
            system._advance(modes, scheme, 1, decay)

    def transforms() -> None:
        for _ in range(50 * 4):
            torch.fft.rfft(field)
            torch.fft.irfft(modes, 512)

    found = benchmark.pedantic(ratio, (step, transforms, 9))
    benchmark.extra_info["ratio"] = found
    assert found <= 2.5


def test_a_certificate_of_lorenz_takes_five_seconds_at_the_most(benchmark):
    taken = benchmark.pedantic(seconds, (lambda: certify(Lorenz()),))
    benchmark.extra_info["seconds"] = taken
    assert taken <= 5.0
