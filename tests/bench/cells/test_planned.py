"""Planned cells: keys, code and places of data are those that each cell has by itself, and are worked out once."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import systems
from bench.cells.data import location
from bench.cells.key import digest, fit_identity, identity, key, planned
from metrics import Metric
from systems import Lorenz
from tests.support import stubs

CELL = stubs.cell(stubs.Instant())


def test_a_planned_cell_has_the_key_the_code_and_the_data_of_the_cell():
    for one in planned([CELL, replace(CELL, system=Lorenz()), replace(CELL, seeds=(5,))], Path("store")):
        cell = one.cell
        assert one.key == key(cell)
        assert one.code == digest(cell)
        assert one.data == location(cell.system, cell.sampling, cell.data_seed, Path("store/data"))


def test_code_is_read_once_for_cells_that_are_made_of_the_same_modules():
    first, second, other = planned([CELL, replace(CELL, data_seed=1), replace(CELL, system=Lorenz())], Path())
    assert first.code is second.code
    assert first.code != other.code


def test_exponents_that_are_kept_with_a_fit_are_those_of_the_code_that_measures_them():
    assert "metrics.lyapunov" in fit_identity(CELL)["digest"]


def test_a_configuration_that_is_not_plain_cannot_be_planned():
    with pytest.raises(TypeError, match="no key can be made of"):
        planned([replace(CELL, learner=stubs.Instant(width={1}))], Path())  # type: ignore[arg-type]


def tail(share: float, power: int = 1) -> Metric:
    """A metric that a function has made."""

    def measure(evidence: Any, weight: float = 1.0) -> float:
        return share**power * weight

    return Metric("tail", "", "lower", measure)


class Measures:
    """A measure that is a method of an instance."""

    def __init__(self, share: float) -> None:
        self.share = share

    def measure(self, evidence: Any) -> float:
        return self.share


def test_measures_that_hold_other_values_have_other_keys():
    cells = [replace(CELL, metrics=(tail(*held),)) for held in ((0.5, 1), (0.9, 1), (0.5, 2))]
    assert len({key(cell) for cell in cells}) == 3
    assert key(cells[0]) == key(replace(CELL, metrics=(tail(0.5),)))
    given = [replace(CELL, metrics=(Metric("m", "", "lower", lambda _, q=q: q),)) for q in (1, 2)]
    assert key(given[0]) != key(given[1])
    with pytest.raises(TypeError, match=r"no key can be made of <.*Measures object"):
        key(replace(CELL, metrics=(Metric("m", "", "lower", Measures(0.5).measure),)))


def test_measures_that_call_themselves_and_partial_ones_have_keys_of_what_they_hold():
    def factory(share: float) -> Metric:
        def measure(evidence: Any) -> float:
            return share if evidence is None else measure(None)

        return Metric("m", "", "lower", measure)

    keys = [key(replace(CELL, metrics=(factory(share),))) for share in (0.1, 0.2)]
    assert keys[0] != keys[1]
    given = (partial(tail_of, share=1), partial(tail_of, share=2), partial(tail_of, power=1))
    assert len({key(replace(CELL, metrics=(Metric("m", "", "lower", one),))) for one in given}) == 3


def tail_of(evidence: Any, share: float = 0.0, power: int = 0) -> float:
    return share**power


def test_classes_of_one_name_in_two_files_have_other_keys():
    @dataclass(frozen=True)
    class Lorenz(systems.Lorenz):
        """A system of a user's own, under a name that is taken."""

    ours, theirs = replace(CELL, system=systems.Lorenz()), replace(CELL, system=Lorenz())
    assert ours.system_label == theirs.system_label
    assert identity(ours)["system"]["class"] == identity(theirs)["system"]["class"] == "Lorenz"
    assert key(ours, {}) != key(theirs, {})
