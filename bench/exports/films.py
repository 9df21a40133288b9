"""The films of a run: cells that are trained anew to be filmed, and the pictures that are drawn of what they leave."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.cells.key import planned
from bench.exports.film_cells import FilmCell
from bench.planning.plan import Plan
from bench.request import Conditions
from bench.runner import run as runner
from learners import Learner
from results import Store
from results.figures.fields import vector_fields
from results.figures.films import Film, write
from results.figures.style import save, styles
from results.formatting import slug


def make(plan: Plan, conditions: Conditions) -> Iterator[tuple[str, list[Path] | str]]:
    """Film the first seed of each cell of a run; yields what was filmed, and its files or why there are none.

    Of each planar flow, a figure of all the fields that were learned comes last.
    """
    shown = {entry["key"]: entry["learner"] for entry in plan.manifest["cells"]}
    learners = plan.manifest["learners"]
    look = styles([one["label"] for one in learners], [one["label"] for one in learners if one["reference"]])
    trained = [one for one in plan.share if isinstance(one.cell.learner, Learner) and not one.cell.learner.reference]
    filmed = planned(
        [FilmCell(**vars(one.cell) | {"seeds": one.cell.seeds[:1], "metrics": ()}) for one in trained], plan.store.root
    )
    store = Store(plan.store.root, "films")
    folder = plan.folder / "films"
    records = runner.run(filmed, store, replace(conditions, jobs=plan.jobs, executor="local")).records
    planar: dict[str, dict[str, Film]] = {}
    for original, one in zip(trained, filmed, strict=True):
        cell, name = one.cell, one.key
        system = cell.system_label
        learner = shown[original.key]
        arrays = store.arrays(name)
        title = f"{learner} on {system}"
        if "film_truth" not in arrays:
            if name in records:  # else nothing was to be computed
                yield title, f"{records[name][0].status}: {records[name][0].reason}"
            continue
        film = Film.of(system, learner, cell.system.timescale_name, cell.system.ring, arrays)
        yield title, write(film, folder, f"{slug(system)}-{slug(learner)}", look[learner].colour)
        if film.fields is not None:
            planar.setdefault(system, {})[learner] = film
    for system, films in planar.items():
        first: Any = next(iter(films.values()))
        kept_fields = {learner: film.fields[-1] for learner, film in films.items() if film.fields is not None}
        figure = vector_fields(first.places, first.flow, kept_fields, look, first.truth)
        yield f"vector fields of {system}", list(save(figure, folder, f"{slug(system)}-vector-fields").values())
