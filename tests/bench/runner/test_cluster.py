"""Cells on the workers of a dask cluster."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import Any, cast

import psutil
import pytest

pytest.importorskip("distributed")

from distributed import Client, LocalCluster

from bench.cells.cell import Cell
from bench.cells.data import SystemCell, dataset
from bench.cells.key import key, planned
from bench.errors import UserError
from bench.request import Conditions
from bench.runner import cluster, task
from bench.runner.events import Event, Finished, ignore
from bench.runner.outcomes import Interrupted, Outcome
from bench.runs import find_executor
from results import Store
from systems import LinearSpiral
from tests.support import stubs
from tests.support.misbehaving import Journaled
from tests.support.stubs import cell

SEED = random.SystemRandom().randrange(10**6)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    dataset(LinearSpiral(), stubs.TINY, 0, tmp_path / "runs" / "data")
    return Store(tmp_path / "runs")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster within this process, which takes milliseconds to start."""
    local = LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0")
    with local, Client(local):
        yield local.scheduler_address


class Noted:
    """Notes the order of events, and may raise at the first end."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.events: list[str] = []
        self.error = error

    def __call__(self, event: Event) -> None:
        self.events.append(type(event).__name__.lower())
        if self.error and isinstance(event, Finished):
            raise self.error


def run_on_cluster(
    address: str, cells: Sequence[Cell], store: Store, notify: Callable[[Event], None] = ignore, **conditions: Any
) -> Outcome:
    return cluster.run(address, planned(cells, store.root), store, Conditions(**conditions), notify)


def test_cells_run_on_a_cluster_end_as_they_do_at_home(store: Store, address: str):
    cells = [cell(learner) for learner in (stubs.Instant(), stubs.Raising(), stubs.Dying("segfault"))]
    noted = Noted()
    outcome = run_on_cluster(address, cells, store, notify=noted, timeout=60)
    statuses = [{record.status for record in outcome.records[key(each)]} for each in cells]
    assert statuses == [{"ok"}, {"crashed"}, {"crashed"}]
    assert sorted(outcome.computed) == sorted(map(key, cells))
    assert Counter(noted.events) == {"started": 3, "finished": 3}
    assert run_on_cluster(address, cells, store).computed == []


@pytest.mark.slow
def test_a_bounded_number_of_tasks_is_in_flight(store: Store, address: str, tmp_path: Path):
    cells = [cell(Journaled(str(tmp_path / "journal"), number)) for number in range(7)]
    noted = Noted()
    run_on_cluster(address, cells, store, notify=noted)
    assert noted.events[:5] == ["started"] * 4 + ["finished"]
    assert Counter(noted.events) == {"started": 7, "finished": 7}


def test_the_seconds_of_a_cell_are_those_of_its_worker_and_not_of_the_queue(store: Store, address: str):
    seconds: list[float] = []

    def notify(event: Event) -> None:
        if isinstance(event, Finished):
            seconds.append(event.seconds)

    begin = perf_counter()
    run_on_cluster(address, [cell(stubs.Instant(), seeds=(seed,)) for seed in range(8)], store, notify=notify)
    assert len(seconds) == 8
    assert 0 < sum(seconds) < 2 * (perf_counter() - begin)  # of two threads; in the queue they were as long again


def test_after_a_failure_fail_fast_submits_nothing_more(store: Store, address: str):
    cells = [cell(stubs.Raising(), seeds=(seed,)) for seed in range(6)]
    assert len(run_on_cluster(address, cells, store, fail_fast=True).computed) == 4


def test_an_interrupted_run_tells_what_came_of_it(store: Store, address: str):
    with pytest.raises(Interrupted) as caught:
        run_on_cluster(address, [cell(stubs.Instant())], store, notify=Noted(KeyboardInterrupt()))
    assert caught.value.outcome.computed == [key(cell(stubs.Instant()))]


def test_an_address_where_nobody_answers_is_a_mistake(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    with pytest.raises(UserError, match=r"no dask cluster with a worker answers at 127\.0\.0\.1:1"):
        run_on_cluster("127.0.0.1:1", [cell(stubs.Instant())], store)


def test_a_scheduler_file_leads_to_the_cluster(store: Store, address: str, tmp_path: Path):
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": address}))
    assert run_on_cluster(str(file), [cell(stubs.Instant())], store).computed == [key(cell(stubs.Instant()))]


def test_a_scheduler_file_that_never_comes_is_a_mistake(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    with pytest.raises(UserError, match="the scheduler file cannot be read"):
        run_on_cluster(str(tmp_path / "none.json"), [cell(stubs.Instant())], store)


def test_all_cells_of_a_machine_together_have_no_more_threads_than_it_has_cores(
    store: Store, address: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(task, "cores", lambda: 8)
    monkeypatch.setattr(SystemCell, "small", False)
    run_on_cluster(address, [cell(stubs.Instant())], store)
    assert store.environment(key(cell(stubs.Instant())))["threads"] == 4


def test_cells_for_a_gpu_need_a_worker_that_has_one(store: Store, address: str):
    with pytest.raises(UserError, match=r"no worker at .* offers a GPU: start some with --resources GPU=1"):
        run_on_cluster(address, [replace(cell(stubs.Instant()), device="cuda")], store)


@pytest.mark.slow
def test_workers_with_a_gpu_take_the_cells_that_need_it(store: Store):
    cells = [replace(cell(stubs.Instant()), device="cuda", seeds=(seed,)) for seed in range(2)]
    resources = {"GPU": 1}
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0", resources=resources
    ) as local:
        outcome = run_on_cluster(cast(LocalCluster, local).scheduler_address, cells, store)
    assert sorted(outcome.computed) == sorted(map(key, cells))


def test_what_a_worker_cannot_read_is_told_in_one_line(store: Store, address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster.pickle, "dumps", lambda job: b"no pickle")
    with pytest.raises(UserError, match="the workers of the cluster cannot run Instant: UnpicklingError"):
        run_on_cluster(address, [cell(stubs.Instant())], store)


def test_a_worker_with_other_files_than_the_run_was_planned_with_computes_nothing(store: Store, address: str):
    (now,) = planned([cell(stubs.Instant())], store.root)
    newer = replace(now, code=dict.fromkeys(now.code, "newer"))
    with pytest.raises(UserError, match=r"Instant on LinearSpiral, on .*: its files have changed since"):
        cluster.run(address, [newer], store, Conditions())
    assert store.all_keys() == []


def test_a_cluster_that_is_lost_is_told(store: Store, address: str, monkeypatch: pytest.MonkeyPatch):
    def fail(client: Client) -> None:
        raise OSError("timed out")

    monkeypatch.setattr(Client, "nthreads", fail)
    with pytest.raises(UserError, match="the dask cluster is lost; what is finished is kept"):
        run_on_cluster(address, [cell(stubs.Instant())], store)


def test_an_executor_that_does_not_exist_is_a_mistake():
    with pytest.raises(UserError, match=r"--executor is local, dask, dask://HOST:PORT or dask://FILE\.json, but is 's"):
        find_executor("slurm")
    for executor, address in (("dask://host:8786", "host:8786"), ("dask:///a/b.json", "/a/b.json"), ("dask", "")):
        found = find_executor(executor)
        assert isinstance(found, partial)
        assert found.args == (address,)


def workers() -> list[psutil.Process]:
    """The worker processes of a cluster of this machine."""
    return [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.slow
def test_the_cells_of_a_killed_worker_are_taken_over_and_die_with_it(store: Store, tmp_path: Path):
    journal, rng = tmp_path / "journal", random.Random(SEED)
    print(f"seed {SEED}")  # noqa: T201
    cells = [cell(Journaled(str(journal), number, seconds=1.0)) for number in range(8)]
    orphans: list[psutil.Process] = []

    def kill() -> None:
        while not journal.exists():
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 3))
        victim = rng.choice(workers())
        orphans.extend(victim.children(recursive=True))
        victim.kill()

    killer = Thread(target=kill)
    killer.start()
    outcome = run_on_cluster("", cells, store, jobs=2)
    killer.join()
    assert outcome.failed == []
    assert {key(each) for each in cells} == set(outcome.records)
    assert sum(1 for _ in journal.open()) <= len(cells) + 2
    assert psutil.wait_procs(orphans, timeout=10)[1] == []


SUITE = """
from bench.suite import Suite
from metrics import nrmse
from systems import LinearSpiral
from tests.support.misbehaving import Waiting
from tests.support.stubs import TINY, Instant

class Mine(Instant):
    pass

suite = Suite("mine", "", (LinearSpiral(),), (Mine(), Waiting({begun!r}, "never")), (nrmse,), sampling=TINY, seeds=1)
"""
ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_a_cluster_that_exists_runs_a_users_own_suite_and_when_it_is_lost_that_is_told(tmp_path: Path):
    file, begun = tmp_path / "scheduler.json", tmp_path / "begun"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cluster_suite.py").write_text(SUITE.format(begun=str(begun)))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    dask = [sys.executable, "-m", "distributed.cli"]
    options = {"env": environment, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    command = [sys.executable, "-m", "bench", "run", "--suite", "mine/cluster_suite.py", "--out", "runs", "-j", "1"]
    scheduler = subprocess.Popen(
        [*dask[:2], "distributed.cli.dask_scheduler", "--scheduler-file", str(file), "--no-dashboard", "--port", "0"],
        cwd="/", **options,  # type: ignore[call-overload]
    )  # fmt: skip
    worker = subprocess.Popen(
        [*dask[:2], "distributed.cli.dask_worker", "--scheduler-file", str(file), "--nthreads", "2", "--no-dashboard"],
        cwd="/", **options,  # type: ignore[call-overload]
    )  # fmt: skip
    running = subprocess.Popen(
        [*command, "--executor", f"dask://{file}"],
        cwd=tmp_path, **options,  # type: ignore[call-overload]
    )  # fmt: skip
    try:
        store = Store(tmp_path / "runs")
        while not begun.exists() or not store.all_keys():
            assert running.poll() is None, running.communicate()[0]
            time.sleep(0.1)
        assert f"--executor dask://{file}" in store.environment(store.all_keys()[0])["command"]
        family = [
            process for one in (scheduler, worker) for process in psutil.Process(one.pid).children(recursive=True)
        ]
        scheduler.kill()
        worker.kill()
        said = running.communicate(timeout=200)[0]
    finally:
        for process in (running, worker, scheduler):
            process.kill()
            process.communicate()
    assert running.returncode == 2, said
    assert "error: the dask cluster is lost; what is finished is kept, and the same command resumes" in said
    assert "Traceback" not in said
    assert psutil.wait_procs(family, timeout=60)[1] == []
