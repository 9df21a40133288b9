"""Long runs in space: what the page is given to turn."""

import base64

import numpy as np
import pytest

from results.figures.style import styles
from results.report.portraits import GONE, LEVELS, POINTS, ROOM, orbits

STYLES = styles(["NODE", "RNN"], [])
TRUTH = np.stack([np.linspace(-1, 1, 50), np.linspace(0, 4, 50), np.full(50, 3.0)], axis=1)


def decoded(found: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(found["points"]), "<i2").reshape(-1, found["samples"], 3)


def test_the_truth_comes_first_and_fills_the_room_that_it_has():
    found = orbits(TRUTH, {"NODE": TRUTH, "RNN": "crashed"}, STYLES)
    assert found is not None
    truth, node = decoded(found)
    reach = LEVELS * 0.5 / (0.5 + ROOM)
    assert truth[[0, -1], 0] == pytest.approx([-reach, reach], abs=1)
    assert (truth[:, 2] == 0).all()
    assert (node == truth).all()
    assert found["names"] == ["NODE"]
    assert len(found["colours"]) == 1


def test_what_leaves_the_room_or_the_finite_numbers_is_marked():
    run = TRUTH.copy()
    run[10], run[20] = [50.0, 0.0, 3.0], np.nan
    found = orbits(TRUTH, {"NODE": run}, STYLES)
    assert found is not None
    lost = (decoded(found)[1] == GONE).all(axis=1)
    assert lost.nonzero()[0].tolist() == [10, 20]


def test_long_runs_are_cut_and_planes_are_not_turned():
    found = orbits(np.tile(TRUTH, (100, 1)), {}, STYLES)
    assert found is not None
    assert found["samples"] == POINTS
    assert orbits(TRUTH[:, :2], {}, STYLES) is None
