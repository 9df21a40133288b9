"""The costs of a trial: those that nobody counted are missing, and what seeds took together is shared."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.cells.cell import Cell
from bench.cells.forecasting import ForecastCell
from bench.machine.meter import Usage
from learners import Budget, Learner, NeuralODE, Persistence, Predictor, RKNet, Training
from metrics import fit_seconds, flops_update, kept_bytes, nfe_backward, nfe_forward, peak_bytes, samples, saved_bytes
from results import Record
from systems import Dataset, LinearSpiral
from tests.support.stubs import TINY, Turning

COUNTED = (nfe_forward, nfe_backward, flops_update, saved_bytes, kept_bytes, samples)
BRIEF = Training(updates=2, batch=8)


@dataclass(frozen=True)
class Uncounted(Learner):
    """An own learner, with the log that it has by default."""

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return [Turning(seed) for seed in seeds]


def record(learner: Learner, folder: Path) -> Record:
    cell = ForecastCell(LinearSpiral(), learner, TINY, (*COUNTED, fit_seconds, peak_bytes), Budget(), (0, 1), 0)
    return cell.run(folder)[0].record


def values(found: Record) -> dict[str, float | None]:
    return {one.metric: one.value for one in found.measurements}


def test_costs_that_nobody_counted_are_missing(tmp_path: Path):
    found = record(Uncounted(), tmp_path)
    assert found.status == "ok"
    assert {name: values(found)[name] for name in (metric.name for metric in COUNTED)} == dict.fromkeys(
        metric.name for metric in COUNTED
    )
    assert "saved_bytes" in found.reason
    assert (values(found)["fit_seconds"] or 0) > 0  # which the meter has counted


def test_what_is_not_trained_costs_nothing(tmp_path: Path):
    found = values(record(Persistence(), tmp_path))
    assert [found[metric.name] for metric in COUNTED] == [0.0] * len(COUNTED)


@pytest.mark.parametrize(("learner", "share"), [(NeuralODE(training=BRIEF), 2), (RKNet(training=BRIEF), 1)], ids=repr)
def test_the_peak_of_a_stack_is_shared_by_its_seeds(
    learner: Learner, share: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fit = Cell.fit
    monkeypatch.setattr(Cell, "fit", lambda *given: (fit(*given)[0], Usage(1.0, 4000)))
    assert values(record(learner, tmp_path))["peak_bytes"] == 4000 / share
