"""A cell on a device that mixes with no other has the records of the same cell on the CPU, metric by metric."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.cells import exponents
from bench.cells.classifying import ImageCell
from bench.cells.forecasting import ForecastCell
from learners import Budget, LatentODE, Learner, Mechanistic, NeuralODE, ResNetClassifier, Training
from learners.images import sweep
from systems import ImageSampling, LinearSpiral
from tests.support.cases import few
from tests.support.devices import LONGER, OF_FORECASTS, OF_IMAGES, measured
from tests.support.images import Stripes
from tests.support.other_device import NAME

SHORT = Training(updates=8, batch=8, validations=2)


@pytest.mark.parametrize(
    "learner",
    few(
        [
            NeuralODE(width=4, training=SHORT),
            LatentODE(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
            Mechanistic(iterations=2),
        ],
        0,
    ),
    ids=lambda learner: type(learner).__name__,
)
def test_every_metric_has_the_same_value(learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, less in {"VALUES": 4, "FEWEST_STATES": 1, "WARM_UP": 0.5, "TIME": 0.5, "DRIFT": 1e9}.items():
        monkeypatch.setattr(exponents, name, less)
    here = ForecastCell(LinearSpiral(), learner, LONGER, OF_FORECASTS, Budget(), (0,), 0)
    values, others = measured(here, tmp_path), measured(replace(here, device=NAME), tmp_path)
    assert others == pytest.approx(values, rel=5e-3, nan_ok=True)  # compiled forecasts round otherwise


def test_every_metric_of_images_has_the_same_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweep, "TOLERANCES", (1e-1, 1e-2))
    learner = ResNetClassifier(width=8, blocks=1, training=SHORT)
    here = ImageCell(Stripes(40), learner, ImageSampling(valid=10, test=10), OF_IMAGES, Budget(), (0,), 0)
    values, others = measured(here, tmp_path), measured(replace(here, device=NAME), tmp_path)
    assert others == pytest.approx(values, rel=1e-3, nan_ok=True)
