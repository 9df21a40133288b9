"""The figures of motion in phase space: between latent states, of long runs, and of the 0-1 test for chaos."""

import base64
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.colors import to_hex

from results.figures import portraits
from results.figures.fields import vector_fields
from results.figures.portraits import homotopy
from results.figures.reconstructions import reconstructions
from results.figures.style import Style
from results.formatting import plural, slug
from results.report.figure_data import FigureData, Picture
from results.statistics.trials import column, rows

POINTS = 2500  # of each run that the page turns, at most
ROOM = 0.25  # around the truth that runs are followed into, as a fraction of its extent
LEVELS = 32_000  # to which a coordinate within that room is rounded
GONE = -32_768  # where a run is outside of it, or not finite

Path = Float[np.ndarray, "time dim"]


def turned_orbits(data: FigureData) -> dict[str, dict[str, Any]]:
    """The long runs that the page turns, of each system that has three channels which are not sites of a ring."""
    found = {}
    for system in data.run.timescales:
        truth = {} if system in data.rings else data.truth(system)
        runs = orbits(truth["climate_truth"], data.paths(system, "climate"), data.styles) if truth else None
        if runs:
            found[system] = runs
    return found


def between_latent_states(data: FigureData, system: str) -> Iterator[Picture]:
    """What lies between two latent states, of models that have some."""
    found = {
        learner: (paths[0], data.cells[system, learner]["path_times"])
        for learner in data.run.learners
        if len(paths := data.of_seeds(system, learner, "path"))
    }
    if found:
        yield Picture(
            f"homotopy-{slug(system)}",
            "Between two latent states",
            "Trajectories decoded from evenly spaced places on the line between the latent states of the first two "
            "test states (first seed), by their first two channels. A dot is where the observed interval begins; "
            "what the latent dynamics were before it is grey, where they can be followed backwards.",
            partial(homotopy, found, data.run.timescales[system]),
            system,
        )


def read_and_beyond(data: FigureData, system: str) -> Iterator[Picture]:
    """What models of latent states make of what they have read, for each of them."""
    for learner in data.run.compared:
        arrays, found = data.cells.get((system, learner), {}), data.of_seeds(system, learner, "panels")
        if len(found):
            given, truth = (arrays[name].astype(np.float64) for name in ("panels_given", "panels_truth"))
            yield Picture(
                f"reconstructions-{slug(system)}-{slug(learner)}",
                f"Read by {learner}, and beyond",
                f"The first {len(given)} test states: the noisy samples that were given, the truth, what the model "
                "(first seed) decodes at the times of these samples, and what it forecasts after them.",
                partial(reconstructions, given, truth, found[0], data.styles[learner]),
                system,
            )


def learned_fields(data: FigureData, system: str) -> Iterator[Picture]:
    """The vector fields of models in the plane, over that of the system."""
    found = {
        learner: fields[0]
        for learner in data.run.compared
        if len(fields := data.of_seeds(system, learner, "field")) and np.isfinite(fields[0]).all()
    }
    if found:
        first = data.cells[system, next(iter(found))]
        places, flow = (first[name][0].astype(np.float64) for name in ("field_places", "field_flow"))
        yield Picture(
            f"fields-{slug(system)}",
            "Learned vector fields",
            "Stream lines of each model (first seed, colour) over those of the system (grey), on a grid around the "
            "training data, with the root mean square distance between the two, relative to the system's.",
            partial(vector_fields, places, flow, found, data.styles),
            system,
        )


def long_runs(data: FigureData, system: str) -> Iterator[Picture]:
    """The attractors of the truth and of every learner."""
    truth, timescale = data.truth(system), data.run.timescales[system]
    if not truth:
        return
    states, step = truth["climate_truth"], truth["climate_times"][0]
    names = data.channels(system)
    length = f"{min(len(states), portraits.POINTS) * step:.3g} {plural(timescale)}"
    yield Picture(
        f"attractors-{slug(system)}",
        "Long run",
        f"The first long run of the truth and of every learner (first seed) over {length}, within the same limits; "
        "dark where they begin and light where they end; a dot is a state at rest.",
        partial(portraits.attractors, states, data.paths(system, "climate"), step, timescale, names),
        system,
        dense=True,
    )


def zero_one_test(data: FigureData, system: str) -> Iterator[Picture]:
    """The paths of the 0-1 test of the truth and of every learner."""
    truth = data.truth(system)
    if not truth:
        return
    measured = rows(data.frame, system=system, metric="zero_one_k")
    medians = column(measured, "value").groupby(measured["learner"]).median().dropna()
    notes = {str(learner): f"K = {round(value, 2) + 0.0:.2f}" for learner, value in medians.items()}
    yield Picture(
        f"pq-{slug(system)}",
        "0-1 test for chaos",
        "Paths (p, q) of the 0-1 test on the first long run (first seed): bounded for regular motion, like a "
        "random walk for chaos. K is the median over seeds, near 0 for regular motion and near 1 for chaos. "
        + describe_sampling(*truth["pq_sampling"], *truth["pq_doubts"]),
        partial(portraits.pq_plots, truth["pq_truth"], data.paths(system, "pq"), data.styles, notes),
        system,
        dense=True,
    )


def describe_sampling(lag: float, samples: float, oversampling: float, short: float, dense: float) -> str:
    """Say what the 0-1 test was applied to, and why its outcome may not be trusted: too short, or too dense.

    Too dense a sampling makes chaos pass for regular: Gottwald and Melbourne, 2009.
    """
    said = f"Tested on {f'one sample in {lag:.0f}' if lag > 1 else 'every sample'}, {samples:.0f} in all"
    doubts = [
        *(["fewer than it needs"] if short else []),
        *([f"still oversampled (range {oversampling:.0f} times the mean step)"] if dense else []),
    ]
    return f"{said}: {' and '.join(doubts)}, so that K may be too low." if doubts else f"{said}."


def orbits(truth: Path, learned: Mapping[str, Path | str], styles: Mapping[str, Style]) -> dict[str, Any] | None:
    """The first three channels of the truth and of every learner that has a run, JSON-ready; None for fewer channels.

    `points` is base64 of little-endian int16 `[run, sample, 3]`, the truth first; `names` and `colours` are those of
    the others.
    """
    if truth.shape[1] < 3:
        return None
    low, high = truth[:, :3].min(axis=0), truth[:, :3].max(axis=0)
    middle, reach = (low + high) / 2, np.maximum((high - low) * (0.5 + ROOM), 1e-12)
    runs = {learner: path for learner, path in learned.items() if not isinstance(path, str)}
    levels = [_levels(path[:POINTS, :3], middle, reach) for path in (truth, *runs.values())]
    return {
        "names": list(runs),
        "colours": [to_hex(styles[learner].colour) for learner in runs],
        "samples": len(levels[0]),
        "points": base64.b64encode(np.stack(levels).astype("<i2").tobytes()).decode(),
    }


def _levels(path: Path, middle: np.ndarray, reach: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        placed = (path.astype(np.float64) - middle) / reach
        inside = (np.abs(placed) <= 1).all(axis=1, keepdims=True)  # false where not a number
    return np.where(inside, np.round(np.where(inside, placed, 0.0) * LEVELS), GONE)
