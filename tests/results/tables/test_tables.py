"""Tables: the best in bold, failures in words, raw numbers in CSV, and LaTeX that compiles."""

import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from results import Status, formatting
from results.statistics.ranking import level_by_ranks
from results.statistics.significance import welch
from results.statistics.trials import groups
from results.store.run import Run
from results.tables import formats
from results.tables.table import Column, Table
from results.tables.tables import leaderboard, outcome_table, system_table
from tests.support.synthetic import Size, build

SIUNITX = (
    shutil.which("kpsewhich") and subprocess.run(["kpsewhich", "siunitx.sty"], capture_output=True, check=False).stdout
)
LEARNERS = ("WindowedRNN[cell=rnn]", "ResNet", "ODENet", "Persistence", "PolynomialPropagator", "TrueEquations")
FAILED: dict[tuple[str, str], Status] = {
    ("Lorenz", "ODENet"): "diverged",
    ("Lorenz", "WindowedRNN[cell=rnn]"): "timeout",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run.load(build(tmp_path_factory.mktemp("runs"), learners=LEARNERS, status=FAILED))


@pytest.fixture(scope="module")
def lorenz(run: Run) -> Table:
    return system_table(run.frame(), "Lorenz", run.learners, run.references, "Lyapunov time")


@pytest.fixture(scope="module")
def board(run: Run) -> Table:
    return leaderboard(run.frame(), run.learners, run.references, run.timescales)


def bold(table: Table, column: str) -> list[str]:
    names = [each.name for each in table.columns]
    return [row.learner for row in table.rows if row.entries[names.index(column)].best]


def small(values: dict[str, float], better: str, unit: str = "", metric: str = "m") -> Table:
    rows = [
        {"suite": "s", "system": "X", "learner": learner, "seed": 0, "metric": metric, "value": value, "unit": unit}
        | {"better": better, "status": "ok", "reason": "", "cell": "c"}
        for learner, value in values.items()
    ]
    references = [learner for learner in values if learner.startswith("TrueEquations")]
    return system_table(pd.DataFrame(rows), "X", list(values), references, "period")


def test_values_are_medians_over_seeds_in_the_order_of_the_suite_with_references_last(run: Run, lorenz: Table):
    assert [row.learner for row in lorenz.rows] == list(LEARNERS)
    assert [row.reference for row in lorenz.rows] == [False] * 3 + [True] * 3
    frame = run.frame()
    mine = frame[(frame["system"] == "Lorenz") & (frame["learner"] == "ResNet") & (frame["metric"] == "fit_seconds")]
    assert lorenz.values.loc["ResNet", "fit_seconds"] == sorted(mine["value"])[1]


@pytest.mark.parametrize(
    ("better", "expected"), [("lower", ["A"]), ("higher", ["C"]), ("truth", ["B", "D"]), ("unknown", [])]
)
def test_the_best_of_the_compared_learners_is_marked(better: str, expected: list[str]):
    table = small({"A": 1.0, "B": 2.001, "C": 9.0, "D": 1.999, "TrueEquations": 2.0}, better)
    assert bold(table, "m") == expected


def test_without_the_true_equations_nothing_is_nearest_to_the_truth():
    table = small({"A": 1.0, "B": 2.0}, "truth")
    assert bold(table, "m") == []


def test_values_that_are_equal_in_print_are_equally_best():
    assert bold(small({"A": 1.23401, "B": 1.23402, "C": 1.3}, "lower"), "m") == ["A", "B"]


def test_the_truths_own_score_has_its_quartiles_over_seeds_where_long_runs_are_shown():
    scores = {"IndependentTruth": (0.10, 0.12, 0.14, 0.16, np.nan), "ResNet": (0.20, 0.22, 0.24, 0.26, 0.28)}
    trials = [
        {"suite": "s", "system": "X", "learner": learner, "seed": seed, "metric": metric, "unit": "", "better": "lower"}
        | {"value": value if metric == "d_stsp" else 0.0, "status": "ok", "reason": "", "cell": "c"}
        for metric in ("d_stsp", "out_of_box", "updates")
        for learner, values in scores.items()
        for seed, value in enumerate(values)
    ]
    arguments = (pd.DataFrame(trials), "X", ["ResNet", "IndependentTruth"], ["IndependentTruth"], "period")
    long = system_table(*arguments, group="long run", metrics=("d_stsp", "out_of_box"))
    assert long.printed.to_numpy().tolist() == [["0.240", "0", "0"], ["0.130 [0.115, 0.145]", "0", "0"]]
    assert "quartiles over seeds" in long.caption
    assert "| *IndependentTruth* | 0.130 [0.115, 0.145] |" in formats.markdown(long)
    assert "0.130 [0.115, 0.145]" in formats.latex(long)
    short = system_table(*arguments, group="forecast", metrics=("d_stsp",))
    assert short.printed.loc["IndependentTruth", "d_stsp"] == "0.130"
    assert "quartiles" not in short.caption


def test_quartiles_that_are_equal_in_print_are_not_shown():
    column = Column("k", "K", "", "truth", pd.Series({"IndependentTruth": 0.5}), pd.Series(), chance=(0.49999, 0.50001))
    assert column.printed(column.values).tolist() == ["0.500"]


def test_a_failure_is_put_in_words_and_never_a_bare_nan(lorenz: Table):
    rows = {row.learner: row for row in lorenz.rows}
    assert {entry.text for entry in rows["WindowedRNN[cell=rnn]"].entries} == {"timed out"}
    assert all(entry.words for entry in rows["WindowedRNN[cell=rnn]"].entries)
    assert rows["WindowedRNN[cell=rnn]"].outcome == "3 of 3 timed out"
    assert rows["ODENet"].entries[0].text == "diverged"
    assert rows["ODENet"].entries[1].text != "diverged"
    assert rows["ResNet"].outcome == "ok"
    for text in (formats.markdown(lorenz), formats.latex(lorenz), formats.comma_separated(lorenz)):
        assert "nan" not in text.lower().replace("nanm", "")


def test_a_metric_that_says_nothing_about_a_learner_is_a_dash_without_alarm():
    (row, _) = small({"A": float("nan"), "B": 1.0}, "lower").rows
    assert (row.entries[0].text, row.entries[0].words) == ("—", False)


def test_units_stand_in_the_heads_and_times_in_the_unit_of_the_system(lorenz: Table, board: Table):
    heads = dict(lorenz.heads)
    assert heads["VPT"] == "Lyapunov times"
    assert heads["NFE forecast"] == "evaluations/Lyapunov time"
    assert heads["saved memory"] == ""
    assert dict(board.heads)["VPT VanDerPol"] == "periods"
    assert dict(board.heads)["fit time"] == "s"


def test_a_unit_of_time_that_has_a_length_is_counted_in_tables_as_elsewhere(run: Run):
    heads = dict(system_table(run.frame(), "Lorenz", run.learners, run.references, "timescale of 6.3 s").heads)
    assert heads["VPT"] == "timescales of 6.3 s"
    assert heads["NFE forecast"] == "evaluations/timescale of 6.3 s"


def test_a_learner_that_only_some_systems_have_is_neither_ranked_nor_summed_up(run: Run):
    frame = run.frame()
    frame = frame.loc[(frame["system"] != "VanDerPol") | (frame["learner"] != "ResNet")]
    assert frame.attrs["lacks"] == {}
    frame.attrs["lacks"] = {"VanDerPol": ["ResNet"]}
    board = leaderboard(frame, run.learners, run.references, run.timescales)
    assert board.printed.loc["ResNet", ["mean_rank", "vpt_VanDerPol", "nrmse"]].tolist() == ["—"] * 3
    assert board.values.loc["ResNet", "vpt_Lorenz"] > 0
    assert board.values["mean_rank"].dropna().to_dict() == {"WindowedRNN[cell=rnn]": 1.75, "ODENet": 1.25}
    assert "Neither is of learners that only some systems have." in board.caption
    ended = outcome_table(frame, run.learners, run.references, run.systems)
    assert ended.printed.loc["ResNet", ["Lorenz", "VanDerPol"]].tolist() == ["ok", "—"]
    trials = {system: here for (system,), here in groups(frame, "system")}
    for system, has in (("Lorenz", True), ("VanDerPol", False)):
        table = system_table(trials[system], system, run.learners, run.references, "period")
        assert ("ResNet" in table.printed.index) == has


def test_the_leaderboard_ranks_compared_learners_only_and_failures_last(board: Table):
    """On Lorenz two learners fail and share ranks 2 and 3; on VanDerPol all reach the horizon: ranked by error."""
    expected = {"WindowedRNN[cell=rnn]": (2.5 + 3) / 2, "ResNet": (1 + 1) / 2, "ODENet": (2.5 + 2) / 2}
    assert board.values["mean_rank"].dropna().to_dict() == expected
    assert (
        "On VanDerPol the median VPT of every compared learner is the horizon: ranked there by NRMSE." in board.caption
    )
    rows = {row.learner: row for row in board.rows}
    assert rows["TrueEquations"].entries[0].text == "—"
    assert rows["ODENet"].outcome == "3 of 6 diverged"
    assert bold(board, "mean_rank") == []  # two systems resolve no rank


def test_a_learner_that_failed_on_the_hard_system_is_not_best_by_the_easy_one(board: Table):
    assert pd.isna(board.values.loc["ODENet", "nrmse"])
    assert {row.learner: row.entries[3].text for row in board.rows}["ODENet"] == "failed"
    assert bold(board, "nrmse") == []  # two systems resolve no rank, and a failed learner is never best


def test_what_training_took_stands_in_every_table_of_learners(run: Run, board: Table):
    frame = run.frame()
    forecasts = system_table(
        frame, "Lorenz", run.learners, run.references, "Lyapunov time", "forecast", ["nrmse", "vpt"]
    )
    for table in (board, forecasts):
        assert {"updates", "samples", "fit_seconds"} < {each.name for each in table.columns}
        assert table.values.loc["ResNet", "updates"] == 400 * 41
        assert table.values.loc["ResNet", "samples"] == 400 * 41 * 256
        assert "| updates | samples | fit time (s) |" in " ".join(formats.markdown(table).split())


def test_what_a_learner_does_not_count_is_a_dash_on_the_leaderboard_and_no_failure(run: Run):
    frame = run.frame()
    frame.loc[(frame["learner"] == "ResNet") & (frame["metric"] == "samples"), "value"] = np.nan
    table = leaderboard(frame, run.learners, run.references, run.timescales)
    entries = dict(
        zip(
            [each.name for each in table.columns],
            next(row for row in table.rows if row.learner == "ResNet").entries,
            strict=True,
        )
    )
    assert (entries["samples"].text, entries["samples"].words) == ("—", False)


def test_cells_that_were_not_run_are_said_to_be_missing(run: Run):
    frame = run.frame().set_index("learner").drop("ODENet").reset_index()
    table = system_table(frame, "Lorenz", run.learners, run.references, "Lyapunov time")
    row = next(row for row in table.rows if row.learner == "ODENet")
    assert {entry.text for entry in row.entries} == {"not run"}
    assert row.outcome == "not run"


def test_a_suite_without_prediction_times_is_led_by_its_first_metric():
    rows = [
        {"system": "digits", "learner": learner, "seed": 0, "metric": "accuracy", "value": value, "unit": "%"}
        | {"better": "higher", "status": "ok"}
        for learner, value in {"A": 97.0, "B": 98.0}.items()
    ]
    table = leaderboard(pd.DataFrame(rows), ["A", "B"], [], {"digits": "epoch"})
    assert table.heads[2] == ("accuracy digits", "%")
    assert table.values["mean_rank"].to_dict() == {"A": 2.0, "B": 1.0}


def test_the_csv_holds_the_raw_numbers(lorenz: Table):
    read = pd.read_csv(io.StringIO(formats.comma_separated(lorenz)), index_col="learner", dtype=str)
    numbers = read.filter(list(lorenz.values.columns)).astype(float)
    pd.testing.assert_frame_equal(numbers, lorenz.values, check_names=False, check_index_type=False, check_exact=True)
    assert list(read["reference"]) == ["False"] * 3 + ["True"] * 3


def test_markdown_keeps_marks_in_labels_as_text():
    text = formats.markdown(small({"A|B*`<b>": 1.0, "C": 2.0}, "lower"))
    assert r"A\|B\*\`\<b>" in text
    assert text.splitlines()[-2].count(" | ") == text.splitlines()[-1].count(" | ")


def test_latex_has_rules_bold_and_escapes(lorenz: Table):
    text = formats.latex(lorenz)
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 2
    assert text.count(r"\midrule") == 4
    assert r"\%" in text
    assert re.search(r"ResNet & .*\{\\bfseries \\num\{[\d.]+\}\}", text)
    assert r"\qty{" in text
    assert "timed out" in text
    assert r"A\_1" in formats.latex(small({"A_1": 1.0, "B": 2.0}, "lower"))


@pytest.mark.parametrize(
    ("text", "set_as"),
    [
        ("12.7", r"\num{12.7}"), ("52,400", r"\num{52400}"), ("1.23e-05", r"\num{1.23e-05}"),
        ("-0.500", r"\num{-0.500}"),
        ("12.3 KiB", r"\qty{12.3}{\kibi\byte}"), ("diverged", "diverged"), ("3 of 6 timed out", "3 of 6 timed out"),
    ],
)  # fmt: skip
def test_latex_sets_numbers_by_siunitx_and_words_as_they_are(text: str, set_as: str):
    assert formats._numeral(text) == set_as


def seeded(values: dict[str, list[float]]) -> Table:
    rows = [
        {"suite": "s", "system": "X", "learner": learner, "seed": seed, "metric": "m", "value": value, "unit": ""}
        | {"better": "lower", "status": "ok", "reason": "", "cell": "c"}
        for learner, trials in values.items()
        for seed, value in enumerate(trials)
    ]
    return system_table(pd.DataFrame(rows), "X", list(values), [], "period")


def test_what_the_seeds_do_not_resolve_from_the_best_is_bold_with_it():
    table = seeded({"A": [1.0, 1.1, 1.2], "B": [1.05, 1.15, 1.25], "C": [9.0, 9.1, 9.2]})
    assert bold(table, "m") == ["A", "B"]
    assert "Welch's test" in table.caption


def test_nothing_is_bold_where_the_seeds_resolve_nothing():
    assert bold(seeded({"A": [1.0, 3.0], "B": [2.0, 1.5]}), "m") == []


def test_of_one_learner_nothing_is_bold_and_of_one_seed_nothing_is_said_to_be_resolved():
    assert bold(seeded({"A": [1.0, 1.1]}), "m") == []
    alone = seeded({"A": [1.0], "B": [2.0]})
    assert bold(alone, "m") == ["A"]
    assert "medians over 1 seed. " in alone.caption
    assert "one seed resolves nothing" in alone.caption
    assert "Welch" not in alone.caption


def test_what_has_no_spread_is_resolved_by_any_difference():
    assert bold(seeded({"A": [3.0, 3.0], "B": [4.0, 4.0], "C": [3.0, 3.0]}), "m") == ["A", "C"]


def test_over_systems_ranks_resolve_who_is_level_with_the_best():
    values = {"A": 1.0, "B": 2.0, "C": 3.0}
    rows = [
        {"system": f"S{place}", "learner": learner, "seed": 0, "metric": "nrmse", "value": value + 0.01 * place}
        | {"unit": "", "better": "lower", "status": "ok"}
        for place in range(12)
        for learner, value in values.items()
    ]
    assert level_by_ranks(pd.DataFrame(rows), "nrmse", list(values)) == {"A"}
    assert level_by_ranks(pd.DataFrame(rows[:6]), "nrmse", list(values)) == {"A", "B", "C"}
    assert level_by_ranks(pd.DataFrame(rows[:3]), "nrmse", list(values)) == set()


def test_welchs_test_is_that_of_scipy_and_tells_constant_samples_apart():
    one, other, constant, same = (
        np.array([1.0, 2.0, 4.0]),
        np.array([3.0, 5.0, 9.0, 8.0]),
        np.full(3, 2.0),
        np.full(5, 2),
    )
    moments = [np.array([sample.mean(), sample.std(ddof=1), len(sample)]) for sample in (one, other, constant, same)]
    known: Any = stats.ttest_ind(one, other, equal_var=False)
    found = welch(moments[0], np.stack([moments[1], moments[1]], axis=1))
    assert found == pytest.approx([known.pvalue] * 2)
    assert welch(moments[2], moments[3]) == 1.0
    assert welch(moments[2], np.array([2.1, 0.0, 3])) == 0.0


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a LaTeX")
@pytest.mark.skipif(not SIUNITX, reason="needs the package siunitx")
def test_latex_compiles(lorenz: Table, board: Table, tmp_path: Path):
    body = formats.latex(lorenz) + formats.latex(board)
    source = (
        "\\documentclass{article}\\usepackage{booktabs,graphicx,siunitx}\\begin{document}" + body + "\\end{document}"
    )
    (tmp_path / "table.tex").write_text(source)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "table.pdf").stat().st_size > 10_000


def test_every_format_that_is_asked_for_is_written(lorenz: Table, tmp_path: Path):
    assert [path.name for path in formats.write(lorenz, tmp_path / "one", ("csv", "html"))] == ["Lorenz.csv"]
    paths = formats.write(lorenz, tmp_path / "tables")
    assert [path.name for path in paths] == ["Lorenz.md", "Lorenz.tex", "Lorenz.csv"]
    assert all(path.read_text() for path in paths)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (5.623, "5.62"), (12.66, "12.7"), (0.9999, "1.00"), (999.6, "1,000"), (52_437.0, "52,400"),
        (0.00123456, "0.00123"), (-0.5, "-0.500"), (1.234e-5, "1.23e-05"), (3.1e8, "3.10e+08"),
    ],
)  # fmt: skip
def test_numbers_have_three_significant_digits(value: float, text: str):
    assert formatting.three_digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (512, "512 B"), (12_595, "12.3 KiB"), (3.1e8, "296 MiB"), (2**41, "2,050 GiB")]
)
def test_sizes_have_binary_units(value: float, text: str):
    assert formatting.in_bytes(value) == text


def test_a_column_of_whole_numbers_has_no_decimals():
    assert [row.entries[0].text for row in small({"A": 3.0, "B": 14.0}, "lower").rows] == ["3", "14"]
    assert [row.entries[0].text for row in small({"A": 2048.0, "B": 14.0}, "lower", "B").rows] == ["2.00 KiB", "14 B"]


def test_labels_in_figures_are_brief_and_broken_into_lines():
    label = "Fewer[learner=HybridODE[training.updates=3000,width=8],trajectories=16]"
    assert formatting.brief(label) == "Fewer[HybridODE[updates=3000,width=8],trajectories=16]"
    assert formatting.brief("Irregular[system=Lorenz]") == "Irregular[Lorenz]"
    assert formatting.brief("ResNet") == "ResNet"
    assert formatting.brief("NODE (as published)") == "NODE (as published)"
    assert formatting.brief("A[missing=(),start=(('mu', 0.1), ('a', 1.6))]") == "A[missing=(),start=(...)]"
    assert formatting.wrapped(label) == "Fewer[HybridODE[\nupdates=3000,width=8],\ntrajectories=16]"
    assert formatting.wrapped("NeuralODE[network=convolution]") == "NeuralODE[\nnetwork=convolution]"
    assert max(map(len, formatting.wrapped("A" * 60 + "[b=" + "c" * 60 + "]").split("\n"))) <= 26
    assert formatting.wrapped("A[b,[c]" * 9).replace("\n", "") == "A[b,[c]" * 9


def test_outcomes_are_counted_by_kind():
    assert formatting.outcome(["ok", "ok"]) == "ok"
    assert formatting.outcome(["ok", "timeout", "diverged"]) == "2 of 3 timed out, diverged"
    assert formatting.outcome([]) == "not run"


def test_the_table_of_outcomes_says_where_each_learner_breaks(tmp_path: Path):
    folder = build(
        tmp_path, size=Size(climate_samples=60, points=2, seeds=(0, 1)), status={("Lorenz", "ResNet"): "crashed"}
    )
    run = Run.load(folder)
    table = outcome_table(run.frame(), run.learners, run.references, run.systems)
    words = {row.learner: [entry.text for entry in row.entries] for row in table.rows}
    assert words["ResNet"] == ["ok", "2 of 2 crashed"]
    assert words["WindowedRNN"] == ["ok", "ok"]
    assert not any(entry.best for row in table.rows for entry in row.entries)


def test_heads_of_one_word_without_units_are_words_in_latex():
    frame = pd.DataFrame(
        [
            {"system": system, "learner": learner, "seed": 0, "metric": "vpt", "value": 1.0, "unit": "", "reason": ""}
            | {"better": "higher", "status": "diverged" if learner == "A" else "ok"}
            for system in ("Lorenz", "Rossler")
            for learner in ("A", "B")
        ]
    )
    text = formats.latex(outcome_table(frame, ["A", "B"], [], ["Lorenz", "Rossler"]))
    assert r" & Lorenz & Rossler & outcome \\" in text.splitlines()


def test_two_heads_that_read_alike_and_characters_that_latex_takes_for_commands_cost_no_table():
    trials = [
        {"suite": "s", "system": r"C:\x^2~1_%.csv", "learner": "A", "seed": 0, "metric": metric, "unit": "s"}
        | {"better": "lower", "value": value, "status": "ok", "reason": "", "cell": "c"}
        for metric, value in (("forecast_seconds", 1.0), ("forecast_time", 2.0))
    ]
    table = system_table(pd.DataFrame(trials), r"C:\x^2~1_%.csv", ["A"], [], "period")
    heads = [line for line in formats.latex(table).splitlines() if line.startswith(" & forecast")]
    assert heads == [r" & forecast & forecast & outcome \\"]
    assert r"C:\textbackslash{}x\textasciicircum{}2\textasciitilde{}1\_\%.csv" in formats.latex(table)
