"""Compute-matched views: prediction times at equal updates, evaluations, seconds and parameters, on a hand-made run."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import nan
from pathlib import Path

import numpy as np
import pytest

from results.report.page import tables_of
from results.report.pictures import Omissions
from results.statistics import pareto
from results.statistics.trials import column
from results.store.record import Measurement, Record, Status
from results.store.run import Run
from results.store.store import CURVE_COLUMNS, Store
from results.tables.matched import matched_tables
from results.tables.table import Entry, Table

SEEDS = (0, 1)
HORIZON = 7.95  # of validation forecasts, in whole steps
# Of each learner its parameters, and of each point of its curve the updates, seconds, NFE of an update, loss and time.
LEARNERS: Mapping[str, tuple[int, list[tuple[float, ...]]]] = {
    "A[width=4]": (
        10,
        [(100, 1.0, 2, 0.9, 0.5), (200, 2.0, 2, 0.8, 1.5), (300, 2.5, 2, 0.7, nan), (400, 4.0, 2, 0.5, 3)],
    ),
    "A": (40, [(100, 4.0, 2, 0.9, 1.0), (400, 16.0, 2, 0.4, 4.0)]),
    "B": (20, [(50, 1.5, 8, 0.8, 0.8), (100, 3.0, 8, 0.1, 1.2)]),
    "C": (30, [(400, 9.0, 1, 0.2, 2.0), (800, 18.0, 1, 0.1, 5.0)]),
    "Whole": (99, [(1, 0.5, 0, nan, 2.5)]),
    "Reference": (0, []),
}


def hand_made(
    folder: Path,
    statuses: Mapping[tuple[str, str], Status] | None = None,
    learners: Sequence[str] = tuple(LEARNERS),
    easy: float = 1.0,
) -> Run:
    """A run on two systems, on the second of which all prediction times are a tenth; times are longer where `easy`."""
    store, cells = Store(folder), []
    for system, factor in (("X", easy), ("Y", 0.1)):
        for learner, (parameters, points) in ((label, LEARNERS[label]) for label in learners):
            key, status = (
                f"{system}-{learner.split('[')[0]}-{len(learner)}",
                (statuses or {}).get((system, learner), "ok"),
            )
            cells.append({"key": key, "system": system, "learner": learner})
            measured = (
                Measurement("vpt", 1.0, "timescales", "higher"),
                Measurement("parameters", parameters, "", "lower"),
            )
            records = [Record(system, learner, seed, status, "", measured) for seed in SEEDS]
            rows = [
                (seed, update, loss, loss, seconds, nfe, 0.0, np.minimum(factor * (vpt + 0.002 * seed), HORIZON))
                for seed in SEEDS
                for update, seconds, nfe, loss, vpt in points
            ]
            with store.stage(key) as place:
                (place / "cell.json").write_text(json.dumps({"timescale_name": "Lyapunov time"}))
                (place / "records.json").write_text(json.dumps([asdict(record) for record in records]))
                with (place / "curve.csv").open("w", newline="") as file:
                    csv.writer(file).writerows([CURVE_COLUMNS, *rows])
    manifest = {
        "suite": "hand", "seeds": list(SEEDS), "systems": ["X", "Y"], "cells": cells, "environment": {},
        "learners": [{"label": label, "reference": label == "Reference"} for label in learners],
        "metrics": [{"name": "vpt", "unit": "timescales", "better": "higher"}],
        "sampling": {"step": 0.1, "horizon": 16.0, "samples": 100, "context": 20},
    }  # fmt: skip
    (folder / "hand").mkdir()
    (folder / "hand" / "manifest.json").write_text(json.dumps(manifest))
    return Run.load(folder / "hand")


def places(table: Table, by: str) -> dict[str, Entry]:
    """What stands in one column, by learner."""
    place = [each.name for each in table.columns].index(by)
    return {row.learner: row.entries[place] for row in table.rows}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return hand_made(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize(
    ("by", "budget", "expected"),
    [
        ("update", 100, {"A[width=4]": 0.5, "A": 1.0, "B": 1.2, "C": nan, "Whole": 2.5}),
        ("nfe", 800, {"A[width=4]": 3.0, "A": 4.0, "B": 1.2, "C": 5.0, "Whole": 2.5}),
        ("seconds", 3, {"A[width=4]": 1.5, "A": nan, "B": 1.2, "C": nan, "Whole": 2.5}),
        ("parameters", 30, {"A[width=4]": 3.0, "A": nan, "B": 1.2, "C": 5.0, "Whole": nan}),
    ],
)
def test_at_equal_cost_the_last_stage_that_cost_no_more_counts(run: Run, by: str, budget: float, expected: dict):
    found = pareto.at_equal(pareto.curves(run), by)
    first = found.loc[(found["system"] == "X") & (found["seed"] == 0)].set_index("learner")
    assert set(first["budget"]) == {budget}
    assert first["vpt"].to_dict() == pytest.approx(expected, nan_ok=True)


def test_a_given_budget_is_kept_and_an_unknown_currency_refused(run: Run):
    found = pareto.at_equal(pareto.curves(run), "update", {"X": 400, "Y": 0})
    assert found.loc[found["system"] == "Y", "vpt"].isna().all()
    assert found.loc[(found["system"] == "X") & (found["seed"] == 1)].set_index("learner")["vpt"].to_dict() == (
        pytest.approx({"A[width=4]": 3.002, "A": 4.002, "B": 1.202, "C": 2.002, "Whole": 2.502})
    )
    with pytest.raises(ValueError, match="but not 'money'"):
        pareto.at_equal(pareto.curves(run), "money")


def test_the_tables_hold_medians_over_seeds_and_systems_and_say_what_costs_more(run: Run):
    tables = matched_tables(run, run.frame())
    assert tables is not None
    overall, by_system = tables
    assert list(by_system) == ["X", "Y"]
    for table, factor, unit in (
        (by_system["X"], 1, "Lyapunov times"),
        (by_system["Y"], 0.1, "Lyapunov times"),
        (overall, 0.55, "timescales"),
    ):
        assert list(table.values.index) == run.compared
        assert [(each.head, each.unit) for each in table.columns] == [
            (f"VPT at equal {cost}", unit) for cost in ("updates", "NFE", "time", "parameters")
        ]
        assert column(table.values, "update").to_numpy() / factor == pytest.approx(
            [0.501, 1.001, 1.201, nan, 2.501], nan_ok=True
        )
        assert column(table.values, "seconds").to_numpy() / factor == pytest.approx(
            [1.501, nan, 1.201, nan, 2.501], nan_ok=True
        )
        assert places(table, "update")["C"].text == places(table, "parameters")["A"].text == "costs more"
        assert "None is longer than 8.00 timescales" in table.caption
    assert "Equal are 100 updates, 800 NFE, 3.00 s, 30 parameters." in by_system["X"].caption
    assert [learner for learner, place in places(by_system["X"], "nfe").items() if place.best] == ["C"]


def test_a_run_that_does_not_count_parameters_lacks_that_view(run: Run):
    frame = run.frame().query("metric != 'parameters'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "frame", lambda run: frame)
        tables = matched_tables(run, frame)
    assert tables is not None
    assert [each.name for each in tables[0].columns] == ["update", "nfe", "seconds"]


def test_trials_that_failed_say_so_and_keep_no_system_from_its_median(tmp_path: Path):
    run = hand_made(tmp_path, {("Y", "C"): "crashed", ("X", "B"): "diverged"})
    for path in (tmp_path / "cells").glob("Y-C-*"):
        change(run.store, path.name)
    tables = matched_tables(run, run.frame())
    assert tables is not None
    overall, by_system = tables
    assert places(by_system["Y"], "nfe")["C"].text == places(overall, "nfe")["C"].text == "crashed"
    assert places(by_system["X"], "nfe")["C"].text == "5.00"
    assert overall.outcomes["C"] == "2 of 4 crashed"
    assert places(by_system["X"], "nfe")["B"].value == pytest.approx(1.201)
    assert not overall.best.loc["C"].any()


def test_systems_on_which_all_reach_the_horizon_at_equal_cost_are_left_out_of_ranks(tmp_path: Path):
    run = hand_made(tmp_path, easy=20.0)
    tables = matched_tables(run, run.frame())
    assert tables is not None
    said = "At equal NFE: On X the median VPT of every compared learner is the horizon: left out of ranks."
    assert tables[0].caption.endswith(said)  # at equal updates or seconds, or of as few parameters, some have none
    assert list(places(tables[0], "nfe")) == run.compared


def change(store: Store, key: str) -> None:
    """Leave the cell without a curve, as trials that crash do."""
    records = (store.path(key) / "records.json").read_bytes()
    with store.stage(key, replace=True) as place:
        (place / "cell.json").write_text(json.dumps({"timescale_name": "Lyapunov time"}))
        (place / "records.json").write_bytes(records)


def test_the_report_has_the_views_where_there_are_any(run: Run, tmp_path: Path):
    _, by_system, others = tables_of(run, run.frame(), Omissions())
    assert np.isfinite(others["matched"].values["nfe"]).all()
    assert [tables[-1].name for tables in by_system.values()] == ["matched-X", "matched-Y"]
    alone = hand_made(tmp_path, learners=("A", "Reference"))
    _, by_system, others = tables_of(alone, alone.frame(), Omissions())
    assert not others
    assert not any(table.name.startswith("matched") for tables in by_system.values() for table in tables)
