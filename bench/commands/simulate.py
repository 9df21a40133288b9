"""`python -m bench simulate`: trajectories of a system, as pictures and as data."""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.catalogue import plugins
from bench.catalogue.components import components
from bench.catalogue.settings import build, parse
from bench.errors import UserError, at_least, positive, unknown
from bench.request import RUNS, Include, how_option, what_option

if TYPE_CHECKING:
    from systems import System, Trajectories

Folder = Annotated[Path, how_option("--out", metavar="FOLDER", help="Where pictures and data are written.")]


def simulate(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="Also with parameters: Lorenz\\[rho=35].")],
    trajectories: Annotated[int, what_option("--trajectories", "-n", metavar="N", help="How many.")] = 30,
    until: Annotated[
        float | None, what_option(metavar="T", help="Length, in the system's time unit; by default ten timescales.")
    ] = None,
    samples: Annotated[int, what_option(metavar="N", help="Samples of each.")] = 1000,
    centre: Annotated[
        str, what_option(metavar="X,Y,...", help="Where they start; by default as the system draws its states.")
    ] = "",
    spread: Annotated[float, what_option(help="Standard deviation of their starts about the centre.")] = 0.1,
    seed: Annotated[int, what_option(metavar="N", help="Of what is drawn at random.")] = 0,
    include: Include = None,
    out: Folder = RUNS / "simulated",
) -> None:
    """Draw trajectories of a system in colours, as time series and phase planes; write them as NPZ and CSV, too.

    The files of data can be read back as a system, Recorded\\[path=...].
    """
    at_least("--samples", samples, 3)
    at_least("--trajectories", trajectories, 1)
    positive("--until", until, "time units")
    system, places = _system(name, include or ()), _places(centre)
    from systems import Map, Recorded, Sampling
    from systems.configuration import label

    length = 10.0 if until is None else until / system.timescale
    try:
        sampling = Sampling(
            step=length / (samples - 1),
            samples=samples,
            trajectories=trajectories,
            centre=places,
            spread=spread if places else 0.0,
        )
        adapted = system.adapt(sampling, seed)
        if isinstance(system, Map) and until is not None:  # a whole number of steps
            adapted = replace(adapted, samples=max(3, 1 + floor(until / (adapted.step * system.timescale) + 1e-9)))
        if isinstance(system, Recorded) and until is not None:
            raise UserError(f"{label(system)} has as many samples as its file: leave out --until")
        found = system.observe("train", adapted, seed)
    except (ValueError, FloatingPointError) as error:
        raise UserError(str(error)) from error
    folder = out / re.sub(r"[/\\\\]", "-", label(system))
    _write(folder, found, system, label(system))
    sys.stdout.write(f"{folder}\n")


def _system(name: str, files: Sequence[Path]) -> Any:
    wanted = parse(name)
    known = [*components("systems"), *sorted(plugins.defined(files)), *plugins.installed("systems")]
    if wanted.name not in known:
        raise unknown("system", wanted.name, known)
    from bench.planning.selection import class_named
    from systems import System

    plugins.include(files)
    kind = class_named("systems", wanted.name)
    if not issubclass(kind, System):
        raise UserError(f"{wanted.name} is a set of images, of which there are no trajectories")
    return build(kind, wanted.values)


def _places(centre: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in centre.split(",") if part.strip())
    except ValueError:
        raise UserError(f"--centre must be numbers with commas between them, but is {centre!r}") from None


def _write(folder: Path, found: "Trajectories", system: "System", title: str) -> None:
    """The data as `trajectories.npz` and `.csv`, and the pictures of them beside these."""
    import numpy as np

    from bench.exports.data import to_frame
    from results.figures.simulated import simulated
    from results.figures.style import save
    from systems import Map

    folder.mkdir(parents=True, exist_ok=True)
    times, states, channels = found.times.numpy(), found.states.numpy(), system.channel_names
    np.savez(folder / "trajectories.npz", times=times, states=states, channels=np.array(channels))
    to_frame(found, channels).to_csv(folder / "trajectories.csv", index=False)
    save(
        simulated(times, states, title, channels=channels, discrete=isinstance(system.source, Map)),
        folder,
        "trajectories",
    )
