"""The gallery of systems and figures: `python docs/reports/gallery.py` writes docs/gallery.md and its pictures."""

from collections.abc import Iterable, Iterator
from inspect import isabstract
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import systems
from results.figures.style import drawing, save
from results.formatting import slug, three_digits
from results.report.samples import FIGURES
from systems import KuramotoSivashinsky, Map, Sampling, Sprott, System
from systems.configuration import label
from systems.flows.mackey_glass import MackeyGlass
from systems.flows.sprott import CASES
from systems.published import known_of

DOCS = Path(__file__).parents[1]
FILE_NEEDED = ("Dysts", "Recorded")  # systems that are many, from elsewhere
COLUMNS = 4
INCHES, DOTS = 2.0, 150  # size of the picture of a system, and dots per inch
DOTS_OF_FIGURES = 100
COLOUR = "#2a5d8f"
OURS = ("two orbits", "two codes", "200 long runs", "neighbours", "linearised")  # sources that are our own measurement


def shown_systems() -> list[System]:
    """Every system of the package that needs no file, at its default parameters, and a longer field; of Sprott's flows
    every case.
    """
    kinds: list[Any] = [getattr(systems, name) for name in systems.__all__ if name not in FILE_NEEDED]
    concrete = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, System) and not isabstract(kind)]
    return [
        *(kind() for kind in concrete if kind is not Sprott),
        KuramotoSivashinsky(length=200.0, grid=512),
        *(Sprott(case=case) for case in CASES),
    ]


def portrait(system: Any) -> Figure:
    """A long trajectory of a chaotic system, several short ones of another, in the plane, in space or over time."""
    chaotic = system.timescale_name == "Lyapunov time"
    if isinstance(system, Map):
        step, samples = 1 / system.timescale, 3000
    elif system.ring:
        step, samples = 0.0125, 400
    elif chaotic:
        step, samples = min(0.012, 0.05 / system.timescale), 5000
    else:
        step, samples = 0.005, 400
    sampling = Sampling(step=step, samples=samples, trajectories=1 if chaotic else 8)
    found = system.observe("train", system.adapt(sampling, 0), 0)
    return drawn(system, found.times.numpy(), found.states.numpy())


def drawn(system: Any, times: np.ndarray, states: np.ndarray) -> Figure:
    """Trajectories `[batch, time, dim]` in one small panel without a frame."""
    with drawing():
        figure = Figure(figsize=(INCHES, INCHES), dpi=DOTS)
        in_space = 3 <= system.dim <= 4
        axes: Any = figure.add_axes((0.02, 0.02, 0.96, 0.96), projection="3d" if in_space else None)
        axes.set_axis_off()
        if isinstance(system, Map):
            now, then = (states[0, :-1, 0], states[0, 1:, 0]) if system.dim == 1 else states[0].T
            axes.plot(now, then, ".", markersize=0.8, color=COLOUR)
        elif isinstance(system, MackeyGlass):  # the present against the past that it depends on
            axes.plot(states[0, :, 0], states[0, :, -1], linewidth=0.5, color=COLOUR)
        elif system.ring:
            axes.imshow(states[0].T, aspect="auto", cmap="RdBu_r", interpolation="nearest")
        elif system.dim == 1:
            axes.plot(times.T, states[..., 0].T, linewidth=0.6)
        else:
            for path in states:
                axes.plot(*path[:, :3].T, linewidth=0.35 if len(states) == 1 else 0.7, color=COLOUR)
        if in_space:
            axes.set_box_aspect((1, 1, 1), zoom=1.45)
    return figure


def known(system: Any) -> str:
    """What sets the time scale of a system: its largest exponent with the source, or its period."""
    attractor = known_of(system).attractor
    if attractor is None:
        return f"{system.timescale_name} {three_digits(system.timescale)}"
    unit = " a step" if isinstance(system, Map) else ""
    source = "our measurement" if attractor.leading[2] in OURS else attractor.leading[2]
    return f"λ = {attractor.leading[0]:.4g}{unit}, {source}"


def page() -> Iterator[str]:
    """The paragraphs of the page; its pictures are written as it is made."""
    yield "# Gallery"
    yield (
        "`python docs/reports/gallery.py` draws this page. Systems are shown at their default parameters, the "
        "Kuramoto-Sivashinsky equation at length 200, too."
    )
    found = shown_systems()
    maps = [one for one in found if isinstance(one, Map)]
    cases = [one for one in found if isinstance(one, Sprott)]
    rest = [one for one in found if one not in maps and one not in cases]
    chaotic = [one for one in rest if one.timescale_name == "Lyapunov time"]
    groups = {
        "Chaotic flows, fields and delays": chaotic,
        "Maps": maps,
        "Regular, stiff, stochastic and switched": [one for one in rest if one not in chaotic],
        "Sprott's simplest flows": cases,
    }
    yield "λ is the largest Lyapunov exponent, per unit of time; [all of them](systems.md), beside those of others."
    for title, members in groups.items():
        yield f"## {title}"
        yield in_columns(cell(one) for one in members)
    yield "## Figures"
    yield (
        "On sample data: `python -m bench report --gallery` draws them in any format. "
        "A run draws those that it has data for."
    )
    for name, draw in FIGURES.items():
        figure = draw()
        figure.set_dpi(DOTS_OF_FIGURES)
        save(figure, DOCS / "images" / "gallery", f"figure-{name}", ["png"])
        yield f"**{name}**"
        yield f"![{name}](images/gallery/figure-{name}.png)"


def cell(system: Any) -> str:
    """The picture of a system, its name, and what is known of it."""
    name = slug(label(system))
    save(portrait(system), DOCS / "images" / "gallery", name, ["png"])
    return f"![{name}](images/gallery/{name}.png)<br>`{label(system)}`<br>{known(system)}"


def in_columns(cells: Iterable[str]) -> str:
    """A table of pictures, row by row."""
    every = list(cells)
    every += [""] * (-len(every) % COLUMNS)
    rows = [every[place : place + COLUMNS] for place in range(0, len(every), COLUMNS)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [[""] * COLUMNS, ["---"] * COLUMNS, *rows])


if __name__ == "__main__":
    (DOCS / "gallery.md").write_text("\n\n".join(page()) + "\n")
