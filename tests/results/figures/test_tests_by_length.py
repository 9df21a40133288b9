"""K of the 0-1 test against the length of the run: from which cells, and what is drawn of them."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from results.figures.chaos import tests_by_length as figure_of
from results.figures.style import styles
from results.report.chaos import growing_tests

LENGTHS = np.array([2.0, 8.0, 32.0])
SEEDS = np.array([[0.2, 0.7, 0.9], [0.4, 0.8, 1.0], [0.0, 0.9, np.nan]])
CELL = {
    "k_times": LENGTHS,
    "k_truth": np.array([0.5, 0.9, 0.99]),
    "k": SEEDS[:2],
    "pq_sampling": np.array([5.0, 60.0, 3.0]),
    "climate_times": 0.002 * np.arange(1, 5),
}


def run_of(**cells: dict[str, np.ndarray]) -> Any:
    return SimpleNamespace(
        run=SimpleNamespace(compared=["NODE", "RNN"]),
        cells={("Lorenz", learner): arrays for learner, arrays in cells.items()},
        of_seeds=lambda system, learner, name: cells[learner].get(name, np.empty((0, 1))),
    )


def test_the_truth_is_there_once_and_seeds_are_summed_up():
    tests = growing_tests(run_of(NODE=CELL, RNN={**CELL, "k": SEEDS[:1]}, Persistence=CELL))
    assert tests.groupby("learner", sort=False).size().to_dict() == {"": 3, "NODE": 3, "RNN": 3}
    node = tests.loc[tests["learner"] == "NODE"]
    np.testing.assert_allclose(node[["low", "k", "high"]].to_numpy()[1], [0.7, 0.75, 0.8])
    np.testing.assert_allclose(tests["enough"], 1000 * 5 * 0.002)
    assert growing_tests(run_of(NODE={})).empty


def test_each_curve_is_drawn_over_its_length_beside_the_length_that_is_enough():
    tests = growing_tests(run_of(NODE=CELL))
    (axes,) = figure_of(tests, styles(["NODE"], []), {"Lorenz": "Lyapunov time"}).axes
    curves = [np.asarray(line.get_data(), dtype=float) for line in axes.lines]
    np.testing.assert_allclose(curves[0], [LENGTHS, CELL["k_truth"]])
    np.testing.assert_allclose(curves[1], np.stack([LENGTHS, [0.3, 0.75, 0.95]]))
    assert curves[-1][0].tolist() == [10.0, 10.0]
    assert axes.get_xlabel() == "length of the run (Lyapunov times)"
    assert axes.get_xscale() == "log"
    (axes,) = figure_of(tests, styles(["NODE"], []), {"Lorenz": "timescale of 6.3 s"}).axes
    assert axes.get_xlabel() == "length of the run (timescales of 6.3 s)"
