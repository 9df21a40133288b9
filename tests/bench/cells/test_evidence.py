"""Fits have keys of their own: where only metrics have changed, models are measured again and not trained."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from bench.cells.cell import Cell
from bench.cells.classifying import ImageCell
from bench.cells.data import dataset
from bench.cells.evidence import flatten, unflatten
from bench.cells.exponents import Remembered
from bench.cells.key import fit_key, planned
from bench.cells.run import run_cell
from bench.planning.status import CacheState, History, cache_states
from learners import Budget, ResNetClassifier
from metrics import CLASSIFICATION, Cost, Evidence, Metric, Undefined
from metrics.lyapunov import kaplan_yorke_dimension, lyapunov_exponent
from metrics.trajectory import nrmse, vpt
from results import Record, Store
from systems import LinearSpiral
from systems.calibration import Calibration, EstimatedParameter
from systems.lyapunov import Spectrum
from tests.support import stubs
from tests.support.images import SAMPLING, Stripes, small
from tests.support.misbehaving import Journaled

MEASURED = ("fit_seconds", "images_per_second", "peak_bytes")  # what two runs of a cell need not agree on


@pytest.fixture
def store(tmp_path: Path) -> Store:
    dataset(LinearSpiral(), stubs.TINY, 0, tmp_path / "runs" / "data")
    return Store(tmp_path / "runs")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.txt"
    path.write_text("")
    return path


def compute(cell: Cell, store: Store) -> str:
    """What a worker does with a cell, in this process."""
    (one,) = planned([cell], store.root)
    with store.stage(one.key) as folder:
        run_cell(one, store, folder)
    return one.key


def journaled(journal: Path, *metrics: Metric) -> Cell:
    return stubs.cell(Journaled(str(journal), 1, seconds=0.0), metrics=metrics)


def largest(evidence: Evidence) -> float:
    return float(np.abs(evidence.forecast).max())


def leading_exponent(evidence: Evidence) -> float:
    return float(evidence.exponents().exponents[0])


def test_another_metric_does_not_train_again_and_measures_as_if_it_had(store: Store, journal: Path, tmp_path: Path):
    first = compute(journaled(journal, nrmse, vpt), store)
    assert len(journal.read_text().splitlines()) == 1
    wider = journaled(journal, vpt, Metric("largest", "", "lower", largest), nrmse)
    second = compute(wider, store)
    assert len(journal.read_text().splitlines()) == 1
    (fit,) = Store(store.root, "fits").all_keys()
    assert json.loads((store.path(second) / "fit.json").read_text()) == {"measured_again": fit}

    fresh = Store(tmp_path / "fresh")
    assert compute(wider, fresh) == second
    assert len(journal.read_text().splitlines()) == 2
    assert store.records(second) == fresh.records(second)
    for name in ("arrays.npz", "curve.csv", "checkpoint.safetensors"):
        assert (store.path(second) / name).read_bytes() == (fresh.path(second) / name).read_bytes()
    assert (store.path(first) / "arrays.npz").read_bytes() == (store.path(second) / "arrays.npz").read_bytes()


def test_a_failed_forecast_keeps_its_status_when_it_is_measured_again(store: Store):
    spoiled = stubs.cell(stubs.Spoiled("diverge"), metrics=(nrmse,))
    first = store.records(compute(spoiled, store))
    again = store.records(compute(replace(spoiled, metrics=(vpt, nrmse)), store))
    assert [(record.status, record.seed) for record in again] == [("diverged", 0), ("diverged", 1)]
    assert [record.reason for record in first] == [record.reason for record in again]


def test_lyapunov_exponents_are_kept_with_the_fit_once_they_have_been_asked_for(store: Store, tmp_path: Path):
    cell = stubs.cell(stubs.Instant(), metrics=(lyapunov_exponent, nrmse))
    compute(cell, store)
    wider = replace(cell, metrics=(nrmse, kaplan_yorke_dimension, vpt, lyapunov_exponent))
    second = compute(wider, store)
    assert store.holds(second, "fit.json")
    fresh = Store(tmp_path / "fresh")
    assert compute(wider, fresh) == second
    assert not fresh.holds(second, "fit.json")
    assert store.records(second) == fresh.records(second)
    assert (store.path(second) / "arrays.npz").read_bytes() == (fresh.path(second) / "arrays.npz").read_bytes()
    assert all(one.value is not None for record in store.records(second) for one in record.measurements)


def test_why_there_are_no_exponents_is_kept_too(store: Store):
    cell = stubs.cell(stubs.Spoiled("diverge_late"), metrics=(lyapunov_exponent, nrmse))
    first = compute(cell, store)
    second = compute(replace(cell, metrics=(vpt, lyapunov_exponent)), store)
    assert store.holds(second, "fit.json")
    for key_ in (first, second):
        for record in store.records(key_):
            assert "no lyapunov_exponent: every long forecast leaves the finite numbers" in record.reason


def test_exponents_are_worked_out_once_at_most():
    asked = []

    def work_out() -> Spectrum:
        asked.append(1)
        raise Undefined("no map")

    exponents = Remembered(work_out)
    for _ in range(2):
        with pytest.raises(Undefined, match="no map"):
            exponents()
    assert len(asked) == 1


def test_a_plan_knows_when_what_is_kept_of_a_fit_lacks_the_exponents(store: Store):
    cell = stubs.cell(stubs.Instant(), metrics=(nrmse,))
    compute(cell, store)
    assert Place(store, replace(cell, metrics=(vpt,))).state().state == "measured"
    assert Place(store, replace(cell, metrics=(vpt, lyapunov_exponent))).state().state == "missing"
    compute(replace(cell, metrics=(nrmse, lyapunov_exponent)), store)
    fits = Store(store.root, "fits")
    (fit,) = fits.all_keys()
    (fits.path(fit) / "arrays.npz").write_bytes(b"")
    assert Place(store, replace(cell, metrics=(vpt, lyapunov_exponent))).state().state == "missing"


def test_classifiers_are_measured_again_without_training_too(store: Store, tmp_path: Path):
    cell = ImageCell(Stripes(), small(ResNetClassifier), SAMPLING, CLASSIFICATION[:2], Budget(), (0, 1), data_seed=0)
    compute(cell, store)
    wider = replace(cell, metrics=CLASSIFICATION)
    second = compute(wider, store)
    assert store.holds(second, "fit.json")
    fresh = Store(tmp_path / "fresh")
    assert compute(wider, fresh) == second
    assert timeless(store.records(second)) == timeless(fresh.records(second))
    assert (store.path(second) / "arrays.npz").read_bytes() == (fresh.path(second) / "arrays.npz").read_bytes()


def timeless(records: Sequence[Record]) -> list[list[tuple[str, float | None]]]:
    kept = [[(m.metric, m.value) for m in record.measurements if m.metric not in MEASURED] for record in records]
    assert all(len(found) > 3 for found in kept)
    return kept


def test_a_metric_that_needs_the_model_trains_again(store: Store, journal: Path):
    compute(journaled(journal, nrmse), store)
    needy = journaled(journal, Metric("exponent", "", "truth", leading_exponent))
    assert not store.holds(compute(needy, store), "fit.json")
    assert len(journal.read_text().splitlines()) == 2


@pytest.mark.parametrize("damage", ["flipped", "truncated", "removed"])
def test_a_damaged_fit_is_not_measured(store: Store, journal: Path, damage: str):
    compute(journaled(journal, nrmse), store)
    fits = Store(store.root, "fits")
    path = fits.path(fits.all_keys()[0]) / "arrays.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink() if damage == "removed" else path.write_bytes(content if damage == "flipped" else content[:-9])
    compute(journaled(journal, vpt), store)
    assert len(journal.read_text().splitlines()) == 2
    assert fits.finished(fits.all_keys()[0])


def test_a_cell_that_failed_keeps_no_fit(store: Store):
    compute(stubs.cell(stubs.Raising()), store)
    assert Store(store.root, "fits").all_keys() == []


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"metrics": (vpt,)}, True),
        ({"seeds": (0, 2)}, False),
        ({"data_seed": 1}, False),
        ({"learner": stubs.Instant(width=9)}, False),
        ({"sampling": replace(stubs.TINY, noise=0.1)}, False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else str(value),
)
def test_the_key_of_a_fit_does_not_depend_on_the_metrics_but_on_all_else(change: dict, same: bool):
    cell = stubs.cell(stubs.Instant(), metrics=(nrmse,))
    assert (fit_key(replace(cell, **change)) == fit_key(cell)) is same


def test_taken_apart_and_put_together_again_evidence_is_what_it_was():
    states = np.arange(24.0).reshape(2, 4, 3)
    cost = Cost(1, 2, 3.0, 4.0, 5.0, 6.0, 7.0, 8, 9)
    fitted = Calibration((EstimatedParameter("mu", 0.3, 0.31, 0.01), EstimatedParameter("a", 1.0, 2.0, 0.1)), 1.5)
    evidence = Evidence(0.1, np.ones(3), states, states + 1, states, states - 1, cost, calibration=fitted)
    again = unflatten(Evidence, flatten(evidence))
    assert again.cost.updates == 2
    assert again.step == 0.1
    assert again.calibration == fitted
    np.testing.assert_array_equal(again.forecast, evidence.forecast)
    np.testing.assert_array_equal(again.times, evidence.times)


@dataclass(frozen=True)
class Place:
    store: Store
    cell: Cell

    def state(self) -> CacheState:
        (one,) = planned([self.cell], self.store.root)
        return cache_states([one], self.store, History.read(self.store))[one.key]


def rewrite(store: Store, name: str, change: Callable[[dict], None]) -> str:
    """Keep a cell under another key, as one computed by other code."""
    about = store.cell(name)
    change(about)
    with store.stage("older") as folder:
        (folder / "cell.json").write_text(json.dumps(about))
        (folder / "records.json").write_bytes((store.path(name) / "records.json").read_bytes())
    store.path(name).rename(store.root / "gone")
    return "older"


def test_a_plan_tells_cached_missing_stale_and_measurable_cells_apart(store: Store, journal: Path):
    place = Place(store, journaled(journal, nrmse))
    assert place.state() == CacheState("missing")
    name = compute(place.cell, store)
    assert place.state() == CacheState("cached")
    assert Place(store, journaled(journal, vpt)).state() == CacheState("measured", "other metrics")
    rewrite(store, name, lambda about: about["digest"].update({"systems.base": "older", "systems.gone": "older"}))
    assert place.state() == CacheState("measured", "systems.base, systems.gone changed")
    (store.root / "fits").rename(store.root / "no_fits")
    assert place.state() == CacheState("stale", "systems.base, systems.gone changed")


def test_the_time_of_a_cell_is_foretold_by_those_most_like_it(store: Store, journal: Path):
    cell = journaled(journal, nrmse)
    (one,) = planned([cell], Path())
    history = History()
    assert history.expected(one) is None
    about = {"configuration": {}, "digest": {}, "updates_effort": 1.0}
    for learner, system, seeds, seconds in (
        (cell.learner_label, "Lorenz", [0, 1], 100.0),
        (cell.learner_label, cell.system_label, [0], 10.0),
        ("Other", cell.system_label, [0, 1], 1000.0),
    ):
        history.add(about | {"learner": learner, "system": system, "seeds": seeds, "seconds": seconds})
    assert history.expected(one) == 10.0
    history.add(about | {"learner": cell.learner_label, "system": cell.system_label, "seeds": [0, 1], "seconds": 30.0})
    assert history.expected(one) == 30.0


def test_classifiers_of_more_seeds_take_over_the_fits_of_fewer_one_by_one(store: Store, tmp_path: Path):
    cell = ImageCell(Stripes(), small(ResNetClassifier), SAMPLING, CLASSIFICATION, Budget(), (0, 1), data_seed=0)
    begun = compute(replace(cell, seeds=(0,)), store)
    fits = Store(store.root, "fits")
    (first,) = fits.all_keys()
    kept = fits.weights(first)
    both = compute(cell, store)
    assert len(fits.all_keys()) == 2  # of each seed, whatever cell it belongs to
    assert store.holds(both, "fit.json")
    assert not store.holds(begun, "fit.json")
    fresh = Store(tmp_path / "fresh")
    assert compute(cell, fresh) == both
    assert not fresh.holds(both, "fit.json")
    assert timeless(store.records(both)) == timeless(fresh.records(both))
    assert store.records(begun)[0].seed == store.records(both)[0].seed == 0
    for name in ("arrays.npz", "checkpoint.safetensors"):
        assert (store.path(both) / name).read_bytes() == (fresh.path(both) / name).read_bytes()
    weights = store.weights(both)
    assert {name.partition(".")[0] for name in weights} == {"0", "1"}
    assert all(np.array_equal(weights[name], values) for name, values in kept.items())
    curve = store.curve(both)
    assert curve["seed"].tolist() == sorted(curve["seed"])
    assert curve.drop(columns="seconds").equals(fresh.curve(both).drop(columns="seconds"))
    assert Place(store, replace(cell, metrics=CLASSIFICATION[:2])).state().state == "measured"
    assert Place(store, replace(cell, metrics=CLASSIFICATION[:2], seeds=(0, 1, 2))).state().state == "missing"


def test_a_seed_whose_fit_ends_the_process_leaves_the_fits_before_it(store: Store, monkeypatch: pytest.MonkeyPatch):
    cell = ImageCell(Stripes(), small(ResNetClassifier), SAMPLING, CLASSIFICATION, Budget(), (0, 1, 2), data_seed=0)

    def end(learner: ResNetClassifier, dataset: object, budget: Budget, seeds: Sequence[int]) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        fit = ResNetClassifier.fit_replicas
        patch.setattr(
            ResNetClassifier, "fit_replicas", lambda *given: end(*given) if given[-1] == (1,) else fit(*given)
        )
        compute(cell, store)
    assert len(Store(store.root, "fits").all_keys()) == 1
    key = compute(cell, store)
    assert [record.seed for record in store.records(key)] == [0, 1, 2]
    assert {path.name for path in store.path(key).iterdir() if path.is_dir()} == set()
