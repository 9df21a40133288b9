"""Writing a file whole or not at all."""

import os
import threading
from pathlib import Path

import pytest

from results.store.atomic import write_in_one_stroke


def test_a_file_is_made_or_replaced_and_its_folder_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "some.txt"
    write_in_one_stroke(path, "first\n")
    write_in_one_stroke(path, "Rössler\n")
    assert path.read_bytes() == "Rössler\n".encode()
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_file_as_it_was_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "some.bin"
    write_in_one_stroke(path, b"old")

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_in_one_stroke(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_writers_of_one_process_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "some.bin"
    contents = [bytes([letter]) * 200_000 for letter in b"abcd"]
    threads = [threading.Thread(target=write_in_one_stroke, args=(path, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]
