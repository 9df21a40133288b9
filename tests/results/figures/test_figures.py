"""Figures: the same colour for the same learner everywhere, the same bytes for the same data, failures said aloud."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d import Axes3D

from results.figures import performance as figures
from results.figures import portraits, style
from results.figures.comparison import pareto_page
from results.figures.panels import finish, panels_of
from results.figures.style import FORMATS, drawing, handles, save, styles
from results.report.performance import with_samples

LEARNERS = ["RNN", "NODE", "Persistence", "TrueEquations"]
STYLES = styles(LEARNERS, ["Persistence", "TrueEquations"])
TIMESCALES = {"VanDerPol": "period", "Lorenz": "Lyapunov time"}


@pytest.fixture
def times() -> pd.DataFrame:
    rows = [
        (system, learner, median, median - 0.5, median + 0.5, "ok")
        for system in TIMESCALES
        for learner, median in zip(LEARNERS, (3.0, 5.0, 0.5, 12.0), strict=True)
    ]
    return pd.DataFrame(rows, columns=["system", "learner", "median", "low", "high", "status"])


def growth(learners: list[str], diverges: str = "") -> pd.DataFrame:
    time = np.linspace(0.1, 8.0, 80)
    frames = []
    for place, learner in enumerate(learners):
        error = 1e-3 * (place + 1) * np.exp(time)
        if learner == diverges:
            error[40:] = np.inf
        values = {"time": time, "low": error / 2, "median": error, "high": 2 * error}
        frames.append(pd.DataFrame({"system": "Lorenz", "learner": learner} | values))
    return pd.concat(frames, ignore_index=True)


def titled(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title() == title)


def xs(line: Line2D) -> np.ndarray:
    return np.asarray(line.get_xdata(), dtype=float)


def ys(line: Line2D) -> np.ndarray:
    return np.asarray(line.get_ydata(), dtype=float)


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def legend(figure: Figure) -> list[str]:
    found = [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]
    return [text.get_text() for one in found if one for text in one.get_texts()]


def test_compared_learners_are_coloured_and_references_grey():
    many = [f"learner {place}" for place in range(14)]
    styled = styles([*many, "Persistence", "Climatology"], ["Persistence", "Climatology"])
    saturation = {learner: np.ptp(to_rgb(style.colour)) for learner, style in styled.items()}
    assert all(saturation[learner] > 0.2 for learner in many)
    assert saturation["Persistence"] == saturation["Climatology"] == 0
    assert len({(to_rgb(style.colour), str(style.dash)) for style in styled.values()}) == 16


def test_a_learner_keeps_its_colour_when_reference_rows_come_and_go():
    assert styles(["RNN", "NODE"], [])["NODE"] == STYLES["NODE"]
    assert styles(["Persistence", "RNN", "NODE"], ["Persistence"])["NODE"] == STYLES["NODE"]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_data_give_the_same_bytes(kind: str, times: pd.DataFrame, tmp_path: Path):
    one, other = (
        save(figures.prediction_times(times, STYLES, TIMESCALES), tmp_path / name, "vpt", [kind])[kind] for name in "ab"
    )
    assert one.read_bytes() == other.read_bytes()
    assert one.name == f"vpt.{kind}"


def test_fonts_are_embedded_and_nothing_is_dated(times: pd.DataFrame, tmp_path: Path):
    paths = save(figures.prediction_times(times, STYLES, TIMESCALES), tmp_path, "vpt", ["pdf", "svg"])
    content = paths["pdf"].read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
    assert "<dc:date>" not in paths["svg"].read_text()


def test_lines_of_as_many_reference_rows_as_a_suite_has_are_told_apart():
    rows = [f"row {place}" for place in range(6)]
    looks = styles(rows, rows).values()
    assert len({look.dash for look in looks}) == len({look.colour for look in looks}) == 6


def test_drawing_leaves_the_style_of_other_figures_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with drawing():
        assert mpl.rcParams["pdf.fonttype"] == 42
    assert dict(mpl.rcParams) == before


def test_prediction_times_are_bars_in_the_colours_of_the_learners_with_references_apart(times: pd.DataFrame):
    figure = figures.prediction_times(times, STYLES, TIMESCALES)
    axes = titled(figure, "Lorenz")
    assert [bar.get_extents().width for bar in axes.patches] == pytest.approx(
        [axes.transData.transform((length, 0))[0] - axes.transData.transform((0, 0))[0] for length in (3, 5, 0.5, 12)]
    )
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False, False, True, True]
    assert to_rgb(axes.patches[1].get_facecolor()) == to_rgb(STYLES["NODE"].colour)
    assert axes.get_xlabel() == "VPT (Lyapunov times)"
    assert titled(figure, "VanDerPol").get_xlabel() == "VPT (periods)"
    assert [label.get_text() for label in titled(figure, "VanDerPol").get_yticklabels()] == LEARNERS
    assert texts(axes) == ["3.00", "5.00", "0.50", "12.00"]


def test_a_learner_without_a_prediction_time_has_words_instead_of_a_bar(times: pd.DataFrame):
    times.loc[times["learner"] == "RNN", ["median", "low", "high", "status"]] = [np.nan, np.nan, np.nan, "timed out"]
    axes = titled(figures.prediction_times(times, STYLES, TIMESCALES), "Lorenz")
    assert len(axes.patches) == 3
    assert texts(axes)[0] == "timed out"


def test_error_growth_shows_medians_bands_and_both_thresholds():
    figure = figures.error_growth(growth(LEARNERS), STYLES, TIMESCALES)
    axes = titled(figure, "Lorenz")
    line = axes.lines[1]
    assert line.get_color() == STYLES["NODE"].colour
    np.testing.assert_allclose(ys(line), 2e-3 * np.exp(xs(line)))
    assert len(axes.collections) == 2  # bands of the two compared learners
    assert texts(axes) == ["0.5", "0.05"]
    assert (axes.get_yscale(), axes.get_xlabel(), axes.get_ylabel()) == ("log", "time (Lyapunov times)", "NRMSE")
    assert legend(figure) == LEARNERS


def test_error_growth_ends_with_a_cross_where_the_median_diverges():
    axes = titled(figures.error_growth(growth(["RNN"], diverges="RNN"), STYLES, TIMESCALES), "Lorenz")
    (cross,) = [line for line in axes.lines if line.get_marker() == "x"]
    assert np.isfinite(ys(axes.lines[0])).sum() == 40
    assert list(xs(cross)) == [np.linspace(0.1, 8.0, 80)[39]]


def test_the_cross_of_a_divergence_is_on_the_median_and_within_the_panel():
    curves = growth(["RNN"], diverges="RNN")
    before = np.isfinite(curves["median"])
    curves["median"] = curves["median"].where(~before, 1e6)  # far above the panel, and nothing is left of a quartile
    curves["high"] = np.inf
    axes = titled(figures.error_growth(curves, STYLES, TIMESCALES), "Lorenz")
    (cross,) = [line for line in axes.lines if line.get_marker() == "x"]
    assert (list(xs(cross)), list(ys(cross))) == ([np.linspace(0.1, 8.0, 80)[39]], [figures.CEILING])


@pytest.mark.parametrize(("against", "label"), [("update", "updates"), ("seconds", "training time (s)")])
def test_learning_curves_are_medians_over_seeds_of_learners_that_train(against: str, label: str):
    rows = [
        ("Lorenz", "NODE", seed, update, update / 10, (1 + seed) / update) for seed in range(3) for update in (10, 100)
    ]
    curves = pd.DataFrame(rows, columns=["system", "learner", "seed", "update", "seconds", "valid_loss"])
    figure = figures.learning_curves(curves, STYLES, against)
    axes = titled(figure, "Lorenz")
    np.testing.assert_allclose(ys(axes.lines[0]), [0.2, 0.02])
    np.testing.assert_allclose(xs(axes.lines[0]), [10, 100] if against == "update" else [1, 10])
    assert (axes.get_xlabel(), axes.get_ylabel()) == (label, "validation loss")
    assert legend(figure) == ["NODE"]


def test_images_seen_are_updates_times_their_size():
    place = {"system": "Digits", "learner": "NODE", "seed": 0}
    frame = pd.DataFrame([place | {"metric": "samples", "value": 640.0}, place | {"metric": "updates", "value": 10.0}])
    curves = pd.DataFrame([place | {"update": update, "train_loss": 1 / update} for update in (5, 10)])
    seen = with_samples(curves, frame)
    axes = titled(figures.learning_curves(seen, STYLES, "samples", "train_loss"), "Digits")
    np.testing.assert_allclose(xs(axes.lines[0]), [320, 640])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("images seen", "training loss")


def test_cost_against_accuracy_has_points_with_intervals_for_learners_and_levels_for_references(times: pd.DataFrame):
    costs = {"RNN": 20.0, "NODE": 50.0, "Persistence": 0.0, "TrueEquations": 1.0}
    points = times.assign(cost=[costs[learner] for learner in times["learner"]], loss=-times["median"])
    figure = pareto_page(points, STYLES, {"cost": "fit time (s)"}, TIMESCALES)
    axes = figure.axes[list(dict.fromkeys(times["system"])).index("Lorenz")]
    assert [(xs(line)[0], ys(line)[0]) for line in axes.lines if len(xs(line)) == 1] == [(20.0, 3.0), (50.0, 5.0)]
    assert any(list(xs(line)) == [50.0, 50.0] and list(ys(line)) == [4.5, 5.5] for line in axes.lines)
    levels = [line for line in axes.lines if len(set(ys(line))) == 1 and len(ys(line)) == 2]
    assert [set(ys(line)) for line in levels] == [{0.5}, {12.0}]
    assert (axes.get_xscale(), axes.get_ylabel()) == ("log", "Lorenz\nVPT (Lyapunov times)")
    assert figure.axes[-1].get_xlabel() == "fit time (s)"


def test_the_legend_stands_in_a_free_place_or_below_and_never_on_data():
    two = pd.concat([growth(LEARNERS), growth(LEARNERS).assign(system="VanDerPol")])
    below = figures.error_growth(two, STYLES, TIMESCALES)
    assert len(below.legends) == 1
    five = pd.concat([growth(LEARNERS).assign(system=f"S{place}") for place in range(5)])
    beside = figures.error_growth(five, STYLES, {f"S{place}": "period" for place in range(5)})
    assert beside.axes[-1].get_legend()
    assert not beside.axes[-1].lines


def path(dim: int, samples: int = 400) -> np.ndarray:
    """A closed orbit with a little of everything in each channel."""
    phase = np.linspace(0, 60, samples)
    return np.stack([np.sin(phase + channel) * (1 + 0.1 * channel) for channel in range(dim)], axis=-1)


@pytest.mark.parametrize(("dim", "solid"), [(2, False), (3, True), (10, True)])
def test_attractors_are_drawn_in_as_many_dimensions_as_can_be_seen(dim: int, solid: bool):
    figure = portraits.attractors(path(dim), {"RNN": path(dim), "NODE": path(dim)}, 0.02, "Lyapunov time")
    assert [isinstance(axes, Axes3D) for axes in figure.axes] == [solid] * 3
    assert [texts(axes)[-2] for axes in figure.axes[1:]] == ["RNN", "NODE"]
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes}) == 1


def test_a_single_channel_is_drawn_against_itself_a_while_before():
    learned = {"RNN": path(1), "NODE": "timed out"}
    figure = portraits.attractors(path(1, 4000), learned, 1.0, "samples")
    before, now = (np.asarray(values) for values in figure.axes[0].lines[0].get_data())
    (label,) = [text for text in texts(figure.axes[0]) if text.startswith("x₁(t -")]
    lag = int(label.removeprefix("x₁(t - ").removesuffix(")"))
    assert 75 <= lag <= 85  # a turn takes 419 samples, of which its cosine is above 1/e for 80
    np.testing.assert_array_equal(before[lag:], now[:-lag])
    assert "timed out" in texts(figure.axes[2])


def test_a_model_that_leaves_is_drawn_up_to_there_and_said_to():
    gone, wild = path(2), path(2)
    gone[200:] = np.inf
    wild += np.arange(400)[:, None] / 40
    learned = {"RNN": gone, "NODE": wild, "Persistence": np.full((400, 2), np.nan)}
    figure = portraits.attractors(path(2), learned, 0.05, "period")
    assert texts(figure.axes[1]) == ["RNN", "leaves at 10 periods"]
    assert 1 + sum(len(xs(line)) - 1 for line in figure.axes[1].lines) == 200
    assert texts(figure.axes[2])[1].startswith("leaves at ")
    assert texts(figure.axes[3])[1] == "leaves at 0 periods"


def test_a_failed_learner_has_a_panel_that_says_why():
    figure = portraits.attractors(path(3), {"RNN": "timed out"}, 0.02, "Lyapunov time")
    assert texts(figure.axes[1]) == ["RNN", "timed out"]
    assert not figure.axes[1].lines


def test_rest_is_a_dot_and_jumps_are_points():
    shuffled = np.random.default_rng(0).permutation(path(2))
    learned = {"RNN": shuffled, "NODE": np.full((400, 2), 0.5)}
    figure = portraits.attractors(path(2), learned, 0.02, "period")
    assert {line.get_linestyle() for line in figure.axes[1].lines} == {"None"}
    assert [line.get_marker() for line in figure.axes[2].lines][-2:] == ["None", "o"]


def test_curves_are_in_the_colours_of_time_dark_where_they_begin():
    figure = portraits.attractors(path(2), {"RNN": path(2)}, 0.02, "period")
    truth, lines = (axes.lines for axes in figure.axes)
    brightness = [float(np.dot(to_rgb(line.get_color()), (0.2126, 0.7152, 0.0722))) for line in lines]
    assert brightness == sorted(brightness)
    assert len(set(brightness)) > 8
    assert [to_rgb(line.get_color()) for line in truth] == [to_rgb(line.get_color()) for line in lines]
    assert np.concatenate([xs(line)[1:] for line in lines]) == pytest.approx(path(2)[1:, 0])


def test_long_paths_are_cut_so_that_files_stay_small():
    long = path(2, 2 * portraits.POINTS)
    figure = portraits.attractors(long, {"RNN": long}, 0.02, "period")
    drawn = [sum(len(xs(line)) - 1 for line in axes.lines) for axes in figure.axes]
    assert drawn == [portraits.POINTS - 1] * 2


def test_pq_paths_share_a_scale_unless_one_needs_more_room():
    truth = path(2).T
    far, partly = 10 * truth, truth.copy()
    partly[:, 100:] = np.nan
    learned = {"RNN": far, "NODE": partly, "Persistence": np.zeros((2, 400)), "TrueEquations": "crashed"}
    figure = portraits.pq_plots(truth, learned, STYLES, {"RNN": "K = 0.98"})
    spans = [np.ptp(axes.get_xlim()) for axes in figure.axes]
    assert spans[1] == pytest.approx(10 * spans[0])
    assert spans[2] == pytest.approx(spans[0])
    assert texts(figure.axes[1]) == ["RNN", "K = 0.98, scale 1 : 10"]
    assert texts(figure.axes[4]) == ["TrueEquations", "crashed"]
    assert figure.axes[3].lines[-1].get_marker() == "o"


def test_a_pq_path_that_is_nowhere_finite_is_said_to_have_diverged():
    figure = portraits.pq_plots(path(2).T, {"RNN": np.full((2, 400), np.nan)}, STYLES, {})
    assert texts(figure.axes[1]) == ["RNN", "diverged"]


def test_a_legend_of_long_names_stands_in_fewer_columns_and_within_the_figure():
    names = [f"Fewer[learner=HybridODE[training.updates=3000],trajectories={place}]" for place in range(6)]
    frame = pd.DataFrame({"system": ["Lorenz", "Rossler", "VanDerPol"]})
    with drawing():
        figure, panels = panels_of(frame, legend=names)
        finish(figure, panels, "", handles(styles(names, [])))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    (legend,) = figure.legends
    box, whole = legend.get_window_extent(), figure.bbox
    assert whole.x0 <= box.x0
    assert box.x1 <= whole.x1
    assert box.y1 < figure.axes[0].get_window_extent().y0


def test_a_notebook_is_told_to_show_figures(monkeypatch: pytest.MonkeyPatch):
    """Without that, it shows those alone that pyplot has made."""
    told: list[str] = []
    backend = SimpleNamespace(set_matplotlib_formats=told.append)
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "matplotlib_inline.backend_inline", backend)
    style._show_in_notebooks.cache_clear()
    for _ in range(2):
        with drawing():
            assert told == ["png"]
    style._show_in_notebooks.cache_clear()
