"""The figure of memory against solver steps: which runs have one, and that it shows what grows and what does not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from results.figures.depth import memory_against_steps
from results.figures.style import save
from results.report.depth import memory_points

STEPS = (13.0, 29.0, 60.0, 140.0)
KINDS = {f"{kind}[tolerance={place}]": kind for kind in ("RKNet", "ODENet") for place in range(4)}
KINDS |= {"ResNet": "ResNet", "Persistence": "Persistence"}
KEPT = {"RKNet": [9.0e3 * steps for steps in STEPS], "ODENet": [2.0e4] * len(STEPS)}


def run(measures: tuple[str, ...] = ("saved_bytes", "peak_bytes")) -> pd.DataFrame:
    """The long form of a run of two kinds of learner at four tolerances, and of one at a single setting."""
    found = []
    for kind, kept in KEPT.items():
        for place, (steps, memory) in enumerate(zip(STEPS, kept, strict=True)):
            values = {"nfe_forward": steps} | dict.fromkeys(measures, memory)
            found += [(f"{kind}[tolerance={place}]", metric, value) for metric, value in values.items()]
    found += [("ResNet", "nfe_forward", 1.0), ("ResNet", "saved_bytes", 5e4), ("Persistence", "nfe_forward", 0.0)]
    frame = pd.DataFrame(found, columns=["learner", "metric", "value"])
    return frame.assign(suite="memory", system="VanDerPol", seed=0, unit="", better="lower", status="ok", reason="")


@pytest.fixture
def figure() -> Figure:
    return memory_against_steps(memory_points(run(), KINDS))


def test_kinds_of_learners_are_followed_over_their_steps():
    points = memory_points(run(), KINDS)
    assert set(points["kind"]) == {"RKNet", "ODENet"}
    kept = points[(points["kind"] == "RKNet") & (points["measure"] == "saved_bytes")]
    assert kept["steps"].tolist() == list(STEPS)
    assert kept["bytes"].tolist() == KEPT["RKNet"]


def test_a_run_whose_steps_do_not_vary_has_no_points():
    frame = run()
    assert memory_points(
        frame.query("learner.isin(['ResNet', 'RKNet[tolerance=0]', 'RKNet[tolerance=1]'])"), KINDS
    ).empty
    assert memory_points(frame.query("metric != 'nfe_forward'"), KINDS).empty
    near = frame.assign(value=frame["value"].where(frame["metric"] != "nfe_forward", 10 + frame["value"] / 1000))
    assert memory_points(near, KINDS).empty


def test_each_kind_of_memory_has_a_panel_and_each_kind_of_learner_a_line(figure: Figure):
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["VanDerPol: saved for the backward pass", "VanDerPol: highest memory of the fit"]
    for axes, extra in zip(figure.axes, (1, 0), strict=True):
        odenet, rknet, *proportion = (np.asarray(line.get_ydata(), dtype=float) for line in axes.lines)
        np.testing.assert_allclose(odenet, 0.02)
        np.testing.assert_allclose(rknet, np.array(KEPT["RKNet"]) / 1e6)
        np.testing.assert_allclose(proportion, [[rknet[0], rknet[-1]]] * extra)
        assert axes.get_xscale() == axes.get_yscale() == "log"


def test_what_was_not_measured_has_no_panel():
    figure = memory_against_steps(memory_points(run(("saved_bytes",)), KINDS))
    assert [axes.get_title() for axes in figure.axes] == ["VanDerPol: saved for the backward pass"]


def test_the_same_points_give_the_same_bytes(figure: Figure, tmp_path: Path):
    again = memory_against_steps(memory_points(run(), KINDS))
    one, two = (save(drawn, tmp_path / name, "memory", ["svg"])["svg"] for drawn, name in ((figure, "a"), (again, "b")))
    assert one.read_bytes() == two.read_bytes()
