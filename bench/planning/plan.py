"""From what the user asks for to the cells of a run: everything is checked before anything is written."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
from typing import TYPE_CHECKING, Any

from bench.catalogue import plugins
from bench.catalogue.settings import parse
from bench.catalogue.suites import check_name, find_suite
from bench.errors import UserError, unknown
from bench.machine.environment import cores, default_jobs, environment
from bench.request import WHOLE, Request, Shard, read_shard
from results import Store
from results.store.atomic import write_in_one_stroke

if TYPE_CHECKING:  # torch is loaded only once names have been checked
    from bench.cells.key import Planned
    from bench.suite import Suite
    from metrics import Metric


@dataclass(frozen=True)
class Plan:
    """The cells of a run in the order of display, and the manifest that says what they are."""

    cells: "tuple[Planned, ...]"
    manifest: dict[str, Any]
    store: Store
    jobs: int
    shard: Shard = WHOLE

    @property
    def folder(self) -> Path:
        return self.store.root / self.manifest["suite"]

    @property
    def share(self) -> "list[Planned]":
        """The cells of this shard: the same number for each, but for one, of all cells and of those of each learner."""
        learners = (one.get("configuration", one["label"]) for one in self.manifest["learners"])
        places = {configuration: place for place, configuration in enumerate(learners)}
        ranked = sorted(self.cells, key=lambda one: places[one.cell.learner_label])
        return ranked[self.shard.part - 1 :: self.shard.parts]

    @property
    def share_of_manifest(self) -> dict[str, Any]:
        """The manifest as if there were no other cells than those of this shard."""
        mine = {one.key for one in self.share}
        return self.manifest | {"cells": [entry for entry in self.manifest["cells"] if entry["key"] in mine]}

    def write_manifest(self) -> None:
        """Replace the manifest in one stroke: a narrowed run replaces the view of its suite, but removes no cell."""
        write_in_one_stroke(self.folder / "manifest.json", json.dumps(self.manifest, indent=2))


def plan(request: Request) -> Plan:
    """Plan a run. Raises UserError or StoreVersionError, and has then left nothing behind.

    What can be known from the sources is checked first, because importing torch takes seconds.
    """
    shard = read_shard(request.shard)
    entry = find_suite(request.suite)
    added = plugins.defined(request.include)
    for package, texts in (("systems", request.systems), ("learners", request.learners)):
        for name in (parse(text).name for text in texts):
            if name not in added:
                check_name(package, name, entry)
    check_writable(request.out)
    Store(request.out).check_version()
    return plan_suite(_find_suite(request), request, shard)  # with torch, only once names have been checked


def plan_suite(suite: "Suite", request: Request, shard: Shard = WHOLE) -> Plan:
    """Plan a run of all of a suite. Raises UserError or StoreVersionError, and has then left nothing behind."""
    from bench.cells.key import planned
    from bench.planning.manifest import manifest

    Store(request.out).check_version()
    for folder in (suite.name, "cells", "data"):
        check_writable(request.out / folder)
    device = _device(request.device, request.elsewhere)
    cells = suite.cells(request.budget, device)
    again = ["failed", "all", *sorted(set().union(*(cell.names for cell in cells)))]
    if request.rerun and request.rerun not in again:
        raise unknown("thing to run again", request.rerun, again, "--rerun takes a system or learner of the suite")
    jobs = request.jobs or (default_jobs() if device == "cpu" else 1)
    try:
        keyed = tuple(planned(cells, request.out))
    except TypeError as error:
        raise UserError(f"suite {suite.name}: {error}") from error
    surroundings = environment(device, max(1, cores() // jobs))
    surroundings["git"].pop("diff", None)  # each cell has it
    described = manifest(suite, keyed, request.budget, surroundings) | {"asked": request.selection()}
    return Plan(keyed, described, Store(request.out), jobs, shard)


def _find_suite(request: Request) -> "Suite":
    """The suite with what the user chose in place of its own. Raises UserError."""
    from bench.planning.selection import select
    from bench.planning.sweep import sweep
    from bench.suite import load

    plugins.include(request.include)
    given = {"seeds": request.seeds, "data_seed": request.data_seed}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    suite = load(request.suite)
    more = _find_metrics(request.metrics, suite.metrics)
    try:
        narrowed = select(suite, request.systems, request.learners)
        return replace(sweep(narrowed, request.sweeps), metrics=(*suite.metrics, *more), **chosen)
    except (TypeError, ValueError) as error:  # of parts that do not go together
        raise UserError(str(error)) from error


def _find_metrics(names: Sequence[str], there: "Sequence[Metric]") -> "list[Metric]":
    """Metrics by their names, of included files, of plugins and of our own, but those that are there. UserError."""
    import metrics

    included: dict[str, Metric] = {}
    for module in plugins.included:
        included |= _metrics_of(module)
    ours = _metrics_of(metrics)
    found: dict[str, Metric] = {}
    for name in names:
        metric = included.get(name) or plugins.find("metrics", name) or ours.get(name)
        if not isinstance(metric, metrics.Metric):
            known = [*included, *ours, *plugins.installed("metrics")]
            raise unknown("metric", name, known, "python -m bench list metrics")
        if metric not in there:
            found[name] = metric
    return list(found.values())


def _metrics_of(module: ModuleType) -> "dict[str, Metric]":
    """The metrics among what a module defines or imports, also in tuples, by their names."""
    from metrics import Metric

    groups = [value if isinstance(value, tuple) else (value,) for value in vars(module).values()]
    return {one.name: one for group in groups for one in group if isinstance(one, Metric)}


def _device(wanted: str, elsewhere: bool) -> str:
    import torch

    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # asks without initialising CUDA in this process
    if wanted == "cpu":
        return "cpu"
    if torch.cuda.is_available() or (wanted == "cuda" and elsewhere):
        return "cuda"
    if wanted == "cuda":
        raise UserError("--device cuda, but torch finds no CUDA device on this machine: use --device cpu or auto")
    return "cpu"


def check_writable(folder: Path, option: str = "--out") -> None:
    """Raise UserError where a folder could not be made or written into, by a trial in what exists of its path."""
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        with TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise UserError(
            f"cannot write to {folder}: {error.strerror} ({existing}); choose another folder with {option}"
        ) from error
