"""Runs whose records are given, not read."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from results.store.record import Measurement, Record
from results.store.run import Run

METRICS = (
    ("nrmse", "", "lower"), ("vpt", "timescales", "higher"), ("zero_one_k", "", "truth"), ("parameters", "", "lower"),
    ("fit_seconds", "s", "lower"),
)  # fmt: skip
LEARNERS = {"A": False, "B": False, "C": False, "TrainingMean": True, "TrueEquations": True}
SYSTEMS = ("Lorenz", "Rossler")
ENVIRONMENT = {"python": "3.12", "processor": "Example", "cores": 2, "threads": 1, "device": "cpu", "torch": "2.6"}


class FakeRun(Run):
    """A run whose records are given, not read; every other property is that of any run."""

    @property
    def records(self) -> dict[str, list[Record]]:
        return self.__dict__["given"]


def run_of(
    values: Mapping[tuple[str, str, int], Mapping[str, float | None]],
    seeds: Sequence[int],
    metrics: Sequence[str] = (),
    **manifest,
) -> Run:
    cells = list(dict.fromkeys(place[:2] for place in values))
    given: dict[str, list[Record]] = {}
    asked = [metric for metric in METRICS if not metrics or metric[0] in metrics]
    for (system, learner, seed), measured in values.items():
        measurements = tuple(Measurement(name, measured.get(name), unit, better) for name, unit, better in asked)
        given.setdefault(f"{system}-{learner}", []).append(Record(system, learner, seed, "ok", "", measurements))
    content = {
        "suite": "toy", "budget": "standard", "data_seed": 0, "seeds": list(seeds), "systems": list(SYSTEMS),
        "learners": [{"label": name, "reference": reference} for name, reference in LEARNERS.items()],
        "metrics": [dict(zip(("name", "unit", "better"), metric, strict=True)) for metric in asked],
        "sampling": {"step": 0.02}, "environment": dict(ENVIRONMENT),
        "cells": [{"key": f"{system}-{learner}", "system": system, "learner": learner} for system, learner in cells],
    } | manifest  # fmt: skip
    run = FakeRun(Path("runs/toy"), content, None)  # pyright: ignore[reportArgumentType]
    run.__dict__["given"] = given
    return run
