"""Figures of continuous depth: what is drawn where, and what the sentences above them say."""

import numpy as np
import pandas as pd
import pytest

from results.figures.depth import BACKWARD, ERROR, MEMORY, TIME, evaluations_in_training, sweep_figure
from results.figures.style import save, styles
from results.report.conclusions import describe_best

LEARNERS = ["RKNetClassifier", "ODENetClassifier", "MLPClassifier"]
STYLES = styles(LEARNERS, ["MLPClassifier"])
NFE = np.array([14.0, 20.0, 32.0])


def swept() -> pd.DataFrame:
    columns = {
        "tolerance": [0.1, 0.01, 0.001],
        "nfe_forward": NFE,
        "error": NFE**-2.0,
        "milliseconds": 2 * NFE,
        "nfe_backward": 0.5 * NFE,
        "mebibytes": 0.1 * NFE,
    }
    runs = [(learner, seed) for learner in LEARNERS[:2] for seed in range(3)]
    return pd.concat(
        [pd.DataFrame(columns).assign(system="Digits", learner=learner, seed=seed) for learner, seed in runs],
        ignore_index=True,
    )


@pytest.mark.parametrize("relation", [ERROR, TIME, BACKWARD, MEMORY], ids=lambda relation: relation.y)
def test_a_sweep_is_drawn_as_medians_and_single_seeds(relation, tmp_path):
    figure = sweep_figure(swept(), STYLES, relation)
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == relation.labels
    assert (axes.get_xscale(), axes.get_yscale()) == relation.scales
    lines = axes.get_lines()
    assert len(lines) == 2 * 2 + len(relation.guides)
    assert np.allclose(lines[1].get_xdata(), NFE[::-1])
    assert np.allclose(lines[1].get_ydata(), swept()[relation.y][2::-1])
    assert [text.get_text().strip() for text in axes.texts] == list(relation.guides)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == LEARNERS[:2]
    assert all(path.stat().st_size > 1000 for path in save(figure, tmp_path, "sweep").values())


def test_evaluations_in_training_are_the_median_over_seeds():
    points = [
        {"system": "Digits", "learner": "ODENetClassifier", "seed": seed, "update": update, "nfe_forward": 20.0 + seed}
        for seed in range(3)
        for update in (10, 20)
    ]
    (axes,) = evaluations_in_training(pd.DataFrame(points), STYLES).axes
    assert np.asarray(axes.get_lines()[0].get_xydata()).tolist() == [[10, 21], [20, 21]]
    assert axes.get_ylim()[0] == 0


def results(metric: str, better: str, **values: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"system": "Digits", "learner": learner, "seed": seed, "metric": metric, "value": value}
            | {"better": better, "unit": "%", "status": "ok"}
            for learner, each in values.items()
            for seed, value in enumerate(each)
        ]
    )


def test_the_best_compared_learner_is_named_with_its_median():
    frame = results("test_error", "lower", A=[2.0, 3.0, 4.0], B=[1.0, 1.0, 9.0], C=[0.0, 0.0, 0.0])
    assert describe_best(frame, ["A", "B"], "test_error") == [
        "B has the lowest test error on Digits (level with A): 1.00 %."
    ]
    apart = results("test_error", "lower", A=[2.0, 2.1, 2.2], B=[1.0, 1.01, 1.02], C=[1.02, 1.03, 1.04])
    assert describe_best(apart, ["A", "B", "C"], "test_error") == [
        "B has the lowest test error on Digits (level with C): 1.01 %."
    ]
    higher = results("images_per_second", "higher", A=[2.0], B=[1.0])
    assert describe_best(higher, ["A", "B"], "images_per_second") == [
        "A has the highest images per second on Digits: 2.00 %."
    ]


def test_learners_that_are_equal_in_print_share_the_best_value_and_failures_are_none():
    frame = results("nrmse", "lower", A=[0.5], B=[0.5001], C=[0.7], D=[0.1, np.nan]).assign(unit="")
    frame["status"] = np.where(frame["value"].isna(), "crashed", "ok")
    assert describe_best(frame, ["A", "B", "C", "D"], "nrmse") == ["A and B have the lowest NRMSE on Digits: 0.500."]
    assert describe_best(frame, ["A", "B"], "nrmse") == ["All learners have the lowest NRMSE on Digits: 0.500."]


def test_of_a_metric_that_is_best_near_the_truth_the_nearest_value_is_named_and_none_without_the_truth():
    values = {"A": [0.1], "B": [0.8], "TrueEquations": [0.9]}
    frame = results("lyapunov_exponent", "truth", **values).assign(unit="")
    assert describe_best(frame, ["A", "B"], "lyapunov_exponent") == [
        "B has the truest Lyapunov exponent on Digits: 0.800."
    ]
    assert describe_best(frame.loc[frame["learner"] != "TrueEquations"], ["A", "B"], "lyapunov_exponent") == [
        "Nothing tells which learner is best by Lyapunov exponent."
    ]


def test_without_a_value_nobody_is_best():
    assert describe_best(results("test_error", "lower", A=[np.nan]), ["A"], "test_error") == [
        "No learner has a test error yet."
    ]
