"""The doctor's command: what it prints, what its exit codes say."""

import json
from math import nan

import pytest
from rich.console import Console

from bench.catalogue.components import ComponentEntry, Parameter
from bench.doctor import cases as instruments
from bench.doctor import examination as doctor
from bench.doctor.cases import Case, Expectation
from bench.doctor.known_series import constant
from systems import Certificate, Check, LinearSpiral
from systems.published import Published
from tests.support.commands import exit_code


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs a command line on one core; gives its exit code and what it printed, 80 columns wide."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(doctor, "cores", lambda: 1)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = exit_code(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def printed(check: Check) -> str:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(doctor.certificate_table(Certificate("X", (check,))))
    return captured.get()


def test_a_sound_system_ends_well(command):
    code, out, _ = command("doctor", "LinearSpiral")
    assert code == 0
    assert out.splitlines()[-1] == "1 system, 0 known cases: all passed"
    assert "period                      6.28319" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_measured_value_is_shown_with_half_of_its_interval():
    assert "0.4188(25)" in printed(Check("exponent", 0.41876, 0.4192, 0.003, "Sprott 2003", margin=0.0025))
    assert "-0.00002(13)" in printed(Check("exponent", -0.00002, 0.0, 0.003, "theory", margin=0.00013))


def test_changed_data_end_with_one(command, monkeypatch):
    monkeypatch.setattr(LinearSpiral, "published", (Published("0" * 12),))
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
        "name", "value", "expected", "tolerance", "source", "kind", "margin", "passed",
    }  # fmt: skip


def test_instruments_are_tried_on_known_cases_beside_systems(command):
    code, out, _ = command("doctor", "two coins", "LinearSpiral")
    assert code == 0
    lines = out.splitlines()
    assert lines.index("Measuring instruments on known cases") > 4
    assert [line.split() for line in lines if line.startswith("out-of-box")] == [
        ["out-of-box", "mass", "0", "0", "definition", "pass"]
    ]
    assert lines[-1] == "1 system, 1 known case: all passed"
    assert max(map(len, lines)) <= 80


def test_an_instrument_that_is_off_ends_with_one(command, monkeypatch):
    off = Case("off", constant, (Expectation("K", lambda runs: 0.5, 0.0, 0.02),))
    monkeypatch.setattr(instruments, "CASES", (off,))
    code, out, _ = command("doctor", "--instruments")
    assert code == 1
    assert out.splitlines()[-1] == "0 systems, 1 known case: failed: off"


def test_the_two_halves_can_be_asked_for_alone(command, monkeypatch):
    monkeypatch.setattr(doctor, "certifiable", lambda known: ["LinearSpiral"])
    monkeypatch.setattr(instruments, "CASES", (Case("still", constant, ()),))
    assert command("doctor", "--systems")[1].splitlines()[-1] == "1 system, 0 known cases: all passed"
    assert command("doctor", "--instruments")[1].splitlines()[-1] == "0 systems, 1 known case: all passed"
    assert command("doctor")[1].splitlines()[-1] == "1 system, 1 known case: all passed"


def test_a_half_and_a_name_do_not_go_together(command):
    code, _, err = command("doctor", "Lorenz", "--systems")
    assert code == 2
    assert "leave the option out" in err


def test_cases_can_be_read_by_programs(command):
    code, out, _ = command("doctor", "two coins", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["systems"] == []
    assert [(case["case"], case["passed"], len(case["checks"])) for case in found["instruments"]] == [
        ("two coins", True, 2)
    ]


@pytest.mark.parametrize(("variable", "coloured"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_colours_are_left_out_where_they_are_not_wanted(command, monkeypatch, variable: str, coloured: bool):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = command("doctor", "two coins")[1]
    assert ("\x1b[32m" in out) is coloured


def test_the_longest_entries_fit_into_their_columns():
    names, words = doctor.WIDTHS[0], doctor.WIDTHS[1]
    for case in instruments.CASES:
        assert len(case.name) <= names
        for one in case.expectations:
            assert len(one.instrument) <= names
            assert len(one.source) <= doctor.WIDTHS[3]
            assert len(str(one.expected)) <= words or isinstance(one.expected, float)


def test_a_system_is_certified_at_parameters_of_the_users(command):
    code, out, _ = command("doctor", "LinearSpiral[damping=0.2]", "--json")
    (found,) = json.loads(out)["systems"]
    assert code == 0
    assert found["system"] == "LinearSpiral[damping=0.2]"
    assert "digest of the first batch" not in [check["name"] for check in found["checks"]]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("LinearSpiral[damp=0.2]", "unknown field of LinearSpiral, 'damp': did you mean damping?"),
        ("Lorenz96[sites=3]", "Lorenz96 needs sites >= 4"),
        ("Recorded", "Recorded needs path: write Recorded[path=...]"),
        ("MNIST", "MNIST is a set of images, which have no certificate"),
    ],
)
def test_a_system_that_cannot_be_made_ends_in_one_line_before_anything_is_measured(command, name, complaint):
    code, out, err = command("doctor", "LinearSpiral", name)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {complaint}")


def test_an_unknown_system_is_told_with_the_nearest(command):
    code, _, err = command("doctor", "Lorentz")
    assert code == 2
    assert "did you mean Lorenz?" in err


@pytest.mark.slow
def test_several_systems_are_examined_in_processes_of_their_own(monkeypatch):
    monkeypatch.setattr(doctor, "cores", lambda: 2)
    found = list(doctor.certificates(["LinearSpiral", "CubicSpiral"]))
    assert [(one.system, one.passed) for one in found] == [("LinearSpiral", True), ("CubicSpiral", True)]


def test_numbers_that_are_not_finite_are_null_to_programs():
    check = Check("x", nan, 1.0, 0.1, "theory")
    assert (
        json.loads(doctor.certificates_as_json([Certificate("X", (check,))]))["systems"][0]["checks"][0]["value"]
        is None
    )


def test_systems_that_need_arguments_are_left_out_of_the_round():
    given, needed = Parameter("a", "float", "1.0", ""), Parameter("path", "Path", "", "")
    known = {
        name: ComponentEntry(name, "systems.x", "", (parameter,), False)
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
        (Check("x", 0.0, 0.0, 0.0, "theory"), " 0 "),
    ],
)
def test_an_expectation_is_told_in_a_few_characters(check, shown):
    assert shown in printed(check)
