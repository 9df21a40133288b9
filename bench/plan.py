"""From what the user asks for to the cells of a run: everything is checked before anything is written."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from bench.catalogue import check_name, find_suite
from bench.errors import UserError, at_least, unknown
from bench.override import parse
from results import Store

if TYPE_CHECKING:
    from bench.cell import Cell
    from bench.suite import Suite


@dataclass(frozen=True)
class Request:
    """What the user asks for, in his own words; None stands for the suite's own choice."""

    suite: str
    systems: Sequence[str] = ()
    learners: Sequence[str] = ()
    seeds: int | None = None
    data_seed: int | None = None
    budget: str = "standard"
    device: str = "auto"
    jobs: int | None = None
    out: Path = Path("runs")


@dataclass(frozen=True)
class Plan:
    """The cells of a run with their keys, in the order of display, and the manifest that says what they are."""

    cells: "Sequence[Cell]"
    manifest: dict[str, Any]
    store: Store
    jobs: int

    @property
    def folder(self) -> Path:
        return self.store.root / self.manifest["suite"]

    @property
    def keys(self) -> list[str]:
        return [cell["key"] for cell in self.manifest["cells"]]

    def write_manifest(self) -> None:
        """Replace the manifest in one stroke: a narrowed run replaces the view of its suite, but removes no cell."""
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f".manifest-{os.getpid()}.json"
        temporary.write_text(json.dumps(self.manifest, indent=2))
        temporary.replace(self.folder / "manifest.json")


def prepare(request: Request) -> Plan:
    """Plan a run. Raises UserError, and has then left nothing behind.

    What can be told from the sources is checked first, because importing torch takes seconds.
    """
    at_least("--seeds", request.seeds, 1)
    at_least("--data-seed", request.data_seed, 0)
    at_least("--jobs", request.jobs, 1)
    entry = find_suite(request.suite)
    for package, texts in (("systems", request.systems), ("learners", request.learners)):
        for text in texts:
            check_name(package, parse(text).name, entry)
    _check_writable(request.out)
    suite = _suite(request)
    for folder in (suite.name, "cells", "data"):
        _check_writable(request.out / folder)
    device = _device(request.device)
    cells = suite.cells(request.budget, device)
    return _plan(request, suite, cells, device)


def find_runs(names: Sequence[str], out: Path) -> list[Path]:
    """The folders of runs, given as such or by the name of their suite; all those in `out` if none is named."""
    there = sorted(path.parent for path in out.glob("*/manifest.json"))
    if not there and not names:
        raise UserError(f"there is no run in {out}: `python -m bench run --suite NAME` makes one")
    return [_run_folder(name, out, there) for name in names] or there


def _run_folder(name: str, out: Path, there: Sequence[Path]) -> Path:
    for folder in (out / name, Path(name)):
        if (folder / "manifest.json").exists():
            return folder
    raise unknown(
        "run", name, [folder.name for folder in there], "or the path of a folder with a manifest.json; see --out"
    )


def _suite(request: Request) -> "Suite":
    """The suite with what the user chose in place of its own. Raises UserError."""
    from bench.suite import load, select

    suite = select(load(request.suite), request.systems, request.learners)
    given = {"seeds": request.seeds, "data_seed": request.data_seed}
    return replace(suite, **{name: value for name, value in given.items() if value is not None})


def _plan(request: Request, suite: "Suite", cells: "Sequence[Cell]", device: str) -> Plan:
    from bench.environment import cores, environment
    from bench.key import key
    from bench.runner import default_jobs
    from bench.suite import manifest

    jobs = request.jobs or (default_jobs() if device == "cpu" else 1)
    try:
        keys = [key(cell) for cell in cells]
    except TypeError as error:
        raise UserError(f"suite {suite.name}: {error}") from error
    about = environment(device, max(1, cores() // jobs))
    return Plan(cells, manifest(suite, cells, keys, request.budget, about), Store(request.out), jobs)


def _device(wanted: str) -> str:
    import torch

    if wanted != "cpu" and torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise UserError("--device cuda, but torch finds no CUDA device on this machine: use --device cpu or auto")
    return "cpu"


def _check_writable(folder: Path) -> None:
    """Raise UserError where a folder could not be made or written into, by a trial in what exists of its path."""
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        with TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise UserError(
            f"cannot write to {folder}: {error.strerror} ({existing}); choose another folder with --out"
        ) from error
