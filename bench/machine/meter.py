"""Measuring what a stretch of code takes: wall time, memory above the level before it, and a GPU's energy."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CDLL
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import nan
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_TRIM = getattr(CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # of glibc
_highest = [0]  # resident memory of this process before its mark was last reset


@dataclass
class Usage:
    """What a block of code took; zero until it has ended."""

    seconds: float = 0.0
    peak_bytes: int = 0
    joules: float = nan  # of the whole GPU; NaN where it cannot be measured


@contextmanager
def meter(device: str = "cpu") -> Iterator[Usage]:
    """Measure the wall time, the peak memory and the energy of a block, also where it raises.

    On a GPU the memory is that of torch's allocator. On the CPU it is the resident memory of this whole process above
    the level before the block: Linux resets its high-water mark, elsewhere the mark is that of the process since it
    began. What was freed before is given back to the system first, or the block would use it again unseen. Energy is
    measured by NVML (package nvidia-ml-py, extra `energy`) on GPUs since Volta, to about a tenth of a second.
    """
    usage = Usage()
    joules = _energy(device)
    level, high_water = _memory(device)
    joules_before = joules()
    begin = perf_counter()
    try:
        yield usage
    finally:
        synchronise(device)
        usage.seconds = perf_counter() - begin
        usage.peak_bytes = max(0, high_water() - level)
        usage.joules = joules() - joules_before


def process_peak() -> int:
    """The most resident memory of this process since it began, in bytes, whatever has been measured in between."""
    _highest[0] = max(_highest[0], _largest_resident_set())
    return _highest[0]


def synchronise(device: str) -> None:
    """Wait for the work that a GPU still has to do."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


def _memory(device: str) -> tuple[int, Callable[[], int]]:
    """The bytes in use now, and a function that returns the most that were in use since."""
    if device.startswith("cuda"):
        import torch

        synchronise(device)
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device), lambda: torch.cuda.max_memory_allocated(device)
    process_peak()
    if _TRIM:
        _TRIM(0)
    try:
        _CLEAR_REFS.write_text("5")
    except OSError:  # not Linux, or a container that forbids it
        return psutil.Process().memory_info().rss, _largest_resident_set
    return _status("VmRSS"), lambda: _status("VmHWM")


@cache
def _energy(device: str) -> Callable[[], float]:
    """A function that returns the joules that a device has used so far, or NaN: why is printed once to stderr."""
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
