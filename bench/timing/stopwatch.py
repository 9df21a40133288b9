"""Measurements of single calls: times, launches, live memory, traffic, and what the hardware reaches at best."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import nan
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.benchmark import Timer

from bench.machine.meter import synchronise

WARM_UP = 3  # calls before the first that counts
KEPT = 60  # of the times of a measurement, evenly spread
PRODUCT = {"cpu": 1024, "cuda": 8192}  # rows and columns of the matrices whose product is the ceiling of operations
COPY = {"cpu": 2**26, "cuda": 2**30}  # bytes of the tensor whose copy is the ceiling of traffic
Call = Callable[[], object]


@dataclass(frozen=True)
class Launches:
    """What one call started: kernels on a GPU, operators of torch on a CPU; and what it held."""

    count: int
    busy: float  # fraction of the time from the first to the last kernel in which one was running; CPU: not a number
    peak_bytes: int  # of the memory of torch's allocator above the level before


def time_call(run: Call, device: str, seconds: float) -> list[float]:
    """Call over and over for so many seconds, after a warm-up; the seconds of each call.

    On a GPU in blocks by torch's own timer, which keep its queue filled; on the CPU one by one, since a block's mean
    would take in whatever else the machine does.
    """
    if device != "cuda":
        return time_parts([run], device, seconds)[0]
    for _ in range(WARM_UP):
        run()
    timer = Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads())
    return thinned(timer.blocked_autorange(min_run_time=seconds).times)


def time_parts(parts: Sequence[Call], device: str, seconds: float) -> list[list[float]]:
    """Call some parts one after the other, over and over for so many seconds; the seconds of each call of each part."""

    def mark() -> Any:
        if device != "cuda":
            return perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()  # in the queue of the GPU
        return event

    for _ in range(WARM_UP):
        for part in parts:
            part()
    rounds = []
    deadline = perf_counter() + seconds
    while len(rounds) < WARM_UP or perf_counter() < deadline:
        marks = [mark()]
        for part in parts:
            part()
            marks.append(mark())
        synchronise(device)
        if device == "cuda":
            rounds.append([begin.elapsed_time(end) / 1000 for begin, end in pairwise(marks)])
        else:
            rounds.append([end - begin for begin, end in pairwise(marks)])
    return [thinned(times) for times in zip(*rounds, strict=True)]


def launches(run: Call, device: str) -> Launches:
    """What torch's profiler sees of one call."""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device == "cuda" else [])]
    synchronise(device)
    with profile(activities=activities, profile_memory=True, acc_events=True) as profiler:
        run()
        synchronise(device)
    events = sorted(profiler.events() or (), key=lambda event: event.time_range.start)
    memory = "self_device_memory_usage" if device == "cuda" else "self_cpu_memory_usage"
    peak = max(accumulate((getattr(event, memory) for event in events), initial=0))
    kernels = [event for event in events if event.device_type == DeviceType.CUDA]
    if device != "cuda":
        operators = [event for event in events if event.name.startswith("aten::")]
        called = [one for one in operators if one.cpu_parent and one.cpu_parent.name.startswith("aten::")]
        return Launches(len(operators) - len(called), nan, peak)
    span = max(event.time_range.end for event in kernels) - kernels[0].time_range.start if kernels else 0
    return Launches(len(kernels), _covered(kernels) / span if span else nan, peak)


def traffic(run: Call) -> int:
    """Bytes of all operands and results of the operators of one call, as if nothing stayed in a cache.

    A view costs nothing. The number depends on shapes alone.
    """
    with _Traffic() as seen:
        run()
    return seen.total


def ceilings(device: str, dtype: torch.dtype, seconds: float) -> dict[str, float]:
    """Operations and bytes a second that this device reaches in a large matrix product and a large copy, at best."""
    size = PRODUCT[device]
    a, b = (torch.ones(size, size, dtype=dtype, device=device) for _ in range(2))
    product = min(time_call(lambda: a @ b, device, seconds))
    source = torch.ones(COPY[device], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = min(time_call(lambda: target.copy_(source), device, seconds))
    return {"flops_per_second": 2 * size**3 / product, "bytes_per_second": 2 * COPY[device] / copy}


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads for each operation on the CPU."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def thinned(times: Sequence[float]) -> list[float]:
    """At most KEPT of the times, evenly spread over the measurement."""
    return list(times[:: -(-len(times) // KEPT)])


def _covered(kernels: Sequence[Any]) -> float:
    """The time in which at least one of some kernels, in the order of their starts, is running."""
    total = 0.0
    end = 0.0
    for span in (kernel.time_range for kernel in kernels):
        total += max(0.0, span.end - max(span.start, end))
        end = max(end, span.end)
    return total


class _Traffic(TorchDispatchMode):
    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            tensors = [one for one in tree_leaves((args, kwargs, result)) if isinstance(one, Tensor)]
            self.total += sum(one.numel() * one.element_size() for one in tensors)
        return result
