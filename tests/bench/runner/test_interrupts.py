"""^C and SIGTERM: once, twice, and what is left then."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.runner.interrupts import interruptible

ROOT = Path(__file__).parents[3]
SUITE = """
from bench.suite import Suite
from learners import Persistence
from metrics import nrmse
from systems import LinearSpiral, Sampling
from tests.support.misbehaving import Waiting

suite = Suite(
    name="waits", description="", systems=(LinearSpiral(),), metrics=(nrmse,), seeds=1,
    learners=(Persistence(), Waiting({begun!r}, {go!r})),
    sampling=Sampling(step=0.05, trajectories=2, samples=20, valid=1, test=2, context=4, horizon=0.5, climate=1,
                      climate_horizon=0.5),
)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_an_interrupt(number: signal.Signals):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_ends_the_program_at_once(second: signal.Signals):
    pid = os.fork()
    if pid == 0:
        with interruptible():
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                os.kill(os.getpid(), second)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_keeps_what_is_done_says_how_to_resume_and_leaves_nobody(
    tmp_path: Path, number: signal.Signals
):
    begun, go = tmp_path / "begun", tmp_path / "go"
    (tmp_path / "waits.py").write_text(SUITE.format(begun=str(begun), go=str(go)))
    command = [sys.executable, "-m", "bench", "run", "--suite", "waits.py", "-j", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        while not begun.exists():
            assert running.poll() is None
        family = psutil.Process(running.pid).children(recursive=True)
        os.kill(running.pid, number)
        _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "resume with\n  python -m bench run --suite waits.py -j 1\n" in err
    assert psutil.wait_procs(family, timeout=10)[1] == []
    go.touch()
    done = subprocess.run([*command, "--json"], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert json.loads(done.stdout)["cells"] == {
        "total": 2,
        "done": 1,
        "cached": 1,
        "failed": 0,
        "diverged": 0,
        "solver_failed": 0,
    }
