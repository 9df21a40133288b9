"""Many cells: what is told of a store of 100,000 trials, and what the runner itself takes for each cell."""

import json
import resource
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter

import pytest

from bench.cells.data import dataset
from bench.cells.key import planned
from bench.request import Conditions
from bench.runner.events import Event, Finished
from bench.runner.run import run
from results import Measurement, Record, Store
from systems import LinearSpiral
from tests.support import stubs
from tests.support.misbehaving import Clocked
from tests.support.running import run_cells

ROOT = Path(__file__).parents[2]
BYTES = 2 * 2**30
START = 0.3  # seconds after which a cell has to have begun when there is a place for it
CELLS = 10_000
SYSTEMS, LEARNERS, SEEDS = 20, 50, 100  # 100,000 trials in 1,000 cells
SUITE = f"""
from bench.suite import Suite
from metrics import nrmse, vpt
from systems import LinearSpiral, Sampling
from tests.support.stubs import TINY, Instant

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
        f"{source}, json; from pathlib import Path; from bench.cells.key import planned; "
        "from bench.planning.manifest import manifest; cells = planned(large.suite.cells(), Path());"
        "print(json.dumps(manifest(large.suite, cells, 'standard', {'command': ''})))"
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
    ("arguments", "told", "limit"),
    [
        (("plan", "--suite", "large.py"), "1000 cached, 0 missing", 10.0),
        (("status",), "large  1000 cells: 1000 ok", 10.0),
        (("report", "large"), "runs/large/report.html", 40.0),  # two dozen figures of it, in three formats
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_store_of_a_hundred_thousand_trials_is_told_in_seconds(
    large: Path, arguments: tuple[str, ...], told: str, limit: float
):
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; from bench.cli import main; main()"
    begin, before = perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=large, capture_output=True, text=True, check=False
    )
    seconds, used = perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{arguments[0]}: {seconds:.1f} s, {used.ru_utime - before:.1f} s of processor")  # noqa: T201
    assert told in done.stdout, done.stderr
    assert seconds < limit
    assert used.ru_maxrss * 1024 < BYTES


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("executor", ["local", "dask"])
def test_ten_thousand_cells_that_do_nothing_take_little_each(tmp_path: Path, executor: str):
    run_all = run if executor == "local" else partial(pytest.importorskip("bench.runner.cluster").run, "")
    cells = [stubs.cell(stubs.Instant(width=2 + index), seeds=(0,), metrics=()) for index in range(CELLS)]
    store = Store(tmp_path)
    dataset(LinearSpiral(), stubs.TINY, 0, tmp_path / "data")
    run_cells(cells[:2], store, jobs=2)
    due = planned(cells, store.root)
    begin = perf_counter()
    outcome = run_all(due, store, Conditions(jobs=2))
    overhead = (perf_counter() - begin) / (CELLS - 2)
    print(f"{executor}: {1000 * overhead:.0f} ms a cell with two jobs")  # noqa: T201
    assert len(outcome.computed) == CELLS - 2
    assert outcome.failed == []
    assert overhead < START


@pytest.mark.slow
def test_a_cell_starts_as_soon_as_its_slot_is_free(tmp_path: Path):
    journal = tmp_path / "journal"
    cells = [stubs.cell(Clocked(str(journal), number), seeds=(0,), metrics=()) for number in range(12)]
    dataset(LinearSpiral(), stubs.TINY, 0, tmp_path / "data")
    ends: list[float] = []

    def note_ends(event: Event) -> None:
        if isinstance(event, Finished):
            ends.append(monotonic())

    run_cells(cells, Store(tmp_path), note_ends)
    starts = [float(line) for line in journal.read_text().splitlines()]
    waits = [start - end for start, end in zip(starts[1:], ends, strict=False)]
    print(f"{1000 * median(waits):.0f} ms from the end of one cell to the start of the next")  # noqa: T201
    assert median(waits) < START
