"""Where finished cells are kept: one directory for each, complete and intact, or not there at all."""

import io
import json
import os
import re
import shutil
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from results.record import Record

if TYPE_CHECKING:
    from numpy import ndarray
    from pandas import DataFrame

CHECKSUMS = "checksums.json"
CURVE_COLUMNS: dict[Hashable, str] = {
    "seed": "int64", "update": "int64", "train_loss": "float64", "valid_loss": "float64", "seconds": "float64",
    "nfe_forward": "float64", "nfe_backward": "float64",
}  # fmt: skip


class MissingCellError(LookupError):
    """A cell that was not finished yet."""


class DamagedCellError(ValueError):
    """A cell whose files are not the ones that were written."""


@dataclass(frozen=True)
class Store:
    """Finished cells under `root/cells`, by key.

    A cell is written in a temporary directory and renamed when complete. Checksums are verified whenever a file is
    read, and nothing is ever unpickled.
    """

    root: Path

    def path(self, key: str) -> Path:
        if not re.fullmatch(r"[\w-]+", key):
            raise ValueError(f"a cell's key is made of letters, digits, '-' and '_', but this one is {key!r}")
        return self.root / "cells" / key

    def finished(self, key: str) -> bool:
        """Whether the cell is there, with every file as it was written."""
        try:
            self.verify(key)
        except (MissingCellError, DamagedCellError):
            return False
        return True

    def verify(self, key: str) -> None:
        """Raise MissingCellError or DamagedCellError, which name the file, where the cell is not as it was written."""
        for name in self._checksums(key):
            self._read(key, name)

    @contextmanager
    def stage(self, key: str) -> Iterator[Path]:
        """A temporary directory that becomes the cell on a clean exit, and vanishes on an exception.

        Where another process has finished the cell in the meantime, that one is kept. A damaged one is set aside under
        `root/damaged`.
        """
        final = self.path(key)
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.root / f".{key[:16]}-{uuid4().hex[:8]}"
        temporary.mkdir()
        try:
            yield temporary
            _seal(temporary)
            self._publish(temporary, key)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def records(self, key: str) -> list[Record]:
        try:
            return [Record.parse(values) for values in self._json(key, "records.json")]
        except (KeyError, TypeError) as error:
            path = self.path(key) / "records.json"
            raise DamagedCellError(
                f"{path} holds records of another version: {error}. {_remedy(path.parent)}"
            ) from error

    def cell(self, key: str) -> dict[str, Any]:
        """What was run: the configuration of the cell."""
        return self._json(key, "cell.json")

    def environment(self, key: str) -> dict[str, Any]:
        """Where it was run: versions, processor, device, command."""
        return self._json(key, "environment.json")

    def arrays(self, key: str) -> "dict[str, ndarray]":
        """The arrays by name; a cell that failed may lack some, or all."""
        import numpy as np

        content = self._read(key, "arrays.npz", required=False)
        if not content:
            return {}
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)

    def curve(self, key: str) -> "DataFrame":
        """The learning curve, a row for each seed and point; no rows for learners that do not train."""
        import pandas as pd

        content = self._read(key, "curve.csv", required=False)
        return pd.read_csv(io.BytesIO(content or ",".join(map(str, CURVE_COLUMNS)).encode()), dtype=CURVE_COLUMNS)

    def log(self, key: str) -> str:
        return self._read(key, "log.txt", required=False).decode(errors="replace")

    def _json(self, key: str, name: str) -> Any:
        return json.loads(self._read(key, name))

    def _read(self, key: str, name: str, required: bool = True) -> bytes:
        """The bytes of one file of a cell, verified; empty where it is not `required` and was never written."""
        path, checksums = self.path(key) / name, self._checksums(key)
        if not required and name not in checksums:
            return b""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DamagedCellError(f"{path} cannot be read ({error.strerror}). {_remedy(path.parent)}") from error
        if sha256(content).hexdigest() != checksums.get(name):
            raise DamagedCellError(f"{path} does not match its checksum. {_remedy(path.parent)}")
        return content

    def _checksums(self, key: str) -> dict[str, str]:
        folder = self.path(key)
        if not folder.is_dir():
            raise MissingCellError(
                f"no finished cell {key} in {self.root / 'cells'}: `python -m bench run` computes it"
            )
        try:
            return dict(json.loads((folder / CHECKSUMS).read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise DamagedCellError(f"{folder / CHECKSUMS} cannot be read ({error}). {_remedy(folder)}") from error

    def _publish(self, temporary: Path, key: str) -> None:
        final = self.path(key)
        if final.exists() and not self.finished(key):
            self._set_aside(key)
        try:
            temporary.rename(final)
        except OSError:
            if not self.finished(key):
                raise
        _sync(final.parent)

    def _set_aside(self, key: str) -> None:
        damaged = self.root / "damaged"
        damaged.mkdir(exist_ok=True)
        self.path(key).rename(damaged / f"{key}-{uuid4().hex[:8]}")


def _seal(folder: Path) -> None:
    """Write the checksums of all files, and make sure that everything has reached the disk."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    checksums = {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}
    (folder / CHECKSUMS).write_text(json.dumps(checksums, indent=2))
    for path in (*files, folder / CHECKSUMS, folder):
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remedy(folder: Path) -> str:
    return f"Run the same command again: it sets {folder.name} aside and computes it anew."
