"""Reports of parts of a run: whatever is missing, the rest is told."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from results.report.figure_data import FigureData
from results.report.page import _content, _protocol, tables_of
from results.report.pictures import Omissions, pictures_of
from results.store.manifest import Component
from results.store.record import Status
from results.store.run import Run
from tests.support import synthetic
from tests.support.cases import few

EVERY = ("WindowedRNN", "ResNet", "Persistence", "TrueEquations")
SIZE = synthetic.Size(step=0.02, test=2, climate_samples=600, points=2, seeds=(0, 1))
AT_REST = ("Driven", "Offset", "Resting", "Still")  # systems of which some channels, or all, do not move
SPECTRUM = np.array([[1.0, 0.0, -14.6], [0.9, -0.1, -15.0], [1.1, 0.1, -14.0]])


def reported(folder: Path) -> set[str]:
    """The names of the figures of a run whose models have spectra, after its tables and its page."""
    run = Run.load(folder)
    data = FigureData(run, run.frame())
    for (system, learner), arrays in data.cells.items():
        if learner != "Persistence" and arrays:
            arrays["exponents"] = np.stack([SPECTRUM] * 2)
        if arrays and system not in data.rings:
            path = {"fit_times": arrays["times"], "fit_truth": arrays["truth"][0], "fit_data": arrays["truth"][0]}
            arrays |= path | {"fit": arrays["forecast"][:, 0]}
        if system in AT_REST and arrays:
            arrays["pq_truth"] *= np.nan  # as the 0-1 test of a series that does not move
    omitted = Omissions()
    _content(data, *tables_of(run, data.frame, omitted), omitted)
    drawn = list(pictures_of(data, omitted))
    for picture in drawn:
        picture.draw()
    assert omitted == {}
    return {picture.name for picture in drawn}


@pytest.mark.parametrize("learners", few(["TrueEquations", "Persistence TrueEquations", "ResNet", " ".join(EVERY)], 3))
def test_every_part_of_the_learners_is_reported(tmp_path: Path, learners: str):
    names = reported(synthetic.build(tmp_path, ("Lorenz",), learners.split(), SIZE))
    assert ("lyapunov_spectra" in names) == (set(learners.split()) == set(EVERY))
    assert ("fits-Lorenz" in names) == ("ResNet" in learners)


@pytest.mark.parametrize("missing", few(["vpt", "nrmse", "vpt_capped", "zero_one_k"], 0))
def test_a_metric_that_was_not_measured_costs_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str):
    monkeypatch.setattr(synthetic, "METRICS", [one for one in synthetic.METRICS if one[0] != missing])
    assert "prediction_times" in reported(synthetic.build(tmp_path, ("Lorenz", "VanDerPol"), EVERY, SIZE))


def test_a_run_of_which_all_compared_learners_were_skipped_is_reported(tmp_path: Path):
    skipped: dict[tuple[str, str], Status] = {
        (system, learner): "skipped" for system in ("Lorenz", "VanDerPol") for learner in EVERY[:2]
    }
    names = reported(synthetic.build(tmp_path, ("Lorenz", "VanDerPol"), EVERY, SIZE, skipped))
    assert "prediction_times" in names
    assert "aggregates" not in names


@pytest.mark.parametrize("system", few(AT_REST, 0))
def test_a_channel_at_rest_costs_no_figure(tmp_path: Path, system: str):
    names = reported(synthetic.build(tmp_path, (system,), EVERY, SIZE))
    assert {"prediction_times", "error_growth", f"attractors-{system}", f"pq-{system}"} <= names
    assert ("power_spectra" in names) == (system == "Driven")


def test_models_that_were_not_chosen_by_validation_are_told_apart():
    settings = {"NODE (as published)": {"training.keep": "last"}, "ResNet": {}, "RNN": {}}
    errors = {"NODE (as published)": 0.1, "ResNet": 0.1, "RNN": np.nan}
    curves = pd.DataFrame({"learner": list(errors), "valid_loss": 1.0, "valid_error": list(errors.values())})
    run: Any = SimpleNamespace(
        manifest={"seeds": [0]},
        learners=list(settings),
        learner_components={name: Component("Any", its) for name, its in settings.items()},
        curves=lambda: curves,
    )
    found = _protocol(run)
    assert found["last weights"] == ["NODE (as published)"]
    assert found["best by validation forecasts"] == ["ResNet"]
    assert found["best by validation loss"] == ["RNN"]
