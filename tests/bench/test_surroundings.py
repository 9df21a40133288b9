"""Commands among a user's own files, in his scripts, terminals and pipes, and on systems that lack something."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from io import StringIO
from pathlib import Path

import pytest

from bench.errors import INTERRUPTED, UNREAD, UserError
from bench.machine import environment
from bench.runs import find_executor, spinner
from bench.suite import load
from results.report.parallel import SameProcess, executor

ROOT = Path(__file__).parents[2]
SUITE = """
from dataclasses import dataclass
from time import sleep
from bench.suite import Suite
from learners import Learner, Persistence
from metrics import nrmse
from systems import LinearSpiral, Sampling

@dataclass(frozen=True)
class Mine(Learner):
    seconds: float = 0.0

    def fit_replicas(self, dataset, budget, seeds):
        sleep(self.seconds)
        return Persistence().fit_replicas(dataset, budget, seeds)

sampling = Sampling(step=0.05, trajectories=2, samples=40, valid=1, test=3, context=5, horizon=1, climate=1)
suite = Suite("mine", "", (LinearSpiral(),), (Mine(), Mine(60.0), Persistence()), (nrmse,), sampling, seeds=1)
"""


def started(folder: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """A Python with these arguments, in a folder from which ours can be imported."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen(
        [sys.executable, *words], cwd=folder, text=True, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.fixture
def among_files(tmp_path: Path) -> Path:
    """A folder of a user whose files and folders have the names of our packages."""
    for name in ("metrics", "systems", "learners"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not the package')\n")
    (tmp_path / "results").mkdir()
    (tmp_path / "my suite.py").write_text(SUITE)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "told"),
    [(["list", "metrics"], "vpt_strict"), (["list", "Lorenz"], "rho"), (["run", "--help"], "--suite")],
    ids=str,
)
def test_files_with_the_names_of_our_packages_do_not_stand_in_the_way(among_files: Path, command, told):
    out, err = started(among_files, "-m", "bench", *command).communicate(timeout=120)
    assert told in out
    assert err == ""


@pytest.mark.slow
def test_a_script_without_a_guard_runs_a_suite_reports_and_goes_on(among_files: Path):
    (among_files / "script.py").write_text(
        textwrap.dedent("""
        from bench.cli import main
        print("begun", flush=True)
        main(["run", "--suite", "my suite.py", "-l", "Mine[seconds=0.5]", "--quiet"])
        main(["report", "mine", "--figures", "svg"])
        print("ended")
    """)
    )
    out, err = started(among_files, "script.py").communicate(timeout=300)
    page = str(Path("runs/mine/report.html"))
    assert (out.splitlines(), err) == (["begun", page, page, "ended"], "")
    assert "ok" in (among_files / "runs/mine/results.csv").read_text()
    assert "script.py" not in (among_files / "runs/mine/manifest.json").read_text()


@pytest.mark.slow
def test_a_script_without_a_guard_ends_on_sigterm(among_files: Path):
    (among_files / "script.py").write_text(
        'from bench.cli import main\nmain(["run", "--suite", "my suite.py", "-l", "Mine[seconds=60.0]"])'
    )
    program = started(among_files, "script.py")
    end = time.monotonic() + 120
    while not list((among_files / "runs").glob(".cells-*/log.txt")) and time.monotonic() < end:
        time.sleep(0.05)
    program.send_signal(signal.SIGTERM)
    _, err = program.communicate(timeout=60)
    assert program.returncode == INTERRUPTED
    assert "resume with\n  python -m bench run --suite 'my suite.py' -l 'Mine[seconds=60.0]'\n" in err


def test_a_package_of_ours_that_a_user_has_imported_already_is_named(tmp_path: Path):
    (tmp_path / "metrics.py").write_text("x = 1")
    _, err = started(tmp_path, "-c", "import metrics; import bench").communicate(timeout=120)
    told = err.splitlines()[-1]
    assert told.startswith(f"ImportError: {tmp_path / 'metrics.py'} is imported under the name 'metrics' of a package")


@pytest.mark.parametrize(("encoding", "command"), [("ascii", ["list"]), ("latin-1", ["list", "Lorenz"])])
def test_terminals_of_any_encoding_are_printed_to(tmp_path: Path, encoding: str, command: list[str]):
    program = started(tmp_path, "-m", "bench", *command, PYTHONIOENCODING=encoding)
    out, err = program.communicate(timeout=120)
    assert (program.returncode, err) == (0, "")
    assert "Lorenz" in out


@pytest.mark.parametrize("command", [["list"], ["--help"]], ids=str)
def test_a_reader_that_goes_away_ends_a_command_in_silence(tmp_path: Path, command: list[str]):
    program = started(tmp_path, "-m", "bench", *command)
    assert program.stdout
    assert program.stderr
    program.stdout.close()
    assert program.stderr.read() == ""
    assert program.wait(120) == UNREAD
    program.stderr.close()


@pytest.mark.parametrize("name", ["my suite", "my-suite", "random", "metrics", "bench", "a.b", "2nd", "__main__"])
def test_a_suite_is_loaded_by_its_path_whatever_the_name(tmp_path: Path, monkeypatch, name: str):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / f"{name}.py"
    path.write_text(SUITE)
    found = load(str(path))
    module = sys.modules.pop(type(found.learners[0]).__module__)
    assert found.name == "mine"
    assert module.__file__ == str(path)


def test_a_file_that_was_changed_is_loaded_anew(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / "changed_suite.py"
    for seeds in (1, 2):
        path.write_text(SUITE.replace("seeds=1", f"seeds={seeds}"))
        assert load(str(path)).seeds == seeds
    del sys.modules["changed_suite"]


def test_two_files_of_one_name_are_not_taken_for_each_other(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "twin suite.py").write_text(SUITE)
    load(str(tmp_path / "a" / "twin suite.py"))
    with pytest.raises(UserError, match=r"cannot be imported beside .*twin suite.py, a file of the same name"):
        load(str(tmp_path / "b" / "twin suite.py"))
    del sys.modules["twin_20_suite_py"]


def test_changes_that_are_not_utf8_are_kept_all_the_same(tmp_path: Path, monkeypatch):
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=b", *words], cwd=tmp_path, check=True)

    git("init", "-q")
    (tmp_path / "names.txt").write_bytes(b"Poincare\n")
    git("add", ".")
    git("commit", "-q", "-m", "names")
    (tmp_path / "names.txt").write_bytes("Poincaré\n".encode("latin-1"))
    monkeypatch.setattr(environment, "ROOT", tmp_path.resolve())
    found = environment.revision.__wrapped__()
    assert found["dirty"]
    assert "+Poincar\ufffd" in found["diff"]


def test_where_there_are_no_fork_servers_cells_are_refused_and_reports_are_made(monkeypatch):
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    monkeypatch.setattr("bench.runs.get_all_start_methods", lambda: ["spawn"])
    with pytest.raises(
        UserError, match="cells are run on Linux and macOS; on Windows, install dynamics-bench in its WSL"
    ):
        find_executor("local")
    assert isinstance(executor(2), SameProcess)


def test_commands_that_run_no_cells_need_no_module_that_windows_lacks(tmp_path: Path):
    program = (
        "import sys, psutil, torch, pandas; sys.modules |= dict.fromkeys(('resource', 'fcntl'));"
        "from bench.cli import main; main(sys.argv[1:])"
    )
    out, err = started(tmp_path, "-c", program, "plan", "--suite", "smoke", "-s", "Lorenz").communicate(timeout=120)
    assert "0 cached, 14 missing" in out, err


def test_where_there_are_no_fork_servers_a_run_is_refused_in_a_line(tmp_path: Path):
    program = (
        "import sys, multiprocessing as m; m.get_all_start_methods = lambda: ['spawn'];"
        "m.get_context = lambda method=None: (_ for _ in ()).throw(ValueError(f'cannot find context for {method!r}'));"
        "from bench.cli import main; main(sys.argv[1:])"
    )
    run = started(tmp_path, "-c", program, "run", "--suite", "smoke", "-s", "Lorenz", "-l", "Persistence")
    _, err = run.communicate(timeout=120)
    assert err.startswith("error: cells are run on Linux and macOS; on Windows, install dynamics-bench in its WSL")


def test_in_a_notebook_nothing_spins(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Rich takes a notebook for a live display, and warns at each refresh where that lacks its widgets."""
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    with spinner("writing") as status:
        assert not status.console.is_jupyter
        assert isinstance(status.console.file, StringIO)
        status.update("still writing")
    assert capsys.readouterr() == ("", "")
