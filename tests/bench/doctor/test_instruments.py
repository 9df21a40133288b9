"""Conformance: every measuring instrument shows on every known case what it has to."""

from functools import cache

import numpy as np
import pytest
import torch

from bench.doctor import known_series as series
from bench.doctor.cases import CASES, LARGEST, Case, Expectation
from systems import Check

LONG = [case.name for case in CASES if case.name.startswith("Lorenz") and case.name != "Lorenz dt=0.05"]
EXPECTED = [
    pytest.param(
        case,
        one,
        id=f"{case.name}: {one.instrument}",
        marks=pytest.mark.slow if case.name in LONG else (),
    )
    for case in CASES
    for one in case.expectations
]
REFERENCES = {  # K of the 0-1 test as it was measured with two independent codes
    "logistic map r=3.97": 0.998,
    "logistic map r=3.55": -0.005,
    "Lorenz dt=0.01": -0.01,
    "Lorenz dt=0.05": 0.26,
    "Lorenz dt=0.1": 0.998,
    "Lorenz dt=0.2": 0.998,
    "Lorenz rho=160": 0.002,
}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@cache
def runs(case: Case) -> series.Runs:
    return case.runs()


@pytest.mark.parametrize(("case", "one"), EXPECTED)
def test_an_instrument_shows_what_is_known(case: Case, one: Expectation):
    check = Check(one.instrument, one.measure(runs(case)), one.expected, one.tolerance, one.source, one.kind)
    assert check.passed, f"{one.instrument} of {case.name} is {check.value}, not {one.expected} within {one.tolerance}"


def test_every_published_k_is_held_to_two_hundredths():
    held = {
        case.name: (one.expected, one.tolerance) for case in CASES for one in case.expectations if one.instrument == "K"
    }
    assert {name: held[name] for name in REFERENCES} == {name: (k, 0.02) for name, k in REFERENCES.items()}


def test_cases_are_told_apart_by_their_names():
    assert len({case.name for case in CASES}) == len(CASES)


def test_a_certificate_holds_a_check_for_every_expectation():
    case = next(case for case in CASES if case.name == "two coins")
    certificate = case.certificate()
    assert certificate.system == "two coins"
    assert [check.name for check in certificate.checks] == [one.instrument for one in case.expectations]
    assert certificate.passed


def test_an_instrument_that_is_off_does_not_pass():
    wrong = Case("still", series.constant, (Expectation("K", lambda runs: 0.3, 0.0, 0.02),))
    assert not wrong.certificate().passed


def test_the_exponents_of_the_logistic_map_are_its_time_means():
    x = np.full(500, 0.4) + np.random.default_rng(0).uniform(-0.1, 0.1, 500)
    for _ in range(500):
        x = 3.97 * x * (1 - x)
    total = 0.0
    for _ in range(4000):
        total += np.log(abs(3.97 * (1 - 2 * x))).mean()
        x = 3.97 * x * (1 - x)
    assert total / 4000 == pytest.approx(_expected("logistic map r=3.97", LARGEST), abs=2e-3)


def test_the_exponent_of_the_cycle_is_that_of_its_eight_states():
    cycle = runs(next(case for case in CASES if case.name == "logistic map r=3.55"))[0, -8:, 0]
    assert len(np.unique(cycle.round(9))) == 8
    assert np.log(abs(3.55 * (1 - 2 * cycle))).mean() == pytest.approx(
        _expected("logistic map r=3.55", LARGEST), abs=1e-5
    )


def _expected(name: str, instrument: str) -> float:
    (value,) = (
        one.expected for case in CASES if case.name == name for one in case.expectations if one.instrument == instrument
    )
    assert isinstance(value, float)
    return value
