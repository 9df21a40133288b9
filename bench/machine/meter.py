"""Measuring what a stretch of code takes: wall time, memory above the level before it, and a GPU's energy."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import nan
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

_highest = [0]  # resident memory of this process before its mark was last reset
_CLEAR_REFS, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass
class Reading:
    """What the block under a `meter` took; zero until it has ended."""

    seconds: float = 0.0
    peak_bytes: int = 0
    joules: float = nan  # of the whole GPU; not a number where nothing tells


@contextmanager
def meter(device: str = "cpu") -> Iterator[Reading]:
    """Time a block and find its peak memory above the level before it, also where it raises.

    On a GPU the memory is that of torch's allocator. On the CPU it is the resident memory of this whole process: Linux
    resets its high-water mark at the start of the block, elsewhere the mark is that of the process since it began.
    Energy is told by NVML (package nvidia-ml-py, extra `energy`) for GPUs since Volta, every tenth of a second or so.
    """
    reading, joules, level, high_water = Reading(), _energy(device), *_memory(device)
    before, begin = joules(), perf_counter()
    try:
        yield reading
    finally:
        synchronise(device)
        reading.seconds = perf_counter() - begin
        reading.peak_bytes = max(0, high_water() - level)
        reading.joules = joules() - before


def process_peak() -> int:
    """The most resident memory of this process so far, in bytes, whatever has been measured in between."""
    _highest[0] = max(_highest[0], _largest_resident_set())
    return _highest[0]


def synchronise(device: str) -> None:
    """Wait for the work that a GPU still has to do."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


def _memory(device: str) -> tuple[int, Callable[[], int]]:
    """The bytes in use now, and a function that gives the most that were in use since."""
    if device.startswith("cuda"):
        return _cuda_memory(device)
    process_peak()
    try:
        _CLEAR_REFS.write_text("5")
    except OSError:  # not Linux, or a container that forbids it
        return psutil.Process().memory_info().rss, _largest_resident_set
    return _status("VmRSS"), lambda: _status("VmHWM")


def _cuda_memory(device: str) -> tuple[int, Callable[[], int]]:
    import torch

    synchronise(device)
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device), lambda: torch.cuda.max_memory_allocated(device)


@cache
def _energy(device: str) -> Callable[[], float]:
    """Gives the joules that a device has taken so far. Why a GPU does not tell is said once on the error stream."""
    if not device.startswith("cuda"):
        return lambda: nan
    try:
        import torch

        nvml: Any = import_module("pynvml")
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except Exception as error:  # what NVML raises is known only where it can be imported
        sys.stderr.write(f"no energy is measured on {device}: {type(error).__name__}: {error}\n")
        return lambda: nan
    return lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000  # from millijoules


def _status(name: str) -> int:
    """A field of /proc/self/status in bytes."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def _largest_resident_set() -> int:
    import resource

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024
