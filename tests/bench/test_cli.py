"""The command line: what is printed where, what is written, and which exit code it ends with."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from bench.cli import app, main
from bench.machine.environment import cores
from bench.request import Conditions
from bench.runner import run as runner
from bench.runner.events import Cached, Finished, Started
from results import COLUMNS, Measurement, Record
from results.report import page as report_room
from tests.support.commands import exit_code
from tests.support.synthetic import Size, build

SOURCE = """
from dataclasses import dataclass

from bench.suite import Suite
from learners import Learner, Persistence, TrainingMean
from metrics import nrmse, vpt
from systems import LinearSpiral, Sampling


@dataclass(frozen=True)
class Mine(Learner):
    shift: float = 0.0

    def fit_replicas(self, dataset, budget, seeds):
        return Persistence().fit_replicas(dataset, budget, seeds)


suite = Suite(
    name="toy",
    description="A toy.",
    systems=(LinearSpiral(),),
    learners=(Persistence(), TrainingMean()),
    metrics=(nrmse, vpt),
    sampling=Sampling(step=0.05, trajectories=2, samples=20, valid=1, test=2, context=4, horizon=0.5, climate=1,
                      climate_horizon=0.5),
    seeds=2,
)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with a suite's file; what is imported from it is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "toy_suite", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy_suite.py").write_text(SOURCE)
    yield tmp_path
    sys.modules.pop("toy_suite", None)


@pytest.fixture
def command(capsys):
    """Runs a command line; gives its exit code and what it printed."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = exit_code(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def play(monkeypatch):
    """Puts in the runner's place one that tells a given story, and in the report's place one that writes nothing."""

    def played(
        status: str = "ok",
        value: float | None = 2.5,
        cached: int = 0,
        error: BaseException | None = None,
        measured: tuple[str, ...] = (),  # learners that end well in any case
    ) -> list:
        calls: list[Conditions] = []

        def run(cells, store, conditions, notify):
            calls.append(conditions)
            for index, planned in enumerate(cells):
                ended = ("ok", 1.0) if planned.cell.learner_label in measured else (status, value)
                outcome = [record(planned.cell, seed, *ended) for seed in planned.cell.seeds]
                if index < cached:
                    notify(Cached(planned, outcome))
                    continue
                notify(Started(planned))
                if error:
                    raise error
                notify(Finished(planned, outcome, 1.0))

        monkeypatch.setattr(runner, "run", run)
        monkeypatch.setattr(report_room, "write_report", lambda run, **_: run.folder / "report.html")
        return calls

    return played


def record(cell, seed: int, status: Any, value: float | None) -> Record:
    reason = "" if status == "ok" else "it broke"
    return Record(
        cell.system_label, cell.learner_label, seed, status, reason, (Measurement("vpt", value, "", "higher"),)
    )


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_without_arguments_help_is_shown(command):
    code, out, err = command()
    assert code == 0
    assert not err
    for name in ("run", "plan", "list", "report", "Examples", "NeuralODE[lookahead=5]", "130 interrupted"):
        assert name in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["rnu"], "no such command 'rnu'. Did you mean 'run'?"),
        (["run", "--sede", "3"], "no such option --sede: did you mean --seeds?"),
        (["run", "--suite"], "option '--suite' requires an argument"),
        (["run"], "which suite? Give --suite one of attractors, basins, beyond, chaos, "),
        (["run", "--suite", "choas"], "unknown suite 'choas': did you mean chaos?"),
        (["run", "--suite", "toy_siute.py"], "there is no file toy_siute.py: did you mean toy_suite.py?"),
        (["run", "--suite", "chaos", "-s", "Lorens"], "unknown system 'Lorens': did you mean Lorenz?"),
        (["run", "--suite", "chaos", "-l", "NeuralOED"], "unknown learner 'NeuralOED': did you mean NeuralODE?"),
        (["run", "--suite", "chaos", "-l", "ResNet[width"], "cannot read 'ResNet[width'"),
        (["run", "--suite", "toy_suite.py", "-l", "ResNet[widht=3]"], "field of ResNet, 'widht': did you mean width?"),
        (["run", "--suite", "toy_suite.py", "-l", "ResNet[width=wide]"], "ResNet.width expects int, but got 'wide'"),
        (["run", "--suite", "toy_suite.py", "-l", "ResNet[width=-3]"], "must be"),
        (["run", "--suite", "toy_suite.py", "-s", "Suite"], "unknown system 'Suite'"),
        (["run", "--suite", "toy_suite.py", "--budget", "quik"], "unknown budget 'quik': did you mean quick?"),
        (["run", "--suite", "chaos", "--seeds", "0"], "--seeds must be at least 1, but is 0"),
        (["run", "--suite", "chaos", "--seeds", "few"], "but got 'few' (see"),
        (["run", "--suite", "chaos", "--seeds=few"], "but got 'few' (see"),
        (["run", "--suite", "chaos", "--data-seed", "-1"], "--data-seed must be at least 0, but is -1"),
        (["run", "--suite", "chaos", "-j", "0"], "--jobs must be at least 1, but is 0"),
        (["run", "--suite", "chaos", "--retries", "-1"], "--retries must be at least 0, but is -1"),
        (["run", "--suite", "chaos", "--timeout", "-1"], "--timeout must be a positive number of seconds, but is -1"),
        (["run", "--suite", "chaos", "--timeout", "nan"], "--timeout must be a positive number of seconds, but is nan"),
        (["run", "--suite", "chaos", "--device", "gpu"], "'gpu'"),
        (
            ["run", "--suite", "chaos", "--out", "toy_suite.py/runs"],
            "cannot write to toy_suite.py/runs: Not a directory",
        ),
        (["plan", "--suite", "choas"], "unknown suite 'choas'"),
        (["list", "sistems"], "unknown kind of thing 'sistems': did you mean systems?"),
        (["list", "systems", "Lorens"], "unknown system 'Lorens': did you mean Lorenz?"),
        (["report"], "there is no run in runs: `python -m bench run --suite NAME` makes one"),
        (["report", "toy"], "unknown run 'toy'"),
    ],
)
def test_a_mistake_is_one_line_on_the_error_stream_and_leaves_nothing_behind(folder, command, arguments, complaint):
    before = files(folder)
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert complaint.lower() in err.lower()
    assert files(folder) == before


def test_a_missing_gpu_is_a_mistake_but_auto_falls_back_on_the_cpu(folder, command, play, monkeypatch):
    play()
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    code, _, err = command("run", "--suite", "toy_suite.py", "--device", "cuda")
    assert (code, err.count("\n")) == (2, 1)
    assert "no CUDA device on this machine: use --device cpu or auto" in err
    assert not (folder / "runs").exists()
    assert command("run", "--suite", "toy_suite.py", "--device", "auto")[0] == 0
    assert json.loads((folder / "runs/toy/manifest.json").read_text())["environment"]["device"] == "cpu"


def test_a_gpu_of_a_cluster_need_not_be_on_this_machine(folder, command, play, monkeypatch):
    calls = play()
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("bench.runs.find_executor", lambda name: runner.run)
    arguments = ("run", "--suite", "toy_suite.py", "--device", "cuda")
    assert command(*arguments, "--executor", "dask://host:8786")[0] == 0
    assert len(calls) == 1
    assert json.loads((folder / "runs/toy/manifest.json").read_text())["environment"]["device"] == "cuda"
    assert command(*arguments, "--executor", "dask")[0] == 2


def test_a_gpu_is_used_where_there_is_one_with_one_cell_at_a_time(folder, command, play, monkeypatch):
    calls = play()
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert command("run", "--suite", "toy_suite.py")[0] == 0
    assert calls[0].jobs == 1
    assert json.loads((folder / "runs/toy/manifest.json").read_text())["environment"]["device"].startswith("cuda")


def test_a_run_tells_of_each_cell_and_ends_with_the_leaderboard_and_the_report(folder, command, play):
    calls = play(cached=1)
    options = ["--timeout", "9", "--retries", "1", "--fail-fast", "--memory", "0.5", "--rerun", "all"]
    code, out, err = command("run", "--suite", "toy_suite.py", "-j", "2", *options)
    assert (code, err) == (0, "")
    assert calls == [Conditions(jobs=2, timeout=9.0, memory=0.5, retries=1, rerun="all", fail_fast=True)]
    assert "[2/2] LinearSpiral  TrainingMean  ok  vpt 2.5  1.0 s" in out
    assert "2 cells: 1 done, 1 cached, in " in out
    assert out.splitlines()[-1] == f"report: {Path('runs/toy/report.html')}"
    assert max(map(len, out.splitlines())) <= 80
    manifest = json.loads((folder / "runs/toy/manifest.json").read_text())
    assert [cell["learner"] for cell in manifest["cells"]] == ["Persistence", "TrainingMean"]
    assert files(folder / "runs") == {"toy", "toy/manifest.json", "leases", "leases/report-toy.lock"}


def test_a_selection_is_all_that_the_manifest_holds(folder, command, play):
    play()
    arguments = ["-l", "TrainingMean", "-s", "Lorenz[rho=30]", "--seeds", "3", "--data-seed", "7", "--budget", "quick"]
    assert command("run", "--suite", "toy_suite.py", *arguments, "--quiet")[0] == 0
    manifest = json.loads((folder / "runs/toy/manifest.json").read_text())
    assert manifest["systems"] == ["Lorenz[rho=30.0]"]
    entry = {"label": "TrainingMean", "configuration": "TrainingMean", "reference": True}
    assert manifest["learners"] == [entry | {"class": "TrainingMean", "settings": {}}]
    assert (manifest["seeds"], manifest["data_seed"], manifest["budget"]) == ([0, 1, 2], 7, "quick")


def test_quiet_prints_the_path_of_the_report_alone(folder, command, play):
    play()
    assert command("run", "--suite", "toy_suite.py", "--quiet") == (0, f"{Path('runs/toy/report.html')}\n", "")


def test_json_is_one_object_and_progress_goes_to_the_error_stream(folder, command, play):
    play(status="crashed")
    code, out, err = command("run", "--suite", "toy_suite.py", "--json", "--out", "elsewhere")
    found = json.loads(out)
    assert code == found["exit_code"] == 3
    assert "[2/2]" in err
    counts = {"total": 2, "done": 2, "cached": 0, "failed": 2, "diverged": 0, "solver_failed": 0}
    assert found["cells"] == counts
    assert found["leaderboard"][0] == {"learner": "Persistence", "reference": True, "vpt": {"LinearSpiral": 2.5}}
    assert found["report"] == str(Path("elsewhere/toy/report.html"))
    failure = found["failures"][0]
    assert (failure["learner"], failure["status"], failure["reason"]) == ("Persistence", "crashed", "it broke")
    assert failure["log"].endswith("log.txt")


def test_failed_cells_end_with_their_own_exit_code_and_the_log_to_read(folder, command, play):
    play(status="crashed")
    code, out, _ = command("run", "--suite", "toy_suite.py")
    assert code == 3
    assert "2 of the cells failed" in out
    assert "LinearSpiral  TrainingMean  crashed" in out
    assert "it broke" in out
    assert "log.txt" in out


@pytest.mark.parametrize(("status", "said"), [("diverged", "models diverged"), ("solver_failed", "solvers gave up")])
def test_a_model_that_diverges_is_a_result_which_the_summary_counts(folder, command, play, status: str, said: str):
    play(status=status)
    code, out, err = command("run", "--suite", "toy_suite.py")
    assert (code, err) == (0, "")
    assert f"; {said} in 2" in out
    assert "failed, in whole" not in out
    code, out, _ = command("run", "--suite", "toy_suite.py", "--json")
    assert (code, json.loads(out)["cells"][status], json.loads(out)["failures"]) == (0, 2, [])


@pytest.mark.parametrize("status", ["timeout", "out_of_memory", "crashed"])
def test_crashes_time_outs_and_lack_of_memory_fail_a_run_that_has_numbers(folder, command, play, status: str):
    play(status=status)
    assert command("run", "--suite", "toy_suite.py", "--quiet")[0] == 3


@pytest.mark.parametrize("status", ["crashed", "skipped"])
@pytest.mark.parametrize("learners", [("Mine[shift=1]",), ("Mine[shift=1]", "Mine[shift=2]")])
def test_a_run_without_a_number_of_what_was_asked_for_ends_with_a_code_of_its_own(
    folder, command, play, status: str, learners: tuple[str, ...]
):
    play(status=status, value=None, measured=("Persistence", "TrainingMean"))
    (folder / "toy_suite.py").write_text(SOURCE.replace("Persistence()", "Mine(), Persistence()"))
    asked = [option for learner in learners for option in ("-l", learner)]
    code, out, err = command("run", "--suite", "toy_suite.py", *asked)
    assert code == 4
    assert err == "nothing measured: no learner that was asked for gave a number\n"
    assert f"{learners[0].replace('=1', '=1.0')}  {status}\n  it broke" in out
    assert command("run", "--suite", "toy_suite.py", *asked, "-l", "Persistence")[0] == 4  # a yardstick is no learner
    assert command("run", "--suite", "toy_suite.py", "-l", "Persistence", "--quiet")[0] == 0


def test_a_shard_without_cells_is_done(folder, command, play):
    play()
    assert command("run", "--suite", "toy_suite.py", "--shard", "3/3", "--quiet")[0] == 0


def test_a_shard_says_that_it_is_done_only_where_it_is_and_how_the_suite_is_reported(folder, command, play):
    play()
    code, out, _ = command("run", "--suite", "toy_suite.py", "--shard", "1/3", "--out", "my runs")
    assert code == 0
    assert out.splitlines()[-1] == "shard 1 of 3 is not done: 1 of its 1 cells are not finished"
    code, out, _ = command("run", "--suite", "toy_suite.py", "--shard", "3/3", "--out", "my runs")
    told = "shard 3 of 3 is done; when all are: python -m bench report toy --out 'my runs'"
    assert (code, out.splitlines()[-1]) == (0, told)


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help")], ids=str)
def test_exit_codes_have_a_line_each_in_80_columns(command, monkeypatch: pytest.MonkeyPatch, arguments):
    monkeypatch.setenv("COLUMNS", "80")
    lines = [line.strip() for line in command(*arguments)[1].splitlines()]
    codes = list(filter(None, lines[lines.index("Exit codes") + 1 :]))
    assert [line.split()[0] for line in codes] == ["0", "1", "2", "3", "4", "130"]


def test_help_keeps_what_stands_in_brackets():
    """Rich takes what is not escaped for a style, and shows nothing of it."""
    group: Any = typer.main.get_command(app)
    commands = [group, *group.commands.values(), *group.commands["baseline"].commands.values()]
    for command in commands:
        for text in (command.help, *(getattr(one, "help", "") for one in command.params)):
            assert not re.search(r"(?<!\\)\[", text or ""), f"{command.name}: {text}"


def test_an_interrupted_run_tells_how_to_resume(folder, command, play, monkeypatch):
    play(error=KeyboardInterrupt())
    monkeypatch.setattr(
        sys, "argv", ["/some/bench/__main__.py", "run", "--suite", "toy_suite.py", "-l", "ResNet[width=3]"]
    )
    code, out, err = command(*sys.argv[1:])
    assert (code, out) == (130, "")
    assert err == (
        "interrupted: what is finished is kept; resume with\n"
        "  python -m bench run --suite toy_suite.py -l 'ResNet[width=3]'\n"
    )


def test_who_interrupts_the_planning_is_told_the_same(folder, command, monkeypatch):
    def interrupt(request):
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.planning.plan.plan", interrupt)
    monkeypatch.setattr(sys, "argv", ["/some/bench/__main__.py", "run", "--suite", "toy_suite.py"])
    code, out, err = command(*sys.argv[1:])
    assert (code, out) == (130, "")
    assert err.endswith("resume with\n  python -m bench run --suite toy_suite.py\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()], ids=repr)
def test_an_interrupted_command_says_so(command, monkeypatch, error):
    def interrupt(*arguments, **options):
        raise error

    monkeypatch.setattr("bench.cli.app", interrupt)
    assert command("list") == (130, "", "interrupted\n")


def test_an_end_of_file_is_no_interrupt(command, monkeypatch):
    def fail(*arguments, **options):
        raise typer.Abort() from EOFError("a pipe broke")

    monkeypatch.setattr("bench.cli.app", fail)
    with pytest.raises(EOFError, match="a pipe broke"):
        exit_code(["list"])


def test_a_disk_that_is_full_when_the_report_is_written_is_told_in_one_line(folder, command, play, monkeypatch):
    def fail(folder, show):
        raise OSError(28, "No space left on device")

    play()
    monkeypatch.setattr("bench.runs.write_report", fail)
    code, _, err = command("run", "--suite", "toy_suite.py", "--quiet")
    assert (code, err.count("\n")) == (2, 1)
    assert "No space left on device; what is finished is kept, and the same command resumes" in err


def test_a_report_that_cannot_be_written_is_told_in_one_line(folder, command, kept, monkeypatch):
    def fail(run, **chosen):
        raise OSError(30, "Read-only file system", "runs/kept/report.html")

    monkeypatch.setattr(report_room, "write_report", fail)
    kept()
    assert command("report", "kept") == (2, "", "error: Read-only file system: runs/kept/report.html\n")


def test_a_full_disk_is_told_in_one_line(folder, command, play):
    play(error=OSError(28, "No space left on device"))
    code, _, err = command("run", "--suite", "toy_suite.py", "--quiet")
    assert code == 2
    assert err.startswith("error: cannot write to runs: ")
    assert "No space left on device" in err
    assert err.count("\n") == 1


def test_a_plan_shows_what_is_cached_and_writes_nothing(folder, command):
    code, out, _ = command("plan", "--suite", "toy_suite.py", "-l", "Persistence")
    assert code == 0
    assert "missing" in out
    assert "0 cached, 1 missing; 2 seeds in each cell; kept in runs" in out
    assert not (folder / "runs").exists()


def test_a_plan_in_json_says_of_each_cell_how_it_stands_why_and_how_long_it_may_take(folder, command):
    assert command("run", "--suite", "toy_suite.py", "-l", "Persistence", "--quiet", "-j", "1")[0] == 0
    (kept,) = Path("runs/cells").iterdir()
    seconds = json.loads((kept / "cell.json").read_text())["seconds"]
    planned = json.loads(command("plan", "--suite", "toy_suite.py", "--json")[1])
    told = [(cell["learner"], cell["state"], cell["why"], cell["seconds"]) for cell in planned["cells"]]
    assert told == [("Persistence", "cached", "", 0.0), ("TrainingMean", "missing", "", None)]
    assert planned["cells"][0]["key"] == kept.name
    again = json.loads(command("plan", "--suite", "toy_suite.py", "-l", "Persistence", "--seeds", "1", "--json")[1])
    assert [(cell["state"], cell["seconds"]) for cell in again["cells"]] == [("missing", seconds)]


@pytest.mark.parametrize("kind", ["suites", "systems", "learners", "metrics"])
def test_lists_fit_eighty_columns(command, kind):
    code, out, _ = command("list", kind)
    assert code == 0
    assert out.startswith(kind)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("run --suite spat", ["spatiotemporal"]), ("run -l NeuralO", ["NeuralODE"]), ("calib", ["calibrate"])],
)
def test_shells_complete_commands_suites_and_learners(typed, offered, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["dynamics-bench"])
    monkeypatch.setenv("_DYNAMICS_BENCH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"dynamics-bench {typed}")
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split())))
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.split() == offered


def test_everything_is_listed_by_default(command):
    out = command("list")[1]
    assert all(name in out for name in ("chaos", "Lorenz96", "WindowedRNN", "TrueEquations", "zero_one_k"))


def test_one_thing_is_shown_with_all_that_is_known_of_it(command):
    assert "rnn | relu | gru |" in command("list", "learners", "WindowedRNN")[1]
    assert "training.learning_rate" in command("list", "WindowedRNN")[1]
    assert "It has no parameters." in command("list", "learners", "Persistence")[1]
    assert "better: higher" in command("list", "metrics", "vpt")[1]
    assert "Rossler()" in command("list", "suites", "chaos")[1]


@pytest.fixture
def kept(tmp_path) -> Callable[..., Path]:
    def built(**changes: Any) -> Path:
        size = Size(step=0.1, horizon=2.0, test=2, climate_samples=50, points=2, seeds=(0,))
        return build(tmp_path / "runs", ("Lorenz",), ("Persistence",), size, suite="kept", **changes)

    return built


def test_reports_are_made_anew_by_name_by_folder_or_all(folder, command, kept, monkeypatch):
    monkeypatch.setattr(report_room, "write_report", lambda run, **_: run.folder / "report.html")
    page = kept() / "report.html"
    assert command("report", "kept")[1].strip() == str(Path("runs/kept/report.html"))
    assert command("report", str(page.parent), "--out", "elsewhere")[1].strip() == str(page)
    assert command("report")[:2] == (0, f"{Path('runs/kept/report.html')}\n")
    code, _, err = command("report", "kep")
    assert code == 2
    assert "unknown run 'kep': did you mean kept?" in err


def test_formats_of_reports_are_chosen_by_name(folder, command, kept, monkeypatch):
    asked: dict[str, Any] = {}
    monkeypatch.setattr(report_room, "write_report", lambda run, **chosen: asked.update(chosen) or run.folder)
    run = kept()
    code, out, _ = command("report", str(run), "--format", "csv, tex", "--figures", "pdf,pdf")
    assert (code, out.strip()) == (0, str(run))
    assert asked == {"tables": ("csv", "tex"), "figures": ("pdf",), "jobs": cores()}
    code, _, err = command("report", str(run), "--figures", "svgz")
    assert code == 2
    assert "unknown figure format 'svgz': did you mean svg? Choose from pdf, svg, png" in err
    assert "unknown table format 'doc'" in command("report", str(run), "--format", "doc")[2]


def test_a_run_without_finished_cells_has_nothing_to_report(folder, command, kept):
    run = kept()
    for cell in (folder / "runs" / "cells").iterdir():
        cell.rename(folder / cell.name)
    code, _, err = command("report", str(run))
    assert code == 4
    assert err.startswith("nothing to report: no cell of ")


def test_a_run_that_cannot_be_reported_does_not_stop_the_others(folder, command, kept, monkeypatch):
    monkeypatch.setattr(report_room, "write_report", lambda run, **_: run.folder / "report.html")
    run = kept()
    shutil.copytree(run, folder / "elsewhere" / "copied")
    code, out, err = command("report", "elsewhere/copied", "kept")
    assert (code, out) == (4, f"{Path('runs/kept/report.html')}\n")
    assert "is finished in elsewhere/cells; a run is copied with the folder `cells` beside it" in err
    (folder / "elsewhere" / "copied" / "manifest.json").write_text("{")
    code, out, err = command("report", "elsewhere/copied", "kept")
    assert (code, out) == (2, f"{Path('runs/kept/report.html')}\n")
    assert err.startswith("error: elsewhere/copied/manifest.json cannot be read")


def test_a_folder_copied_without_its_cells_cannot_be_compared_and_says_what_it_lacks(folder, command, kept):
    shutil.copytree(kept(), folder / "elsewhere" / "kept")
    code, out, err = command("compare", "kept", "elsewhere/kept")
    assert (code, out) == (4, "")
    assert "nothing to compare: no cell of elsewhere/kept is finished in elsewhere/cells" in err


def test_a_manifest_that_cannot_be_read_is_a_mistake(folder, command, kept):
    (kept() / "manifest.json").write_text("{")
    code, _, err = command("report", "kept")
    assert (code, err.count("\n")) == (2, 1)
    assert "manifest.json cannot be read" in err


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("step=0.05", "step=-0.05", "toy_suite.py, line 24: Sampling.step must be "),
        ("seeds=2", "seeds=0", "toy_suite.py, line 18: a suite needs at least one seed"),
        ("TrainingMean()", "TrainingMean", "toy.learners holds the class TrainingMean: write TrainingMean()"),
        ("TrainingMean()", "Mine(shift=object())", "no key can be made of"),
    ],
)
def test_a_mistake_in_a_suite_is_told_like_one_in_the_command(folder, command, old, new, complaint):
    (folder / "toy_suite.py").write_text(SOURCE.replace(old, new))
    code, out, err = command("run", "--suite", "toy_suite.py")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err
    assert not (folder / "runs").exists()


def test_the_real_command_runs_a_users_own_learner_and_keeps_its_cells(folder, command):
    (folder / "toy_suite.py").write_text(SOURCE.replace("TrainingMean()", "Mine(shift=0.5)"))
    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", "--suite", "toy_suite.py", "--json", "-j", "2"],
        capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cells"]["done"] == 2
    results = (folder / "runs/toy/results.csv").read_text().splitlines()
    assert len(results) == 1 + 2 * 2 * 2
    assert results[0] == ",".join(COLUMNS)
    assert results[-1].startswith("toy,LinearSpiral,Mine[shift=0.5],1,vpt,")
    assert (folder / "runs/toy/report.html").exists()
    assert "2 cached, 0 missing" in command("plan", "--suite", "toy_suite.py")[1]
