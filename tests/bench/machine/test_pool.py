"""Workers that share the cores: threads, and what becomes of them when the program is killed."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import torch

from bench.machine.pool import pool_of_workers
from tests.support.commands import ROOT

PROGRAM = """
import time
from bench.machine.pool import pool_of_workers
if __name__ == "__main__":
    with pool_of_workers(1) as pool:
        print(pool.submit(__import__("os").getpid).result(), flush=True)
        pool.submit(time.sleep, 600).result()
"""


def test_each_worker_has_one_thread():
    with pool_of_workers(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 1


def test_no_worker_outlives_a_program_that_is_killed(tmp_path: Path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    command, packages = [sys.executable, str(script)], os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=packages) as program:
        assert program.stdout
        worker = psutil.Process(int(program.stdout.readline()))
        program.kill()
        worker.wait(timeout=20)
