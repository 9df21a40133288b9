"""The smoke suite while what computes it is killed again and again: nothing is lost, nothing runs twice."""

import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import psutil
import pytest

ROOT = Path(__file__).parents[3]
SEED = random.SystemRandom().randrange(10**6)
MEASURED = ("fit_seconds", "forecast_seconds", "peak_bytes")  # what two runs of a cell need not agree on
SUITE = ("--suite", "smoke", "--budget", "quick", "--seeds", "1", "-j", "2", "--retries", "50")
PAUSE = 6.0  # seconds between two kills, at most, beside those that it takes to have cells at work again
CHANCES = {"runner": 1, "server": 1, "cell": 2, "node": 3}  # of being killed, if there is such a process
WORKING = 0.8  # of the kills wait until then
PATIENCE = 300  # seconds for what should take much less


class Ordeal:
    """A command that computes the smoke suite into a folder, and is started again whenever it is killed."""

    def __init__(self, out: Path, *options: str) -> None:
        self.out, self.options, self.said = out, options, out.with_suffix(".txt")
        self.first: dict[str, bytes] = {}  # where each finished cell ran, and when, as it was first seen
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-u", "-m", "bench", "run", *SUITE, "--out", str(self.out), *self.options]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with self.said.open("a") as file:
            self.process = psutil.Popen(command, cwd=self.out.parent, env=environment, stdout=file, stderr=file)

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def family(self) -> list[psutil.Process]:
        return [] if self.is_over else self.process.children(recursive=True)

    def victims(self) -> dict[str, list[psutil.Process]]:
        """What there is to be killed, by what it is."""
        found: dict[str, list[psutil.Process]] = {"runner": [self.process]}
        for process in self.family():
            try:
                words, parent = " ".join(process.cmdline()), process.parent()
                if "spawn_main" in words:
                    found.setdefault("node", []).append(process)
                elif "forkserver" in words and parent is not None:
                    kind = "cell" if "forkserver" in " ".join(parent.cmdline()) else "server"
                    found.setdefault(kind, []).append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def await_cells(self) -> None:
        end = time.monotonic() + PATIENCE
        while not self.is_over and "cell" not in self.victims():
            assert time.monotonic() < end, self.said.read_text()
            time.sleep(0.1)

    def kill(self, rng: random.Random) -> str:
        """Kill something that is there. A runner takes all others with it."""
        there = self.victims()
        kinds = sorted(there)
        (kind,) = rng.choices(kinds, [CHANCES[kind] for kind in kinds])
        family = self.family()
        rng.choice(there[kind]).kill()
        if kind == "runner":
            self.process.wait()
            assert psutil.wait_procs(family, timeout=PATIENCE)[1] == []
            self.start()
        return kind

    def check_untouched(self) -> None:
        """Whatever was finished once is still the same, and was computed by the same process."""
        for path in (self.out / "cells").glob("*/environment.json"):
            content = path.read_bytes()
            assert self.first.setdefault(path.parent.name, content) == content

    def results(self) -> pd.DataFrame:
        """What results.csv has, but for times and memory."""
        frame = pd.read_csv(self.out / "smoke" / "results.csv")
        return frame.loc[~frame["metric"].isin(MEASURED)].reset_index(drop=True)

    def announced(self) -> Counter[str]:
        """How often each cell was said to be done."""
        lines = [line.partition("] ")[2] for line in self.said.read_text().splitlines() if line.startswith("[")]
        return Counter("  ".join(line.split("  ")[:2]) for line in lines)

    def left_over(self) -> list[str]:
        half_written = [path.name for path in self.out.glob(".*")]
        return half_written + [path.name for path in (self.out / "leases").glob("*.lease*")]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    ordeal = Ordeal(tmp_path_factory.mktemp("undisturbed") / "runs")
    assert ordeal.process.wait() == 0
    assert set(ordeal.announced().values()) == {1}
    return ordeal.results()


@pytest.mark.slow
@pytest.mark.parametrize(("options", "kills"), [((), 34), (("--executor", "dask"), 16)], ids=["local", "dask"])
def test_the_smoke_suite_survives_the_death_of_all_that_computes_it(
    tmp_path: Path, undisturbed: pd.DataFrame, options: tuple[str, ...], kills: int
):
    print(f"seed {SEED}")  # noqa: T201
    rng, killed, runs = random.Random(SEED), Counter[str](), 0
    while killed.total() < kills:
        runs += 1
        ordeal = Ordeal(tmp_path / str(runs), *options)
        while killed.total() < kills and not ordeal.is_over:
            if rng.random() < WORKING:
                ordeal.await_cells()
            time.sleep(rng.uniform(0, PAUSE))
            ordeal.check_untouched()
            if not ordeal.is_over:
                killed[ordeal.kill(rng)] += 1
        check_end(ordeal, undisturbed)
    print(f"{runs} runs, killed: {dict(killed)}")  # noqa: T201


def check_end(ordeal: Ordeal, expected: pd.DataFrame) -> None:
    """Undisturbed from now on, a run comes to the same end; where dask has given a cell up, when it is run again."""
    code = ordeal.process.wait(timeout=2 * PATIENCE)
    ordeal.check_untouched()
    assert set(ordeal.announced().values()) == {1}
    if code == 3:
        ordeal.options += ("--rerun", "failed")
        ordeal.start()
        code = ordeal.process.wait(timeout=2 * PATIENCE)
    assert code == 0, ordeal.said.read_text()
    pd.testing.assert_frame_equal(ordeal.results(), expected)
    assert ordeal.left_over() == []
