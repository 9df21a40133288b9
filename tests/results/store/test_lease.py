"""Leases: one process at a time has a cell, and what the dead have left holds nobody up."""

import errno
import os
import time
from pathlib import Path

import pytest

from results import Store
from results.store import lease
from results.store.lease import BLANK_SECONDS, LEASE_SECONDS, Lease, leased


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "leases").mkdir()
    return Store(tmp_path)


def blank(store: Store, age: float) -> Path:
    """What a process leaves that is killed between making the file of its lease and writing its name into it."""
    path = store.root / "leases" / "abc.lease"
    path.touch()
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.mark.parametrize("age", [2 * BLANK_SECONDS, -3600.0], ids=["old", "of the future"])
def test_a_lease_without_a_name_is_taken_over(store: Store, age: float):
    blank(store, age)
    mine = Lease(store, "abc")
    assert mine.acquire()
    assert leased(store) == ["abc"]
    mine.release()
    assert list((store.root / "leases").iterdir()) == []


def test_a_lease_that_is_being_written_is_left_alone(store: Store):
    path = blank(store, 0.0)
    assert not Lease(store, "abc").acquire()
    assert path.exists()


@pytest.fixture
def elsewhere(store: Store, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lease of another machine, on a drive that cannot exchange files and passes no locks on."""
    theirs = Lease(store, "abc")
    assert theirs.acquire()
    path = store.root / "leases" / "abc.lease"
    lines = ["host=elsewhere" if line.startswith("host=") else line for line in path.read_text().splitlines()]
    theirs.release()
    path.write_text("\n".join([*lines, ""]))
    monkeypatch.setattr("filelock._soft.exchange_names", lambda *names: False, raising=False)
    return path


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    later = time.monotonic() + seconds
    monkeypatch.setattr(lease.time, "monotonic", lambda: later)


def test_a_lease_of_another_machine_is_taken_over_when_it_gives_no_sign_of_life(
    store: Store, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
):
    mine = Lease(store, "abc")
    assert not mine.acquire()
    pass_time(monkeypatch, LEASE_SECONDS / 2)
    assert not mine.acquire()
    pass_time(monkeypatch, LEASE_SECONDS)
    assert mine.acquire()
    assert "host=elsewhere" not in elsewhere.read_text()
    mine.release()
    assert list((store.root / "leases").iterdir()) == []


def test_a_lease_that_gives_signs_of_life_is_never_taken_over(
    store: Store, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
):
    mine = Lease(store, "abc")
    for beat in range(5):
        os.utime(elsewhere, (beat, beat))
        assert not mine.acquire()
        pass_time(monkeypatch, 0.9 * LEASE_SECONDS)


def test_a_lease_that_somebody_else_has_just_taken_over_is_put_back(
    store: Store, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
):
    mine = Lease(store, "abc")
    assert not mine.acquire()
    pass_time(monkeypatch, 2 * LEASE_SECONDS)
    rename = Path.rename

    def overtaken(path: Path, target: Path) -> Path:
        new = path.with_name("new")
        new.write_text(path.read_text().replace("elsewhere", "faster"))
        rename(new, path)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    assert not mine.acquire()
    assert "host=faster" in elsewhere.read_text()


@pytest.mark.parametrize("reason", [errno.EROFS, errno.EACCES])
def test_in_a_store_that_cannot_be_written_those_work_whose_last_sign_of_life_is_recent(
    store: Store, monkeypatch: pytest.MonkeyPatch, reason: int
):
    def refuse(path: Path) -> None:
        raise OSError(reason, os.strerror(reason), str(path))

    held = Lease(store, "busy")
    assert held.acquire()
    (store.root / "leases" / "dead.lease").write_text("")
    os.utime(store.root / "leases" / "dead.lease", (0, 0))
    monkeypatch.setattr(lease, "_acquire", refuse)
    assert leased(store) == ["busy"]
    held.release()
