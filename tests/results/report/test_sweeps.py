"""The curves of a sweep: each score at its value, levels where a learner has no such field."""

import numpy as np
import pandas as pd

from results.figures.style import styles
from results.figures.sweep import sweep_figure
from results.report.sweeps import along
from results.store.manifest import Variant

VARIANTS = {
    "Lorenz under noise=0, samples=5": Variant("Lorenz", {"Sampling.noise": 0.0, "Sampling.samples": 5}),
    "Lorenz under noise=0.1, samples=5": Variant("Lorenz", {"Sampling.noise": 0.1, "Sampling.samples": 5}),
    "A[width=8]": Variant("A", {"A.width": 8}),
    "A": Variant("A", {"A.width": 16}),
}
SCORES = pd.DataFrame(
    [
        (system, learner, median, median - 1, median + 1)
        for system, learner, median in [
            ("Lorenz under noise=0, samples=5", "A", 8.0),
            ("Lorenz under noise=0, samples=5", "A[width=8]", 6.0),
            ("Lorenz under noise=0, samples=5", "B", 7.0),
            ("Lorenz under noise=0.1, samples=5", "A", 4.0),
            ("Lorenz under noise=0.1, samples=5", "A[width=8]", 2.0),
            ("Lorenz under noise=0.1, samples=5", "B", 3.0),
        ]
    ],
    columns=["system", "learner", "median", "low", "high"],
)


def test_along_an_axis_of_the_protocol_learners_are_curves_and_other_axes_panels():
    found = along(SCORES, "Sampling.noise", VARIANTS)
    assert set(found["system"]) == {"Lorenz, samples=5"}
    curves = {learner: dict(zip(mine["at"], mine["median"], strict=True)) for learner, mine in found.groupby("learner")}
    assert curves == {"A": {0.0: 8.0, 0.1: 4.0}, "A[width=8]": {0.0: 6.0, 0.1: 2.0}, "B": {0.0: 7.0, 0.1: 3.0}}


def test_along_an_axis_of_a_learner_its_variants_are_one_curve_and_others_are_levels():
    found = along(SCORES, "A.width", VARIANTS)
    here = found.loc[found["system"] == "Lorenz under noise=0, samples=5"]
    assert dict(zip(here["at"], here["median"], strict=True)) == {16: 8.0, 8: 6.0, None: 7.0}
    assert list(here["learner"]) == ["A", "A", "B"]
    figure = sweep_figure(here, styles(["A", "B"], []), "A.width", "VPT")
    axes = figure.axes[0]
    drawn = {tuple(np.array(line.get_xdata())): tuple(np.array(line.get_ydata())) for line in axes.lines}
    assert drawn[8, 16] == (6.0, 8.0)
    assert drawn[0, 1] == (7.0, 7.0)  # from edge to edge
    assert [text.get_text() for text in axes.get_xticklabels()] == ["16", "8"]


def test_words_stand_side_by_side_and_widely_spread_numbers_on_a_logarithmic_axis():
    looks = styles(["A"], [])
    words = pd.DataFrame(
        {"system": "S", "learner": "A", "at": ["gru", "lstm"], "median": [1.0, 2.0], "low": 0.5, "high": 3.0}
    )
    figure = sweep_figure(words, looks, "cell", "VPT")
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["gru", "lstm"]
    spread = words.assign(at=pd.Series([10.0, 1000.0], dtype=object))
    assert sweep_figure(spread, looks, "noise", "VPT").axes[0].get_xscale() == "symlog"
