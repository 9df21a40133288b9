"""Where a cell ran: interpreter, processor, device, package versions, source revision, command."""

import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import process_time
from typing import Any

import psutil

from bench.machine.meter import process_peak

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path("/proc/driver/nvidia/version")
GRAPHICS_CARDS = Path("/proc/driver/nvidia/gpus")
QUOTA = Path("/sys/fs/cgroup/cpu.max")  # what a container may use of the processors
BYTES_A_JOB = 1.5 * 2**30  # memory that a cell may need
DIFF = 20_000  # characters of the difference to the revision that each cell keeps
PACKAGES = ("dynamics-bench", "numpy", "pandas", "scikit-learn", "scipy", "torch", "torchdiffeq", "torchvision")


def environment(device: str, threads: int, words: Sequence[str] = ()) -> dict[str, Any]:
    """Everything beside its configuration that may change the numbers or the times of a cell.

    It neither imports torch nor touches a GPU, unless the caller has put it to work already.
    `threads` are those of each operation, `words` those of the user's command, if it is not that of this program.
    """
    torch = sys.modules.get("torch")
    name = device
    if device.startswith("cuda"):
        known = torch.cuda.get_device_name(device) if torch and torch.cuda.is_initialized() else None
        model = known or _graphics_card()
        name = f"{device} ({model})" if model else device
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": cores(),
        "threads": threads,
        "device": name,
        "driver": _driver(),
        "torch": _version("torch"),
        "packages": {name: _version(name) for name in PACKAGES},
        "git": dict(revision()),
        "command": command(words),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "hostname": platform.node(),
    }


def process_usage() -> dict[str, Any]:
    """What this process has used so far, memory and processor time, and the time of day."""
    return {
        "peak_bytes": process_peak(),
        "cpu_seconds": round(process_time(), 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def cores() -> int:
    """Physical cores that this process may use, and its container lets it use."""
    logical = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        microseconds, period = map(int, QUOTA.read_text().split())
    except (OSError, ValueError):  # no such file, or its first word is "max"
        microseconds, period = logical, 1
    return max(1, int(min(psutil.cpu_count(logical=False) or logical, logical, microseconds / period)))


@lru_cache
def _processor() -> str:
    """The name of the processor; Linux keeps it where `platform` does not look."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(errors="replace").splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


@lru_cache
def _driver() -> str | None:
    """The version of the GPU's driver; None where there is none."""
    try:
        found = re.search(r"Kernel Module\b.*?\s(\d+\.[\d.]+)", DRIVER.read_text())
    except OSError:
        return None
    return found[1] if found else None


def _graphics_card() -> str | None:
    """The model of this machine's GPUs, as the driver tells it; None where it tells none, or several."""
    found = set()
    for path in GRAPHICS_CARDS.glob("*/information"):
        with suppress(OSError):
            found |= set(re.findall(r"^Model:\s*(.+?)\s*$", path.read_text(), re.MULTILINE))
    return found.pop() if len(found) == 1 else None


@lru_cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@lru_cache
def revision() -> dict[str, Any]:
    """The git revision of our sources, and how they differ from it; None for what cannot be known without git."""
    top = _run_git("rev-parse", "--show-toplevel")
    if top is None or Path(top) != ROOT:
        return {"revision": None, "dirty": None}
    found = {"revision": _run_git("rev-parse", "HEAD"), "dirty": bool(_run_git("status", "--porcelain"))}
    diff = _run_git("diff", "HEAD") or ""
    if not diff:
        return found
    cut = f"{diff[:DIFF]}\n... {len(diff) - DIFF} more characters" if len(diff) > DIFF else diff
    return found | {"diff": cut, "diff_sha256": sha256(diff.encode()).hexdigest()}


def _run_git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()  # a file may be in any encoding


def command(words: Sequence[str] = ()) -> str:
    """The command line that these words are, or else that this program was called by, as one could type it again."""
    program, *arguments = words or sys.argv or [""]
    entry = Path(program)
    called = ["python", "-m", entry.parent.name] if entry.name == "__main__.py" else [entry.name]
    return shlex.join([*called, *arguments])


def default_jobs() -> int:
    """How many cells may run at a time: one for each physical core, as far as the memory is large enough."""
    return max(1, min(cores(), int(psutil.virtual_memory().available / BYTES_A_JOB)))
