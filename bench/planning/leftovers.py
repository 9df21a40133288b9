"""What a store keeps that no run can use again: found without torch, by what cells say that they are made of."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import time
from typing import Any

from bench.catalogue.sources import Module, read_source
from bench.cells.digest import checksum
from bench.importing import PACKAGES, ROOT
from results import Store, UnreadableError
from results.store.lease import LEASE_SECONDS
from results.store.manifest import read_manifest

TEMPORARY = r"\.[0-9a-f]{32}"  # the name of a file that `write_in_one_stroke` has not written whole
KINDS = ("cells", "fits", "trials", "films")  # of folders of a store, each with cells by key
STALE, SUPERSEDED, UNUSED, HALF_WRITTEN, DAMAGED = (
    "stale: their code has changed",
    "superseded: there are newer ones of the same configuration",
    "of no cell that is kept; made again where they are needed",
    "half-written by processes that were killed",
    "damaged, and set aside",
)


@dataclass(frozen=True)
class Leftover:
    """A file or folder of a store that no run can use again, and no report shows."""

    path: Path
    kind: str
    why: str

    @property
    def bytes(self) -> int:
        files = self.path.rglob("*") if self.path.is_dir() else (self.path,)
        return sum(file.lstat().st_size for file in files if not file.is_dir())


def leftovers(root: Path) -> list[Leftover]:
    """What can be removed from a store where nobody is at work. Cells that a run's manifest names are not among it.

    Stale are cells and fits whose modules, of ours, are not what they were any more. What users' own modules are now is
    not known: of cells that differ in these alone, the newest stays. Raises UnreadableError where a manifest cannot be
    read.
    """
    shown = {cell["key"] for path in root.glob("*/manifest.json") for cell in read_manifest(path.parent)["cells"]}
    found = []
    data = set()
    for kind in KINDS:
        store = Store(root, kind)
        reasons = _reasons(store, shown if kind == "cells" else set())
        found += [Leftover(store.path(key), kind, why) for key, why in reasons.items()]
        data |= {_about(store, key).get("data") for key in store.all_keys() if key not in reasons}
    for path in sorted((root / "data").glob("*.npz")):
        if path.name not in data:
            found.append(Leftover(path, "data", UNUSED))
    found += [Leftover(path, "cells", DAMAGED) for path in sorted((root / "damaged").glob("*"))]
    for kind in KINDS:
        found += [Leftover(path, kind, HALF_WRITTEN) for path in sorted(root.glob(f".{kind}-*"))]
    unnamed = [path for path in sorted(root.glob("*/.*")) if re.fullmatch(TEMPORARY, path.name)]
    old = [path for path in unnamed if time() - path.stat().st_mtime > LEASE_SECONDS]
    return found + [Leftover(path, f"files in {path.parent.name}", HALF_WRITTEN) for path in old]


def _reasons(store: Store, shown: set[str]) -> dict[str, str]:
    """Why cells of one kind are of no use, by key."""
    alike: dict[str, list[str]] = defaultdict(list)
    reasons = {}
    for key in store.all_keys():
        about = _about(store, key)
        alike[checksum(about.get("configuration", key))].append(key)
        if key not in shown and any(_has_changed(*module) for module in about.get("digest", {"": ""}).items()):
            reasons[key] = STALE
    for keys in alike.values():
        newest = max(keys, key=lambda key: (key not in reasons, store.path(key).stat().st_mtime))
        reasons |= {key: SUPERSEDED for key in keys if key not in reasons and key != newest and key not in shown}
    return reasons


def _about(store: Store, key: str) -> dict[str, Any]:
    """What a cell is made of; nothing where it does not say so, as older programs did, or is damaged."""
    try:
        return store.cell(key)
    except (UnreadableError, ValueError):
        return {}


@cache
def _has_changed(name: str, code: str) -> bool:
    """Whether a module of ours is not what it was, or gone."""
    if name and name.partition(".")[0] not in PACKAGES:
        return False
    stem = ROOT.joinpath(*name.split("."))
    for path in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py"):
        if path.is_file():
            return read_source(Module(name, path)).hash != code
    return True


def by_reason(found: list[Leftover]) -> Iterator[tuple[str, str, list[Leftover]]]:
    """Leftovers of one kind and for one reason together, in the order in which they were found."""
    groups: dict[tuple[str, str], list[Leftover]] = defaultdict(list)
    for one in found:
        groups[one.kind, one.why].append(one)
    for (kind, why), members in groups.items():
        yield kind, why, members
