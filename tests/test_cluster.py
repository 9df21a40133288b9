"""Cells on the workers of a dask cluster."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Thread

import psutil
import pytest

pytest.importorskip("distributed")

from distributed import Client, LocalCluster

from bench import cluster
from bench.cell import Cell
from bench.commands.run import _runner
from bench.data import dataset
from bench.errors import UserError
from bench.key import key
from bench.outcomes import Interrupted, Silent
from results import Record, Store
from systems import LinearSpiral
from tests import stubs
from tests.misbehaving import Journaled
from tests.stubs import cell

SEED = random.SystemRandom().randrange(10**6)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    dataset(LinearSpiral(), stubs.TINY, 0, tmp_path / "runs" / "data")
    return Store(tmp_path / "runs")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster within this process, which takes milliseconds to start."""
    local = LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address="")
    with local, Client(local):
        yield local.scheduler_address


class Noted(Silent):
    """Notes the order of events, and may raise at the first end."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.events: list[str] = []
        self.error = error

    def started(self, cell: Cell, key: str) -> None:
        self.events.append("started")

    def finished(self, cell: Cell, key: str, records: Sequence[Record], seconds: float) -> None:
        self.events.append("finished")
        if self.error:
            raise self.error


def test_cells_run_on_a_cluster_end_as_they_do_at_home(store: Store, address: str):
    cells = [cell(learner) for learner in (stubs.Instant(), stubs.Raising(), stubs.Dying("segfault"))]
    noted = Noted()
    outcome = cluster.run(address, cells, store, 1, observer=noted, timeout=60)
    statuses = [{record.status for record in outcome.records[key(each)]} for each in cells]
    assert statuses == [{"ok"}, {"crashed"}, {"crashed"}]
    assert sorted(outcome.computed) == sorted(map(key, cells))
    assert Counter(noted.events) == {"started": 3, "finished": 3}
    assert cluster.run(address, cells, store, 1).computed == []


def test_a_bounded_number_of_tasks_is_in_flight(store: Store, address: str, tmp_path: Path):
    cells = [cell(Journaled(str(tmp_path / "journal"), number)) for number in range(7)]
    noted = Noted()
    cluster.run(address, cells, store, 1, observer=noted)
    assert noted.events[:5] == ["started"] * 4 + ["finished"]
    assert Counter(noted.events) == {"started": 7, "finished": 7}


def test_after_a_failure_fail_fast_submits_nothing_more(store: Store, address: str):
    cells = [cell(stubs.Raising(), seeds=(seed,)) for seed in range(6)]
    assert len(cluster.run(address, cells, store, 1, fail_fast=True).computed) == 4


def test_an_interrupted_run_tells_what_came_of_it(store: Store, address: str):
    with pytest.raises(Interrupted) as caught:
        cluster.run(address, [cell(stubs.Instant())], store, 1, observer=Noted(KeyboardInterrupt()))
    assert caught.value.outcome.computed == [key(cell(stubs.Instant()))]


def test_an_address_where_nobody_answers_is_a_mistake(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    with pytest.raises(UserError, match=r"no dask cluster with a worker answers at 127\.0\.0\.1:1"):
        cluster.run("127.0.0.1:1", [cell(stubs.Instant())], store, 1)


def test_an_executor_that_does_not_exist_is_a_mistake():
    with pytest.raises(UserError, match="--executor is local, dask or dask://HOST:PORT, but is 'slurm'"):
        _runner("slurm")
    for executor, address in (("dask://host:8786", "host:8786"), ("dask", "")):
        found = _runner(executor)
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
    outcome = cluster.run("", cells, store, 2)
    killer.join()
    assert outcome.failed == []
    assert {key(each) for each in cells} == set(outcome.records)
    assert sum(1 for _ in journal.open()) <= len(cells) + 2
    assert psutil.wait_procs(orphans, timeout=10)[1] == []
