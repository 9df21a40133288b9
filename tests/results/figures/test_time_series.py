"""Forecasts over time: what each panel shows, which part is enlarged, and of which systems there are pictures."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from results.figures.style import styles
from results.figures.time_series import time_series
from results.report.time_series import fits, forecasts_in_time

TIMES = np.linspace(0.0, 9.9, 100)
TRUTH = np.stack([np.cos(TIMES), np.sin(TIMES), np.cos(2 * TIMES)], axis=-1)
DATA = TRUTH + 0.01
STYLES = styles(["NODE", "RNN"], [])


def leaving(place: int) -> np.ndarray:
    """A forecast that is the truth up to a sample, and far away from there on."""
    return np.where(np.arange(100)[:, None] < place, TRUTH, TRUTH + 5.0)


def curves(figure: Figure, panel: int) -> list[np.ndarray]:
    return [np.stack([np.asarray(one, dtype=float) for one in line.get_data()]) for line in figure.axes[panel].lines]


def shaded(figure: Figure) -> tuple[float, float]:
    area = figure.axes[0].patches[0].get_extents().transformed(figure.axes[0].transData.inverted())
    return area.x0, area.x1


def test_truth_data_and_forecast_lie_over_each_other_in_time_and_in_the_plane():
    figure = time_series(TIMES, TRUTH, {"NODE": leaving(60)}, STYLES, "period", DATA)
    for panel, across in ((0, TIMES), (2, None)):
        up = 0 if across is not None else 2
        for found, states in zip(curves(figure, panel), (TRUTH, DATA, leaving(60)), strict=True):
            np.testing.assert_allclose(found, [states[:, 0] if across is None else across, states[:, up]])
    assert [axes.get_xlabel() for axes in figure.axes] == ["time (periods)", "time (periods)", "x₁"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["truth", "learner", "training data"]


def test_the_part_about_the_time_at_which_half_of_the_learners_are_lost_is_enlarged():
    figure = time_series(TIMES, TRUTH, {"NODE": leaving(40), "RNN": leaving(60)}, STYLES, "period")
    assert shaded(figure) == pytest.approx((4.0, 5.9))
    np.testing.assert_allclose(curves(figure, 1)[0], [TIMES[40:60], TRUTH[40:60, 0]])
    assert figure.axes[1].get_xlim() == pytest.approx((4.0, 5.9))


@pytest.mark.parametrize("given", [0, 30])
def test_where_nobody_is_lost_the_end_is_enlarged(given: int):
    path = TRUTH.copy()
    path[:given] = np.nan  # what the learner was given it has not lost
    assert shaded(time_series(TIMES, TRUTH, {"NODE": path}, STYLES, "period")) == pytest.approx((8.0, 9.9))


def test_a_forecast_is_not_drawn_where_it_is_not_finite_and_does_not_stretch_the_picture():
    path = leaving(50)
    path[80:] = np.inf
    figure = time_series(TIMES, TRUTH, {"NODE": path, "RNN": "timed out"}, STYLES, "period")
    assert np.isfinite(curves(figure, 0)[1][1]).sum() == 80
    assert figure.axes[0].get_ylim()[1] < 1.5
    assert len(figure.axes[3].lines) == 1
    assert figure.axes[3].get_title("left") == "RNN: timed out"


def test_one_channel_has_no_plane():
    figure = time_series(TIMES, TRUTH[:, :1], {"NODE": TRUTH[:, :1]}, STYLES, "period")
    assert len(figure.axes) == 2


def run_of(arrays: dict[str, np.ndarray], rings: tuple[str, ...] = ()) -> Any:
    run = SimpleNamespace(compared=["NODE"], timescales={"Spiral": "period"})
    return SimpleNamespace(
        run=run,
        rings=rings,
        styles=STYLES,
        channels=lambda system: ["x1", "x2", "x3"],
        cells={("Spiral", "NODE"): arrays},
        truth=lambda system: arrays if "truth" in arrays else {},
        paths=lambda system, name: {"NODE": arrays[name][0] if name in arrays else "ok", "Persistence": "crashed"},
    )


def test_a_run_shows_its_first_training_trajectory_with_the_compared_learners():
    arrays = {"fit_times": TIMES, "fit_truth": TRUTH, "fit_data": DATA, "fit": leaving(60)[None]}
    (picture,) = fits(run_of(arrays), "Spiral")
    figure = picture.draw()
    assert (picture.name, len(figure.axes)) == ("fits-Spiral", 3)
    for found, states in zip(curves(figure, 0), (TRUTH, DATA, leaving(60)), strict=True):
        np.testing.assert_allclose(found[1], states[:, 0])
    assert list(fits(run_of({}), "Spiral")) == []


def test_it_shows_what_a_learner_was_before_its_training():
    arrays = {"fit_times": TIMES, "fit_truth": TRUTH, "fit_data": DATA, "fit": leaving(60)[None]}
    (picture,) = fits(run_of(arrays | {"fit_before": leaving(5)[None]}), "Spiral")
    figure = picture.draw()
    before, after = curves(figure, 0)[2:]
    np.testing.assert_allclose(before[1], leaving(5)[:, 0])
    np.testing.assert_allclose(after[1], leaving(60)[:, 0])
    assert "before training" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_run_shows_the_forecast_of_its_first_test_state_unless_it_is_a_field_on_a_ring():
    arrays = {"times": TIMES, "truth": np.stack([TRUTH, DATA]), "forecast": leaving(60)[None, None]}
    (picture,) = forecasts_in_time(run_of(arrays), "Spiral")
    figure = picture.draw()
    assert len(figure.axes[0].lines) == 2  # no data
    np.testing.assert_allclose(curves(figure, 0)[1], [TIMES, leaving(60)[:, 0]])
    assert list(forecasts_in_time(run_of(arrays, rings=("Spiral",)), "Spiral")) == []
    assert list(forecasts_in_time(run_of({}), "Spiral")) == []


def test_channels_and_times_of_a_recording_are_called_by_their_names():
    figure = time_series(TIMES, TRUTH, {"NODE": TRUTH}, STYLES, "timescale of 6.3 s", channels=["angle", "x2", "x3"])
    assert figure.axes[0].get_ylabel() == "angle"
    assert figure.axes[0].get_xlabel() == "time (timescales of 6.3 s)"
