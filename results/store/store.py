"""Where finished cells are kept: one directory for each, complete and intact, or not there at all."""

import io
import json
import os
import re
import shutil
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from results.store.atomic import write_in_one_stroke
from results.store.errors import DamagedCellError, MissingCellError, StoreVersionError, UnreadableError
from results.store.record import Record

if TYPE_CHECKING:
    from numpy import ndarray
    from pandas import DataFrame

VERSION = 1  # of the layout of a store, counted up when older programs could not read it
KEY = r"[\w-]+"  # other files in the folder of a store are not ours, such as .DS_Store
CHECKSUMS = "checksums.json"
RECORDS, ARRAYS = "records.json", "arrays.npz"
CURVE_COLUMNS: dict[Hashable, str] = {
    "seed": "int64", "update": "int64", "train_loss": "float64", "valid_loss": "float64", "seconds": "float64",
    "nfe_forward": "float64", "nfe_backward": "float64", "valid_vpt": "float64", "valid_error": "float64",
}  # fmt: skip


@dataclass(frozen=True)
class Store:
    """Finished cells under `root/cells`, by key; or what else is kept in the same way, in a folder of its own.

    A cell is written in a temporary directory and renamed when complete. Checksums are verified whenever a file is
    read, and nothing is ever unpickled.
    """

    root: Path
    kind: str = "cells"

    def check_version(self) -> None:
        """Raise StoreVersionError where a store was written by another version, whose layout differs."""
        path = self.root / "store.json"
        try:
            found = json.loads(path.read_bytes())["version"]
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreVersionError(
                f"{path} cannot be read ({error}): restore it, or choose another folder with --out"
            ) from error
        if found != VERSION:
            raise StoreVersionError(
                f"{self.root} is a store of version {found}, but this program reads version {VERSION}: "
                "choose another folder with --out, or install the version that wrote it"
            )

    def all_keys(self) -> list[str]:
        """Of all cells that are there, whole or damaged."""
        folder = self.root / self.kind
        entries = os.scandir(folder) if folder.is_dir() else ()
        return sorted(entry.name for entry in entries if re.fullmatch(KEY, entry.name) and entry.is_dir())

    def path(self, key: str) -> Path:
        if not re.fullmatch(KEY, key):
            raise ValueError(f"a cell's key is made of letters, digits, '-' and '_', but this one is {key!r}")
        return self.root / self.kind / key

    def finished(self, key: str) -> bool:
        """Whether the cell is there, with every file as it was written."""
        try:
            self.verify(key)
        except UnreadableError:
            return False
        return True

    def complete(self, key: str) -> bool:
        """Whether the cell is there with all its files, whatever is in them: a quick look at many cells."""
        try:
            return all((self.path(key) / name).is_file() for name in self._files(key))
        except UnreadableError:
            return False

    def holds(self, key: str, name: str) -> bool:
        """Whether a cell was written with a file of this name."""
        return name in self._checksums(key)

    def verify(self, key: str) -> None:
        """Raise MissingCellError or DamagedCellError, which name the file, where the cell is not as it was written."""
        checksums = self._checksums(key)
        for name in self._files(key):
            self._intact(key, name, checksums)

    @contextmanager
    def stage(self, key: str, replace: bool = False) -> Iterator[Path]:
        """A temporary directory that becomes the cell on a clean exit, and vanishes on an exception.

        Where the cell is finished by then, that one is kept, unless it is to be replaced. A damaged one is set aside
        under `root/damaged`.
        """
        self.path(key).parent.mkdir(parents=True, exist_ok=True)
        self.check_version()
        temporary = self._temporary(key)
        temporary.mkdir()
        try:
            if not (self.root / "store.json").exists():  # written where a process that is killed leaves what is swept
                write_in_one_stroke(temporary / "store.json", json.dumps({"version": VERSION}) + "\n")
                (temporary / "store.json").replace(self.root / "store.json")
            yield temporary
            _seal(temporary)
            self._publish(temporary, key, replace)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def sweep(self, key: str) -> None:
        """Remove what processes that were killed have left half-written; for who alone works on the cell."""
        for leftover in self.root.glob(f".{self.kind}-{key}-*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def adopt(self, other: "Store", key: str, replace: bool = False) -> None:
        """Copy the files of a cell of another store that it has checksums of, byte for byte.

        Raises MissingCellError or DamagedCellError, also where one of them lies elsewhere, or is a link.
        """
        source, checksums = other.path(key), other._checksums(key)
        home = (other.root / other.kind).resolve() / key
        for name in checksums:
            if (source / name).resolve() != home / name or Path(name).name != name:
                raise DamagedCellError(f"{source / name} is no file of the cell, but a link or in another folder")
        other.verify(key)  # before anything is written
        with self.stage(key, replace) as folder:
            for name in checksums:
                (folder / name).write_bytes(other._intact(key, name, checksums))

    def records(self, key: str) -> list[Record]:
        try:
            content = self._json(key, RECORDS)
            if not isinstance(content, list):
                raise TypeError(f"a list is expected, not {content!r}")
            return [Record.parse(values) for values in content]
        except (KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
            path = self.path(key) / RECORDS
            raise DamagedCellError(
                f"{path} holds records of another version: {error}. {_remedy(path.parent)}"
            ) from error

    def cell(self, key: str) -> dict[str, Any]:
        """What was run: the configuration of the cell."""
        return self._json(key, "cell.json")

    def environment(self, key: str) -> dict[str, Any]:
        """Where it was run: versions, processor, device, command."""
        return self._json(key, "environment.json")

    def arrays(self, key: str, *units: "ndarray") -> "dict[str, ndarray]":
        """The arrays by name; a cell that failed may lack some, or all. `units`: those they were packed with."""
        from results.store.packing import read_arrays

        content = self._read(key, ARRAYS, required=False)
        return read_arrays(io.BytesIO(content), *units) if content else {}

    def weights(self, key: str) -> "dict[str, ndarray]":
        """The learned numbers of each seed, by names such as "0.layers.0.weight"; a cell that failed may lack them."""
        from safetensors.numpy import load

        content = self._read(key, "checkpoint.safetensors", required=False)
        return load(content) if content else {}

    def curve(self, key: str) -> "DataFrame":
        """The learning curve, a row for each seed and point; `valid_vpt` is NaN where it was not measured.

        Of a learner that is not trained update by update there is one row at the most, without losses.
        """
        import pandas as pd

        content = self._read(key, "curve.csv", required=False)
        if not content:
            return no_curve()
        return pd.read_csv(io.BytesIO(content), dtype=CURVE_COLUMNS).reindex(columns=list(CURVE_COLUMNS))

    def log(self, key: str) -> str:
        return self._read(key, "log.txt", required=False).decode(errors="replace")

    def _json(self, key: str, name: str) -> Any:
        return json.loads(self._read(key, name))

    def _read(self, key: str, name: str, required: bool = True) -> bytes:
        """The bytes of one file of a cell, verified; empty where it is not `required` and was never written."""
        checksums = self._checksums(key)
        return self._intact(key, name, checksums) if required or name in checksums else b""

    def _intact(self, key: str, name: str, checksums: dict[str, str]) -> bytes:
        path = self.path(key) / name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DamagedCellError(f"{path} cannot be read ({error.strerror}). {_remedy(path.parent)}") from error
        if sha256(content).hexdigest() != checksums.get(name):
            raise DamagedCellError(f"{path} does not match its checksum. {_remedy(path.parent)}")
        return content

    def _checksums(self, key: str) -> dict[str, str]:
        folder = self.path(key)
        try:
            return dict(json.loads((folder / CHECKSUMS).read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            if not folder.is_dir():
                raise MissingCellError(
                    f"no finished cell {key} in {folder.parent}: `python -m bench run` computes it"
                ) from None
            raise DamagedCellError(f"{folder / CHECKSUMS} cannot be read ({error}). {_remedy(folder)}") from error

    def _files(self, key: str) -> list[str]:
        """The files that a cell was written with. Raises DamagedCellError where none of them is what a cell is for."""
        checksums, needed = self._checksums(key), ARRAYS if self.kind == "fits" else RECORDS
        if needed not in checksums:
            path = self.path(key)
            raise DamagedCellError(f"{path / CHECKSUMS} has no checksum of {needed}. {_remedy(path)}")
        return list(checksums)

    def _temporary(self, key: str) -> Path:
        return self.root / f".{self.kind}-{key}-{uuid4().hex[:8]}"

    def _publish(self, temporary: Path, key: str, replace: bool) -> None:
        final, retired = self.path(key), self._temporary(key)
        if final.exists() and not self.finished(key):
            damaged = self.root / "damaged"
            damaged.mkdir(exist_ok=True)
            final.rename(damaged / f"{key}-{uuid4().hex[:8]}")
        elif final.exists() and replace:
            final.rename(retired)
        try:
            temporary.rename(final)
        except OSError:
            if not self.finished(key):
                raise
        _sync(final.parent)
        shutil.rmtree(retired, ignore_errors=True)


@cache
def no_curve() -> "DataFrame":
    """A learning curve without a point; not to be changed."""
    import pandas as pd

    return pd.DataFrame(columns=list(CURVE_COLUMNS)).astype(CURVE_COLUMNS)


def _seal(folder: Path) -> None:
    """Write the checksums of all files, and make sure that everything has reached the disk."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS)
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
