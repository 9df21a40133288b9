"""Labels of any length: figures have room for them, and nothing is cut off or lies on anything else."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from results.figures.chaos import return_maps
from results.figures.comparison import aggregate_figure, win_matrix, wins_by_system
from results.figures.continued import continued
from results.figures.fields import space_time
from results.figures.performance import prediction_times
from results.figures.portraits import attractors, pq_plots
from results.figures.simulated import simulated
from results.figures.style import drawing, styles

SETTINGS = "width=25,lookahead=3,solver=heun,damping=0.125,noise=0.0123,curriculum=0.25,jacobian=0.001"
LONG = [
    f"NeuralODE[{SETTINGS}]",
    "ResNet[network=convolution]",
    "NeuralODE[network=convolution]",
    "WithoutAnySettings" * 3,
]
SYSTEM = f"Recorded[path={'folder/' * 20}file.csv,timescale=6.3]"
STYLES = styles(LONG, [])
TURNS = np.linspace(0, 60, 3000)
PATH = np.stack([np.sin(TURNS), np.cos(TURNS)], axis=-1)
SHARES = pd.DataFrame(0.5, index=LONG, columns=["Lorenz", "Rossler", SYSTEM])
ENDS = {"median": 2.0, "low": 1.0, "high": 3.0, "status": "ok"}
TIMES = pd.DataFrame([{"system": system, "learner": one, **ENDS} for system in SHARES.columns for one in LONG])
SHARE = {"mean": 0.5, "low": 0.4, "high": 0.6, "chance": 0.5, "chance_low": 0.4, "chance_high": 0.6}
FIELD = np.stack([np.sin(TURNS[:200])] * 8, axis=-1)

FIGURES: dict[str, Callable[[], Figure]] = {
    "wins_by_system": lambda: wins_by_system(SHARES, SHARES > 1),
    "win_matrix": lambda: win_matrix(pd.DataFrame(0.5, index=LONG, columns=LONG), 12),
    "prediction_times": lambda: prediction_times(TIMES, STYLES, dict.fromkeys(SHARES.columns, "period")),
    "aggregates": lambda: aggregate_figure(pd.DataFrame([{"learner": one, **SHARE} for one in LONG]), STYLES),
    "attractors": lambda: attractors(PATH, dict.fromkeys(LONG, PATH), 0.02, "period"),
    "pq": lambda: pq_plots(PATH.T, dict.fromkeys(LONG * 2, PATH.T), STYLES, dict.fromkeys(LONG, "K = 0.01")),
    "return_maps": lambda: return_maps(PATH[:, 0] * TURNS, dict.fromkeys(LONG, PATH[:, 0] * TURNS), STYLES),
    "space_time": lambda: space_time(TURNS[:200], FIELD, dict.fromkeys(LONG, FIELD), "period"),
    "simulated": lambda: simulated(TURNS[None], PATH[None], SYSTEM),
    "continued": lambda: continued((TURNS, PATH), (TURNS, PATH), ["x1", "x2"], f"{LONG[0]}, fitted to {SYSTEM}"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_cut_off_or_lies_on_another(name: str):
    with drawing():
        figure = FIGURES[name]()
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    shown = [text for text in figure.findobj(Text) if text.get_visible() and len(text.get_text()) > 5]
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in shown if isinstance(text, Text)]
    assert len(boxes) > 0
    for box in boxes:
        assert -1 <= box.x0 <= box.x1 <= figure.bbox.width + 1
        assert -1 <= box.y0 <= box.y1 <= figure.bbox.height + 1
    upright = [box for box, text in zip(boxes, shown, strict=True) if text.get_rotation() in (0, 90)]
    for place, one in enumerate(upright):
        for other in upright[:place]:
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            up = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert across < 2 or up < 2
    for axes in figure.axes:
        assert axes.get_label() == "<colorbar>" or min(axes.get_position().size) > 0.05
