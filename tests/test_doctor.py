"""The doctor's command: what it prints, what its exit codes say."""

import json
from math import nan

import pytest
from rich.console import Console

from bench import doctor
from bench.catalogue import Component, Parameter
from bench.cli import main
from systems import Certificate, Check, certificate


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs a command line on one core; gives its exit code and what it printed, 80 columns wide."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(doctor, "cores", lambda: 1)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    return run


def printed(check: Check) -> str:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(doctor.table(Certificate("X", (check,))))
    return captured.get()


def test_a_sound_system_ends_well(command):
    code, out, _ = command("doctor", "LinearSpiral")
    assert code == 0
    assert "1 certified, all passed" in out
    assert "period                      6.28319" in out
    assert max(map(len, out.splitlines())) <= 80


def test_changed_data_end_with_one(command, monkeypatch):
    monkeypatch.setitem(certificate.DIGESTS, "LinearSpiral", "0" * 12)
    code, out, _ = command("doctor", "LinearSpiral")
    assert code == 1
    assert "FAIL" in out
    assert "failed: LinearSpiral" in out


def test_certificates_can_be_read_by_programs(command):
    code, out, _ = command("doctor", "LinearSpiral", "CubicSpiral", "LinearSpiral", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["passed"] is True
    assert [one["system"] for one in found["systems"]] == ["LinearSpiral", "CubicSpiral"]
    assert found["systems"][0]["checks"][0].keys() == {
        "name", "value", "expected", "tolerance", "source", "kind", "passed",
    }  # fmt: skip


def test_an_unknown_system_is_told_with_the_nearest(command):
    code, _, err = command("doctor", "Lorentz")
    assert code == 2
    assert "did you mean Lorenz?" in err


def test_several_systems_are_examined_in_processes_of_their_own(monkeypatch):
    monkeypatch.setattr(doctor, "cores", lambda: 2)
    found = list(doctor.examine(["LinearSpiral", "CubicSpiral"]))
    assert [(one.system, one.passed) for one in found] == [("LinearSpiral", True), ("CubicSpiral", True)]


def test_numbers_that_are_not_finite_are_null_to_programs():
    check = Check("x", nan, 1.0, 0.1, "theory")
    assert json.loads(doctor.as_json([Certificate("X", (check,))]))["systems"][0]["checks"][0]["value"] is None


def test_systems_that_need_arguments_are_left_out_of_the_round():
    given, needed = Parameter("a", "float", "1.0", ""), Parameter("path", "Path", "", "")
    known = {
        name: Component(name, "systems.x", "", (parameter,), False)
        for name, parameter in (("Free", given), ("Recorded", needed))
    }
    assert doctor.certifiable(known) == ["Free"]


@pytest.mark.parametrize(
    ("check", "shown"),
    [
        (Check("x", 1e-11, 0.0, 1e-8, "theory"), "< 1e-08"),
        (Check("x", 13.0, 12.0, 0.0, "theory", "at least"), ">= 12"),
        (Check("x", 4.3, 4.2, 0.15, "theory"), "4.2 ± 0.15"),
        (Check("x", "abc", "abd", 0.0, "theory"), "abd"),
    ],
)
def test_an_expectation_is_told_in_a_few_characters(check, shown):
    assert shown in printed(check)
