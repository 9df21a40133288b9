"""The films of a run: cells that are trained anew to be filmed, and the pictures that are drawn of what they leave."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cells.cell import Cell, keys
from bench.exports.film_cells import ReelCell
from bench.runner import run as runner
from learners import Learner
from results import Store
from results.figures.films import Film, write
from results.figures.style import Style, save, styles
from results.figures.vector_fields import vector_fields
from results.formatting import slug

if TYPE_CHECKING:
    from bench.planning.plan import Plan

KEPT = "reels"  # the folder of the store where filmed cells lie


def make(plan: "Plan", **conditions: Any) -> Iterator[tuple[str, list[Path] | str]]:
    """Film the first seed of each cell of a run; gives what was filmed, and its files or why there are none.

    Of each planar flow, a figure of all the fields that were learned comes last.
    """
    shown = {
        (cell.system_label, cell.learner_label): entry["learner"]
        for cell, entry in zip(plan.cells, plan.manifest["cells"], strict=True)
    }
    learners = plan.manifest["learners"]
    look = styles([one["label"] for one in learners], [one["label"] for one in learners if one["reference"]])
    cells = [_reel(cell) for cell in plan.share if isinstance(cell.learner, Learner) and not cell.learner.reference]
    names, store, folder = keys(cells), Store(plan.store.root, KEPT), plan.folder / "films"
    records = runner.run(cells, store, plan.jobs, **conditions).records
    planar: dict[str, dict[str, Film]] = {}
    for cell, name in zip(cells, names, strict=True):
        system, learner = cell.system_label, shown[cell.system_label, cell.learner_label]
        arrays, title = store.arrays(name), f"{learner} on {system}"
        if "reel_truth" not in arrays:
            yield title, f"{records[name][0].status}: {records[name][0].reason}"
            continue
        film = Film.of(system, learner, cell.system.timescale_name, cell.system.ring, arrays)
        yield title, write(film, folder, f"{slug(system)}-{slug(learner)}", look[learner].colour)
        if film.fields is not None:
            planar.setdefault(system, {})[learner] = film
    for system, films in planar.items():
        yield f"vector fields of {system}", _fields(films, folder, f"{slug(system)}-vector-fields", look)


def _reel(cell: Cell) -> ReelCell:
    return ReelCell(**vars(cell) | {"seeds": cell.seeds[:1], "metrics": ()})


def _fields(films: Mapping[str, Film], folder: Path, name: str, look: Mapping[str, Style]) -> list[Path]:
    """The field of each model as it was kept."""
    first: Any = next(iter(films.values()))
    kept = {learner: film.fields[-1] for learner, film in films.items() if film.fields is not None}
    return list(save(vector_fields(first.places, first.flow, kept, look, first.truth), folder, name).values())
