"""The meter of time and memory, and the description of where a cell ran."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import bench.machine.environment
import bench.machine.meter
from bench.machine.environment import cores, environment
from bench.machine.meter import meter

MEBIBYTE = 2**20


def test_seconds_are_those_of_the_block():
    begin = perf_counter()
    with meter() as reading:
        np.linalg.svd(np.eye(100))
    assert 0 < reading.seconds <= perf_counter() - begin


def test_peak_memory_counts_what_was_freed_again():
    with meter() as reading:
        np.ones(8 * MEBIBYTE)
    assert 60 * MEBIBYTE < reading.peak_bytes < 80 * MEBIBYTE


def test_peak_memory_counts_what_reuses_freed_memory():
    freed = [np.ones(8 * 1024) for _ in range(512)]  # 64 KiB each, which the allocator does not give back by itself
    kept = freed[::64]
    del freed
    with meter() as reading:
        again = [np.ones(8 * 1024) for _ in range(512)]
    assert 28 * MEBIBYTE < reading.peak_bytes < 40 * MEBIBYTE
    assert len(kept) + len(again) == 520


def test_memory_in_use_before_does_not_count():
    kept = np.ones(8 * MEBIBYTE)
    with meter() as reading:
        kept[0] = 2.0
    assert reading.peak_bytes < 8 * MEBIBYTE


def test_a_block_that_raises_is_measured_all_the_same():
    with suppress(KeyError), meter() as reading:
        np.ones(8 * MEBIBYTE)
        raise KeyError
    assert reading.seconds > 0
    assert reading.peak_bytes > 60 * MEBIBYTE


def test_without_a_mark_to_reset_the_peak_of_the_process_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench.machine.meter, "_CLEAR_REFS", tmp_path / "no" / "such" / "file")
    with meter() as reading:
        np.ones(8 * MEBIBYTE)
    assert reading.peak_bytes > 60 * MEBIBYTE


def test_on_a_gpu_the_allocator_is_asked_after_all_work_is_done(monkeypatch: pytest.MonkeyPatch):
    calls: list[str] = []

    def fake(name: str, value: int = 0) -> None:
        monkeypatch.setattr(torch.cuda, name, lambda device: calls.append(f"{name} {device}") or value)

    fake("synchronize")
    fake("reset_peak_memory_stats")
    fake("memory_allocated", 1000)
    fake("max_memory_allocated", 5000)
    with meter("cuda:0") as reading:
        calls.append("block")
    assert reading.peak_bytes == 4000
    assert calls[-3:] == ["block", "synchronize cuda:0", "max_memory_allocated cuda:0"]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A GPU without any memory."""
    bench.machine.meter._energy.cache_clear()
    for name in ("synchronize", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda device: None)
    for name in ("memory_allocated", "max_memory_allocated"):
        monkeypatch.setattr(torch.cuda, name, lambda device: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="1234"))
    yield
    bench.machine.meter._energy.cache_clear()


@pytest.mark.usefixtures("gpu")
def test_energy_is_what_the_counter_of_the_gpu_gained(monkeypatch: pytest.MonkeyPatch):
    millijoules, handles = count(0, 1500), {"GPU-1234": "handle"}
    calls = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetHandleByUUID": handles.__getitem__,
        "nvmlDeviceGetTotalEnergyConsumption": lambda handle: next(millijoules) if handle == "handle" else 0,
    }
    monkeypatch.setitem(sys.modules, "pynvml", SimpleNamespace(**calls))
    with meter("cuda:0") as reading:
        pass
    assert reading.joules == 1.5


@pytest.mark.usefixtures("gpu")
def test_a_gpu_that_does_not_tell_its_energy_is_said_to_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    for _ in range(2):
        with meter("cuda:0") as reading:
            pass
        assert np.isnan(reading.joules)
    assert capsys.readouterr().err.count("no energy is measured on cuda:0: ") == 1


def test_a_cpu_tells_no_energy(capsys: pytest.CaptureFixture[str]):
    with meter() as reading:
        pass
    assert np.isnan(reading.joules)
    assert capsys.readouterr().err == ""


def test_the_environment_is_plain_and_complete():
    about = environment("cpu", threads=3)
    assert about.keys() >= {
        *("python", "platform", "processor", "cores", "threads", "device", "torch", "packages", "git", "command"),
        *("started", "hostname"),
    }
    assert about["threads"] == 3
    assert about["device"] == "cpu"
    assert about["torch"] == about["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert 1 <= about["cores"] == cores() <= (os.cpu_count() or 1)
    assert json.loads(json.dumps(about)) == about


@pytest.mark.parametrize(
    ("quota", "expected"), [("200000 100000", 2), ("50000 100000", 1), ("max 100000", 8), (None, 8)]
)
def test_a_container_with_a_quota_has_no_more_cores_than_it_has_time_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str | None, expected: int
):
    monkeypatch.setattr(bench.machine.environment, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    monkeypatch.setattr(bench.machine.environment.psutil, "cpu_count", lambda logical: 16)
    if quota:
        (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert cores() == expected


def test_outside_a_git_checkout_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench.machine.environment, "ROOT", tmp_path)
    bench.machine.environment.revision.cache_clear()
    assert environment("cpu", 1)["git"] == {"revision": None, "dirty": None}
    bench.machine.environment.revision.cache_clear()


def test_a_git_checkout_has_a_revision_and_says_whether_it_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@b.c")
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True, capture_output=True)

    git("init")
    git("commit", "--allow-empty", "--message", "first")
    monkeypatch.setattr(bench.machine.environment, "ROOT", tmp_path)
    bench.machine.environment.revision.cache_clear()
    clean = environment("cpu", 1)["git"]
    (tmp_path / "file").touch()
    bench.machine.environment.revision.cache_clear()
    changed = environment("cpu", 1)["git"]
    bench.machine.environment.revision.cache_clear()
    assert len(clean["revision"]) == 40
    assert clean == {"revision": changed["revision"], "dirty": False}
    assert changed["dirty"] is True


def test_without_git_there_is_no_revision(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    bench.machine.environment.revision.cache_clear()
    assert environment("cpu", 1)["git"] == {"revision": None, "dirty": None}
    bench.machine.environment.revision.cache_clear()


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["/somewhere/bench/__main__.py", "run", "-l", "ResNet[width=8]"], "python -m bench run -l 'ResNet[width=8]'"),
        (["/usr/bin/dynamics-bench", "run"], "dynamics-bench run"),
        ([], "''"),
    ],
)
def test_the_command_is_what_a_person_would_type(monkeypatch: pytest.MonkeyPatch, argv: list[str], command: str):
    monkeypatch.setattr(sys, "argv", argv)
    assert environment("cpu", 1)["command"] == command


def test_a_missing_package_has_no_version():
    assert bench.machine.environment._version("no-such-package") is None


def test_the_name_of_the_gpu_is_told_once_it_is_in_use(monkeypatch: pytest.MonkeyPatch):
    assert environment("cuda:0", 1)["device"] == "cuda:0"
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Accelerator")
    assert environment("cuda:0", 1)["device"] == "cuda:0 (Accelerator)"
