"""Panels of what latent models read, and what they make of it."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from results.figures.reconstructions import reconstructions
from results.figures.style import styles
from results.report.portraits import read_and_beyond

STYLES = styles(["LatentODE", "ResNet"], [])
ANGLE = np.linspace(0, 6, 30)
TRUTH = np.arange(1, 10)[:, None, None] * np.stack([np.cos(ANGLE), np.sin(ANGLE)], axis=-1)
GIVEN, MODEL = TRUTH[:, :12] + 0.05, TRUTH - 0.1


def test_each_panel_shows_what_was_given_what_is_true_and_the_model_in_the_window_and_beyond():
    lost = MODEL.copy()
    lost[:, 20:] = np.inf
    panels = reconstructions(GIVEN, TRUTH, lost, STYLES["LatentODE"]).axes
    assert len(panels) == 9
    for place, axes in enumerate(panels):
        true, given, read, beyond = (np.stack([np.asarray(one) for one in line.get_data()], -1) for line in axes.lines)
        np.testing.assert_allclose(true, TRUTH[place])
        np.testing.assert_allclose(given, GIVEN[place])
        np.testing.assert_allclose(read, MODEL[place, :12])
        np.testing.assert_allclose(beyond[:9], MODEL[place, 11:20])
        assert np.isnan(beyond[9:]).all()
        assert axes.lines[3].get_linestyle() == "--"
        assert axes.get_xlim()[1] < 1.3 * (place + 1)


def test_one_channel_is_drawn_over_time():
    axes = reconstructions(GIVEN[..., :1], TRUTH[..., :1], MODEL[..., :1], STYLES["LatentODE"]).axes[0]
    np.testing.assert_allclose(np.asarray(axes.lines[0].get_data()), np.stack([np.arange(30), TRUTH[0, :, 0]]))


def test_only_models_of_latent_states_have_such_panels():
    arrays = {"panels_given": GIVEN, "panels_truth": TRUTH, "panels": MODEL[None]}
    cells: dict[tuple[str, str], Any] = {("Spirals", "LatentODE"): arrays, ("Spirals", "ResNet"): {}}
    data: Any = SimpleNamespace(
        run=SimpleNamespace(compared=["LatentODE", "ResNet"]),
        cells=cells,
        styles=STYLES,
        of_seeds=lambda system, learner, name: cells[system, learner].get(name, np.empty((0, 1))),
    )
    (picture,) = read_and_beyond(data, "Spirals")
    assert picture.name == "reconstructions-Spirals-LatentODE"
    np.testing.assert_allclose(np.asarray(picture.draw().axes[4].lines[2].get_data()).T, MODEL[4, :12])
