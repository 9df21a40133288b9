"""Learners set against each other over several systems: whom figures show, and what their captions say of it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from results.report.comparison import aggregate_pictures, aggregated, everywhere
from results.report.figure_data import Picture

TIMES = {("S", "A"): (5.0, 4.0), ("S", "B"): (2.0, 3.0), ("T", "A"): (1.0, 2.0), ("T", "B"): (3.0, 3.5)}


def frame_of(times: dict[tuple[str, str], tuple[float, ...]]) -> pd.DataFrame:
    """Valid prediction times of seeds; NaN is a crash."""
    rows = [
        {"system": system, "learner": learner, "seed": seed, "metric": "vpt", "value": value, "unit": "timescales"}
        | {"better": "higher", "status": "ok" if value == value else "crashed"}
        for (system, learner), values in times.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def pictures(times: dict[tuple[str, str], tuple[float, ...]], compared: list[str]) -> dict[str, Picture]:
    data: Any = SimpleNamespace(
        run=SimpleNamespace(variants={}, metrics=["vpt"], compared=compared), frame=frame_of(times), styles={}
    )
    return {picture.name: picture for picture in aggregate_pictures(data)}


def test_learners_that_only_some_systems_have_leave_the_others_all_systems():
    times = TIMES | {("T", "Ring"): (9.0, 9.0)}
    assert everywhere(frame_of(times), ["A", "B", "Ring"]) == ["A", "B"]
    found = pictures(times, ["A", "B", "Ring"])
    assert "Share of the 4 paired trials" in found["performance_profile"].caption
    for picture in found.values():
        assert picture.caption.endswith(" Without Ring, which only some systems have.")
    assert not any("Without" in picture.caption for picture in pictures(TIMES, ["A", "B"]).values())
    assert pictures({("S", "A"): (5.0, 4.0), ("T", "Ring"): (9.0, 9.0)}, ["A", "Ring"]) == {}


def test_learners_each_of_which_lacks_a_system_that_others_have_are_nowhere_all_together():
    times = {("S", "A"): (5.0,), ("T", "A"): (4.0,), ("S", "B"): (3.0,), ("U", "B"): (2.0,)}
    assert everywhere(frame_of(times), ["A", "B"]) == []
    assert pictures(times, ["A", "B"]) == {}


@pytest.mark.parametrize("lone", [(np.nan, np.nan, 0.5), (0.0, 0.0, 0.5)])
def test_where_the_median_of_every_learner_is_none_shares_are_those_of_the_longest_time(lone: tuple[float, ...]):
    times = {("S", "A"): lone, ("S", "B"): (np.nan,) * 3, ("T", "A"): (2.0,) * 3, ("T", "B"): (1.0,) * 3}
    together = aggregated(frame_of(times), ["A", "B"]).set_index("learner")
    assert together["mean"].to_dict() == {"A": 0.75, "B": 0.25}  # of 0, 0, 1, 1, 1, 1 and of 0, 0, 0, 0.5, 0.5, 0.5
