"""The runner: whatever a cell does to itself, every other result is kept, and the failure is a result too."""

import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import forkserver
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Any

import psutil
import pytest

from bench.cells.cell import Cell
from bench.cells.data import SystemCell, dataset, location
from bench.cells.key import digest, key, planned
from bench.errors import UserError
from bench.machine.environment import default_jobs
from bench.request import Conditions
from bench.runner import processes
from bench.runner.events import Damaged, Finished
from bench.runner.events import Event as RunEvent
from bench.runner.outcomes import Interrupted, Outcome
from bench.runner.run import Scheduler
from bench.runner.supervisor import keep_failure, supervise
from bench.runner.task import Report, Stop, Task, threads_of
from learners import Learner
from metrics import Evidence, Metric
from results import Measurement, Record, Store
from results.store.lease import Lease
from systems import LinearSpiral
from tests.support import in_processes, stubs
from tests.support.misbehaving import wait_for
from tests.support.running import run_cells
from tests.support.stubs import cell

LATE = 6  # seconds after which a cell is stopped: many times what any other takes
Told = list[tuple[str, str]]


@dataclass
class Listener:
    """Notes what it is told, and may do something at a certain event."""

    told: Told = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    at: tuple[str, str] = ("", "")
    do: Callable[[], None] = lambda: None

    def __call__(self, event: RunEvent) -> None:
        label = event.planned.cell.learner_label
        if isinstance(event, Damaged):
            self.reasons.append(event.reason)
        if isinstance(event, Finished):
            self.seconds[label] = event.seconds
        self.told.append((type(event).__name__.lower(), label))
        if self.told[-1] == self.at:
            self.do()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the dataset of the stub cells."""
    folder = tmp_path_factory.mktemp("shared")
    dataset(LinearSpiral(), stubs.TINY, 0, folder)
    return folder


@pytest.fixture
def store(tmp_path: Path, data: Path) -> Store:
    """An empty store, with the dataset of the stub cells beside it."""
    shutil.copytree(data, tmp_path / "runs" / "data")
    return Store(tmp_path / "runs")


def statuses(outcome: Outcome, learner: Learner) -> list[tuple[str, str]]:
    return [(record.status, record.reason) for record in outcome.records[key(cell(learner))]]


def left_over(store: Store) -> list[str]:
    """What lies in the store beside finished things: half-written cells, and leases."""
    known = ("cells", "data", "fits", "store.json", "leases")
    beside = [path.name for path in store.root.iterdir() if path.name not in known]
    leases = store.root / "leases"
    return beside + [path.name for path in (leases.iterdir() if leases.exists() else ()) if path.suffix != ".lock"]


CRASHES = (stubs.Dying("segfault"), stubs.Dying("kill"), stubs.Dying("exit"), stubs.Raising(), stubs.Sleeping())
GOOD = (stubs.Instant(), stubs.Instant(width=9))


@dataclass(frozen=True)
class Mixed:
    """A run of good and of failing cells that has come to its end."""

    store: Store
    outcome: Outcome
    listener: Listener


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Mixed:
    """Failing cells among good ones, two at a time."""
    root = tmp_path_factory.mktemp("mixed")
    shutil.copytree(data, root / "data")
    store, listener = Store(root), Listener()
    cells = [cell(learner) for learner in (GOOD[0], *CRASHES, GOOD[1])]
    return Mixed(store, run_cells(cells, store, jobs=2, timeout=LATE, notify=listener), listener)


def test_every_cell_is_kept_whatever_became_of_it(mixed: Mixed):
    keys = [key(cell(learner)) for learner in (*GOOD, *CRASHES)]
    assert all(mixed.store.finished(name) for name in keys)
    assert sorted(mixed.outcome.records) == sorted(mixed.outcome.computed) == sorted(keys)
    assert {name: mixed.store.records(name) for name in keys} == mixed.outcome.records
    assert sorted(mixed.outcome.failed) == sorted(keys[2:])
    assert left_over(mixed.store) == []


@pytest.mark.parametrize("learner", GOOD, ids=repr)
def test_a_good_cell_is_not_troubled_by_its_neighbours(mixed: Mixed, learner: Learner):
    assert statuses(mixed.outcome, learner) == [("ok", ""), ("ok", "")]


@pytest.mark.parametrize(
    ("learner", "status", "reason"),
    [
        (stubs.Dying("segfault"), "crashed", "killed by SIGSEGV"),
        (stubs.Dying("kill"), "crashed", "killed by SIGKILL, as when memory runs out"),
        (stubs.Dying("exit"), "crashed", "the process ended with exit code 3: last words"),
        (stubs.Raising(), "crashed", "ValueError: width must be even, but is 7"),
        (stubs.Sleeping(), "timeout", f"not done after {LATE} s"),
    ],
    ids=repr,
)
def test_a_failure_is_a_record_with_a_reason_for_every_seed(mixed: Mixed, learner: Learner, status: str, reason: str):
    records = mixed.outcome.records[key(cell(learner))]
    assert [(record.seed, record.status, record.reason) for record in records] == [
        (0, status, reason),
        (1, status, reason),
    ]
    empty = tuple(Measurement(metric.name, None, metric.unit, metric.better) for metric in stubs.METRICS)
    assert {record.measurements for record in records} == {empty}


@pytest.mark.parametrize(
    ("learner", "lines"),
    [
        (
            stubs.Dying("segfault"),
            ["last words", "Fatal Python error: Segmentation fault", "crashed: killed by SIGSEGV"],
        ),
        (stubs.Raising(), ["about to fail", "Traceback (most recent call last):", "ValueError: width must be even,"]),
        (stubs.Sleeping(), ["going to sleep", f"timeout: not done after {LATE} s"]),
        (stubs.Instant(), []),
    ],
    ids=repr,
)
def test_the_log_has_all_that_the_process_wrote(mixed: Mixed, learner: Learner, lines: list[str]):
    log = mixed.store.log(key(cell(learner))).splitlines()
    assert [line for line in log if line in lines] == lines
    assert bool(log) == bool(lines)


@pytest.mark.parametrize("learner", [GOOD[0], CRASHES[0]], ids=repr)
def test_every_file_of_a_cell_can_be_read_back(mixed: Mixed, learner: Learner):
    name = key(cell(learner))
    about = mixed.store.cell(name)
    assert (about["key"], about["learner"], about["digest"]) == (
        name,
        cell(learner).learner_label,
        digest(cell(learner)),
    )
    assert about["seconds"] > 0
    assert mixed.store.environment(name)["threads"] == 1
    assert bool(mixed.store.arrays(name)) == (learner is GOOD[0])
    assert len(mixed.store.curve(name)) == (4 if learner is GOOD[0] else 0)


def test_each_cell_is_started_and_finished_once(mixed: Mixed):
    labels = [cell(learner).learner_label for learner in (*GOOD, *CRASHES)]
    told = [(event, label) for label in labels for event in ("started", "finished")]
    assert sorted(mixed.listener.told) == sorted(told)
    assert mixed.listener.told[0] == ("started", "Instant")
    assert mixed.listener.seconds["Sleeping"] >= LATE


def test_a_second_run_runs_nothing(mixed: Mixed):
    listener = Listener()
    again = run_cells([cell(learner) for learner in (*GOOD, *CRASHES)], mixed.store, jobs=1, notify=listener)
    assert again.computed == []
    assert again.records == mixed.outcome.records
    assert {event for event, _ in listener.told} == {"cached"}


def test_two_runs_agree_in_all_but_times(mixed: Mixed, store: Store):
    name = key(cell(GOOD[0]))
    other = run_cells([cell(GOOD[0])], store, jobs=1)

    def timeless(outcome: Outcome) -> list[Record]:
        kept = [[m for m in record.measurements if m.metric not in stubs.TIMES] for record in outcome.records[name]]
        return [
            replace(record, measurements=m) for record, m in zip(outcome.records[name], map(tuple, kept), strict=True)
        ]

    assert timeless(other) == timeless(mixed.outcome)
    assert (store.path(name) / "arrays.npz").read_bytes() == (mixed.store.path(name) / "arrays.npz").read_bytes()


def test_missing_data_are_made_once_for_all_cells_that_need_them(tmp_path: Path):
    outcome = run_cells([cell(learner) for learner in GOOD], Store(tmp_path), jobs=2)
    assert outcome.failed == []
    assert list((tmp_path / "data").glob("*.npz")) == [location(LinearSpiral(), stubs.TINY, 0, tmp_path / "data")]


def test_data_that_cannot_be_made_fail_the_cells_that_need_them(store: Store):
    unsolvable = replace(cell(GOOD[0]), system=stubs.Unsolvable())
    outcome = run_cells([unsolvable, cell(GOOD[1])], store, jobs=1)
    assert [record.reason for record in outcome.records[key(unsolvable)]] == ["FloatingPointError: no timescale"] * 2
    assert statuses(outcome, GOOD[1]) == [("ok", "")] * 2


def test_the_same_cell_twice_is_run_once(store: Store):
    listener = Listener()
    run_cells([cell(GOOD[0]), cell(GOOD[0])], store, jobs=2, notify=listener)
    assert listener.told == [("started", "Instant"), ("finished", "Instant")]


def test_fail_fast_starts_nothing_after_a_failure(store: Store):
    cells = [cell(learner) for learner in (stubs.Raising(), *GOOD)]
    outcome = run_cells(cells, store, jobs=1, fail_fast=True)
    assert outcome.computed == outcome.failed == [key(cells[0])]
    assert not store.finished(key(cells[1]))


def test_a_retry_after_a_crash_may_end_well(store: Store, tmp_path: Path):
    lucky, listener = stubs.Dying(flag=str(tmp_path / "flag")), Listener()
    outcome = run_cells([cell(lucky)], store, jobs=1, retries=1, notify=listener)
    assert statuses(outcome, lucky) == [("ok", "")] * 2
    assert [event for event, _ in listener.told] == ["started", "finished"]


def test_the_last_of_several_crashes_says_how_many_attempts_there_were(store: Store):
    outcome = run_cells([cell(CRASHES[0])], store, jobs=1, retries=2)
    assert statuses(outcome, CRASHES[0]) == [("crashed", "killed by SIGSEGV (attempt 3)")] * 2


def test_rerun_computes_failed_cells_or_all_of_them_anew(store: Store, tmp_path: Path):
    lucky = stubs.Dying(flag=str(tmp_path / "flag"))
    cells = [cell(lucky), cell(GOOD[0])]
    assert run_cells(cells, store, jobs=1).failed == [key(cells[0])]
    assert run_cells(cells, store, jobs=1, rerun="").computed == []
    second = run_cells(cells, store, jobs=1, rerun="failed")
    assert (second.computed, second.failed) == ([key(cells[0])], [])
    assert run_cells(cells, store, jobs=1, rerun="failed").computed == []
    assert run_cells(cells, store, jobs=1, rerun="all").computed == [key(each) for each in cells]


def test_a_damaged_cell_is_run_again(store: Store):
    name = key(cell(GOOD[0]))
    run_cells([cell(GOOD[0])], store, jobs=1)
    (store.path(name) / "records.json").write_text("[]")
    outcome = run_cells([cell(GOOD[0])], store, jobs=1)
    assert outcome.computed == [name]
    assert statuses(outcome, GOOD[0]) == [("ok", "")] * 2


MINE = """
from dataclasses import dataclass
from tests.support.stubs import Instant

@dataclass(frozen=True)
class Mine(Instant):
    width: int = {width}

    @property
    def twice(self):
        return {twice} * self.width
"""


def test_a_cell_whose_files_change_while_a_run_goes_on_is_not_kept_under_the_wrong_key(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "mine_that_changes.py"
    file.write_text(MINE.format(width=8, twice=2))
    mine = cell(importlib.import_module(file.stem).Mine())
    planned = key(mine)

    def edit() -> None:
        file.write_text(MINE.format(width=8, twice=3))

    listener = Listener(at=("finished", "Instant"), do=edit)
    outcome = run_cells([cell(GOOD[0]), mine, cell(GOOD[1])], store, jobs=1, notify=listener)
    assert [record.status for record in outcome.records[planned]] == ["crashed", "crashed"]
    assert "files have changed since the run was planned" in outcome.records[planned][0].reason
    assert store.all_keys() == sorted(map(key, (cell(GOOD[0]), cell(GOOD[1]))))
    assert key(mine) != planned
    assert run_cells([mine], store, jobs=1).computed == [key(mine)]


def interrupt() -> None:
    raise KeyboardInterrupt


def test_an_interrupted_run_keeps_what_is_finished_and_leaves_nothing_else(store: Store):
    cells = [cell(learner) for learner in (stubs.Sleeping(), *GOOD)]
    with pytest.raises(Interrupted) as caught:
        run_cells(cells, store, jobs=2, notify=Listener(at=("finished", "Instant"), do=interrupt))
    assert caught.value.outcome.computed == [key(cells[1])]
    assert [store.finished(key(each)) for each in cells] == [False, True, False]
    assert left_over(store) == []
    assert multiprocessing.active_children() == []
    resumed = run_cells(cells[1:], store, jobs=1)
    assert resumed.computed == [key(cells[2])]


def test_an_error_of_the_caller_ends_all_processes(store: Store):
    def fail() -> None:
        raise RuntimeError("the display broke")

    listener = Listener(at=("finished", "Instant"), do=fail)
    with pytest.raises(RuntimeError, match="the display broke"):
        run_cells([cell(stubs.Sleeping()), cell(GOOD[0])], store, jobs=2, notify=listener)
    assert left_over(store) == []
    assert multiprocessing.active_children() == []


def test_a_cell_that_no_process_can_be_sent_is_named_before_anything_starts(store: Store):
    def local(evidence: Evidence) -> float:
        return 0.0

    listener = Listener()
    unsendable = cell(GOOD[0], metrics=(Metric("local", "", "lower", local),))
    with pytest.raises(UserError, match="Instant on LinearSpiral cannot be sent to another process"):
        run_cells([cell(GOOD[1]), unsendable], store, jobs=1, notify=listener)
    assert listener.told == []


def test_without_jobs_there_is_no_run(store: Store):
    with pytest.raises(ValueError, match="--jobs must be at least 1, but is 0"):
        run_cells([cell(GOOD[0])], store, jobs=0)


def test_small_networks_take_one_thread_and_others_share_out_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bench.runner.task.cores", lambda: 8)
    task = Task(planned([cell(GOOD[0])], tmp_path)[0])
    assert [threads_of(task, Conditions(), jobs) for jobs in (1, 3)] == [1, 1]
    assert threads_of(task, Conditions(threads=3), 1) == 3
    monkeypatch.setattr(SystemCell, "small", False)
    assert [threads_of(task, Conditions(), jobs) for jobs in (1, 3, 9)] == [8, 2, 1]


def test_default_jobs_fit_the_cores_and_the_memory(monkeypatch: pytest.MonkeyPatch):
    @dataclass
    class Memory:
        available: float

    monkeypatch.setattr("bench.machine.environment.cores", lambda: 8)
    for gibibytes, jobs in ((100, 8), (7, 4), (1, 1)):
        memory = Memory(gibibytes * 2**30)
        monkeypatch.setattr(psutil, "virtual_memory", lambda memory=memory: memory)
        assert default_jobs() == jobs


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fork servers that come up at once, as they import nothing."""
    processes.end_server()
    monkeypatch.setattr(processes, "PRELOADED", ("bench.runner.fork_server",))
    yield
    processes.end_server()


def tasks_of(*cells: Cell, store: Store) -> list[Task]:
    return [Task(one) for one in planned(cells, store.root)]


def test_cells_that_another_run_has_finished_by_now_are_not_waited_for(store: Store):
    (task,) = tasks_of(cell(GOOD[0]), store=store)
    assert keep_failure(task, store, "crashed", "as the other run found", "", threads=1)
    outcome, listener = Outcome(), Listener()
    work = Thread(target=Scheduler(store, Conditions(), 1, listener, [task], outcome).run, daemon=True)
    work.start()
    work.join(60)
    assert not work.is_alive()
    assert list(outcome.records) == [task.planned.key]
    assert outcome.computed == []
    assert listener.told == [("cached", "Instant")]


def start_and_end(**options: Any) -> processes.Ended:
    return processes.run_process(in_processes.do_nothing, threads=1, **options)


@pytest.mark.usefixtures("light")
def test_a_fork_server_that_is_behind_the_files_is_replaced(store: Store, monkeypatch: pytest.MonkeyPatch):
    (task,) = tasks_of(cell(GOOD[0]), store=store)
    servers = []

    def outdated_at_first(*arguments: Any, **options: Any) -> processes.Ended:
        ended = start_and_end()
        servers.append(ended.server)
        report = Report("server_outdated" if len(servers) == 1 else "plan_outdated")
        return ended._replace(reports=[report])

    monkeypatch.setattr("bench.runner.supervisor.run_process", outdated_at_first)
    outcome = supervise(task, store, Conditions(), 1, Stop())
    assert list(outcome.records) == [task.planned.key]
    first, second = servers
    assert first != second
    processes.end_server(first)
    assert processes.is_alive(second)


@pytest.mark.usefixtures("light")
def test_a_fork_server_that_dies_while_it_comes_up_is_replaced(monkeypatch: pytest.MonkeyPatch):
    deaths = [1, 2]

    def fatal(server: forkserver.ForkServer, fds: list[int]) -> Any:
        server.ensure_running()
        while deaths and not processes.fork_servers():
            time.sleep(0.01)  # it has been forked, but is not yet another program
        if deaths:
            deaths.pop()
            processes.end_server()
        return connect(server, fds)

    connect = forkserver.ForkServer.connect_to_new_process
    monkeypatch.setattr(forkserver.ForkServer, "connect_to_new_process", fatal)
    monkeypatch.setattr(forkserver, "connect_to_new_process", partial(fatal, forkserver._forkserver))  # type: ignore[attr-defined]
    while deaths:  # where death was noticed at once, one start survives one death only
        ended = start_and_end()
        assert processes.is_alive(ended.server)
        assert ended.exit_code == 0
        assert not ended.is_lost


@pytest.mark.usefixtures("light")
def test_a_fork_server_that_has_come_up_by_itself_is_deaf_and_has_the_threads_of_ours():
    first = start_and_end()
    processes.end_server()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "7")
        second = processes.run_process(in_processes.tell_surroundings, threads=3)
    assert second.server != first.server
    assert second.reports == [("3", signal.SIG_IGN, signal.SIG_IGN)]


@pytest.mark.usefixtures("light")
def test_a_process_whose_fork_server_dies_is_lost_and_killed():
    found = []

    def kill_server() -> None:
        while not (found_now := processes.fork_servers()) or not found_now[0].children():
            time.sleep(0.01)
        found.extend(found_now[0].children())
        processes.end_server()

    killer = Thread(target=kill_server)
    killer.start()
    ended = processes.run_process(in_processes.sleep_long, threads=1)
    killer.join()
    assert ended.is_lost
    assert psutil.wait_procs(found, timeout=10)[1] == []


@pytest.mark.usefixtures("light")
def test_a_process_that_ends_with_the_exit_code_of_lost_ones_is_not_lost():
    ended = processes.run_process(in_processes.leave, threads=1)
    assert (ended.exit_code, ended.is_lost) == (processes.SERVER_DIED, False)


def test_nobody_waits_for_a_fork_server_once_the_run_is_stopped(monkeypatch: pytest.MonkeyPatch):
    processes.end_server()
    monkeypatch.setattr(processes, "PRELOADED", ("tests.support.slow_to_import",))
    stop, ended = Event(), []
    start = Thread(target=lambda: ended.append(start_and_end(stop=stop)))
    start.start()
    while not processes.fork_servers():
        time.sleep(0.01)
    begun = perf_counter()
    stop.set()
    processes.abandon_start()
    start.join()
    assert perf_counter() - begun < 30
    assert ended[0].exit_code is None
    processes.end_server()


@pytest.mark.usefixtures("light")
def test_processes_that_end_while_others_start_keep_their_exit_codes():
    with ThreadPoolExecutor(8) as pool:
        ended = list(
            pool.map(lambda number: processes.run_process(in_processes.exit_with, number, threads=1), range(40))
        )
    assert [one.exit_code for one in ended] == list(range(40))
    assert not any(one.is_lost for one in ended)


@pytest.mark.usefixtures("light")
def test_threads_that_a_cell_leaves_behind_do_not_keep_its_process(tmp_path: Path):
    begun = perf_counter()
    ended = processes.run_process(in_processes.leave_a_thread, str(tmp_path / "done"), threads=1, timeout=60)
    assert (tmp_path / "done").exists()
    assert (ended.exit_code, ended.is_late) == (0, False)
    assert perf_counter() - begun < 60


@pytest.mark.slow
def test_a_cell_that_takes_its_fork_server_with_it_ends_and_takes_no_other_with_it(store: Store, data: Path):
    cells = [cell(learner) for learner in (ServerKiller(), GOOD[0], GOOD[1])]
    outcome = run_cells(cells, store, jobs=2)
    killer, *others = (outcome.records[key(each)] for each in cells)
    assert {record.status for record in killer} == {"crashed"}
    assert "its fork server died with it, again and again" in killer[0].reason
    assert {record.status for records in others for record in records} == {"ok"}


@dataclass(frozen=True)
class ServerKiller(stubs.Instant):
    """Takes the fork server with it, each time."""

    def fit_replicas(self, dataset: Any, budget: Any, seeds: Any) -> Any:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
        return super().fit_replicas(dataset, budget, seeds)


@pytest.mark.slow
def test_a_result_that_was_to_be_replaced_is_not_taken_for_the_new_one(store: Store):
    (name,) = run_cells([cell(GOOD[0])], store, jobs=1).computed
    held, lease = Event(), Lease(store, name)

    def hold() -> None:
        lease.acquire()
        held.set()
        time.sleep(1)
        lease.release()

    other = Thread(target=hold)
    other.start()
    held.wait()
    assert run_cells([cell(GOOD[0])], store, jobs=1, rerun="all").computed == [name]
    other.join()


def test_what_fails_as_its_files_are_being_edited_is_not_kept(store: Store, monkeypatch: pytest.MonkeyPatch):
    def half_written(cell: Cell) -> dict[str, str]:
        raise SyntaxError("a file is being edited")

    def crash(*arguments: Any, **options: Any) -> processes.Ended:
        return processes.Ended(1, 1.0, 1.0, [], 0, is_late=False, is_lost=False)

    (task,) = tasks_of(cell(GOOD[0]), store=store)
    monkeypatch.setattr("bench.runner.worker.digest", half_written)
    monkeypatch.setattr("bench.runner.supervisor.run_process", crash)
    outcome = supervise(task, store, Conditions(), 1, Stop())
    (record, *_) = outcome.records[task.planned.key]
    assert "its files have changed" in record.reason
    assert outcome.computed == []
    assert not store.finished(task.planned.key)


def test_after_a_failure_that_ends_the_run_nothing_is_begun_again(store: Store, monkeypatch: pytest.MonkeyPatch):
    stop, attempts = Stop(), []

    def crash(*arguments: Any, **options: Any) -> processes.Ended:
        attempts.append(1)
        stop.soon.set()
        return processes.Ended(1, 1.0, 1.0, [], 0, is_late=False, is_lost=False)

    monkeypatch.setattr("bench.runner.supervisor.run_process", crash)
    (task,) = tasks_of(cell(GOOD[0]), store=store)
    outcome = supervise(task, store, Conditions(retries=3), 1, stop)
    assert attempts == [1]
    assert outcome.failed == [task.planned.key]


@pytest.mark.slow
def test_cells_of_other_data_are_not_held_up_by_data_in_the_making(tmp_path: Path):
    store, listener = Store(tmp_path), Listener()
    slow = replace(cell(GOOD[0]), system=SlowToSample(go=str(tmp_path / "go")))
    other = replace(cell(GOOD[1]), data_seed=1)
    listener.at, listener.do = ("finished", GOOD[1].__class__.__name__ + "[width=9]"), (tmp_path / "go").touch
    outcome = run_cells([slow, replace(slow, learner=stubs.Untrained()), other], store, listener, jobs=2)
    assert len(outcome.computed) == 3
    assert listener.told[:2] == [("started", "Instant[width=9]"), ("finished", "Instant[width=9]")]


@dataclass(frozen=True)
class SlowToSample(LinearSpiral):
    """A system whose data are there only when a file is."""

    go: str = ""

    @property
    def timescale(self) -> float:
        wait_for(Path(self.go))
        return super().timescale


def test_numbers_that_no_file_can_hold_are_refused_before_anything_runs():
    with pytest.raises(TypeError, match="no key can be made of inf"):
        key(cell(stubs.Instant(width=float("inf"))))  # type: ignore[arg-type]
