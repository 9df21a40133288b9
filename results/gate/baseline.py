"""What a baseline is: the values of a run, trial by trial, and the noise between re-runs, in a file to be reviewed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from results.statistics.intervals import median_interval
from results.statistics.scores import MEASUREMENT, noise_of_seeds, scores
from results.statistics.trials import MEASURED, endings, groups
from results.store.atomic import write_in_one_stroke
from results.store.errors import BrokenBaselineError
from results.store.run import Run
from results.store.shape import fits

FORMAT = 1
MADE = "`python -m bench baseline save --from RUN` writes one"
DEFAULT_TOLERANCE = 0.05  # of a logarithm
ENVIRONMENT = ("python", "processor", "cores", "threads", "device", "torch", "packages")  # what is kept of it
TOLERANCES = {  # of a logarithm
    "zero_one_k": 0.25, "roughness": 0.25, "parameters": 0.0, "saved_bytes": 0.01, "kept_bytes": 0.01,
}  # fmt: skip
NUMBER = (int, float)
MAYBE = (int, float, type(None))
SHAPE = {  # of the parts that are read here, as `fits` takes it
    "seeds": [int], "environment": dict, "references": [str], "metrics": dict,
    "cells": [{"system": str, "learner": str, "status": [str], "metrics": dict}],
}  # fmt: skip
METRIC = {"unit": str, "better": str, "tolerance": NUMBER}
MEASURED_OF_CELL = {"values": [MAYBE], "noise": MAYBE, "repeats": int}


@dataclass(frozen=True)
class Baseline:
    """What a run measured, as JSON-ready values: see `of_run`."""

    content: Mapping[str, Any]

    @classmethod
    def of_run(cls, run: Run, noise: Sequence[Run] = (), tolerances: Mapping[str, float] | None = None) -> "Baseline":
        """The values and intervals of a run; the noise of each cell is their spread over the seeds of all runs."""
        frame = run.frame()
        repeated = pd.concat([frame, *(_other_trials(run, other) for other in noise)], ignore_index=True)
        repeated.attrs = frame.attrs  # which runs of fewer systems have in part
        metrics = {one["name"]: {"unit": one["unit"], "better": one["better"]} for one in run.manifest["metrics"]}
        limits = {name: TOLERANCES.get(name, DEFAULT_TOLERANCE) for name in metrics} | dict(tolerances or {})
        content = {
            "format": FORMAT,
            **protocol(run),
            "seeds": list(run.manifest["seeds"]),
            "environment": environment(run),
            "references": run.references,
            "metrics": {name: about | {"tolerance": limits[name]} for name, about in metrics.items()},
            "cells": _cells(frame, noise_of_seeds(scores(repeated))),
        }
        return cls(content)

    @classmethod
    def load(cls, path: Path) -> "Baseline":
        """The baseline in a file. Raises BrokenBaselineError."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            is_ours = content["format"] == FORMAT
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BrokenBaselineError(f"{path} holds no baseline ({type(error).__name__}: {error}); {MADE}") from error
        if not is_ours:
            raise BrokenBaselineError(f"{path} is of format {content['format']}, not {FORMAT}: save it anew")
        if fault := next(_faults(content), None):
            raise BrokenBaselineError(f"{path} holds no baseline ({fault}); {MADE}")
        return cls(content)

    def write(self, path: Path) -> None:
        """A line for each metric of each cell, so that a change is read in a diff."""
        write_in_one_stroke(path, _lines(self.content) + "\n")

    @property
    def references(self) -> list[str]:
        """Labels of the learners that are yardsticks."""
        return list(self.content["references"])

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Unit, better and tolerance of each metric."""
        return self.content["metrics"]

    def frame(self) -> pd.DataFrame:
        """The trials in long form, with the columns of MEASUREMENT, `value`, `better` and `status`."""
        found = [
            (cell["system"], cell["learner"], seed, metric, value, self.metrics[metric]["better"], status)
            for cell in self.content["cells"]
            for metric, measured in cell["metrics"].items()
            for seed, value, status in zip(self.content["seeds"], measured["values"], cell["status"], strict=True)
        ]
        return pd.DataFrame(found, columns=[*MEASUREMENT, "value", "better", "status"]).astype({"value": float})

    def noise(self) -> pd.DataFrame:
        """For each system, learner and metric the standard deviation of re-runs, `noise`, and its `repeats`."""
        found = [
            (cell["system"], cell["learner"], metric, measured["noise"], measured["repeats"])
            for cell in self.content["cells"]
            for metric, measured in cell["metrics"].items()
        ]
        return pd.DataFrame(found, columns=[*MEASURED, "noise", "repeats"]).set_index(MEASURED)


def protocol(run: Run) -> dict[str, Any]:
    """What two runs must have in common to be compared trial by trial."""
    alike = {
        name: run.manifest.get(name) for name in ("suite", "budget", "equal", "allowance", "data_seed", "sampling")
    }
    return alike | {"published": run.manifest.get("published", {})}


def environment(run: Run) -> dict[str, Any]:
    """What is kept of where a run was made."""
    return {name: run.manifest["environment"].get(name) for name in ENVIRONMENT}


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Where two descriptions differ, in words; what only one of them knows of is no difference."""
    found = []
    for name in (name for name in one if name in other):
        here, there = one[name], other[name]
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            found += [f"{name} {text}" for text in differences(here, there)]
        elif here != there:
            found.append(f"{name} is {here!r}, not {there!r}")
    return found


def depends_on_machine(metric: str, unit: str) -> bool:
    """Whether a metric says as much about the machine, and what else runs on it, as about the code."""
    return unit == "s" or metric == "peak_bytes"


def _other_trials(run: Run, other: Run) -> pd.DataFrame:
    """Trials of a re-run that are no copies: with other seeds or other data; all of them if it is neither."""
    here, there = ({**protocol(one), "data_seed": None} for one in (run, other))
    if differing := differences(there, here):
        raise BrokenBaselineError(f"{other.folder} is no re-run of {run.folder}: {'; '.join(differing)}")
    frame = other.frame()
    if protocol(run)["data_seed"] != protocol(other)["data_seed"]:
        return frame
    fresh = frame.loc[~frame["seed"].isin(list(run.manifest["seeds"]))]
    return fresh if len(fresh) else frame


def _cells(frame: pd.DataFrame, noise: pd.DataFrame) -> list[dict[str, Any]]:
    found = []
    for (system, learner), trials in groups(frame, "system", "learner"):
        metrics = {}
        for metric, measured in trials.groupby("metric", sort=False):
            values = measured["value"].to_numpy(dtype=float)
            place = (system, learner, metric)
            spread_of, repeats = noise.loc[place, ["noise", "repeats"]] if place in noise.index else (0.0, 0)
            low, high = median_interval(values[np.isfinite(values)])
            metrics[metric] = {
                "values": [_short(value) for value in values],
                "interval": [_short(float(low)), _short(float(high))],
                "noise": _short(float(spread_of), 3),
                "repeats": int(repeats),
            }
        status = endings(trials)["status"].tolist()
        found.append({"system": system, "learner": learner, "status": status, "metrics": metrics})
    return found


def _faults(content: Mapping[str, Any]) -> Iterator[str]:
    """What keeps the content of a file from being a baseline, in words."""
    for name, shape in SHAPE.items():
        if not fits(content, {name: shape}):
            yield f"its {name} are not what a baseline has" if name in content else f"it lacks {name}"
            return
    seeds, metrics = content["seeds"], content["metrics"]
    for name, about in metrics.items():
        if not fits(about, METRIC):
            yield f"metric {name} lacks its unit, better or tolerance"
    if len(set(seeds)) < len(seeds):
        yield "a seed is there twice"
    places = [(cell["system"], cell["learner"]) for cell in content["cells"]]
    if len(set(places)) < len(places):
        yield "a cell is there twice"
    for cell in content["cells"]:
        where = f"{cell['learner']} on {cell['system']}"
        if len(cell["status"]) != len(seeds):
            yield f"{where} has {len(cell['status'])} outcomes for {len(seeds)} seeds"
        for name, measured in cell["metrics"].items():
            if name not in metrics:
                yield f"{name} of {where} is not among its metrics"
            elif not fits(measured, MEASURED_OF_CELL):
                yield f"{name} of {where} lacks its values, noise or repeats"
            elif len(measured["values"]) != len(seeds):
                yield f"{name} of {where} has {len(measured['values'])} values for {len(seeds)} seeds"


def _short(value: float, digits: int = 9) -> float | None:
    return float(f"{value:.{digits}g}") if np.isfinite(value) else None


def _lines(content: Any, indent: str = "") -> str:
    """JSON in which what holds no object stands on one line."""
    parts = content.values() if isinstance(content, Mapping) else content if isinstance(content, list) else ()
    if not any(isinstance(part, Mapping) for part in parts):
        return json.dumps(content)
    deeper = indent + "  "
    names = [f"{json.dumps(name)}: " for name in content] if isinstance(content, Mapping) else [""] * len(parts)
    inner = ",\n".join(f"{deeper}{name}{_lines(part, deeper)}" for name, part in zip(names, parts, strict=True))
    return f"{{\n{inner}\n{indent}}}" if isinstance(content, Mapping) else f"[\n{inner}\n{indent}]"
