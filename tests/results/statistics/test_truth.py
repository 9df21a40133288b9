"""Nearest the truth: what is published is it; where nothing is, intervals say which values cannot be told from it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from results.statistics.ranking import level_by_seeds, ranks
from results.statistics.scores import losses
from tests.support import fake_runs
from tests.support.synthetic import long_form

LEARNERS = ["A", "B", "C"]


def exponents() -> pd.DataFrame:
    """A and B are near the true equations' estimate, on either side of it, and C is not."""
    values = {("X", "A"): [0.92], ("X", "B"): [1.02], ("X", "C"): [1.3], ("X", "TrueEquations"): [0.914]}
    return long_form(values, "lyapunov_exponent", "truth")


def test_what_is_published_is_the_truth_and_not_one_noisy_measurement_of_it():
    frame = exponents()
    assert ranks(frame, ["A", "B"], "lyapunov_exponent")["X"].to_dict() == {"A": 1.0, "B": 2.0}
    frame.attrs |= {"published": {"X": {"lyapunov_exponent": 1.015}}, "reach": {("X", "lyapunov_exponent"): 0.13}}
    assert ranks(frame, ["A", "B"], "lyapunov_exponent")["X"].to_dict() == {"A": 2.0, "B": 1.0}


def test_exponents_within_the_interval_of_the_truths_estimate_are_equally_near():
    frame = exponents()
    frame.attrs["reach"] = {("X", "lyapunov_exponent"): 0.13, ("Y", "lyapunov_exponent"): 0.1}
    assert ranks(frame, LEARNERS, "lyapunov_exponent")["X"].to_dict() == {"A": 1.5, "B": 1.5, "C": 3.0}
    far = losses(frame, "lyapunov_exponent").set_index("learner")["loss"].to_dict()
    assert far["C"] == pytest.approx(1.3 - 0.914 - 0.13)


@pytest.mark.parametrize(("metric", "alike"), [("zero_one_k", True), ("roughness", False)])
def test_values_that_scatter_no_more_than_independent_truths_are_equally_near(metric: str, alike: bool):
    values = {
        ("X", "A"): [0.9971, 0.9970, 0.9972],
        ("X", "B"): [0.9961, 0.9960, 0.9962],
        ("X", "C"): [0.7, 0.69, 0.71],
        ("X", "TrueEquations"): [0.9974] * 3,
        ("X", "IndependentTruth"): [0.9965, 0.9970, 0.9983],
    }
    frame = long_form(values, metric, "truth")
    frame.attrs["long_run"] = ["zero_one_k"]  # forecasts are held to the very trajectories that they forecast
    assert level_by_seeds(frame, LEARNERS)[metric] == ({"A", "B"} if alike else {"A"})
    best = losses(frame, metric).groupby("learner")["loss"].median().to_dict()
    assert (best["A"] == best["B"] == 0.0) == alike
    assert best["C"] > 0.28


def test_a_run_tells_how_far_its_estimates_of_true_exponents_reach(monkeypatch):
    metric = ("lyapunov_exponent", "1 / timescale", "truth")
    monkeypatch.setattr(fake_runs, "METRICS", (*fake_runs.METRICS, metric))
    values = {(system, "TrueEquations", 0): {metric[0]: 0.9} for system in fake_runs.SYSTEMS}
    run = fake_runs.run_of(values, [0], published={"Lorenz": {metric[0]: 0.906}})
    kept = {
        "exponents": np.array([[[0.9, -1.0], [0.8, -1.1], [1.0, -0.9]]]),
        "kaplan_yorke_dimension": np.array([[2.0, 1.7, 2.3], [2.0, 1.0, 3.0]]),
    }
    object.__setattr__(run, "store", SimpleNamespace(arrays=lambda key: kept))
    assert run.frame().attrs["reach"] == {
        ("Rossler", metric[0]): pytest.approx(0.1),
        ("Lorenz", "kaplan_yorke_dimension"): pytest.approx(0.3),
        ("Rossler", "kaplan_yorke_dimension"): pytest.approx(0.3),
    }
