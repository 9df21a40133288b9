"""Files written beside the program: the same ones, whoever writes them, and nobody left behind."""

import os
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest

from bench.runner import processes
from results.figures.style import LOOKS, Look, look, looking
from results.report.parallel import executor

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0  # seconds


def look_there() -> Look | None:
    return look.get()


def fail() -> None:
    raise ValueError("out of ink")


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_when_they_are_asked_for(jobs: int):
    with executor(jobs) as pool:
        found = [pool.submit(pow, base, 2) for base in range(5)]
        assert [power.result() for power in found] == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_fails_there_fails_here(jobs: int):
    with pytest.raises(ValueError, match="out of ink"), executor(jobs) as pool:
        pool.submit(fail).result()


def do_nothing(parent: Connection) -> None: ...


def test_others_work_beside_the_program_and_look_alike():
    with looking("talk"), executor(2) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        assert pool.submit(look_there).result() == LOOKS["talk"]


@pytest.mark.parametrize("victim", [0, 1])
def test_that_one_who_writes_is_killed_is_told(victim: int):
    processes.run_process(do_nothing, threads=1)  # whose fork server, deaf to signals, then is that of the pool too
    with pytest.raises(BrokenExecutor), executor(2) as pool:
        first, second = pool.submit(wait_a_little), pool.submit(wait_a_little)
        os.kill((first.result(), second.result())[victim], signal.SIGKILL)
        while True:
            pool.submit(os.getpid).result()


def wait_a_little() -> int:
    sleep(0.5)
    return os.getpid()


@pytest.mark.slow
def test_those_who_write_end_with_a_program_that_is_killed(tmp_path: Path):
    told = tmp_path / "processes"
    code = (
        "import os, pathlib, time\nfrom results.report.parallel import executor\n"
        "if __name__ == '__main__':\n"
        "    with executor(2) as pool:\n"
        f"        pathlib.Path({str(told)!r}).write_text(str(pool.submit(os.getpid).result()))\n"
        "        time.sleep(600)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    program = subprocess.Popen([sys.executable, str(script)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    start = monotonic()
    while not (told.exists() and told.read_text()) and monotonic() - start < PATIENCE:
        sleep(0.05)
    writer = psutil.Process(int(told.read_text()))
    program.send_signal(signal.SIGKILL)
    program.wait()
    assert psutil.wait_procs([writer], PATIENCE)[1] == []
