"""Runs side by side and accuracy at equal cost: what the commands print and write, and what the figures show."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from bench.commands import baseline
from results.figures import comparison as comparison_figures
from results.figures.style import save, styles
from results.gate.comparison import compare_runs
from results.report.comparison import shares_of_the_longest
from results.report.figure_data import FigureData
from results.statistics import pareto
from results.statistics.ranking import paired_losses, performance_profile, ranking, win_matrix
from results.store.run import Run
from tests.support.commands import exit_code, loaded_by
from tests.support.fake_runs import run_of
from tests.support.synthetic import Size, build, long_form

SIZE = Size(step=0.1, horizon=4.0, test=8, climate_samples=60, points=6, seeds=(0, 1))
LEARNERS = ("WindowedRNN", "NeuralODE", "ResNet", "Persistence", "TrueEquations")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A run in the folder `one`, and the same in `two`, of which one cell is missing and one learner is worse."""
    root = tmp_path_factory.mktemp("runs")
    build(root / "one", systems=("Lorenz", "VanDerPol"), learners=LEARNERS, size=SIZE, suite="small")
    return root


@pytest.fixture
def run(folder: Path) -> Run:
    return Run.load(folder / "one" / "small")


@pytest.fixture
def other(folder: Path, tmp_path: Path) -> Run:
    """The same run, in which the neural ODE predicts half as long on Lorenz, and a cell is missing."""
    shutil.copytree(folder / "one", tmp_path / "two")
    found = Run.load(tmp_path / "two" / "small")
    keys = {(cell.system, cell.learner): cell.key for cell in found.cells}
    shutil.rmtree(found.store.path(keys["VanDerPol", "ResNet"]))
    _halve(found, keys["Lorenz", "NeuralODE"])
    return Run.load(tmp_path / "two" / "small")


def _halve(run: Run, key: str) -> None:
    """Write a cell anew with half of its prediction times."""
    old = run.store.path(key)
    kept, records, arrays = run.store.cell(key), json.loads((old / "records.json").read_text()), run.store.arrays(key)
    texts = {name: (old / name).read_bytes() for name in ("environment.json", "log.txt", "curve.csv")}
    shutil.rmtree(old)
    for record in records:
        for one in record["measurements"]:
            if one["metric"] == "vpt":
                one["value"] = 0.5 * one["value"]
    with run.store.stage(key) as folder:
        (folder / "cell.json").write_text(json.dumps(kept))
        (folder / "records.json").write_text(json.dumps(records))
        np.savez(folder / "arrays.npz", allow_pickle=False, **(arrays | {"vpt": 0.5 * arrays["vpt"]}))
        for name, content in texts.items():
            (folder / name).write_bytes(content)


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs a command line in a terminal of 80 columns; gives its exit code and what it printed."""
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: object) -> tuple[int, str, str]:
        code = exit_code([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_a_run_beside_itself_is_the_same_everywhere(run: Run):
    found = compare_runs(run, run)
    assert {change.verdict for change in (*found.cells, *found.overall)} == {"same"}
    assert found.only_first == found.only_second == found.notes == ()


def test_a_learner_that_predicts_half_as_long_is_worse_by_an_interval_over_seeds(run: Run, other: Run):
    found = compare_runs(run, other)
    (change,) = [one for one in found.cells if (one.system, one.learner, one.metric) == ("Lorenz", "NeuralODE", "vpt")]
    assert change.verdict == "worse"
    assert change.second == pytest.approx(0.5 * (change.first or 0))
    assert change.difference.value == pytest.approx(-2.0)
    assert change.difference.high < 0
    assert change.pairs == len(SIZE.seeds)
    assert found.only_first == ("ResNet on VanDerPol",)


def test_a_ratio_over_all_systems_is_a_mean_of_those_on_each(run: Run, other: Run):
    (change,) = [one for one in compare_runs(run, other).overall if (one.learner, one.metric) == ("NeuralODE", "vpt")]
    assert change.difference.value == pytest.approx(0.5**0.5 - 1, abs=0.02)
    assert change.pairs == 2 * len(SIZE.seeds)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.1, 0.3])
def test_of_equal_runs_few_are_called_better_or_worse(spread: float):
    """Seeds differ, and states are hard or easy for all of them: what a run with other seeds may show is no change."""
    rng, verdicts = np.random.default_rng(0), {"cells": [], "overall": []}
    for _ in range(150):
        hard, runs = rng.normal(0, 1, 50), []
        for _ in range(2):
            of_seeds = np.exp(rng.normal(0, spread, (2, 5, 1)))
            times = np.median(5 * of_seeds * np.exp(0.3 * hard + rng.normal(0, 0.2, (2, 5, 50))), axis=-1)
            values = {
                (system, "A", seed): {"vpt": float(times[place, seed])}
                for place, system in enumerate(("Lorenz", "Rossler"))
                for seed in range(5)
            }
            runs.append(run_of(values, range(5), ("vpt",), learners=[{"label": "A", "reference": False}]))
        found = compare_runs(*runs)
        verdicts["cells"] += [one.verdict for one in found.cells]
        verdicts["overall"] += [one.verdict for one in found.overall]
    for some in verdicts.values():
        assert 0.01 <= np.mean([one in ("better", "worse") for one in some]) <= 0.09


def test_runs_of_other_data_cannot_be_paired(run: Run):
    moved = Run(run.folder, {**run.manifest, "data_seed": 7}, run.store)
    with pytest.raises(ValueError, match="cannot be paired: data_seed is 7, not 0"):
        compare_runs(run, moved)


def test_a_comparison_fits_eighty_columns(command, run: Run, other: Run):
    code, out, _ = command("compare", run.folder, other.folder)
    assert code == 0
    first, *lines = out.splitlines()
    assert first.startswith("A is ")
    assert max(map(len, lines)) <= 80
    line = next(line for line in lines if "NeuralODE" in line)
    assert line.split()[-1] == "worse"
    assert "only in A: ResNet on VanDerPol" in out


@pytest.mark.slow
def test_runs_are_compared_and_checked_without_torch(run: Run, tmp_path: Path):
    path = str(tmp_path / "small.json")
    for arguments in (
        ["compare", str(run.folder), str(run.folder)],
        ["baseline", "save", "--from", str(run.folder), "--name", path],
        ["check", str(run.folder), "--baseline", path],
    ):
        code, packages = loaded_by(*arguments)
        assert code == 0
        assert "torch" not in packages


def test_a_comparison_as_markdown_has_a_table_for_each_metric(command, run: Run, other: Run):
    code, out, _ = command("compare", run.folder, other.folder, "--format", "md", "-m", "vpt", "-m", "nrmse")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("**")] == ["**VPT**", "**NRMSE**"]
    assert "| all systems | NeuralODE" in out


def test_a_comparison_as_json_holds_every_metric(command, run: Run, other: Run):
    code, out, _ = command("compare", run.folder, other.folder, "--format", "json")
    content = json.loads(out)
    assert code == 0
    assert {one["metric"] for one in content["cells"]} == set(run.metrics)
    assert all({"value", "low", "high"} == set(one["difference"]) for one in content["overall"])


def test_a_metric_that_no_run_has_is_refused(command, run: Run):
    code, _, err = command("compare", run.folder, run.folder, "-m", "vtp")
    assert code == 2
    assert "did you mean vpt?" in err


def test_runs_without_a_common_cell_have_nothing_to_compare(command, run: Run, tmp_path: Path):
    lone = build(tmp_path / "three", systems=("CubicSpiral",), learners=("Persistence",), size=SIZE, suite="small")
    code, _, err = command("compare", run.folder, lone)
    assert code == 4
    assert err.startswith("nothing to compare")


def test_a_failure_is_told_in_words(run: Run, tmp_path: Path):
    broken = build(
        tmp_path / "two", systems=("Lorenz", "VanDerPol"), learners=LEARNERS, size=SIZE, suite="small",
        status={("Lorenz", "NeuralODE"): "crashed"},
    )  # fmt: skip
    found = compare_runs(run, Run.load(broken))
    (change,) = [one for one in found.cells if (one.system, one.learner, one.metric) == ("Lorenz", "NeuralODE", "vpt")]
    assert change.entries[1:] == ("crashed", "—", "worse")
    for one, other, verdict in ((run, Run.load(broken), "worse"), (Run.load(broken), run, "better")):
        overall = compare_runs(one, other).overall
        (of_all,) = [one for one in overall if (one.learner, one.metric) == ("NeuralODE", "vpt")]
        assert of_all.verdict == verdict
        assert "crashed" in of_all.entries
        assert {one.verdict for one in overall if one.learner != "NeuralODE"} == {"same"}


def test_a_seed_that_failed_predicts_nothing_where_another_did_not(run: Run):
    data = FigureData(run, run.frame())
    arrays = {learner: dict(data.cells["Lorenz", learner]) for learner in ("NeuralODE", "ResNet")}
    arrays["NeuralODE"]["vpt"][1] = np.nan
    arrays["ResNet"]["vpt"][:] = np.nan
    data.__dict__["cells"] = data.cells | {("Lorenz", learner): found for learner, found in arrays.items()}
    times = data.prediction_times.set_index(["system", "learner"])
    ode, whole = (
        times.loc["Lorenz", "NeuralODE"],
        FigureData(run, run.frame()).prediction_times.set_index(["system", "learner"]),
    )
    assert 0 < ode["median"] < whole.loc[("Lorenz", "NeuralODE"), "median"]
    assert ode["low"] == 0.0
    assert np.isnan(times.loc[("Lorenz", "ResNet"), "median"])


def test_where_nobody_predicts_anything_all_have_nothing_and_not_no_value():
    medians = pd.DataFrame({"Lorenz": [0.0, 0.0, np.nan], "Rossler": [1.0, 2.0, np.nan]})
    expected = pd.DataFrame({"Lorenz": [0.0, 0.0, np.nan], "Rossler": [0.5, 1.0, np.nan]})
    pd.testing.assert_frame_equal(shares_of_the_longest(medians), expected)


def test_a_run_that_is_saved_passes_its_check(command, run: Run, tmp_path: Path):
    path = tmp_path / "small.json"
    code, out, err = command("baseline", "save", "--from", run.folder, "--name", path)
    assert (code, out) == (0, f"{path}\n")
    assert "fewer than four trials of each cell tell nothing of the noise" in err
    code, out, _ = command("check", run.folder, "--baseline", path, "--junit", tmp_path / "deep" / "check.xml")
    assert code == 0
    assert out.startswith("pass: ")
    assert ElementTree.parse(tmp_path / "deep" / "check.xml").getroot().get("failures") == "0"


def test_baselines_have_a_folder_of_their_own_and_are_found_where_they_were(command, run: Run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = command("baseline", "save", "--from", run.folder)
    assert (code, out) == (0, "baselines/small.json\n")
    assert [path.name for path in tmp_path.iterdir()] == ["baselines"]
    assert command("check", run.folder)[0] == 0
    (tmp_path / "results").mkdir()
    (tmp_path / "baselines").rename(tmp_path / "results" / "baselines")
    assert command("check", run.folder)[0] == 0


def test_the_baseline_of_a_copied_run_is_that_of_its_suite(command, run: Run, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command("baseline", "save", "--from", run.folder)
    shutil.copytree(run.folder.parent, tmp_path / "copy")
    (tmp_path / "copy" / "small").rename(tmp_path / "copy" / "renamed")
    code, out, err = command("check", tmp_path / "copy" / "renamed")
    assert (code, err) == (0, "")
    assert out.startswith("pass: ")


def test_names_of_metrics_are_printed_whole_in_80_columns(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    names = ("kaplan_yorke_dimension", "kaplan_yorke_dimension_of_a_long_run")
    rows = [
        (name, "Recorded[path=of/some/folder/my.csv,timescale=6.3]", "NeuralODE[lookahead=5]", 0.1) for name in names
    ]
    baseline._print_sight(pd.DataFrame(rows, columns=["metric", "system", "learner", "effect"]))
    lines = capsys.readouterr().err.splitlines()
    assert set(names) <= {word for line in lines for word in line.split()}
    assert max(map(len, lines)) <= 80


def test_a_check_that_fails_says_how_to_accept_the_change(command, run: Run, other: Run, tmp_path: Path, monkeypatch):
    path, summary = tmp_path / "small.json", tmp_path / "summary.md"
    command("baseline", "save", "--from", run.folder, "--name", path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    code, out, err = command("check", other.folder, "--baseline", path)
    assert code == 1
    assert "ResNet on VanDerPol is missing" in out
    assert f"python -m bench baseline save --from {other.folder} --name {path}" in out
    assert err.startswith("::error title=Regression check (lost)::ResNet on VanDerPol is missing")
    assert "### Regression check: regressed" in summary.read_text()
    code, out, _ = command("check", other.folder, "--baseline", path, "--json")
    assert (code, json.loads(out)["verdict"]) == (1, "regressed")


def test_a_check_beside_another_budget_has_nothing_to_compare(command, run: Run, tmp_path: Path):
    path = tmp_path / "small.json"
    command("baseline", "save", "--from", run.folder, "--name", path)
    path.write_text(path.read_text().replace('"budget": "standard"', '"budget": "paper"'))
    code, out, _ = command("check", run.folder, "--baseline", path)
    assert code == 4
    assert "budget is 'standard', not 'paper'" in out


def test_an_inconclusive_check_fails_if_it_is_strict_and_adds_seeds_if_adaptive(
    command, run: Run, other: Run, tmp_path: Path, monkeypatch
):
    path, asked = tmp_path / "small.json", []
    command("baseline", "save", "--from", run.folder, "--name", path)
    content = json.loads(path.read_text())
    content["seeds"] = [0, 1, 2, 3]
    for cell in content["cells"]:
        cell["status"] *= 2
        for measured in cell["metrics"].values():
            measured["values"] *= 2
        if cell["learner"] == "NeuralODE":
            nrmse = cell["metrics"]["nrmse"]
            nrmse |= {
                "noise": 0.0,
                "values": [value * factor for value, factor in zip(nrmse["values"], [0.5, 1.5] * 2, strict=True)],
            }
    path.write_text(json.dumps(content))
    assert command("check", run.folder, "--baseline", path)[0] == 0
    assert command("check", run.folder, "--baseline", path, "--strict")[0] == 1
    shutil.copy(run.folder / "manifest.json", tmp_path / "manifest.json")
    manifest = json.loads((run.folder / "manifest.json").read_text())

    def add(request, _):
        asked.append(request.seeds)
        (run.folder / "manifest.json").write_text(json.dumps(manifest | {"seeds": list(range(request.seeds))}))

    monkeypatch.setattr("bench.commands.check.run_again", add)
    try:
        command("check", run.folder, "--baseline", path, "--adaptive")
    finally:
        shutil.copy(tmp_path / "manifest.json", run.folder / "manifest.json")
    assert asked == [4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tolerance", "vtp=0.1"], "did you mean vpt?"),
        (["--tolerance", "vpt=much"], "must be METRIC=NUMBER"),
        (["--tolerance", "vpt=-1"], "must be a finite number of at least 0, but is 'vpt=-1'"),
        (["--tolerance", "vpt=inf"], "must be a finite number of at least 0, but is 'vpt=inf'"),
    ],
)
def test_tolerances_are_checked(command, run: Run, tmp_path: Path, arguments, message):
    code, _, err = command("baseline", "save", "--from", run.folder, "--name", tmp_path / "a.json", *arguments)
    assert code == 2
    assert message in err
    assert not (tmp_path / "a.json").exists()


def test_a_file_that_is_no_baseline_is_a_mistake(command, run: Run, tmp_path: Path):
    for content in (None, '{"format": 1}'):
        if content:
            (tmp_path / "none.json").write_text(content)
        code, out, err = command("check", run.folder, "--baseline", tmp_path / "none.json")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "holds no baseline" in err


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([[1, 3], [2, 2], [3, 1], [3, 3]], [True, True, True, False]),
        ([[1, 1], [1, 1]], [True, True]),
        ([[1, np.inf], [2, 2]], [False, True]),
        ([[1, 2], [1, 3]], [True, False]),
    ],
)
def test_a_front_holds_what_nothing_beats(costs, expected):
    np.testing.assert_array_equal(pareto.front(np.array(costs, dtype=float)), expected)


def test_points_count_failures_and_have_no_accuracy_where_half_of_the_trials_failed():
    values = long_form({("X", "A"): [1.0, 3.0], ("X", "B"): [None, None]})
    costs = long_form({("X", "A"): [10.0, 20.0], ("X", "B"): [5.0, 5.0]}, "fit_seconds", "lower")
    found = pareto.points(pd.concat([values, costs]), "vpt", ["fit_seconds"]).set_index("learner")
    assert found.loc["A", ["loss", "value", "fit_seconds"]].tolist() == [-2.0, 2.0, 15.0]
    assert found.loc["B", "loss"] == np.inf
    assert np.isnan(found.loc["B", "value"])
    assert found.loc["B", "failed"] == 2


def test_evaluations_are_summed_over_updates(run: Run):
    key = next(cell.key for cell in run.cells if cell.learner == "NeuralODE")
    curve, found = run.store.curve(key), pareto.curves(run)
    mine = found.loc[(found["learner"] == "NeuralODE") & (found["system"] == "Lorenz") & (found["seed"] == 0)]
    first = curve.loc[curve["seed"] == 0]
    assert mine["nfe"].iloc[-1] == pytest.approx(
        (first["nfe_forward"] + first["nfe_backward"]).iloc[0] * mine["update"].iloc[-1]
    )


def fronts(run: Run, frame: pd.DataFrame) -> pd.DataFrame:
    return pareto.points(frame, "vpt").merge(FigureData(run, frame).prediction_times, on=["system", "learner"])


@pytest.fixture(scope="module")
def figures(folder: Path):
    run = Run.load(folder / "one" / "small")
    frame, look = run.frame(), styles(run.learners, run.references)
    trials = paired_losses(frame, run.compared, "nrmse")
    return {
        "critical_difference": comparison_figures.critical_difference(ranking(frame, run.compared), look),
        "signed_ranks": comparison_figures.critical_difference(ranking(frame, run.learners, test="wilcoxon"), look),
        "profile": comparison_figures.performance_profile(performance_profile(trials, [1.0, 2.0, 10.0]), look),
        "wins": comparison_figures.win_matrix(win_matrix(trials), len(trials)),
        "pareto": comparison_figures.pareto_page(fronts(run, frame), look, pareto.COSTS, run.timescales),
    }


def test_every_figure_is_drawn_with_the_same_bytes_each_time(figures, tmp_path: Path):
    for name, figure in figures.items():
        first, second = (save(figure, tmp_path / str(turn), name, ("svg",))["svg"] for turn in range(2))
        assert first.read_bytes() == second.read_bytes()
        assert first.stat().st_size > 5000


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_critical_difference_names_every_learner_with_its_rank(figures, run: Run):
    ranks = ranking(run.frame(), run.compared).mean_ranks
    shown = " ".join(texts(figures["critical_difference"]))
    assert all(str(learner) in shown and f"{rank:.2f}" in shown for learner, rank in ranks.items())
    assert "critical difference" in shown
    assert "critical difference" not in " ".join(texts(figures["signed_ranks"]))


def test_the_win_matrix_says_every_share(figures, run: Run):
    wins = win_matrix(paired_losses(run.frame(), run.compared, "nrmse")).to_numpy()
    assert texts(figures["wins"]) == [f"{100 * share:.0f}" for share in wins.ravel() if np.isfinite(share)]


def test_the_pareto_page_has_a_panel_for_each_system_and_cost(figures):
    assert len(figures["pareto"].axes) == 2 * len(pareto.COSTS)
