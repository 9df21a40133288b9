"""Planned cells: keys, code and places of data are those that each cell has by itself, and are worked out once."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.cells.data import location
from bench.cells.key import digest, key, planned
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


def test_a_configuration_that_is_not_plain_cannot_be_planned():
    with pytest.raises(TypeError, match="no key can be made of"):
        planned([replace(CELL, learner=stubs.Instant(width={1}))], Path())  # type: ignore[arg-type]
