"""Many cells: what is told of a store of 100,000 trials, and what the runner itself takes for each cell."""

import json
import resource
import subprocess
import sys
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import pytest

from bench.data import dataset
from bench.runner import run
from results import Measurement, Record, Store
from systems import LinearSpiral
from tests import stubs

ROOT = Path(__file__).parents[1]
SECONDS, BYTES = 10.0, 2 * 2**30
SYSTEMS, LEARNERS, SEEDS = 20, 50, 100  # 100,000 trials in 1,000 cells
SUITE = f"""
from bench.suite import Suite
from metrics import nrmse, vpt
from systems import LinearSpiral, Sampling
from tests.stubs import TINY, Instant

suite = Suite(
    name="large", description="", metrics=(nrmse, vpt), sampling=TINY, seeds={SEEDS},
    systems=tuple(LinearSpiral(damping=0.01 * (1 + index)) for index in range({SYSTEMS})),
    learners=tuple(Instant(width=2 + index) for index in range({LEARNERS})),
)
"""


def build(folder: Path) -> None:
    """A store of cells that say nothing but their records, written without waiting for the disk."""
    (folder / "large.py").write_text(SUITE)
    source = f"import sys; sys.path.insert(0, {str(folder)!r}); import large"
    code = (
        f"{source}, json; from bench.key import keys; from bench.suite import manifest; cells = large.suite.cells();"
        "print(json.dumps(manifest(large.suite, cells, keys(cells), 'standard', {'command': ''})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    about = json.loads(done.stdout)
    (folder / "runs" / "large").mkdir(parents=True)
    (folder / "runs" / "large" / "manifest.json").write_text(done.stdout)
    for cell in about["cells"]:
        measured = (Measurement("nrmse", 0.5, "", "lower"), Measurement("vpt", 3.0, "timescales", "higher"))
        records = [asdict(Record(cell["system"], cell["learner"], seed, "ok", "", measured)) for seed in about["seeds"]]
        description = {
            "key": cell["key"], "system": cell["system"], "learner": cell["learner"], "seconds": 1.0,
            "updates_effort": 1.0, "seeds": about["seeds"], "configuration": {"cell": cell["key"]}, "digest": {},
            "timescale_name": "period", "timescale": 1.0, "dim": 2,
        }  # fmt: skip
        place = folder / "runs" / "cells" / cell["key"]
        place.mkdir(parents=True)
        contents = {"records.json": records, "cell.json": description, "environment.json": {"hostname": "one"}}
        checksums = {}
        for name, content in contents.items():
            text = json.dumps(content)
            (place / name).write_text(text)
            checksums[name] = sha256(text.encode()).hexdigest()
        (place / "checksums.json").write_text(json.dumps(checksums))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    build(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("plan", "--suite", "large.py"), "1000 cached, 0 missing"), (("status",), "large  1000 cells: 1000 ok")],
    ids=["plan", "status"],
)
def test_a_store_of_a_hundred_thousand_trials_is_told_in_seconds(large: Path, arguments: tuple[str, ...], told: str):
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; from bench.cli import main; main()"
    begin, before = perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=large, capture_output=True, text=True, check=False
    )
    seconds, used = perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{arguments[0]}: {seconds:.1f} s, {used.ru_utime - before:.1f} s of processor")  # noqa: T201
    assert told in done.stdout, done.stderr
    assert used.ru_utime - before < SECONDS
    assert used.ru_maxrss * 1024 < BYTES


@pytest.mark.slow
def test_the_runner_takes_little_for_each_cell(tmp_path: Path):
    count = 500
    cells = [stubs.cell(stubs.Instant(width=2 + index), seeds=(0,), metrics=()) for index in range(count)]
    store = Store(tmp_path)
    dataset(LinearSpiral(), stubs.TINY, 0, tmp_path / "data")
    run(cells[:2], store, jobs=2)
    begin = perf_counter()
    run(cells, store, jobs=2)
    overhead = (perf_counter() - begin) / (count - 2)
    print(f"{1000 * overhead:.0f} ms a cell with two jobs")  # noqa: T201
    assert overhead < 0.3
