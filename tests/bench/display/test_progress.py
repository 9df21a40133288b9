"""Progress: what is counted, what is foretold, what is shown at eighty columns."""

from collections.abc import Sequence
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from rich.spinner import Spinner

from bench.display import tables as display
from bench.display.leaderboard import Leaderboard
from bench.display.progress import Progress, live, render
from bench.display.tables import duration
from bench.planning.status import CacheState
from bench.runner.events import Cached, Finished, Started
from results import COLUMNS, Measurement, Record, Status
from results.statistics.saturation import saturated

SYSTEMS = ["CubicSpiral", "VanDerPol", "Lorenz", "Rossler", "Lorenz96[sites=40]"]
LEARNERS = ["WindowedRNN[cell=lstm]", "NeuralODE", "ResNet[training.learning_rate=0.001,training.updates=2000]"]
REFERENCES = ["Persistence", "TrueEquations"]


def manifest(systems=("Lorenz",), learners=("NeuralODE", "ResNet"), references=(), metrics=("nrmse", "vpt")):
    better = {"vpt": "higher", "roughness": "truth"}
    return {
        "suite": "toy",
        "systems": list(systems),
        "learners": [{"label": one, "reference": False} for one in learners]
        + [{"label": one, "reference": True} for one in references],
        "metrics": [{"name": one, "unit": "timescales", "better": better.get(one, "lower")} for one in metrics],
        "cells": [
            {"key": f"{system}-{learner}", "system": system, "learner": learner}
            for system in systems
            for learner in [*learners, *references]
        ],
    }


def records(learner, *values, system="Lorenz", status: Status = "ok", metric="vpt"):
    return [
        Record(
            system,
            learner,
            seed,
            "ok" if value is not None else status,
            "" if value is not None else "the loss is not finite",
            (Measurement(metric, value, "timescales", "higher"),),
        )
        for seed, value in enumerate(values)
    ]


def shown(renderable, width=80) -> list[str]:
    console = Console(file=StringIO(), width=width, height=50)
    console.print(renderable)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def cell(key: str) -> Any:
    return SimpleNamespace(key=key)  # the progress looks at keys only


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_cells_go_from_waiting_through_running_to_done():
    clock = Clock()
    progress = Progress(manifest(), clock=clock)
    assert (progress.total, len(progress.waiting), progress.measured) == (2, 2, False)
    progress.notify(Cached(cell("Lorenz-ResNet"), records("ResNet", 4.0)))
    assert (progress.reused, progress.done, list(progress.waiting)) == (1, 0, ["Lorenz-NeuralODE"])
    progress.notify(Started(cell("Lorenz-NeuralODE")))
    clock.now = 3.0
    assert progress.active() == [(("Lorenz", "NeuralODE"), 3.0)]
    progress.notify(Finished(cell("Lorenz-NeuralODE"), records("NeuralODE", None, None, status="crashed"), 4.0))
    assert (progress.reused, progress.done, progress.waiting, progress.running) == (1, 1, {}, {})
    assert [(failure.key, failure.record.status) for failure in progress.failures] == [("Lorenz-NeuralODE", "crashed")]
    assert progress.measured


def test_skipped_cells_are_no_failures():
    progress = Progress(manifest())
    progress.notify(Cached(cell("Lorenz-ResNet"), records("ResNet", None, status="skipped")))
    assert not progress.failures
    assert not progress.measured


def test_time_left_is_foretold_by_cells_of_the_same_learner():
    clock = Clock()
    progress = Progress(manifest(systems=("A", "B", "C")), jobs=2, clock=clock)
    assert progress.seconds_left() is None
    for key, seconds in (("A-NeuralODE", 100.0), ("A-ResNet", 10.0)):
        progress.notify(Started(cell(key)))
        progress.notify(Finished(cell(key), [], seconds))
    progress.notify(Started(cell("B-NeuralODE")))
    clock.now += 10.0
    assert progress.seconds_left() == pytest.approx((90 + 100 + 10 + 10) / 2)
    clock.now += 30.0
    assert progress.seconds_left() == pytest.approx(100.0)  # no sooner than the longest that is left


def test_a_learner_without_history_is_expected_to_take_as_long_as_others_or_as_it_runs_already():
    clock = Clock()
    progress = Progress(manifest(), clock=clock)
    progress.notify(Started(cell("Lorenz-ResNet")))
    progress.notify(Finished(cell("Lorenz-ResNet"), [], 5.0))
    assert progress.seconds_left() == pytest.approx(5.0)
    progress.notify(Started(cell("Lorenz-NeuralODE")))
    clock.now = 50.0
    assert progress.seconds_left() == 0.0


def test_each_finished_cell_is_announced_in_a_line_but_cached_ones_are_not():
    lines: list[str] = []
    progress = Progress(manifest(references=("Persistence",)), announce=lines.append)
    progress.notify(Cached(cell("Lorenz-ResNet"), records("ResNet", 4.0)))
    for key, outcome in (
        ("Lorenz-NeuralODE", records("NeuralODE", 5.0, 7.0)),
        ("Lorenz-Persistence", records("Persistence", None, status="timeout")),
    ):
        progress.notify(Started(cell(key)))
        progress.notify(Finished(cell(key), outcome, 75.0))
    assert lines == ["[2/3] Lorenz  NeuralODE  ok  vpt 6  1 min 15 s", "[3/3] Lorenz  Persistence  timeout  1 min 15 s"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.7, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.9, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_said_as_a_person_says_them(seconds, text):
    assert duration(seconds) == text


def test_learners_are_ranked_by_their_mean_rank_and_references_follow():
    board = Leaderboard(manifest(("A", "B"), ("First", "Second", "Third"), ("Persistence",)))
    for learner, a, b in (("First", 1.0, 2.0), ("Second", 3.0, 1.0), ("Third", 2.0, 3.0), ("Persistence", 9.0, 9.0)):
        board.add(records(learner, a, system="A") + records(learner, b, system="B"))
    assert board.ranking() == ["Third", "Second", "First"]
    assert [row["learner"] for row in board.rows()] == ["Third", "Second", "First", "Persistence"]
    assert board.rows()[0] == {"learner": "Third", "reference": False, "vpt": {"A": 2.0, "B": 3.0}}


def test_learners_that_only_some_systems_have_come_behind_the_others_and_do_not_count_in_their_ranks():
    board = Leaderboard({**manifest(("A", "B"), ("First", "Second", "Ring")), "lacks": {"A": ["Ring"]}})
    for learner, a, b in (("First", 5.0, 2.0), ("Second", 4.0, 1.0)):
        board.add(records(learner, a, system="A") + records(learner, b, system="B"))
    board.add(records("Ring", 9.0, system="B"))
    assert board.ranking() == ["First", "Second", "Ring"]


def test_a_failed_trial_counts_as_the_worst_for_the_rank_and_is_marked():
    board = Leaderboard(manifest())
    board.add(records("NeuralODE", None, None, 9.0, status="diverged") + records("ResNet", 1.0, 1.0, 1.0))
    assert board.ranking() == ["ResNet", "NeuralODE"]
    assert board.score("NeuralODE", "Lorenz") == 9.0
    text = shown(board)
    assert any(line.split() == ["NeuralODE", "9.00*"] for line in text)
    assert text[-1] == "* some seeds diverged or failed"


def test_a_long_run_that_fails_does_not_touch_the_rank_of_forecasts():
    board = Leaderboard(manifest(metrics=("vpt", "d_stsp")))
    for learner, time in (("NeuralODE", 9.0), ("ResNet", 1.0)):
        lost = Measurement("d_stsp", None, "", "lower", "diverged" if learner == "NeuralODE" else "ok")
        forecast = Measurement("vpt", time, "timescales", "higher")
        board.add([Record("Lorenz", learner, 0, "ok", "", (forecast, lost))])
    assert board.ranking() == ["NeuralODE", "ResNet"]
    assert not any("*" in line for line in shown(board))


def test_where_all_reach_the_horizon_the_error_ranks_and_the_board_says_so():
    board = Leaderboard(manifest(metrics=("vpt", "vpt_capped", "nrmse")))
    for learner, error in (("NeuralODE", 0.2), ("ResNet", 0.1)):
        told = zip(("vpt", "vpt_capped", "nrmse"), (16.0, 1.0, error), strict=True)
        measured = tuple(Measurement(name, value, "", "higher") for name, value in told)
        board.add([Record("Lorenz", learner, 0, "ok", "", measured)])
    assert board.ranking() == ["ResNet", "NeuralODE"]
    assert "Lorenz: all predict up to the horizon, ranked by nrmse" in shown(board)


def told(*shares: float, errors: Sequence[float] = (), statuses: Sequence[Status] = ()) -> list[Record]:
    """Trials of both learners, whose forecasts reach the horizon from these shares of the test states."""
    names = ("vpt", "vpt_capped", *(["nrmse"] if errors else []))
    found = []
    for learner in ("NeuralODE", "ResNet"):
        for seed, share in enumerate(shares):
            mine = learner == "NeuralODE"
            values = (16.0, share if mine else 1.0, *([errors[seed] if mine else 0.2] if errors else []))
            measured = tuple(Measurement(*pair, "", "higher") for pair in zip(names, values, strict=True))
            status = statuses[seed] if statuses and mine else "ok"
            found.append(Record("Lorenz", learner, seed, status, "", measured))
    return found


@pytest.mark.parametrize("shares", [(0.4, 0.4, 0.9, 0.9), (0.4, 0.4, 0.55, 0.55), (0.4, 0.9), (0.1, 0.6, 0.6)])
def test_the_board_and_the_page_call_the_same_systems_saturated(shares):
    board = Leaderboard(manifest(metrics=("vpt", "vpt_capped", "nrmse")))
    trials = told(*shares, errors=[0.1] * len(shares))
    board.add(trials)
    frame = pd.DataFrame([row for one in trials for row in one.rows("suite", "cell")], columns=COLUMNS)
    full = saturated(frame, ["NeuralODE", "ResNet"])
    assert ("Lorenz: all predict up to the horizon, ranked by nrmse" in shown(board)) == (full == ["Lorenz"])


def test_where_all_reach_the_horizon_and_nobody_measured_the_error_a_system_is_left_out_of_ranks():
    board = Leaderboard(manifest(metrics=("vpt", "vpt_capped")))
    board.add(told(1.0))
    assert "Lorenz: all predict up to the horizon, left out of ranks" in shown(board)


def test_where_all_reach_the_horizon_a_trial_that_failed_counts_as_worse_than_any_error():
    board = Leaderboard(manifest(metrics=("vpt", "vpt_capped", "nrmse")))
    board.add(told(1.0, 1.0, 1.0, errors=(0.1, 0.3, 0.1), statuses=("ok", "ok", "diverged")))
    assert board.ranking() == ["ResNet", "NeuralODE"]


def test_a_cell_without_any_value_shows_its_status_and_a_missing_one_a_dot():
    board = Leaderboard(manifest())
    board.add(records("ResNet", None, status="timeout"))
    assert board.score("ResNet", "Lorenz") is None
    rows = [line.split() for line in shown(board)]
    assert ["ResNet", "timeout"] in rows
    assert ["NeuralODE", "·"] in rows
    assert not any("*" in row for row in rows)  # which would explain a mark that nothing has


def test_a_metric_that_is_best_near_the_truth_gives_no_ranking():
    board = Leaderboard(manifest(metrics=("roughness",)))
    board.add(records("ResNet", 1.0, metric="roughness") + records("NeuralODE", 2.0, metric="roughness"))
    assert board.ranking() == ["NeuralODE", "ResNet"]
    assert board.score("ResNet", "Lorenz") == 1.0


def test_a_reference_row_is_never_marked_as_the_best():
    board = Leaderboard(manifest(references=("Persistence",)))
    board.add(records("Persistence", 9.0))
    console = Console(file=StringIO(), width=80, force_terminal=True)
    console.print(board)
    assert "\x1b[1;32m" not in console.file.getvalue()  # type: ignore[attr-defined]


def test_without_vpt_the_first_metric_decides_and_lower_errors_rank_first():
    board = Leaderboard(manifest(metrics=("nrmse", "cme")))
    board.add(records("ResNet", 0.001, metric="nrmse") + records("NeuralODE", 0.5, metric="nrmse"))
    assert board.ranking() == ["ResNet", "NeuralODE"]
    assert ["ResNet", "0.001"] in [line.split() for line in shown(board)]


@pytest.mark.parametrize("width", [80, 60, 120])
def test_the_leaderboard_fits_the_terminal_and_loses_nothing(width):
    board = Leaderboard(manifest(SYSTEMS * 1 + ["KuramotoSivashinsky"], LEARNERS, REFERENCES))
    for index, system in enumerate([*SYSTEMS, "KuramotoSivashinsky"]):
        board.add(records("NeuralODE", 1.5 + index, system=system))
    text = shown(board, width)
    assert max(map(len, text)) <= width
    assert all(f"{1.5 + index:.2f}" in "\n".join(text) for index in range(6))
    assert "[training.learning_rate" in "".join(line.partition(" ")[0] for line in text)


def test_the_live_display_shows_counts_active_cells_and_the_leaderboard_at_eighty_columns():
    clock = Clock()
    progress = Progress(manifest(SYSTEMS, LEARNERS, REFERENCES), jobs=2, clock=clock)
    assert not any("NeuralODE" in line for line in shown(render(progress, Spinner("dots"))))
    progress.notify(Cached(cell("CubicSpiral-Persistence"), records("Persistence", 0.1, system="CubicSpiral")))
    progress.notify(Started(cell("Lorenz-NeuralODE")))
    progress.notify(Finished(cell("Lorenz-NeuralODE"), records("NeuralODE", None, status="crashed"), 60.0))
    progress.notify(Started(cell("Lorenz-WindowedRNN[cell=lstm]")))
    clock.now += 12
    text = shown(render(progress, Spinner("dots")))
    assert max(map(len, text)) <= 80
    assert text[0].endswith("2/25")
    assert text[1].startswith("1 done · 1 cached · 1 running · 1 failed · about")
    assert any("WindowedRNN[cell=lstm]" in line and "12 s" in line for line in text)
    assert any(line.split()[:1] == ["Persistence"] and "0.10" in line for line in text)


def test_the_live_display_vanishes_from_the_terminal():
    console = Console(file=StringIO(), force_terminal=True, width=80)
    with live(Progress(manifest()), console) as shown_live:
        shown_live.refresh()
        assert "0/2" in console.file.getvalue()  # type: ignore[attr-defined]
    assert shown_live.transient


def test_failures_name_the_reason_and_the_log(tmp_path):
    progress = Progress(manifest(systems=("Lorenz[rho=[1]]",)))
    failed = records("NeuralODE", None, system="Lorenz[rho=[1]]", status="crashed")
    progress.notify(Cached(cell("Lorenz[rho=[1]]-NeuralODE"), failed))
    text = "\n".join(shown(display.failures(progress.failures, tmp_path), width=200))
    assert "Lorenz[rho=[1]]  NeuralODE  crashed" in text
    assert "the loss is not finite" in text
    assert str(tmp_path / "Lorenz[rho=[1]]-NeuralODE" / "log.txt") in text


def test_a_plan_shows_the_state_of_each_cell_at_eighty_columns():
    grid = manifest(SYSTEMS, LEARNERS, REFERENCES)
    cached = {cell["key"]: cell["learner"] == "Persistence" for cell in grid["cells"]}
    text = shown(display.plan(grid, {key: CacheState("cached" if it else "missing") for key, it in cached.items()}, 80))
    assert max(map(len, text)) <= 80
    assert sum(line.count("cached") for line in text) == 5
    assert sum(line.count("missing") for line in text) == 20
