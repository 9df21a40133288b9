"""The report of a run: results.csv, tables, figures, and one page that holds all of it and opens offline."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader
from matplotlib.colors import to_hex

from results import formats, tables, verdict, wording
from results.claims import claims_table, judged
from results.depth import depth_pictures, standing
from results.gallery import Gallery, Picture
from results.literature import CLAIMS
from results.palette import save
from results.run import Run
from results.standings import standings
from results.statistics import mean_rank

LOG_LINES = 30  # of a failed cell's log that the page shows
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Plate:
    """A picture as the page shows it, with the files that it was saved as."""

    picture: Picture
    source: str  # a data address
    files: dict[str, str]  # paths relative to the page, by format


@dataclass(frozen=True)
class Failure:
    """Trials of one cell that ended in the same way other than well."""

    system: str
    learner: str
    seeds: str
    outcome: str
    reason: str
    log: str  # where it lies, relative to the page
    tail: str  # its last lines


def write_report(folder: Path) -> Path:
    """Make everything in a run's folder from its cells, and return the page.

    An interrupted run is reported as far as it came. Raises BrokenRunError where there is no run.
    """
    run = Run.load(folder)
    run.write_results_csv()
    frame = run.frame()
    gallery = Gallery(run, frame)
    leaderboard = tables.leaderboard(frame, run.learners, run.references, run.timescales)
    by_system = {
        system: [
            tables.system_table(frame, system, run.learners, run.references, timescale, group, metrics)
            for group, metrics in run.groups.items()
        ]
        for system, timescale in run.timescales.items()
    }
    broken = bool((frame["status"] != "ok").any())
    outcomes = tables.outcome_table(frame, run.learners, run.references, list(run.timescales)) if broken else None
    for table in filter(None, (leaderboard, *chain(*by_system.values()), outcomes)):
        formats.write(table, folder / "tables")
    plates = [
        _plate(picture, folder) for picture in (*gallery.pictures(), *standings(gallery), *depth_pictures(gallery))
    ]
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            manifest=run.manifest,
            verdict=_verdict(gallery),
            winners=verdict.winners(gallery.prediction_times, run.compared, run.timescales),
            leaderboard=leaderboard,
            tables=by_system,
            outcomes=outcomes,
            claims=claims_table(judged(CLAIMS, frame, run.suite)).to_dict("records"),
            plates=plates,
            orbits=gallery.orbits(),
            failures=list(_failures(run)),
            environments=_environments(run),
            colours={learner: to_hex(style.colour) for learner, style in gallery.styles.items()},
        )
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["slug"] = wording.slug
    return environment


def _verdict(gallery: Gallery) -> list[str]:
    run, times = gallery.run, gallery.prediction_times
    if tables.LEADING not in run.metrics:
        return standing(gallery.frame, run.compared, run.metrics[0])
    best = verdict.winners(times, run.compared, run.timescales)
    return verdict.verdict(best, mean_rank(gallery.frame, run.compared), verdict.losses(times, run.compared))


def _plate(picture: Picture, folder: Path) -> Plate:
    paths = save(picture.figure, folder / "figures", picture.name)
    kind, media = ("png", "image/png") if picture.dense else ("svg", "image/svg+xml")
    content = base64.b64encode(paths[kind].read_bytes()).decode()
    files = {kind: path.relative_to(folder).as_posix() for kind, path in paths.items()}
    return Plate(picture, f"data:{media};base64,{content}", files)


def _failures(run: Run) -> Iterable[Failure]:
    for cell in run.finished:
        groups: dict[tuple[str, str], list[int]] = {}
        for record in run.records[cell.key]:
            if record.status != "ok":
                groups.setdefault((record.status, record.reason), []).append(record.seed)
        for (status, reason), seeds in groups.items():
            tail = "\n".join(run.store.log(cell.key).splitlines()[-LOG_LINES:])
            log = f"../cells/{cell.key}/log.txt"
            said = ", ".join(str(seed) for seed in seeds)
            yield Failure(cell.system, cell.learner, said, wording.status(status), reason, log, tail)


def _environments(run: Run) -> list[dict[str, Any]]:
    """The different machines that the cells ran on: times are only comparable within one of them."""
    names = ("hostname", "processor", "cores", "threads", "device", "platform", "python", "torch")
    found = pd.DataFrame([run.store.environment(cell.key) for cell in run.finished]).reindex(columns=list(names))
    return found.astype(str).value_counts(sort=False).reset_index(name="cells").to_dict("records")
