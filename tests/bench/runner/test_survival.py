"""Whatever is killed, and whenever: nothing finished is lost or computed twice, and the results are the same."""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path
from threading import Thread

import pandas as pd
import psutil
import pytest

from bench.cells.data import dataset
from bench.cells.key import planned
from bench.planning.manifest import manifest
from bench.runner import processes
from bench.runner.outcomes import Outcome
from bench.suite import Suite
from results import Store
from results.store.lease import leased
from results.store.run import Run, write_csv
from systems import LinearSpiral
from tests.support import in_processes, stubs
from tests.support.misbehaving import Journaled
from tests.support.running import run_cells

CELLS, JOBS = 6, 2
FEW, MANY = 1, 50  # moments at which something is killed
SEED = random.SystemRandom().randrange(10**6)


class Scene:
    """A small suite, a store, and a journal of all cells that were begun."""

    def __init__(self, folder: Path, journal: Path) -> None:
        self.journal, self.store = journal, Store(folder / "runs")
        learners = tuple(Journaled(str(journal), number) for number in range(CELLS))
        self.suite = Suite(
            "tiny", "", (LinearSpiral(),), learners, stubs.METRICS, sampling=stubs.TINY, seeds=2, data_seed=0
        )
        self.cells = self.suite.cells()
        self.planned = planned(self.cells, self.store.root)
        self.keys = [one.key for one in self.planned]
        journal.write_text("")
        dataset(LinearSpiral(), stubs.TINY, 0, self.store.root / "data")

    def run(self) -> Outcome:
        return run_cells(self.cells, self.store, jobs=JOBS)

    def begun(self) -> Counter[int]:
        """How often each cell was begun."""
        return Counter(int(line.split()[0]) for line in self.journal.read_text().splitlines())

    def finished(self) -> set[int]:
        return {number for number, key in enumerate(self.keys) if self.store.finished(key)}

    def results(self) -> pd.DataFrame:
        """What results.csv has, but for times and memory."""
        folder = self.store.root / "tiny"
        folder.mkdir(exist_ok=True)
        about = manifest(self.suite, self.planned, "standard", {"command": ""})
        (folder / "manifest.json").write_text(json.dumps(about))
        frame = pd.read_csv(write_csv(Run.load(folder).frame(), folder / "results.csv"))
        return frame.loc[~frame["metric"].isin(stubs.TIMES)].reset_index(drop=True)

    def left_over(self) -> list[str]:
        wait_until(lambda: not leased(self.store))  # asking clears away those of the dead, empty ones after two seconds
        half_written = [path.name for path in self.store.root.glob(".*")]
        return half_written + [path.name for path in (self.store.root / "leases").glob("*.lease")]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journal") / "journal.txt"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, journal: Path) -> tuple[pd.DataFrame, float]:
    """The results of a run to which nothing happens, and the seconds that it takes."""
    scene = Scene(tmp_path_factory.mktemp("undisturbed"), journal)
    processes.run_process(in_processes.do_nothing, threads=1)
    begin = time.perf_counter()
    scene.run()
    assert scene.begun() == Counter(dict.fromkeys(range(CELLS), 1))
    return scene.results(), time.perf_counter() - begin


@pytest.fixture
def scene(tmp_path: Path, journal: Path, undisturbed: tuple[pd.DataFrame, float]) -> Scene:
    return Scene(tmp_path, journal)


def moments(seconds: float, count: int) -> list[float]:
    """When to kill something, as drawn from a seed that is printed."""
    print(f"seed {SEED}")  # noqa: T201
    rng = random.Random(SEED)
    return [rng.uniform(0, seconds) for _ in range(count)]


def start_runner(scene: Scene) -> int:
    """A process that runs the suite, with the fork server of this one; its identifier."""
    pid = os.fork()
    if pid == 0:
        forkserver._forkserver.ensure_running = lambda: None  # type: ignore[attr-defined]  # it is its parent's
        try:
            scene.run()
        finally:
            os._exit(0)
    return pid


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "this has to come true, and has not in 30 s"
        time.sleep(0.01)


def cells_at_work() -> list[psutil.Process]:
    """The processes that the fork server has started."""
    return [child for server in processes.fork_servers() for child in server.children()]


def check_resumed(scene: Scene, expected: pd.DataFrame) -> None:
    """After resuming, all is there, and none that was finished before was begun again."""
    finished, before = scene.finished(), scene.begun()
    outcome = scene.run()
    again = scene.begun() - before
    assert not finished & again.keys()
    assert set(outcome.computed) == {key for number, key in enumerate(scene.keys) if number not in finished}
    pd.testing.assert_frame_equal(scene.results(), expected)
    assert scene.left_over() == []


def check_killed_runner(scene: Scene, moment: float, expected: pd.DataFrame) -> None:
    pid = start_runner(scene)
    time.sleep(moment)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_until(lambda: not cells_at_work())
    check_resumed(scene, expected)


def test_a_killed_runner_takes_its_processes_with_it_and_the_next_one_goes_on(
    tmp_path: Path, journal: Path, undisturbed: tuple[pd.DataFrame, float]
):
    expected, seconds = undisturbed
    for number, moment in enumerate(moments(seconds, FEW)):
        check_killed_runner(Scene(tmp_path / str(number), journal), moment, expected)


@pytest.mark.slow
def test_a_runner_may_be_killed_at_any_moment(tmp_path: Path, journal: Path, undisturbed: tuple[pd.DataFrame, float]):
    expected, seconds = undisturbed
    for number, moment in enumerate(moments(seconds, MANY)):
        check_killed_runner(Scene(tmp_path / str(number), journal), moment, expected)


def kill_later(victims: Callable[[], list[psutil.Process]], moment: float) -> tuple[Thread, list[int]]:
    """Kill one of the processes that there are at a moment."""
    killed: list[int] = []

    def kill() -> None:
        time.sleep(moment)
        for victim in victims()[:1]:
            victim.kill()
            killed.append(victim.pid)

    thread = Thread(target=kill)
    thread.start()
    return thread, killed


def check_killed_worker(scene: Scene, moment: float, expected: pd.DataFrame) -> None:
    thread, killed = kill_later(cells_at_work, moment)
    outcome = scene.run()
    thread.join()
    assert len(outcome.failed) <= len(killed)
    for key in outcome.failed:
        assert {record.status for record in outcome.records[key]} == {"crashed"}
    finished, before = scene.finished() - {scene.keys.index(key) for key in outcome.failed}, scene.begun()
    run_cells(scene.cells, scene.store, jobs=JOBS, rerun="failed")
    assert not finished & (scene.begun() - before).keys()
    pd.testing.assert_frame_equal(scene.results(), expected)
    assert scene.left_over() == []


@pytest.mark.parametrize("number", range(FEW))
def test_a_killed_cell_is_a_failure_that_can_be_run_again(
    scene: Scene, number: int, undisturbed: tuple[pd.DataFrame, float]
):
    expected, seconds = undisturbed
    check_killed_worker(scene, moments(seconds, FEW)[number], expected)


@pytest.mark.slow
def test_cells_may_be_killed_at_any_moment(tmp_path: Path, journal: Path, undisturbed: tuple[pd.DataFrame, float]):
    expected, seconds = undisturbed
    for number, moment in enumerate(moments(seconds, MANY)):
        check_killed_worker(Scene(tmp_path / str(number), journal), moment, expected)


def check_killed_server(scene: Scene, moment: float, expected: pd.DataFrame) -> None:
    processes.run_process(in_processes.do_nothing, threads=1)
    thread, killed = kill_later(processes.fork_servers, moment)
    outcome = scene.run()
    thread.join()
    assert len(killed) == 1
    assert outcome.failed == []
    assert sum(scene.begun().values()) <= CELLS + JOBS
    pd.testing.assert_frame_equal(scene.results(), expected)
    assert scene.left_over() == []
    check_resumed(scene, expected)


@pytest.mark.slow
def test_a_killed_fork_server_is_replaced_and_no_cell_fails(scene: Scene, undisturbed: tuple[pd.DataFrame, float]):
    expected, seconds = undisturbed
    check_killed_server(scene, moments(seconds / 2, 1)[0], expected)


@pytest.mark.slow
def test_the_fork_server_may_be_killed_at_any_moment(
    tmp_path: Path, journal: Path, undisturbed: tuple[pd.DataFrame, float]
):
    expected, seconds = undisturbed
    for number, moment in enumerate(moments(seconds, MANY)):
        check_killed_server(Scene(tmp_path / str(number), journal), moment, expected)


def test_two_runners_share_the_work_and_no_cell_is_begun_twice(scene: Scene, undisturbed: tuple[pd.DataFrame, float]):
    other = start_runner(scene)
    outcome = scene.run()
    os.waitpid(other, 0)
    assert set(outcome.records) == set(scene.keys)
    assert scene.begun() == Counter(dict.fromkeys(range(CELLS), 1))
    pd.testing.assert_frame_equal(scene.results(), undisturbed[0])
    assert scene.left_over() == []


@pytest.mark.slow
def test_a_clock_that_is_set_back_makes_nothing_run_again(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    scene.run()
    for path in [*scene.store.root.rglob("*"), scene.store.root]:
        os.utime(path, (4e9, 4e9))  # as if written in the future
    monkeypatch.setattr(time, "time", lambda: 1e9)
    assert scene.run().computed == []
