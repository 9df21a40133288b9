"""The doctor on systems of a user's own file."""

import json
import sys
from pathlib import Path

import pytest

from bench.catalogue import plugins
from bench.doctor import examination
from tests.support.commands import exit_code

OSCILLATOR = """
from dataclasses import dataclass
from math import pi

import torch

from systems import Flow, Lorenz
from systems.published import Orbit, Published


@dataclass(frozen=True)
class {name}(Flow):
    damping: float = 0.0

    timescale_name = "period"
    published = (Published(orbit=Orbit({period}, (0.0, 1.0), "closed form")),)

    @property
    def dim(self):
        return 2

    @property
    def timescale(self):
        return 2 * pi

    def initial_states(self, count, rng):
        return rng.uniform(-1.0, 1.0, (count, 2))

    def velocity(self, t, x):
        place, speed = x.unbind(-1)
        return {velocity}
"""
VELOCITY = "torch.stack([speed, -place - self.damping * speed], dim=-1)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, from which nothing is imported yet."""
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.setattr(plugins, "included", [])
    monkeypatch.setattr(plugins, "_modified", {})
    monkeypatch.setattr(examination, "cores", lambda: 1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, name: str, period: str = "2 * pi", velocity: str = VELOCITY) -> None:
    path.write_text(OSCILLATOR.format(name=name, period=period, velocity=velocity))


def test_all_systems_of_a_file_are_held_to_what_their_classes_state(folder: Path, capsys):
    write(folder / "own_swing.py", "OwnSwing")
    assert exit_code(["doctor", "./own_swing.py", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["systems"]  # what the file only imports is left out
    assert found["system"] == "OwnSwing"
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["period"]["value"] == pytest.approx(6.283185307, abs=1e-7)
    assert checks["period"]["source"] == "closed form"


def test_a_file_that_is_included_lends_its_systems_by_name(folder: Path, capsys):
    write(folder / "own_lent.py", "OwnLent")
    assert exit_code(["doctor", "OwnLent[damping=0.1]", "--include", "own_lent.py"]) == 0
    assert "OwnLent[damping=0.1]" in capsys.readouterr().out
    assert exit_code(["simulate", "OwnLent", "--centre", "a", "--include", "own_lent.py"]) == 2
    assert "--centre must be numbers" in capsys.readouterr().err  # which is looked at once the system is found


def test_a_wrong_expectation_fails(folder: Path, capsys):
    write(folder / "own_wrong.py", "OwnWrong", period="6.0")
    assert exit_code(["doctor", "--include", "own_wrong.py"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 system, 0 known cases: failed: OwnWrong"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot read own_bad.py: No such file"),
        ("class Mine(:", "own_bad.py, line 1: "),
        ("x = 1", "own_bad.py defines no system: write a dataclass that inherits from Flow or Map"),
        ("from systems import Lorenz", "own_bad.py defines no system"),
        ("raise RuntimeError('not today')", "own_bad.py, line 1: RuntimeError: not today"),
        (
            OSCILLATOR.format(name="OwnBad", period="2 * pi", velocity="x[..., :1]"),
            "OwnBad.velocity of 3 states must have the shape (3, 2), as dim is 2, but has (3, 1)",
        ),
        (
            OSCILLATOR.format(name="OwnBad", period="2 * pi", velocity="place / self.no_such_field"),
            "own_bad.py, line 31: AttributeError: 'OwnBad' object has no attribute 'no_such_field'",
        ),
        (
            OSCILLATOR.format(name="OwnBad", period="2 * pi", velocity=VELOCITY).replace("float = 0.0", "float"),
            "OwnBad needs parameters: --include the file, and name OwnBad[...]",
        ),
    ],
)
def test_a_file_that_cannot_be_examined_is_a_mistake_in_one_line(
    folder: Path, capsys, text: str | None, complaint: str
):
    if text is not None:
        (folder / "own_bad.py").write_text(text)
    sys.modules.pop("own_bad", None)
    assert exit_code(["doctor", "own_bad.py"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert complaint in printed.err


@pytest.mark.slow
def test_systems_of_a_file_are_examined_in_processes_of_their_own(folder: Path, monkeypatch, capsys):
    monkeypatch.setattr(examination, "cores", lambda: 2)
    write(folder / "own two.py", "OwnTwo")  # no name that Python could import
    assert exit_code(["doctor", "own two.py", "LinearSpiral"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 systems, 0 known cases: all passed"
