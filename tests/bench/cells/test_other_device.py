"""A cell on a device that mixes with no other has the records of the same cell on the CPU, metric by metric."""

from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import pytest

import metrics
from bench.cells import exponents
from bench.cells.cell import Cell
from bench.cells.classifying import ImageCell
from bench.cells.forecasting import ForecastCell
from learners import Budget, LatentODE, Learner, Mechanistic, NeuralODE, ResNetClassifier, Training
from learners.images import sweep
from metrics import ClassificationMetric, Metric
from systems import ImageSampling, LinearSpiral, Sampling
from tests.support.images import Stripes
from tests.support.other_device import NAME

SAMPLING = Sampling(
    step=0.05, trajectories=2, samples=40, valid=1, test=2, context=4, horizon=0.5, climate=2, climate_horizon=6
)
SHORT = Training(updates=8, batch=8, validations=2)
EXPORTED = [one for name in sorted(metrics.__all__) if isinstance(one := getattr(metrics, name), Metric)]
FORECASTS, IMAGES = (
    tuple(one for one in EXPORTED if isinstance(one, ClassificationMetric) == of_images) for of_images in (False, True)
)
OF_THE_MACHINE = {"fit_seconds", "forecast_seconds", "kept_bytes", "peak_bytes", "energy", "images_per_second"}


def measured(cell: Cell[Any, Any, Any], folder: Path) -> dict[str, Any]:
    """The values of a cell's only trial, those of the machine left out."""
    (trial,) = cell.run(folder)
    assert trial.record.status == "ok", trial.record.reason
    return {
        one.metric: nan if one.value is None else one.value
        for one in trial.record.measurements
        if one.metric not in OF_THE_MACHINE
    }


@pytest.mark.parametrize(
    "learner",
    [
        NeuralODE(width=4, training=SHORT),
        pytest.param(LatentODE(lookahead=3, hidden=4, width=4, latent=2, training=SHORT), marks=pytest.mark.slow),
        pytest.param(Mechanistic(iterations=2), marks=pytest.mark.slow),
    ],
    ids=lambda learner: type(learner).__name__,
)
def test_every_metric_has_the_same_value(learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, less in {"VECTORS": 4, "WARM_UP": 0.5, "TIME": 0.5, "DRIFT": 1e9}.items():
        monkeypatch.setattr(exponents, name, less)
    here = ForecastCell(LinearSpiral(), learner, SAMPLING, FORECASTS, Budget(), (0,), 0)
    values, others = measured(here, tmp_path), measured(replace(here, device=NAME), tmp_path)
    assert others == pytest.approx(values, rel=1e-3, nan_ok=True)


def test_every_metric_of_images_has_the_same_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweep, "TOLERANCES", (1e-1, 1e-2))
    learner = ResNetClassifier(width=8, blocks=1, training=SHORT)
    here = ImageCell(Stripes(40), learner, ImageSampling(valid=10, test=10), IMAGES, Budget(), (0,), 0)
    values, others = measured(here, tmp_path), measured(replace(here, device=NAME), tmp_path)
    assert others == pytest.approx(values, rel=1e-3, nan_ok=True)
