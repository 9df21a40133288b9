"""The commands `status` and `merge`, and the parts of a suite: what is where, and how it comes together."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bench.cells.key import planned
from bench.errors import UserError
from bench.planning.plan import Plan
from bench.request import Shard, read_shard
from results import DamagedCellError, Store, StoreVersionError
from results.store.lease import Lease, leased
from results.store.run import Run
from tests.support import stubs
from tests.support.commands import exit_code
from tests.support.synthetic import Size, build

SMALL = Size(step=0.1, horizon=2.0, test=2, climate_samples=50, points=2, seeds=(0,))
LEARNERS = ("ResNet", "Persistence", "TrueEquations")
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = exit_code(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def made(out: Path, **changes: Any) -> Run:
    return Run.load(build(out, ("VanDerPol", "Lorenz"), LEARNERS, **({"size": SMALL, "suite": "kept"} | changes)))


def amended(folder: Path, **changes: Any) -> None:
    """Change what the manifest in the folder of a run says."""
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_status_tells_what_is_done_failed_running_damaged_and_missing(tmp_path: Path, command: Command):
    run = made(tmp_path, status={("Lorenz", "ResNet"): "crashed"})
    failed = next(cell for cell in run.cells if (cell.system, cell.learner) == ("Lorenz", "ResNet"))
    damaged, missing, busy = [cell for cell in run.cells if cell.system == "VanDerPol"]
    (run.store.path(damaged.key) / "records.json").write_text("[]")
    for cell in (missing, busy):
        run.store.path(cell.key).rename(tmp_path / f"gone-{cell.key}")
    lease = Lease(run.store, busy.key)
    assert lease.acquire()
    assert leased(run.store) == [busy.key]
    code, out, _ = command("status", "kept", "--out", str(tmp_path))
    assert code == 0
    assert "kept  6 cells: 2 ok, 1 failed, 1 running, 1 damaged, 1 missing" in out
    assert f"running  VanDerPol  {busy.learner}" in out
    assert "records.json does not match its checksum" in out
    assert str(run.store.path(failed.key) / "log.txt") in out
    (told,) = json.loads(command("status", "--out", str(tmp_path), "--json")[1])
    assert told["counts"] == {"ok": 2, "failed": 1, "running": 1, "damaged": 1, "missing": 1}
    states = {(cell["system"], cell["learner"]): cell["state"] for cell in told["cells"]}
    assert states["Lorenz", "ResNet"] == "failed"
    assert {cell["status"] for cell in told["cells"] if cell["state"] == "failed"} == {"crashed"}
    lease.release()
    assert leased(run.store) == []


def test_what_a_dead_process_held_is_free(tmp_path: Path):
    store = Store(tmp_path)
    (tmp_path / "leases").mkdir()
    (tmp_path / "leases" / "abc.lease").write_text("nobody\n")
    assert Lease(store, "other").is_free()
    held = Lease(store, "held")
    assert held.acquire()
    assert not Lease(store, "held").acquire()
    held.release()
    assert Lease(store, "held").is_free()


def test_a_status_of_a_broken_run_is_a_mistake(tmp_path: Path, command: Command):
    (made(tmp_path).folder / "manifest.json").write_text("{")
    code, _, err = command("status", "--out", str(tmp_path))
    assert (code, err.count("\n")) == (2, 1)
    assert "manifest.json cannot be read" in err


def test_a_broken_run_hides_no_other_from_a_status(tmp_path: Path, command: Command):
    (made(tmp_path, suite="broken").folder / "manifest.json").write_text("{")
    made(tmp_path)
    code, out, err = command("status", "--out", str(tmp_path))
    assert (code, err.count("\n")) == (2, 1)
    assert "broken/manifest.json cannot be read" in err
    assert "kept  6 cells: 6 ok" in out
    code, out, err = command("status", "--out", str(tmp_path), "--json")
    assert (code, [one["suite"] for one in json.loads(out)]) == (2, ["kept"])
    assert "broken/manifest.json cannot be read" in err


def parted(tmp_path: Path) -> tuple[Run, list[Path]]:
    """A run, and two stores that have half of its cells each."""
    whole = made(tmp_path / "whole")
    parts = [tmp_path / "a", tmp_path / "b"]
    for index, part in enumerate(parts):
        made(part)
        for cell in whole.cells[index::2]:
            Store(part).path(cell.key).rename(tmp_path / f"{part.name}-{cell.key}")
    return whole, parts


def test_merged_stores_hold_all_that_their_parts_had(tmp_path: Path, command: Command):
    whole, parts = parted(tmp_path)
    out = tmp_path / "joined"
    code, printed, err = command("merge", *map(str, parts), "--out", str(out))
    assert (code, err) == (0, "")
    assert printed == f"{parts[0]}: 3 copied\n{parts[1]}: 3 copied\n"
    joined = Run.load(out / "kept")
    assert joined.frame().to_csv() == whole.frame().to_csv()
    for cell in whole.cells:
        for path in whole.store.path(cell.key).iterdir():
            assert (joined.store.path(cell.key) / path.name).read_bytes() == path.read_bytes()
    assert command("merge", str(parts[0]), "--out", str(out))[1] == f"{parts[0]}: 3 already there\n"


def test_of_two_outcomes_a_merge_keeps_the_one_that_did_not_fail(tmp_path: Path, command: Command):
    failed = {("Lorenz", "ResNet"): "crashed"}
    made(tmp_path / "a", status=failed)
    made(tmp_path / "b")
    command("merge", str(tmp_path / "b"), "--out", str(tmp_path / "a"))
    records = Run.load(tmp_path / "a" / "kept").records
    assert {record.status for group in records.values() for record in group} == {"ok"}
    made(tmp_path / "c", status=failed)
    command("merge", str(tmp_path / "c"), "--out", str(tmp_path / "a"))
    assert Run.load(tmp_path / "a" / "kept").records == records


def test_a_merge_leaves_damaged_cells_out_and_names_them(tmp_path: Path, command: Command):
    run = made(tmp_path / "a")
    (run.store.path(run.cells[0].key) / "arrays.npz").write_bytes(b"")
    code, printed, err = command("merge", str(tmp_path / "a"), "--out", str(tmp_path / "b"))
    assert code == 0
    assert "5 copied, 1 damaged" in printed
    assert f"left out: {run.store.path(run.cells[0].key)}/arrays.npz does not match" in err
    assert len(Store(tmp_path / "b").all_keys()) == 5


def test_narrowed_runs_of_a_suite_are_joined(tmp_path: Path, command: Command):
    build(tmp_path / "a", ("Lorenz",), LEARNERS[:2], SMALL, suite="kept")
    build(tmp_path / "b", ("VanDerPol",), LEARNERS[1:], SMALL, suite="kept")
    command("merge", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "c"))
    joined = Run.load(tmp_path / "c" / "kept")
    assert joined.systems == ["Lorenz", "VanDerPol"]
    assert joined.learners == list(LEARNERS)
    assert len(joined.finished) == len(joined.cells) == 4


def test_joined_runs_keep_what_each_knows_of_its_systems_and_learners(tmp_path: Path, command: Command):
    def variant(label: str, noise: float) -> dict[str, Any]:
        return {"label": label, "of": label, "at": {"Sampling.noise": noise}}

    known: dict[str, dict[str, Any]] = {
        "Lorenz": {"published": {"Lorenz": {"lyapunov_exponent": 0.9056}}, "variants": [variant("Lorenz", 0.0)]},
        "VanDerPol": {
            "published": {"VanDerPol": {"lyapunov_exponent": 0.0}},
            "variants": [variant("VanDerPol", 0.1)],
            "lacks": {"VanDerPol": ["ResNet"]},
        },
    }
    for system, more in known.items():
        amended(build(tmp_path / system, (system,), LEARNERS[:2], SMALL, suite="kept"), **more)
    command("merge", *(str(tmp_path / system) for system in known), "--out", str(tmp_path / "c"))
    joined = Run.load(tmp_path / "c" / "kept")
    assert joined.manifest["published"] == known["Lorenz"]["published"] | known["VanDerPol"]["published"]
    assert [one.at["Sampling.noise"] for one in joined.variants.values()] == [0.0, 0.1]
    assert joined.lacks == {"VanDerPol": ["ResNet"]}


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ({"systems": ["Lorenz"]}, {"systems": ["VanDerPol", "Lorenz"]}, {"systems": ["Lorenz", "VanDerPol"]}),
        ({"learners": ["ResNet"]}, {"learners": []}, {"learners": []}),  # all of the suite's
        ({"include": ["/a.py"]}, {"include": ["/b.py", "/a.py"]}, {"include": ["/a.py", "/b.py"]}),
        ({"sweeps": ["ResNet.width=8"]}, {}, {"sweeps": ["ResNet.width=8"]}),
    ],
)
def test_what_was_asked_of_joined_runs_is_asked_of_both(
    tmp_path: Path, command: Command, first: dict[str, Any], second: dict[str, Any], both: dict[str, Any]
):
    nothing: dict[str, Any] = {
        "suite": "kept",
        "systems": [],
        "learners": [],
        "metrics": [],
        "sweeps": [],
        "include": [],
    }
    for folder, asked in (("a", first), ("b", second)):
        amended(build(tmp_path / folder, ("Lorenz",), LEARNERS[:2], SMALL, suite="kept"), asked=nothing | asked)
    command("merge", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "c"))
    assert Run.load(tmp_path / "c" / "kept").manifest["asked"] == nothing | both


def test_two_learners_that_are_shortened_to_one_name_are_not_joined(tmp_path: Path, command: Command):
    for folder, width in (("a", 8), ("b", 16)):
        built = build(tmp_path / folder, ("Lorenz",), LEARNERS[:1], SMALL, suite="kept")
        learner = {"label": "ResNet", "reference": False, "configuration": f"ResNet[width={width}]"}
        amended(built, learners=[learner])
    code, printed, err = command("merge", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "c"))
    assert (code, printed, err.count("\n")) == (2, "", 1)
    assert "b/kept/manifest.json shortens ResNet[width=16] to ResNet" in err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda folder: made(folder, size=replace(SMALL, seeds=(0, 1))), "differs from the run of this suite"),
        (lambda folder: None, "there is no store in"),
        (lambda folder: (made(folder), (folder / "store.json").write_text('{"version": 9}')), "version 9"),
    ],
)
def test_stores_that_do_not_belong_together_are_left_alone(
    tmp_path: Path, command: Command, spoil: Callable[[Path], Any], complaint: str
):
    made(tmp_path / "a")
    spoil(tmp_path / "b")
    code, printed, err = command("merge", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "c"))
    assert (code, printed, err.count("\n")) == (2, "", 1)
    assert complaint in err
    assert not (tmp_path / "c").exists()


def test_a_merge_names_a_run_that_cannot_be_read_and_joins_the_others(tmp_path: Path, command: Command):
    (made(tmp_path / "a", suite="broken").folder / "manifest.json").write_text("{")
    made(tmp_path / "b")
    code, printed, err = command("merge", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "c"))
    assert (code, err.count("\n")) == (2, 1)
    assert "broken/manifest.json cannot be read" in err
    assert printed.startswith(f"{tmp_path / 'a'}: 6 copied\n")
    assert [path.parent.name for path in (tmp_path / "c").glob("*/manifest.json")] == ["kept"]


def test_a_merge_replaces_no_run_of_its_own_store_that_cannot_be_read(tmp_path: Path, command: Command):
    made(tmp_path / "a")
    manifest = made(tmp_path / "b").folder / "manifest.json"
    manifest.write_text("{")
    code, printed, err = command("merge", str(tmp_path / "a"), "--out", str(tmp_path / "b"))
    assert (code, printed, err.count("\n")) == (2, "", 1)
    assert manifest.read_text() == "{"


@pytest.mark.parametrize("content", ['{"version": 2}', "{", "[]", "{}"])
def test_a_store_of_another_version_is_told_and_not_written_to(tmp_path: Path, content: str):
    (tmp_path / "store.json").write_text(content)
    store = Store(tmp_path)
    with pytest.raises(StoreVersionError, match="another folder with --out"):
        store.check_version()
    with pytest.raises(StoreVersionError), store.stage("abc"):
        pass
    assert store.all_keys() == []


def test_a_run_on_a_store_of_another_version_is_a_mistake(tmp_path: Path, command: Command):
    (tmp_path / "store.json").write_text('{"version": 2}')
    code, _, err = command("run", "--suite", "smoke", "--out", str(tmp_path))
    assert (code, err.count("\n")) == (2, 1)
    assert "is a store of version 2, but this program reads version 1" in err


def test_a_replaced_cell_is_either_the_old_or_the_new_one(tmp_path: Path):
    store = Store(tmp_path)
    for text, replaces in (("old", False), ("ignored", False), ("new", True)):
        with store.stage("abc", replaces) as folder:
            (folder / "log.txt").write_text(text)
            (folder / "records.json").write_text("[]")
        assert store.log("abc") == ("new" if replaces else "old")

    def give_up() -> None:
        with store.stage("abc", replace=True) as folder:
            (folder / "log.txt").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        give_up()
    assert store.log("abc") == "new"
    assert list(tmp_path.glob(".*")) == []


def test_a_cell_is_swept_of_what_was_left_half_written(tmp_path: Path):
    store = Store(tmp_path)
    for name in (".cells-abc-1", ".cells-abd-2", ".fits-abc-3"):
        (tmp_path / name).mkdir()
    store.sweep("abc")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".cells-abd-2", ".fits-abc-3"]


def test_a_damaged_cell_is_not_adopted(tmp_path: Path):
    run = made(tmp_path / "a")
    (run.store.path(run.cells[0].key) / "log.txt").write_text("x")
    with pytest.raises(DamagedCellError):
        Store(tmp_path / "b").adopt(run.store, run.cells[0].key)
    assert not (tmp_path / "b").exists()


@dataclass(frozen=True)
class Parts:
    systems: int
    learners: int
    count: int


@pytest.mark.parametrize("parts", [Parts(5, 12, 4), Parts(1, 7, 3), Parts(3, 2, 8), Parts(2, 2, 1)], ids=str)
def test_shards_part_the_cells_evenly_and_each_learner_too(parts: Parts):
    cells = [
        replace(stubs.cell(stubs.Instant(width=2 * learner)), data_seed=system)
        for system in range(parts.systems)
        for learner in range(parts.learners)
    ]
    manifest = {"learners": [{"label": cell.learner_label} for cell in cells[: parts.learners]]}
    keyed = tuple(planned(cells, Path()))
    shares = [
        [one.cell for one in Plan(keyed, manifest, Store(Path()), 1, Shard(index + 1, parts.count)).share]
        for index in range(parts.count)
    ]
    assert sorted(map(repr, cells)) == sorted(repr(cell) for share in shares for cell in share)
    sizes = [len(share) for share in shares]
    assert max(sizes) - min(sizes) <= 1
    for learner in {cell.learner_label for cell in cells}:
        each = [Counter(cell.learner_label for cell in share)[learner] for share in shares]
        assert max(each) - min(each) <= 1


@pytest.mark.parametrize("text", ["0/2", "3/2", "1/0", "1", "a/b", "-1/2", "1/2/3", "1/ 2", "٣/٤"])
def test_a_shard_that_is_none_is_a_mistake(text: str):
    with pytest.raises(UserError, match="--shard is i/n"):
        read_shard(text)


def test_a_shard_is_read_as_it_is_written():
    assert read_shard("2/3") == Shard(2, 3)
    assert read_shard("") == Shard(1, 1)


def test_a_merge_copies_no_file_that_is_a_link_or_has_no_checksum(tmp_path: Path, command: Command):
    run = made(tmp_path / "a")
    linked, extra = (run.store.path(cell.key) for cell in run.cells[:2])
    secret = tmp_path / "secret"
    (linked / "log.txt").rename(secret)
    (linked / "log.txt").symlink_to(secret)
    (extra / "more.txt").symlink_to(secret)
    code, printed, err = command("merge", str(tmp_path / "a"), "--out", str(tmp_path / "b"))
    assert (code, "5 copied, 1 damaged" in printed) == (0, True)
    assert f"left out: {linked / 'log.txt'} is no file of the cell, but a link or in another folder" in err
    copied = Store(tmp_path / "b").path(extra.name)
    assert {path.name for path in copied.iterdir()} == {path.name for path in extra.iterdir()} - {"more.txt"}


def test_a_merge_writes_no_manifest_outside_its_store(tmp_path: Path, command: Command):
    run = made(tmp_path / "a")
    (run.folder / "manifest.json").write_text(json.dumps({**run.manifest, "suite": "../../elsewhere"}))
    code, _, err = command("merge", str(tmp_path / "a"), "--out", str(tmp_path / "in" / "b"))
    assert (code, err.count("\n")) == (2, 1)
    assert "manifest.json has other suite than a run writes" in err
    assert not (tmp_path / "elsewhere").exists()
