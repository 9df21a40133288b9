"""What a report tells a user to try, and the picture of who wins where."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from results.figures.comparison import wins_by_system
from results.report.comparison import where_pictures
from results.report.conclusions import EVERY, Winner, advice, conclusions
from results.report.figure_data import FigureData
from results.statistics.intervals import Interval
from results.store.run import Run
from tests.support.synthetic import Size, build

ALL = ["A", "B", "C"]


def winner(learner: str, level: tuple[str, ...] = (), ahead: tuple[str, ...] = ()) -> Winner:
    behind = tuple(one for one in ALL if one not in (learner, *level))
    return Winner("system", learner, Interval(2.0, 1.5, 2.5), "Lyapunov times", level, behind, ahead)


def test_the_learner_that_is_best_or_level_most_often_is_named_with_the_next():
    best = [winner("A"), winner("B", ("A",)), winner("B"), winner("C", ("B",))]
    assert advice(best, ALL, []) == ("For a system like these, try B, best or level with the best on 3 of 4 (A on 2).")


def test_a_reference_row_that_wins_half_of_the_time_is_to_be_tried_first_but_the_truth_is_none():
    best = [winner("A", ahead=("Ridge", "TrueEquations")), winner("A", ahead=("Ridge", "TrueEquations")), winner("B")]
    assert advice(best, ALL, ["TrueEquations"]).startswith(
        "For a system like these, try Ridge first, which predicts longer than every learner on 2 of 3; "
        "of the learners, A, best or level with the best on 2 of 3"
    )
    assert "Ridge" not in advice([winner("A", ahead=("Ridge",)), winner("A"), winner("B")], ALL, [])


def test_from_two_systems_or_of_one_learner_nothing_follows():
    assert not advice([winner("A")] * 2, ALL, [])
    assert not advice([winner("A")] * 3, ["A"], [])


def test_a_dot_stands_where_a_learner_is_level_with_the_best_and_nowhere_else():
    shares = pd.DataFrame({"Lorenz": [1.0, 0.5], "Rossler": [0.2, 1.0]}, index=["A", "B"])
    level = pd.DataFrame({"Lorenz": [True, False], "Rossler": [True, True]}, index=["A", "B"])
    axes = wins_by_system(shares, level).axes[0]
    dots = np.asarray(axes.collections[-1].get_offsets())
    np.testing.assert_array_equal(dots, [(0.5, 0.5), (1.5, 0.5), (1.5, 1.5)])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["Lorenz", "Rossler"]


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2, 3)])
def test_of_a_single_seed_the_longest_alone_is_marked(tmp_path: Path, seeds: tuple[int, ...]):
    size = Size(climate_samples=60, points=2, seeds=seeds)
    run = Run.load(build(tmp_path, ("Lorenz", "Rossler", "VanDerPol"), ("NeuralODE", "ResNet", "WindowedRNN"), size))
    (picture,) = where_pictures(FigureData(run, run.frame()))
    marked = np.asarray(picture.draw().axes[0].collections[-1].get_offsets())
    assert (len(marked) == 3) is (len(seeds) == 1)
    assert ("of a single seed" in picture.caption) is (len(seeds) == 1)


def test_of_many_systems_there_are_counts_and_no_names():
    best = [winner("A", ("B",) if place < 4 else ()) for place in range(12)]
    lost = {"R": {"S0": [EVERY], "S1": ["C"], "S2": [EVERY]}, "Q": {"S5": ["C"]}}
    assert conclusions(best, "A ranks first overall", lost) == [
        "A ranks first overall; best, or level with the best, of 12 systems: A on 12 and B on 4.",
        "R predicts longer than every learned model on 2 of 12 and some learned models on 1.",
        "Q predicts longer than some learned models on 1 of 12.",
    ]


def test_of_two_that_are_best_as_often_the_one_that_predicts_longest_where_not_all_are_alike_is_named():
    best = [winner("A", ("B", "C")), winner("A", ("B", "C")), winner("B", ("A",))]
    assert advice(best, ALL, []) == "For a system like these, try B, best or level with the best on 3 of 3 (A on 3)."


def test_of_learners_that_nothing_tells_apart_none_is_named_alone():
    alike = [winner("A", ("B", "C"))] * 3
    assert not advice(alike, ALL, [])
    assert advice([winner("A", ("B",)), winner("A", ("B", "C")), winner("B", ("A",))], ALL, []) == (
        "For a system like these, try A or B, best or level with the best on 3 of 3 (C on 1)."
    )
    ahead = [winner("A", ("B", "C"), ahead=("Ridge",))] * 3
    assert advice(ahead, ALL, []) == (
        "For a system like these, try Ridge, which predicts longer than every learner on 3 of 3."
    )
