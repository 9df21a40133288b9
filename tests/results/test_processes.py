"""Processes that this program starts: none outlives it, however it ends."""

import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.commands import ROOT

PARENT = """
import multiprocessing, sys, time
from results.processes import end_with_parent
from pathlib import Path

def work(folder):
    end_with_parent(Path(folder))
    print(multiprocessing.current_process().pid, flush=True)
    time.sleep(600)

if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=work, args=(sys.argv[1],)).start()
    time.sleep(600)
"""


def test_a_child_ends_with_a_parent_that_is_killed_and_removes_what_it_had_begun(tmp_path: Path):
    script, folder = tmp_path / "parent.py", tmp_path / "unfinished"
    script.write_text(PARENT)
    folder.mkdir()
    command = [sys.executable, str(script), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        child.wait(timeout=20)
    assert not folder.exists()
