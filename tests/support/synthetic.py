"""A run directory such as the runner leaves, filled with plausible numbers by a small integrator."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from results.store.manifest import parse_label
from results.store.record import Measurement, Record, Status
from results.store.run import with_components
from results.store.store import CURVE_COLUMNS, Store

Array = np.ndarray
SUBSTEPS = 4
SOBER = ("Persistence", "TrainingMean", "Climatology")  # reference rows that do not solve anything

METRICS = (
    ("nrmse", "", "lower", "error of the forecast in standard deviations, mean over the horizon"),
    ("vpt", "timescales", "higher", "time until the error exceeds 0.5 standard deviations"),
    ("vpt_strict", "timescales", "higher", "time until the error exceeds 0.05 standard deviations"),
    ("vpt_capped", "", "higher", "share of the test states whose forecast is valid up to the horizon"),
    ("smape", "%", "lower", "symmetric relative error, 0 to 200"),
    ("cme", "", "lower", "cumulative maximum error, 0 to 1"),
    ("roughness", "", "truth", "second differences of the forecast against the truth's"),
    ("zero_one_k", "", "truth", "0-1 test of the long run: near 1 is chaotic, near 0 regular"),
    ("nfe_forward", "evaluations", "lower", "function evaluations of the forward pass of an update"),
    ("nfe_backward", "evaluations", "lower", "function evaluations of the backward pass of an update"),
    ("nfe_forecast", "evaluations / timescale", "lower", "function evaluations of a forecast"),
    ("parameters", "", "lower", "learned numbers"),
    ("updates", "", "lower", "updates of the weights"),
    ("samples", "", "lower", "samples that the updates have seen"),
    ("fit_seconds", "s", "lower", "time to fit one seed"),
    ("forecast_seconds", "s", "lower", "time to forecast all test states"),
    ("saved_bytes", "B", "lower", "kept for the backward pass of an update"),
    ("peak_bytes", "B", "lower", "most memory in use"),
)


@dataclass(frozen=True)
class Example:
    """A system: its velocity at parameters that are off by `strain`, one number for each row of the batch."""

    velocity: Callable[[Array, Array], Array]
    start: tuple[float, ...]
    timescale: float
    chaotic: bool = True
    ring: bool = False


def lorenz(x: Array, strain: Array) -> Array:
    u, v, w = x.T
    rho = 28.0 * (1 + strain)
    return np.stack([10.0 * (v - u), u * (rho - w) - v, u * v - 8 / 3 * w], -1)


def rossler(x: Array, strain: Array) -> Array:
    u, v, w = x.T
    return np.stack([-v - w, u + 0.2 * (1 + strain) * v, 0.2 + w * (u - 5.7)], -1)


def lorenz96(x: Array, strain: Array) -> Array:
    ahead, behind, two_behind = (np.roll(x, shift, -1) for shift in (-1, 1, 2))
    return (ahead - two_behind) * behind - x + 8.0 * (1 + strain[:, None])


def van_der_pol(x: Array, strain: Array) -> Array:
    u, v = x.T
    return np.stack([(1 + strain) * (u - u**3 / 3 - v), u], -1)


def cubic_spiral(x: Array, strain: Array) -> Array:
    u, v = x.T
    return np.stack([-0.1 * u**3 + 2 * (1 + strain) * v**3, -2 * u**3 - 0.1 * v**3], -1)


def driven(x: Array, strain: Array) -> Array:
    """Lorenz behind an input that is constant."""
    return np.concatenate([0 * x[:, :1], lorenz(x[:, 1:], strain)], -1)


def resting(x: Array, strain: Array) -> Array:
    return 0 * x


EXAMPLES = {
    "CubicSpiral": Example(cubic_spiral, (2.0, 0.0), 2.0, chaotic=False),
    "VanDerPol": Example(van_der_pol, (2.0, 0.5), 6.66329, chaotic=False),
    "Lorenz": Example(lorenz, (-8.0, 7.0, 27.0), 1 / 0.9056),
    "Rossler": Example(rossler, (1.0, -5.0, 0.02), 1 / 0.0714),
    "Driven": Example(driven, (1.0, -8.0, 7.0, 27.0), 1 / 0.9056),
    "Offset": Example(resting, (1e6, 0.0, 3.0), 1.0, chaotic=False),
    "Resting": Example(resting, (0.0, 0.0), 1.0, chaotic=False),
    "Still": Example(resting, (2.0,), 1.0, chaotic=False),
    "Lorenz96": Example(lorenz96, (8.1, 7.4, 2.0, 9.1, -1.0, 3.0, 7.0, 8.0, 1.0, 4.0), 1 / 1.17, ring=True),
}
# Label, whether a reference row, error of the first step, seconds to fit, function evaluations a step, parameters.
LEARNERS = (
    ("WindowedRNN[cell=rnn]", False, 2e-2, 21.0, 1, 18_000),
    ("WindowedRNN", False, 8e-3, 36.0, 1, 52_400),
    ("WindowedRNN[cell=lstm]", False, 9e-3, 44.0, 1, 69_300),
    ("NeuralODE", False, 2e-3, 55.0, 4, 4_611),
    ("ResNet", False, 1.5e-3, 41.0, 1, 34_200),
    ("RKNet", False, 3e-3, 88.0, 14, 4_611),
    ("ODENet", False, 3.2e-3, 118.0, 14, 4_611),
    ("Persistence", True, 0.1, 0.0, 0, 0),
    ("TrainingMean", True, 1.0, 0.0, 0, 3),
    ("Climatology", True, 1.4, 0.0, 0, 0),
    ("PolynomialPropagator", True, 1e-6, 0.09, 1, 168),
    ("TrueEquations", True, 3e-7, 0.0, 4, 0),
)
ENVIRONMENT = {
    "python": "3.12.4", "platform": "Linux-6.1-x86_64", "processor": "Example CPU", "cores": 2, "threads": 1,
    "device": "cpu", "torch": "2.6.0", "packages": {"numpy": "2.1.0", "scipy": "1.14.1"},
    "git": {"revision": "0123abcd", "dirty": False}, "command": "python -m bench run --suite chaos",
    "started": "2025-01-01T12:00:00+00:00", "hostname": "example",
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How large a run is to be built; the default is a small one."""

    step: float = 0.05
    horizon: float = 8.0
    test: int = 6
    climate_samples: int = 240
    points: int = 8  # of each learning curve
    seeds: tuple[int, ...] = (0, 1, 2)


CHAOS = Size(step=0.02, horizon=13.26, test=128, climate_samples=5500, points=100)


def build(
    out: Path,
    systems: Sequence[str] = ("VanDerPol", "Lorenz"),
    learners: Sequence[str] = ("WindowedRNN", "ResNet", "Persistence", "TrueEquations"),
    size: Size = Size(),
    status: Mapping[tuple[str, str], Status] | None = None,
    suite: str = "chaos",
) -> Path:
    """Write the cells and the manifest of a run below `out`, and return the run's folder.

    A cell of (system, learner) with a `status` ends like that: "diverged" still has evidence, any other has none.
    """
    chosen = [learner for learner in LEARNERS if learner[0] in learners]
    cells = []
    for system in systems:
        evidence = _Evidence(EXAMPLES[system], chosen, size)
        for row, learner in enumerate(chosen):
            key = sha256(f"{system} {learner[0]} {size}".encode()).hexdigest()[:24]
            cells.append({"key": key, "system": system, "learner": learner[0]})
            outcome = (status or {}).get((system, learner[0]), "ok")
            _write_cell(Store(out), key, system, learner, size, outcome, evidence.of(row, outcome))
    return _write_manifest(out / suite, cells, systems, chosen, size)


def _write_manifest(folder: Path, cells: list, systems: Sequence[str], chosen: list, size: Size) -> Path:
    manifest = {
        "suite": folder.name,
        "description": "Recurrent networks, neural ODEs and residual networks on chaotic systems.",
        "budget": "standard",
        "command": f"python -m bench run --suite {folder.name}",
        "seeds": list(size.seeds),
        "data_seed": 0,
        "systems": list(systems),
        "learners": [{"label": learner[0], "reference": learner[1]} for learner in chosen],
        "metrics": [dict(zip(("name", "unit", "better", "about"), metric, strict=True)) for metric in METRICS],
        "sampling": {"class": "Sampling", "step": size.step, "test": size.test, "horizon": size.horizon, "noise": 0.0},
        "cells": cells,
        "environment": ENVIRONMENT,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def _write_cell(
    store: Store, key: str, system: str, learner: tuple, size: Size, status: Status, arrays: dict[str, Array]
) -> None:
    label, reference, _, seconds, *_ = learner
    example = EXAMPLES[system]
    cell = {
        "key": key, "system": system, "learner": label, "reference": reference, "seeds": size.seeds, "data_seed": 0,
        "timescale": example.timescale, "timescale_name": "Lyapunov time" if example.chaotic else "period",
        "step": size.step * example.timescale, "dim": len(example.start), "ring": example.ring,
        "updates_effort": 1.0, "device": "cpu", "configuration": {"class": label}, "digest": {}, "seconds": 3 * seconds,
    }  # fmt: skip
    records = [_record(system, learner, place, size, status, arrays) for place in range(len(size.seeds))]
    with store.stage(key) as folder:
        (folder / "cell.json").write_text(json.dumps(cell))
        (folder / "records.json").write_text(json.dumps([asdict(record) for record in records]))
        (folder / "environment.json").write_text(json.dumps(ENVIRONMENT))
        (folder / "log.txt").write_text(f"{label} on {system}\n" + ("fine\n" if status == "ok" else f"{status}\n"))
        np.savez(folder / "arrays.npz", allow_pickle=False, **arrays)
        with (folder / "curve.csv").open("w", newline="") as file:
            csv.writer(file).writerows([CURVE_COLUMNS, *(_curve(learner, size) if status == "ok" else ())])


def _record(system: str, learner: tuple, place: int, size: Size, status: Status, arrays: dict[str, Array]) -> Record:
    label, _, error, seconds, evaluations, parameters = learner
    reason = "" if status == "ok" else f"{status} while training: the loss left the <finite> numbers"
    values: dict[str, float] = {}
    if arrays:
        errors, chaotic = arrays["error_quartiles"][place, 1], EXAMPLES[system].chaotic
        values = {
            "vpt": float(np.median(arrays["vpt"][place])),
            "vpt_strict": float(np.median(arrays["vpt_strict"][place])),
            "vpt_capped": float(np.mean(arrays["vpt"][place] >= arrays["times"][-1] * (1 - 1e-6))),
            "zero_one_k": (0.998 if chaotic else 0.004) - min(error, 0.9) * (place + 1) / 3,
            "smape": 100 * min(error**0.3, 1.9), "roughness": 1 + error * (place + 1), "cme": min(1.0, error**0.4),
            "updates": 400 * seconds, "samples": 400 * seconds * 256, "parameters": parameters,
            "nfe_forward": float(evaluations), "nfe_backward": float(evaluations // 2),
            "nfe_forecast": evaluations / size.step, "fit_seconds": seconds * (1 + 0.04 * place),
            "forecast_seconds": 0.01 + evaluations / 90, "saved_bytes": 4096 * evaluations * 12.5, "peak_bytes": 3.1e8,
        }  # fmt: skip
        if np.isfinite(errors).all():
            values["nrmse"] = float(errors.mean())
    measured = [Measurement(name, values.get(name), unit, better) for name, unit, better, _ in METRICS]
    return Record(system, label, size.seeds[place], status, reason, tuple(measured))


def _curve(learner: tuple, size: Size) -> list[list[float]]:
    _, reference, error, seconds, evaluations, _ = learner
    if reference:
        return []
    rows = []
    for seed in size.seeds:
        rng = np.random.default_rng([seed, int(seconds)])
        updates = np.unique(np.geomspace(20, 400 * seconds, size.points).astype(int))
        losses = 30 * error**2 + 0.5 * np.exp(rng.normal(0, 0.15, len(updates))) * (updates / 20.0) ** -1.2
        spent = updates / updates[-1] * seconds
        stages = [np.flatnonzero(updates <= part * updates[-1]).max() for part in (1 / 8, 1 / 4, 1 / 2, 1)]
        vpt = np.where(np.isin(np.arange(len(updates)), stages), np.log1p(1 / losses), np.nan)
        lines = zip(updates, losses, 1.1 * losses, spent, vpt, strict=True)
        rows += [[seed, *line, evaluations, evaluations / 2, reached] for *line, reached in lines]
    return rows


class _Evidence:
    """The arrays of all cells of one system: the truth, and every learner as the same system a little off."""

    def __init__(self, example: Example, learners: list, size: Size) -> None:
        self.example, self.learners, self.size = example, learners, size
        strain = [0.0] + [0.0 if learner[0] in SOBER else 8 * learner[2] for learner in learners]
        self.long = _integrate(example, np.array(strain), size)

    def of(self, row: int, status: Status) -> dict[str, Array]:
        if status not in ("ok", "diverged"):
            return {}
        truth, size, seeds = self.long[0], self.size, len(self.size.seeds)
        climate = np.stack([self._climate(row, place) for place in range(seeds)])
        times = size.step * np.arange(1, round(size.horizon / size.step) + 1)
        errors = self._errors(times, row)
        if status == "diverged":
            climate[:, len(truth) // 6 :] *= np.geomspace(1, 1e4, len(truth) - len(truth) // 6)[:, None]
            climate[:, len(truth) // 2 :] = np.inf
            errors[..., len(times) // 2 :] = np.inf
        first, scored = 3, min(len(times), len(truth))
        arrays = {
            "times": times, "vpt": _valid(times, errors, 0.5), "vpt_strict": _valid(times, errors, 0.05),
            "error_quartiles": np.quantile(errors, [0.25, 0.5, 0.75], axis=1, method="nearest").transpose(1, 0, 2),
            "truth": np.stack([truth[:scored]] * first), "forecast": np.stack([[climate[0][:scored]] * first] * seeds),
            "climate_times": size.step * np.arange(1, len(truth) + 1), "climate_truth": truth, "climate": climate,
            "pq_sampling": np.array([5, len(truth) // 5, 8.0]), "pq_doubts": np.array([len(truth) < 5000, False]),
            "pq_truth": _pq(truth), "pq": np.stack([_pq(np.nan_to_num(run, posinf=0)) for run in climate]),
        }  # fmt: skip
        return {name: array.astype(np.float64 if name == "times" else np.float32) for name, array in arrays.items()}

    def _climate(self, row: int, place: int) -> Array:
        truth, label = self.long[0], self.learners[row][0]
        if label == "Climatology":
            return np.random.default_rng(place).permutation(truth)
        constant = {"Persistence": truth[0], "TrainingMean": truth.mean(0)}
        return np.broadcast_to(constant[label], truth.shape) if label in constant else self.long[row + 1]

    def _errors(self, times: Array, row: int) -> Array:
        """NRMSE `[seed, test state, time]`, growing at the rate of the system to that of two unrelated states."""
        rng, seeds = np.random.default_rng(row), len(self.size.seeds)
        first = self.learners[row][2] * np.exp(rng.normal(0, 0.8, (seeds, self.size.test, 1)))
        rate = rng.normal(1.0, 0.1, first.shape) if self.example.chaotic else 0.05
        grown = first * (np.exp(rate * times) + 2 * times)
        return 1.4 * grown / (1.4 + grown)


def _integrate(example: Example, strain: Array, size: Size) -> Array:
    """Classical Runge-Kutta: states `[strain, sample, dim]`, after a short transient."""
    x, h = np.tile(np.array(example.start), (len(strain), 1)), size.step * example.timescale / SUBSTEPS
    states = np.empty((len(strain), size.climate_samples, x.shape[1]))
    for index in range(-20, size.climate_samples):
        for _ in range(SUBSTEPS):
            a = example.velocity(x, strain)
            b = example.velocity(x + h / 2 * a, strain)
            c = example.velocity(x + h / 2 * b, strain)
            x = x + h / 6 * (a + 2 * b + 2 * c + example.velocity(x + h * c, strain))
        if index >= 0:
            states[:, index] = x
    return states


def _valid(times: Array, errors: Array, threshold: float) -> Array:
    below = np.cumprod(errors < threshold, axis=-1).sum(-1)
    return np.concatenate([[0.0], times])[below]


def _pq(states: Array) -> Array:
    series, c = states[::5, 0] - states[::5, 0].mean(), 1.7
    angle = c * np.arange(1, len(series) + 1)
    return np.cumsum([series * np.cos(angle), series * np.sin(angle)], axis=1)


def with_parsed_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """The long form of a run with the class and settings that the labels of its systems and learners say.

    All trials are well where the frame has no status.
    """
    frame = frame if "status" in frame else frame.assign(status="ok")
    parsed = [{label: parse_label(label) for label in frame[name]} for name in ("system", "learner")]
    return with_components(frame, *parsed)


def long_form(
    values: Mapping[tuple[str, str], Sequence[float | None]], metric: str = "vpt", better: str = "higher"
) -> pd.DataFrame:
    """The long form of trials of one metric: by system and learner the values of the seeds, None where one crashed."""
    return pd.DataFrame(
        [
            {
                "system": system, "learner": learner, "seed": seed, "metric": metric, "value": value, "unit": "s",
                "better": better, "status": "crashed" if value is None else "ok",
            }
            for (system, learner), seeds in values.items()
            for seed, value in enumerate(seeds)
        ]
    ).astype({"value": float})  # fmt: skip
