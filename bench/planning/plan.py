"""From what the user asks for to the cells of a run: everything is checked before anything is written."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from bench.catalogue import plugins
from bench.catalogue.components import check_name, find_suite
from bench.catalogue.settings import parse
from bench.errors import UserError, at_least, unknown
from bench.request import WHOLE, Request, Shard, read_shard
from results import Store, StoreVersionError
from results.store.atomic import write_in_one_stroke

if TYPE_CHECKING:
    from bench.cells.cell import Cell
    from bench.suite import Suite
    from metrics import Metric


@dataclass(frozen=True)
class Plan:
    """The cells of a run with their keys, in the order of display, and the manifest that says what they are."""

    cells: "Sequence[Cell]"
    manifest: dict[str, Any]
    store: Store
    jobs: int
    shard: Shard = WHOLE

    @property
    def folder(self) -> Path:
        return self.store.root / self.manifest["suite"]

    @property
    def keys(self) -> list[str]:
        return [cell["key"] for cell in self.manifest["cells"]]

    @property
    def share(self) -> "list[Cell]":
        """The cells of this shard: the same number for each, but for one, of all cells and of those of each learner."""
        learners = (one.get("configuration", one["label"]) for one in self.manifest["learners"])
        places = {configuration: place for place, configuration in enumerate(learners)}
        ranked = sorted(self.cells, key=lambda cell: places[cell.learner_label])
        return ranked[self.shard.part - 1 :: self.shard.parts]

    @property
    def share_of_manifest(self) -> dict[str, Any]:
        """The manifest as if there were no other cells than those of this shard."""
        mine = {(cell.system_label, cell.learner_label) for cell in self.share}
        pairs = zip(self.cells, self.manifest["cells"], strict=True)
        cells = [entry for cell, entry in pairs if (cell.system_label, cell.learner_label) in mine]
        return self.manifest | {"cells": cells}

    def write_manifest(self) -> None:
        """Replace the manifest in one stroke: a narrowed run replaces the view of its suite, but removes no cell."""
        write_in_one_stroke(self.folder / "manifest.json", json.dumps(self.manifest, indent=2))


def prepare(request: Request) -> Plan:
    """Plan a run. Raises UserError, and has then left nothing behind.

    What can be told from the sources is checked first, because importing torch takes seconds.
    """
    at_least("--seeds", request.seeds, 1)
    at_least("--data-seed", request.data_seed, 0)
    at_least("--jobs", request.jobs, 1)
    shard = read_shard(request.shard)
    entry, added = find_suite(request.suite), plugins.defined(request.include)
    for package, texts in (("systems", request.systems), ("learners", request.learners)):
        for text in texts:
            name = parse(text).name
            if name not in added:
                check_name(package, name, entry)
    _check_store(request.out)
    suite = _suite(request)
    for folder in (suite.name, "cells", "data"):
        _check_writable(request.out / folder)
    device = _device(request.device, request.elsewhere)
    cells = suite.cells(request.budget, device)
    _check_rerun(request.rerun, cells)
    return _plan(request, suite, cells, device, shard)


def _suite(request: Request) -> "Suite":
    """The suite with what the user chose in place of its own. Raises UserError."""
    from bench.planning.selection import select
    from bench.suite import load

    plugins.include(request.include)
    suite = select(load(request.suite), request.systems, request.learners)
    given = {"seeds": request.seeds, "data_seed": request.data_seed}
    more = _more_metrics(request.metrics, [metric.name for metric in suite.metrics])
    return replace(
        suite, metrics=(*suite.metrics, *more), **{name: value for name, value in given.items() if value is not None}
    )


def _more_metrics(names: Sequence[str], there: Sequence[str]) -> "list[Metric]":
    """Metrics by their names, of our own and of plugins, without those that are there. Raises UserError."""
    import metrics

    groups = [value if isinstance(value, tuple) else (value,) for value in vars(metrics).values()]
    known = {one.name: one for group in groups for one in group if isinstance(one, metrics.Metric)}
    found = []
    for name in names:
        metric = plugins.find("metrics", name) or known.get(name)
        if metric is None:
            raise unknown("metric", name, [*known, *plugins.installed("metrics")], "python -m bench list metrics")
        if name not in there:
            found.append(metric)
    return found


def _plan(request: Request, suite: "Suite", cells: "Sequence[Cell]", device: str, shard: Shard) -> Plan:
    from bench.cells.cell import keys
    from bench.machine.environment import cores, default_jobs, environment
    from bench.planning.manifest import manifest

    jobs = request.jobs or (default_jobs() if device == "cpu" else 1)
    try:
        names = keys(cells)
    except TypeError as error:
        raise UserError(f"suite {suite.name}: {error}") from error
    about = environment(device, max(1, cores() // jobs))
    about["git"].pop("diff", None)  # each cell has it
    return Plan(cells, manifest(suite, cells, names, request.budget, about), Store(request.out), jobs, shard)


def _check_rerun(rerun: str, cells: "Sequence[Cell]") -> None:
    from bench.cells.cell import names

    known = ["failed", "all", *sorted(set().union(*(names(cell) for cell in cells)))]
    if rerun and rerun not in known:
        raise unknown("thing to run again", rerun, known, "--rerun takes a system or learner of the suite")


def _device(wanted: str, elsewhere: bool) -> str:
    import torch

    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # asks without initialising CUDA in this process
    if wanted != "cpu" and torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda" and elsewhere:
        return "cuda"
    if wanted == "cuda":
        raise UserError("--device cuda, but torch finds no CUDA device on this machine: use --device cpu or auto")
    return "cpu"


def _check_store(folder: Path) -> None:
    _check_writable(folder)
    try:
        Store(folder).check_version()
    except StoreVersionError as error:
        raise UserError(str(error)) from error


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
