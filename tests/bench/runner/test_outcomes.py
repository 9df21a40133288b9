"""How cells end, and how that is told: lack of memory, signals, attempts, a full disk."""

import errno
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.cells.data import dataset, location
from bench.cells.key import key
from bench.runner import outcomes, worker
from bench.runner.events import Damaged, Event
from bench.runner.outcomes import Outcome, cause_of_death, memory_kills
from learners import Learner
from results import Store
from systems import LinearSpiral
from tests.support import stubs
from tests.support.misbehaving import Filling, Hungry, Leaving, Meddling, Signalled
from tests.support.running import run_cells
from tests.support.stubs import cell

MEMORY = 0.25  # GiB


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    dataset(LinearSpiral(), stubs.TINY, 0, folder)
    return folder


@pytest.fixture
def store(tmp_path: Path, data: Path) -> Store:
    shutil.copytree(data, tmp_path / "runs" / "data")
    return Store(tmp_path / "runs")


def ending(outcome: Outcome, learner: Learner) -> tuple[str, str]:
    (found,) = {(record.status, record.reason) for record in outcome.records[key(cell(learner))]}
    return found


@pytest.mark.parametrize("by", ["numpy", "torch"])
def test_a_cell_that_allocates_without_end_runs_out_of_its_memory_and_says_so(store: Store, by: str):
    greedy, modest = Hungry(by), stubs.Instant()
    outcome = run_cells([cell(greedy), cell(modest)], store, jobs=1, memory=MEMORY)
    assert ending(outcome, greedy)[0] == "out_of_memory"
    assert "allocate" in ending(outcome, greedy)[1]
    assert ending(outcome, modest) == ("ok", "")
    assert store.environment(key(cell(greedy)))["peak_bytes"] > MEMORY * 2**30 / 2


def test_a_limit_above_that_of_the_system_is_that_of_the_system(monkeypatch: pytest.MonkeyPatch):
    hard, chosen = 2**33, []
    monkeypatch.setattr("resource.getrlimit", lambda kind: (hard, hard))
    monkeypatch.setattr("resource.setrlimit", lambda kind, limits: chosen.append(limits))
    worker._limit_memory(64.0)
    worker._limit_memory(1e-3)
    assert chosen[0] == (hard, hard)
    assert 0 < chosen[1][0] < hard


def test_each_attempt_that_failed_is_kept_beside_the_one_that_did_not(store: Store, tmp_path: Path):
    lucky = stubs.Dying("exit", flag=str(tmp_path / "flag"))
    outcome = run_cells([cell(lucky)], store, jobs=1, retries=2)
    assert ending(outcome, lucky) == ("ok", "")
    (attempt,) = json.loads((store.path(key(cell(lucky))) / "attempts.json").read_text())
    assert attempt["status"] == "crashed"
    assert attempt["reason"] == "the process ended with exit code 3: last words"
    assert attempt["seconds"] > 0
    assert "last words" in attempt["log"]


def test_attempts_that_failed_within_their_process_are_kept_too(store: Store):
    raising = stubs.Raising("memory")
    outcome = run_cells([cell(raising)], store, jobs=1, retries=1)
    assert ending(outcome, raising) == ("out_of_memory", "MemoryError: no room")
    (attempt,) = json.loads((store.path(key(cell(raising))) / "attempts.json").read_text())
    assert attempt["reason"] == "MemoryError: no room"
    assert store.finished(key(cell(raising)))


def test_what_cannot_end_better_is_not_tried_again(store: Store):
    spoiled = stubs.Spoiled("diverge")
    run_cells([cell(spoiled)], store, jobs=1, retries=3)
    assert not (store.path(key(cell(spoiled))) / "attempts.json").exists()


@pytest.mark.parametrize(
    ("learner", "reason"),
    [
        (Leaving(5), "the process ended with exit code 5: SystemExit: 5"),
        (Signalled(signal.SIGUSR1), "killed by SIGUSR1"),
        (Signalled(signal.SIGRTMIN + 3), f"killed by signal {signal.SIGRTMIN + 3}"),
    ],
    ids=repr,
)
def test_a_process_that_ends_early_is_a_crash_that_says_how(store: Store, learner: Learner, reason: str):
    assert ending(run_cells([cell(learner)], store, jobs=1), learner) == ("crashed", reason)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_that_are_for_the_whole_program_are_left_to_the_parent(store: Store, number: signal.Signals):
    assert ending(run_cells([cell(Signalled(number))], store, jobs=1), Signalled(number)) == ("ok", "")


def test_a_learner_that_overwrites_its_data_spoils_only_its_own(store: Store):
    path = location(LinearSpiral(), stubs.TINY, 0, store.root / "data")
    before = path.read_bytes()
    outcome = run_cells([cell(Meddling()), cell(stubs.Instant())], store, jobs=1)
    assert path.read_bytes() == before
    assert ending(outcome, stubs.Instant()) == ("ok", "")


@pytest.mark.parametrize(("by", "status"), [("diverge", "diverged"), ("misshape", "crashed"), ("refuse", "crashed")])
def test_forecasts_that_cannot_be_used_are_outcomes(store: Store, by: str, status: str):
    assert ending(run_cells([cell(stubs.Spoiled(by))], store, jobs=1), stubs.Spoiled(by))[0] == status


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with hardly any room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("only root can mount a small file system, where the machine lets it")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_the_run_and_damages_nothing(tiny_disk: Path, data: Path):
    store = Store(tiny_disk / "runs")
    shutil.copytree(data, store.root / "data")
    cells = [cell(stubs.Instant()), cell(Filling())]
    with pytest.raises(OSError, match="No space left") as caught:
        run_cells(cells, store, jobs=1)
    assert caught.value.errno == errno.ENOSPC
    assert store.finished(key(cells[0]))
    assert store.all_keys() == [key(cells[0])]
    assert [path.name for path in store.root.glob(".*")] == []


def test_a_damaged_cell_is_told_set_aside_and_computed_anew(store: Store):
    reasons: list[str] = []

    def notify(event: Event) -> None:
        if isinstance(event, Damaged):
            reasons.append(event.reason)

    name = key(cell(stubs.Instant()))
    run_cells([cell(stubs.Instant())], store, jobs=1)
    path = store.path(name) / "arrays.npz"
    path.write_bytes(path.read_bytes()[:-100])
    assert run_cells([cell(stubs.Instant())], store, jobs=1, notify=notify).computed == [name]
    assert f"{name}/arrays.npz does not match its checksum" in reasons[0]
    assert [entry.name.partition("-")[0] for entry in (store.root / "damaged").iterdir()] == [name]


def test_with_the_cache_alone_nothing_is_computed_and_without_it_everything(store: Store):
    cells = [cell(stubs.Instant()), cell(stubs.Instant(width=9))]
    run_cells(cells[:1], store, jobs=1)
    only = run_cells(cells, store, jobs=1, cache="only")
    assert (only.computed, list(only.records)) == ([], [key(cells[0])])
    assert sorted(run_cells(cells, store, jobs=1, cache="ignore").computed) == sorted(map(key, cells))


@pytest.mark.parametrize("name", ["Instant", "Instant[width=9]"])
def test_cells_of_one_learner_can_be_run_again_by_its_name(store: Store, name: str):
    cells = [cell(stubs.Instant(width=9)), cell(stubs.Untrained())]
    run_cells(cells, store, jobs=1)
    assert run_cells(cells, store, jobs=1, rerun=name).computed == [key(cells[0])]


@pytest.mark.parametrize(
    ("code", "log", "starved", "expected"),
    [
        (1, "x\nMemoryError\n", False, ("out_of_memory", "the process ended with exit code 1: MemoryError")),
        (-9, "", True, ("out_of_memory", "killed by SIGKILL, as memory ran out")),
        (-9, "", False, ("crashed", "killed by SIGKILL, as when memory runs out")),
        (
            -6,
            "terminate called: std::bad_alloc",
            False,
            ("out_of_memory", "killed by SIGABRT, after memory had run out"),
        ),
        (
            1,
            "ImportError: a.so: failed to map segment from shared object",
            False,
            (
                "out_of_memory",
                "the process ended with exit code 1: ImportError: a.so: failed to map segment from shared object",
            ),
        ),
        (-11, "", True, ("crashed", "killed by SIGSEGV")),
        (255, "", False, ("crashed", "the process ended with exit code 255")),
    ],
)
def test_the_cause_of_a_death_is_read_from_exit_code_log_and_system(
    code: int, log: str, starved: bool, expected: tuple[str, str]
):
    assert cause_of_death(code, log, starved) == expected


def test_kills_for_lack_of_memory_are_those_that_the_system_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    events = tmp_path / "memory.events"
    monkeypatch.setattr(outcomes, "EVENTS", events)
    assert memory_kills() == 0
    events.write_text("low 0\noom 3\noom_kill 2\n")
    assert memory_kills() == 2


def test_nothing_of_a_cell_says_that_it_is_what_it_is_not(store: Store):
    run_cells([cell(stubs.Instant())], store, jobs=1)
    about = store.environment(key(cell(stubs.Instant())))
    assert about["peak_bytes"] > 2**26
    assert about["cpu_seconds"] > 0
    assert about["finished"] >= about["started"]
    assert {"git", "driver", "threads", "command", "processor", "hostname"} <= about.keys()
    assert np.isfinite(store.cell(key(cell(stubs.Instant())))["seconds"])
