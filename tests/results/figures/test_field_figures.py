"""Figures of fields: what is drawn where, and what is said of a forecast that is not there."""

from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from results.figures.chaos import spatial_spectra
from results.figures.fields import space_time
from results.figures.style import save, styles
from results.report.chaos import fields_in_time, ring_pictures, spatial_power
from results.report.figure_data import FigureData
from results.report.portraits import learned_fields
from results.store.run import Run
from tests.support.synthetic import Size, build

TIMES = np.linspace(0.1, 4.0, 40)
SITES = 2 * np.pi * np.arange(8) / 8


def wave(speed: float) -> np.ndarray:
    """A wave of number 2 that runs around a ring of eight sites."""
    return np.cos(2 * (SITES - speed * TIMES[:, None]))


def pictures(figure: Figure) -> list[np.ndarray]:
    """The fields that are drawn, without the bars of colours."""
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_the_power_of_a_travelling_wave_lies_in_its_number():
    power = spatial_power(wave(0.3))
    assert power == pytest.approx([0, 0, 0.25, 0, 0])


def test_the_power_of_a_diverged_run_is_not_finite():
    run = wave(0.3)
    run[20:] = np.inf
    assert not np.isfinite(spatial_power(run)).any()


def test_each_forecast_is_drawn_beside_its_distance_from_the_truth():
    truth, forecast = wave(0.3), wave(0.5)
    drawn = pictures(space_time(TIMES, truth, {"NODE": forecast, "RNN": "crashed"}, "Lyapunov time"))
    assert len(drawn) == 3
    for image, field in zip(drawn, (truth, forecast, abs(forecast - truth)), strict=True):
        np.testing.assert_allclose(image, field.T)


def test_time_is_in_the_unit_of_the_system():
    for unit, said in (("period", "periods"), ("timescale of 6.3 s", "timescales of 6.3 s")):
        figure = space_time(TIMES, wave(0.3), {"NODE": wave(0.5)}, unit)
        assert f"time ({said})" in [axes.get_xlabel() for axes in figure.axes]


def test_a_learner_without_a_forecast_says_why():
    figure = space_time(TIMES, wave(0.3), {"RNN": "timed out"}, "Lyapunov time")
    assert "timed out" in [text.get_text() for axes in figure.axes for text in axes.texts]


def test_what_left_the_finite_numbers_stays_white():
    forecast = wave(0.3)
    forecast[20:] = np.inf
    _, drawn, away = pictures(space_time(TIMES, wave(0.3), {"NODE": forecast}, "period"))
    assert np.isnan(drawn[:, 20:]).all()
    assert np.isnan(away[:, 20:]).all()
    assert np.isfinite(drawn[:, :20]).all()


def test_spectra_show_the_waves_that_the_truth_has():
    power = np.array([0.0, 1.0, 0.1, 1e-3, 1e-12, 1e-13])
    curves = [
        pd.DataFrame({"system": "KS", "learner": learner, "wave": range(6), "power": scale * power})
        for learner, scale in (("", 1.0), ("NODE", 1.5))
    ]
    figure = spatial_spectra(pd.concat(curves), styles(["NODE", "RNN"], []))
    assert figure.axes[0].get_xlim() == (0, 3.5)
    assert len(figure.axes[0].lines) == 2


def test_the_same_field_gives_the_same_bytes(tmp_path: Path):
    for name in "ab":
        save(space_time(TIMES, wave(0.3), {"NODE": wave(0.5)}, "Lyapunov time"), tmp_path, name, ("svg",))
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_run_shows_fields_for_the_systems_on_a_ring_only(tmp_path: Path):
    folder = build(
        tmp_path, ("Lorenz", "Lorenz96"), ("ResNet", "Persistence"), Size(climate_samples=60, points=2, seeds=(0,))
    )
    run = Run.load(folder)
    data = FigureData(run, run.frame())
    found = chain(ring_pictures(data), *(fields_in_time(data, system) for system in run.systems))
    names = [picture.name for picture in found]
    assert [name for name in names if name.startswith("space_time")] == ["space_time-Lorenz96"]
    assert "spatial_spectra" in names


def test_learned_fields_are_drawn_of_the_models_that_have_one():
    line = np.linspace(-1.0, 1.0, 9)
    places = np.array([(x, y) for y in line for x in line])
    flow = places[:, ::-1] * [-1.0, 1.0]
    fields = {"NODE": (1.1 * flow)[None], "lost": np.full((1, 81, 2), np.inf), "RNN": np.empty((0, 81, 2))}
    data: Any = SimpleNamespace(
        run=SimpleNamespace(compared=list(fields)),
        of_seeds=lambda system, learner, name: fields[learner],
        cells={("Spiral", "NODE"): {"field_places": places[None], "field_flow": flow[None]}},
        styles=styles(list(fields), []),
    )
    (picture,) = learned_fields(data, "Spiral")
    figure = picture.draw()
    assert (picture.name, picture.system) == ("fields-Spiral", "Spiral")
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == ["NODE"]
    assert "off by 10 %" in [text.get_text() for axes in figure.axes for text in axes.texts]
    data.run.compared = ["RNN"]
    assert list(learned_fields(data, "Spiral")) == []
