"""What `clean` removes: what no run can use again, and nothing that a report shows."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.cells.data import dataset
from bench.cells.key import planned
from bench.cells.run import run_cell
from bench.planning.leftovers import DAMAGED, HALF_WRITTEN, STALE, SUPERSEDED, UNUSED, leftovers
from metrics.trajectory import nrmse
from results import Store
from results.store.lease import Lease
from systems import LinearSpiral
from tests.support import stubs
from tests.support.commands import ROOT, exit_code
from tests.support.synthetic import Size, build

SMALL = Size(step=0.1, horizon=2.0, test=2, climate_samples=50, points=2, seeds=(0,))


def keep(store: Store, key: str, age: float = 0.0, **about: Any) -> None:
    """A cell that says no more than what it is made of, and is so many seconds old."""
    with store.stage(key) as folder:
        (folder / "cell.json").write_text(json.dumps({"configuration": key, "digest": {}} | about))
    made = store.path(key).stat().st_mtime - age
    os.utime(store.path(key), (made, made))


def found(root: Path) -> dict[str, str]:
    return {one.path.name: one.why for one in leftovers(root)}


def test_of_what_was_just_computed_nothing_is_left_over(tmp_path: Path):
    store = Store(tmp_path)
    dataset(LinearSpiral(), stubs.TINY, 0, tmp_path / "data")
    (one,) = planned([stubs.cell(stubs.Instant(), metrics=(nrmse,))], tmp_path)
    with store.stage(one.key) as folder:
        run_cell(one, store, folder)
    assert len(Store(tmp_path, "fits").all_keys()) == len(list((tmp_path / "data").glob("*.npz"))) == 1
    assert found(tmp_path) == {}


@pytest.mark.parametrize("kind", ["cells", "fits", "trials", "films"])
def test_what_other_code_has_computed_is_stale(tmp_path: Path, kind: str):
    store = Store(tmp_path, kind)
    keep(store, "changed", digest={"learners.resnet": "0" * 12})
    keep(store, "gone", digest={"learners.no_such_module": "0" * 12})
    keep(store, "unknown", digest={"users_own": "0" * 12})
    keep(store, "older", digest={"users_own": "1" * 12}, age=60.0, configuration="unknown")
    assert found(tmp_path) == {"changed": STALE, "gone": STALE, "older": SUPERSEDED}


def test_cells_that_a_report_shows_stay_however_old_they_are(tmp_path: Path):
    folder = build(tmp_path, ("Lorenz",), ("Persistence",), SMALL, suite="kept")
    manifest = json.loads((folder / "manifest.json").read_text())
    store = Store(tmp_path)
    for key, age in (("shown", 60.0), ("newest", 0.0), ("neither", 30.0)):
        keep(store, key, age=age, configuration="one", digest={"users_own": key})
    keep(store, "stale", digest={"learners.resnet": "0" * 12})
    manifest["cells"] += [{**manifest["cells"][0], "key": key} for key in ("shown", "stale")]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert found(tmp_path) == {"neither": SUPERSEDED}


def test_data_stay_as_long_as_a_cell_or_fit_that_was_made_of_them(tmp_path: Path):
    keep(Store(tmp_path), "cell", data="a.npz")
    keep(Store(tmp_path, "fits"), "fit", data="b.npz")
    keep(Store(tmp_path, "fits"), "old", data="c.npz", digest={"learners.resnet": "0" * 12})
    (tmp_path / "data").mkdir()
    for name in ("a.npz", "b.npz", "c.npz"):
        (tmp_path / "data" / name).write_bytes(b"")
    assert found(tmp_path) == {"old": STALE, "c.npz": UNUSED}


def test_files_that_killed_processes_have_not_written_whole_are_half_written(tmp_path: Path):
    (tmp_path / "data").mkdir()
    begin = """
import os, sys
from pathlib import Path
from results.store import atomic
os.fsync = lambda descriptor: os._exit(1)  # the process is gone before the file has its name
atomic.write_in_one_stroke(Path(sys.argv[1]), b"x" * 1000)
"""
    command = [sys.executable, "-c", begin, tmp_path / "data" / "a.npz"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 1
    (path,) = (tmp_path / "data").iterdir()
    assert found(tmp_path) == {}  # somebody may be writing it
    os.utime(path, (0, 0))
    assert found(tmp_path) == {path.name: HALF_WRITTEN}


def leave(root: Path) -> Path:
    """A store with a stale cell, a damaged one and one half-written."""
    keep(Store(root), "stale", digest={"learners.resnet": "0" * 12})
    keep(Store(root), "good")
    for name in ("damaged/abc-1", ".cells-abc-1"):
        (root / name).mkdir(parents=True)
        (root / name / "log.txt").write_bytes(b"x" * 500_000)
    return root


def test_clean_says_what_it_removes_and_removes_nothing_where_it_only_looks(tmp_path: Path, capsys):
    root = leave(tmp_path / "runs")
    assert exit_code(["clean", "--out", str(root), "--dry-run"]) == 0
    looked = capsys.readouterr().out
    assert found(root) == {"stale": STALE, "abc-1": DAMAGED, ".cells-abc-1": HALF_WRITTEN}
    assert exit_code(["clean", "--out", str(root)]) == 0
    removed = capsys.readouterr().out
    assert looked.replace("would free", "freed") == removed
    assert f"1 cells, 0.5 MB ({DAMAGED})\n" in removed
    assert removed.endswith("freed 1.0 MB\n")
    assert found(root) == {}
    assert Store(root).all_keys() == ["good"]
    assert exit_code(["clean", "--out", str(root)]) == 0
    assert capsys.readouterr().out == "freed 0.0 MB\n"


def test_clean_waits_for_nobody_and_takes_nothing_away_from_a_run_at_work(tmp_path: Path, capsys):
    root = leave(tmp_path)
    lease = Lease(Store(root), "abc")
    assert lease.acquire()
    assert exit_code(["clean", "--out", str(root)]) == 2
    lease.release()
    assert "a run is at work in" in capsys.readouterr().err
    assert len(found(root)) == 3


def test_clean_refuses_what_is_no_store_or_of_another_version(tmp_path: Path, capsys):
    assert exit_code(["clean", "--out", str(tmp_path)]) == 2
    assert "there is no store in" in capsys.readouterr().err
    (leave(tmp_path) / "store.json").write_text('{"version": 9}')
    assert exit_code(["clean", "--out", str(tmp_path)]) == 2
    assert "is a store of version 9" in capsys.readouterr().err
    assert len(found(tmp_path)) == 3
