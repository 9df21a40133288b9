"""Runs of parts of a suite whose numbers are drawn at random, in memory: nothing is trained, integrated or written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from bench.cells.files import stack
from bench.cells.key import Planned
from bench.planning.manifest import manifest
from bench.suite import Suite
from results.store.record import Measurement, Record, Status
from results.store.run import Run
from results.store.store import CURVE_COLUMNS, Store, no_curve

Arrays = dict[str, np.ndarray]
ENDINGS = np.array(get_args(Status))
TIMES, CLIMATE = 40, 300  # samples of forecasts, and of long runs
ENVIRONMENT = {"command": "python -m bench run", "device": "cpu", "processor": "Example"}


@dataclass(frozen=True)
class Memory(Store):
    """A store of cells that are nowhere on the disk."""

    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    def verify(self, key: str) -> None:
        assert key in self.found

    def records(self, key: str) -> list[Record]:
        return self.found[key]["records"]

    def cell(self, key: str) -> dict[str, Any]:
        return self.found[key]["cell"]

    def arrays(self, key: str, *units: Any) -> Arrays:
        return dict(self.found[key]["arrays"])

    def curve(self, key: str) -> pd.DataFrame:
        return self.found[key]["curve"]

    def environment(self, key: str) -> dict[str, Any]:
        return dict(ENVIRONMENT)

    def log(self, key: str) -> str:
        return "it ended\n"


def made_up(suite: Suite, folder: Path, rng: np.random.Generator) -> Run:
    """A run of this suite as its manifest would have it, most of whose trials end well."""
    cells = [Planned(cell, f"cell{place}", folder, {}) for place, cell in enumerate(suite.cells())]
    store = Memory(folder)
    truths: dict[str, Arrays] = {}
    for planned in cells:
        cell, system = planned.cell, planned.cell.system
        about = {"timescale_name": getattr(system, "timescale_name", ""), "ring": getattr(system, "ring", False)}
        truth = truths.setdefault(cell.system_label, _truth(getattr(system, "dim", 0), rng))
        statuses = np.where(rng.random(len(cell.seeds)) < 0.8, "ok", rng.choice(ENDINGS, len(cell.seeds)))
        records = [_record(cell, seed, str(how), rng) for seed, how in zip(cell.seeds, statuses, strict=True)]
        lacking = np.isin(statuses, ("crashed", "skipped", "timeout", "out_of_memory"))
        trials = [{} if lost else _arrays(truth, rng) for lost in lacking]
        curve = no_curve() if lacking.all() or rng.random() < 0.2 else _curve(cell.seeds, rng)
        store.found[planned.key] = {"cell": about, "records": records, "arrays": stack(trials), "curve": curve}
    return Run(folder / suite.name, manifest(suite, cells, "standard", ENVIRONMENT), store)


def _record(cell: Any, seed: int, how: Any, rng: np.random.Generator) -> Record:
    """Values of all orders of magnitude, some of which are missing, or all; zero now and then."""
    measurements = []
    for metric in cell.metrics:
        lost = how in ("crashed", "skipped", "timeout", "out_of_memory") or rng.random() < 0.15
        value = None if lost else float(rng.choice([0.0, 1.0, 10 ** rng.uniform(-6, 9)], p=[0.1, 0.1, 0.8]))
        ending: Any = "diverged" if lost and how == "ok" and rng.random() < 0.3 else "ok"
        measurements.append(Measurement(metric.name, value, metric.unit, metric.better, ending))
    reason = "" if how == "ok" else f"it {how}"
    return Record(cell.system_label, cell.learner_label, seed, how, reason, tuple(measurements))


def _truth(dim: int, rng: np.random.Generator) -> Arrays:
    """What all learners of a system share; of images, that have no channels, nothing. Some channels do not move."""
    if not dim:
        return {}
    moving = rng.random(dim) < 0.9
    climate = np.sin(rng.uniform(0.05, 0.5, dim) * np.arange(CLIMATE)[:, None] + np.arange(dim)) * moving
    return {
        "times": np.linspace(0.1, 4, TIMES), "climate_times": 0.1 * np.arange(1, CLIMATE + 1), "climate_truth": climate,
        "truth": np.stack([climate[:TIMES]] * 3), "vpt_longest": np.full(4, 4.0),
        "pq_truth": rng.standard_normal((2, 60)).cumsum(1) if moving[0] else np.full((2, 60), np.nan),
        "pq_sampling": np.array([5.0, 60.0, rng.uniform(1, 20)]), "pq_doubts": np.array([1.0, 0.0]),
        "fit_times": np.linspace(0, 5, TIMES), "fit_truth": climate[:TIMES], "fit_data": climate[:TIMES] + 0.01,
    }  # fmt: skip


def _arrays(truth: Arrays, rng: np.random.Generator) -> Arrays:
    """Those of one trial, of which long runs and exponents may not be defined."""
    if not truth:
        nfe = np.sort(rng.integers(4, 90, 5)).astype(float)
        names = ("tolerance", "error", "nfe_forward", "nfe_backward", "forward_seconds", "saved_bytes")
        swept = dict(zip(names, (np.logspace(-1, -5, 5), 1 / nfe, nfe, nfe / 2, nfe / 1e3, nfe * 1e4), strict=True))
        return {f"sweep_{name}": values for name, values in swept.items()} if rng.random() < 0.5 else {}
    dim = truth["climate_truth"].shape[1]
    run = truth["climate_truth"] * rng.choice([1.0, 1.1, 0.0, 1e30]) + rng.choice([0.0, np.nan], p=[0.9, 0.1])
    if rng.random() < 0.2:
        run[CLIMATE // 2 :] = np.inf
    quartiles = np.sort(10.0 ** rng.uniform(-3, 1, (3, TIMES)), axis=0)
    quartiles[:, TIMES // 2 :] *= rng.choice([1.0, np.inf], p=[0.8, 0.2])
    return {
        **truth, "error_quartiles": quartiles, "vpt": rng.choice([0.0, 1.0, 4.0], 4), "vpt_strict": np.zeros(4),
        "forecast": np.stack([run[:TIMES]] * 3), "climate": run, "fit": run[:TIMES],
        "pq": rng.standard_normal((2, 60)).cumsum(1) * rng.choice([1.0, 1e6, np.nan], p=[0.8, 0.1, 0.1]),
        "exponents": np.sort(rng.standard_normal((3, min(dim, 10))) * 5)[:, ::-1],
    }  # fmt: skip


def _curve(seeds: Sequence[int], rng: np.random.Generator) -> pd.DataFrame:
    """Learning curves with the prediction times of their stages, where losses may have left the finite numbers."""
    update = np.array([1, 10, 100, 1000])
    columns: Mapping[Any, Any] = {
        "update": update, "train_loss": 1 / update, "valid_loss": rng.choice([1.0, np.inf], 4, p=[0.9, 0.1]) / update,
        "seconds": update / 1e3, "nfe_forward": rng.integers(1, 9, 4), "nfe_backward": 1.0,
        "valid_vpt": rng.uniform(0, 4, 4), "valid_error": 1 / update,
    }  # fmt: skip
    parts = [pd.DataFrame(columns).assign(seed=seed) for seed in seeds]
    return pd.concat(parts, ignore_index=True).reindex(columns=list(CURVE_COLUMNS)).astype(CURVE_COLUMNS)
