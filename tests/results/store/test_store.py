"""The store: cells are there complete and intact, or not at all; and what a run reads from them."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from results import COLUMNS, DamagedCellError, Measurement, MissingCellError, Record, Store
from results.statistics.trials import rows
from results.store.errors import BrokenRunError, StoreVersionError
from results.store.run import Run, write_csv
from tests.support.synthetic import METRICS, build

RECORD = Record("Lorenz", "ResNet", 0, "ok", "", (Measurement("vpt", 0.1 + 0.2, "timescales", "higher"),))


def stage(store: Store, key: str = "abc", records: tuple[Record, ...] = (RECORD,)) -> None:
    with store.stage(key) as folder:
        (folder / "records.json").write_text(json.dumps([asdict(record) for record in records]))
        (folder / "cell.json").write_text(json.dumps({"key": key}))
        np.savez(folder / "arrays.npz", allow_pickle=False, vpt=np.arange(6.0).reshape(2, 3))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_staged_cell_is_finished_and_reads_back_what_was_written(store: Store):
    assert not store.finished("abc")
    stage(store)
    assert store.finished("abc")
    assert store.records("abc") == [RECORD]
    assert store.cell("abc") == {"key": "abc"}
    np.testing.assert_array_equal(store.arrays("abc")["vpt"], [[0.0, 1, 2], [3, 4, 5]])
    assert sorted(path.name for path in store.root.iterdir()) == ["cells", "store.json"]


def test_files_that_a_cell_never_had_read_as_empty(store: Store):
    with store.stage("abc") as folder:
        (folder / "records.json").write_text("[]")
    curve = store.curve("abc")
    assert store.arrays("abc") == {}
    assert store.log("abc") == ""
    assert list(curve.columns) == [
        "seed", "update", "train_loss", "valid_loss", "seconds", "nfe_forward", "nfe_backward", "valid_vpt",
        "valid_error",
    ]  # fmt: skip
    assert len(curve) == 0
    assert curve["valid_loss"].dtype == np.float64


def test_an_exception_while_staging_leaves_nothing_behind(store: Store):
    def give_up() -> None:
        with store.stage("abc") as folder:
            (folder / "records.json").write_text("[]")
            raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError, match="out of luck"):
        give_up()
    assert not store.finished("abc")
    assert list(store.path("abc").parent.iterdir()) == []
    assert sorted(path.name for path in store.root.iterdir()) == ["cells", "store.json"]


def test_whatever_is_being_written_lies_where_half_written_cells_are_swept(store: Store, monkeypatch):
    """As a process leaves it that is killed there: the first in a store, which writes its version, too."""
    seen: list[str] = []

    def look(descriptor: int) -> None:
        seen.extend(path.name for path in store.root.iterdir() if path.name.startswith("."))

    monkeypatch.setattr("os.fsync", look)
    stage(store)
    assert len(seen) >= 2
    assert all(name.startswith(".cells-abc-") for name in seen)
    assert json.loads((store.root / "store.json").read_text())["version"]


def test_a_cell_that_another_process_finished_first_is_kept(store: Store):
    with store.stage("abc") as folder:
        (folder / "records.json").write_text("[]")
        stage(store)
    assert store.records("abc") == [RECORD]
    assert sorted(path.name for path in store.root.iterdir()) == ["cells", "store.json"]


@pytest.mark.parametrize("damage", ["flipped", "truncated", "removed"])
def test_damage_to_any_file_makes_the_cell_unfinished_and_is_reported_by_name(store: Store, damage: str):
    stage(store)
    path = store.path("abc") / "arrays.npz"
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(content if damage == "flipped" else content[:-1])
    assert not store.finished("abc")
    with pytest.raises(DamagedCellError, match=r"abc.arrays\.npz"):
        store.arrays("abc")
    assert store.records("abc") == [RECORD]


@pytest.mark.parametrize("checksums", [None, "{", "3"])
def test_a_cell_without_readable_checksums_is_damaged(store: Store, checksums: str | None):
    stage(store)
    path = store.path("abc") / "checksums.json"
    path.unlink() if checksums is None else path.write_text(checksums)
    assert not store.finished("abc")
    with pytest.raises(DamagedCellError, match=r"checksums\.json"):
        store.records("abc")


@pytest.mark.parametrize(("kind", "needed"), [("cells", "records.json"), ("fits", "arrays.npz")])
@pytest.mark.parametrize("left", [(), ("cell.json",)], ids=str)
def test_a_cell_whose_checksums_lack_the_file_that_counts_is_damaged_and_set_aside(
    tmp_path: Path, kind: str, needed: str, left: tuple[str, ...]
):
    store = Store(tmp_path, kind)
    stage(store)
    path = store.path("abc") / "checksums.json"
    path.write_text(json.dumps({name: value for name, value in json.loads(path.read_text()).items() if name in left}))
    assert not store.finished("abc")
    assert not store.complete("abc")
    with pytest.raises(DamagedCellError, match=rf"checksums\.json has no checksum of {needed}"):
        store.verify("abc")
    with pytest.raises(DamagedCellError):
        Store(tmp_path / "other", kind).adopt(store, "abc")
    stage(store)
    assert store.finished("abc")
    assert len(list((tmp_path / "damaged").iterdir())) == 1


def test_a_damaged_cell_is_set_aside_when_it_is_computed_anew(store: Store):
    stage(store)
    (store.path("abc") / "records.json").write_text("[]")
    stage(store)
    assert store.records("abc") == [RECORD]
    (aside,) = (store.root / "damaged").iterdir()
    assert aside.name.startswith("abc-")
    assert (aside / "records.json").read_text() == "[]"


def test_a_cell_that_cannot_be_put_in_place_is_an_error(store: Store):
    store.path("abc").parent.mkdir(parents=True)
    store.path("abc").symlink_to("elsewhere")
    with pytest.raises(OSError, match="abc"):
        stage(store)
    assert not store.finished("abc")


def test_a_missing_cell_is_told_from_a_damaged_one(store: Store):
    with pytest.raises(MissingCellError, match="no finished cell abc"):
        store.records("abc")


def test_records_of_another_version_are_damage_not_a_crash(store: Store):
    with store.stage("abc") as folder:
        (folder / "records.json").write_text('[{"system": "Lorenz", "measurements": []}]')
    with pytest.raises(DamagedCellError, match="records of another version"):
        store.records("abc")


@pytest.mark.parametrize("key", ["../abc", "a/b", "", ".", "a\n"])
def test_a_key_cannot_lead_out_of_the_store(store: Store, key: str):
    with pytest.raises(ValueError, match="a cell's key is made of letters"):
        store.path(key)


def test_nothing_is_ever_unpickled(store: Store):
    with store.stage("abc") as folder:
        np.savez(folder / "arrays.npz", allow_pickle=True, vpt=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        store.arrays("abc")


def test_importing_results_stays_light():
    heavy = "{'numpy', 'pandas', 'scipy', 'matplotlib', 'seaborn', 'jinja2', 'torch'}"
    code = f"import sys, results, results.store.run; print({heavy} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"


def test_no_module_of_results_imports_torch():
    code = (
        "import sys, results.report.page; "
        "print({'torch', 'systems', 'learners', 'metrics', 'bench'} & set(sys.modules))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run: 2 systems, 4 learners, 3 seeds."""
    return build(tmp_path_factory.mktemp("runs"), status={("Lorenz", "ResNet"): "crashed"})


def test_the_long_form_has_the_agreed_columns_in_the_order_of_the_manifest(folder: Path):
    run = Run.load(folder)
    frame = run.frame()
    assert tuple(frame.columns) == COLUMNS
    assert len(frame) == 2 * 4 * 3 * len(METRICS)
    assert list(dict.fromkeys(frame["system"])) == ["VanDerPol", "Lorenz"]
    assert list(dict.fromkeys(frame["learner"])) == ["WindowedRNN", "ResNet", "Persistence", "TrueEquations"]
    assert list(frame["seed"][: 2 * len(METRICS) : len(METRICS)]) == [0, 1]
    assert list(frame["metric"][: len(METRICS)]) == run.metrics


def test_values_survive_the_csv_exactly_and_failures_have_none(folder: Path, tmp_path: Path):
    run = Run.load(folder)
    text = pd.read_csv(write_csv(run.frame(), tmp_path / "results.csv"), keep_default_na=False, dtype=str)
    read = text.assign(value=text["value"].replace("", "nan").astype(float), seed=text["seed"].astype(int))
    pd.testing.assert_frame_equal(read, run.frame(), check_dtype=False, check_exact=True)
    failed = rows(read, system="Lorenz", learner="ResNet")
    assert np.isnan(failed["value"].to_numpy()).all()
    assert set(failed["status"]) == {"crashed"}


def test_the_csv_does_not_depend_on_the_order_in_which_cells_list_seeds_and_metrics(folder: Path, tmp_path: Path):
    store = Store(tmp_path)
    for cell in Run.load(folder).cells:
        records = Run.load(folder).records[cell.key]
        backwards = tuple(
            Record.parse(asdict(record) | {"measurements": asdict(record)["measurements"][::-1]})
            for record in reversed(records)
        )
        stage(store, cell.key, backwards)
    (tmp_path / "chaos").mkdir()
    (tmp_path / "chaos" / "manifest.json").write_text((folder / "manifest.json").read_text())
    again, once = (Run.load(run).frame().to_csv() for run in (tmp_path / "chaos", folder))
    assert again == once


def test_missing_and_damaged_cells_are_left_out_and_named(tmp_path: Path):
    folder = build(tmp_path, systems=("VanDerPol",))
    run = Run.load(folder)
    damaged, missing = run.cells[0], run.cells[1]
    (run.store.path(damaged.key) / "log.txt").write_text("another log")
    run.store.path(missing.key).rename(tmp_path / "gone")
    run = Run.load(folder)
    assert [cell.learner for cell in run.finished] == ["Persistence", "TrueEquations"]
    assert list(run.unfinished) == [damaged, missing]
    assert f"{damaged.key}/log.txt does not match its checksum" in run.unfinished[damaged]
    assert "no finished cell" in run.unfinished[missing]
    assert set(run.frame()["learner"]) == {"Persistence", "TrueEquations"}


def test_a_folder_without_a_run_is_told_so(tmp_path: Path):
    with pytest.raises(BrokenRunError, match=r"manifest\.json is missing; `python -m bench run`"):
        Run.load(tmp_path)


@pytest.mark.parametrize(
    ("manifest", "complaint"), [("{", "cannot be read"), ("3", "cannot be read"), ("{}", "lacks suite, seeds")]
)
def test_a_manifest_that_cannot_be_used_is_told_so(tmp_path: Path, manifest: str, complaint: str):
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(BrokenRunError, match=complaint):
        Run.load(tmp_path)


def test_a_run_in_a_store_of_another_version_is_refused(tmp_path: Path):
    folder = build(tmp_path, systems=("VanDerPol",))
    (tmp_path / "store.json").write_text('{"version": 9}')
    with pytest.raises(StoreVersionError, match="a store of version 9, but this program reads version 1"):
        Run.load(folder)


def test_what_others_leave_in_the_folder_of_a_store_is_no_cell(store: Store):
    stage(store, "abc")
    (store.root / "cells" / ".DS_Store").write_bytes(b"")
    (store.root / "cells" / "notes").write_text("a file")
    (store.root / "cells" / "a copy of abc").mkdir()
    assert store.all_keys() == ["abc"]
