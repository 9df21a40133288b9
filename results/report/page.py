"""The report of a run: results.csv, tables, figures, and one page that holds all of it and opens offline."""

import base64
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader
from matplotlib.colors import to_hex

from results import formatting as wording
from results.claims.base import claims_table, judged
from results.claims.literature import CLAIMS
from results.figures.style import FORMATS, save
from results.report import verdict
from results.report.aggregates import aggregates
from results.report.chaos import chaos_pictures
from results.report.depth import depth_pictures, standing
from results.report.gallery import Gallery, Picture
from results.report.leaderboard import standings
from results.report.parallel import press
from results.statistics.ranking import ranking
from results.statistics.trials import groups, summary
from results.store.atomic import write_in_one_stroke
from results.store.run import Run, write_csv
from results.tables import formats
from results.tables.matched import matched_tables
from results.tables.tables import LEADING, Table, leaderboard, outcome_table, system_table

PAGE = "html"  # among the formats of tables
LOG_LINES = 30  # of a failed cell's log that the page shows
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Plate:
    """A picture as the page shows it, with the files that it was saved as."""

    name: str
    title: str
    caption: str
    system: str
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


def write_report(
    run: Run, tables: Collection[str] = (*formats.KINDS, PAGE), figures: Collection[str] = FORMATS, jobs: int = 1
) -> Path:
    """Make everything in a run's folder from its cells, in these formats, and return the page, or else the folder.

    An interrupted run is reported as far as it came. Files are written by so many processes at once.
    """
    folder, shown = run.folder, PAGE in tables
    gallery = Gallery(run, run.frame())
    with press(jobs) as hand:
        csv = hand(write_csv, gallery.frame, folder / "results.csv")
        saved = [hand(_plate, picture, folder, figures, shown) for picture in _pictures(gallery)]
        board, by_system, others = _tables(run, gallery.frame)
        told = [board, *chain(*by_system.values()), *others.values()]
        written = [csv, *(hand(formats.write, table, folder / "tables", tables) for table in told)]
        content = _content(gallery, board, by_system, others) if shown else {}
        plates = [plate() for plate in saved]
        for done in written:
            done()
    if not shown:
        return folder
    page = _environment().get_template("report.html.j2").render(content | {"plates": [*plates, *_films(run)]})
    path = folder / "report.html"
    write_in_one_stroke(path, page)
    return path


def _content(
    gallery: Gallery, board: Table, by_system: dict[str, list[Table]], others: dict[str, Table]
) -> dict[str, Any]:
    """What the page shows beside the plates."""
    run = gallery.run
    return {
        "run": run,
        "manifest": run.manifest,
        "verdict": _verdict(gallery),
        "winners": verdict.winners(gallery.prediction_times, run.compared, run.timescales),
        "leaderboard": board,
        "tables": by_system,
        "matched": others.get("matched"),
        "outcomes": others.get("outcomes"),
        "claims": claims_table(judged(CLAIMS, gallery.frame, run.suite)).to_dict("records"),
        "orbits": gallery.orbits(),
        "failures": list(_failures(run)),
        "environments": _environments(run),
        "colours": {learner: to_hex(style.colour) for learner, style in gallery.styles.items()},
    }


def _tables(run: Run, frame: pd.DataFrame) -> tuple[Table, dict[str, list[Table]], dict[str, Table]]:
    """The leaderboard, those of each system, and such others as there are data for, with their conditions said."""

    def told(table: Table) -> Table:
        return replace(table, caption=f"{table.caption} {run.conditions}")

    trials, totals = {system: here for (system,), here in groups(frame, "system")}, summary(frame)
    board = told(leaderboard(frame, run.learners, run.references, run.timescales, totals))
    by_system = {
        system: [
            told(system_table(trials[system], system, run.learners, run.references, timescale, group, metrics, totals))
            for group, metrics in run.groups.items()
        ]
        for system, timescale in run.timescales.items()
    }
    others = {}
    if (matched := matched_tables(run, frame)) is not None:
        others["matched"] = told(matched[0])
        for system, table in matched[1].items():
            by_system[system].append(told(table))
    if bool((frame["status"] != "ok").any()):
        others["outcomes"] = told(outcome_table(frame, run.learners, run.references, list(run.timescales)))
    return board, by_system, others


def _pictures(gallery: Gallery) -> Iterator[Picture]:
    for pictures in (
        gallery.pictures(),
        standings(gallery),
        aggregates(gallery),
        chaos_pictures(gallery),
        depth_pictures(gallery),
    ):
        for picture in pictures:
            yield replace(picture, caption=f"{picture.caption} {gallery.run.conditions}")


def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["slug"] = wording.slug
    return environment


def _verdict(gallery: Gallery) -> list[str]:
    run, times = gallery.run, gallery.prediction_times
    if LEADING not in run.metrics:
        return standing(gallery.frame, run.compared, run.metrics[0])
    best = verdict.winners(times, run.compared, run.timescales)
    overall = verdict.overall(ranking(gallery.frame, run.compared))
    return verdict.verdict(best, overall, verdict.losses(times, run.compared))


def _plate(picture: Picture, folder: Path, kinds: Collection[str], shown: bool) -> Plate:
    """Save a picture as these kinds; where it is shown on the page, with its content."""
    kind = "png" if picture.dense else "svg"
    paths = save(
        picture.figure, folder / "figures", picture.name, list(dict.fromkeys([*kinds, *([kind] if shown else [])]))
    )
    source = _address(paths[kind]) if shown else ""
    for extra in set(paths) - set(kinds):
        paths.pop(extra).unlink()
    files = {kind: path.relative_to(folder).as_posix() for kind, path in paths.items()}
    return Plate(picture.name, picture.title, picture.caption, picture.system, source, files)


def _films(run: Run) -> Iterator[Plate]:
    """What `run --film` has left: strips of the learning of planar and other models, and their vector fields."""
    for system in run.systems:
        for path in sorted((run.folder / "films").glob(f"{wording.slug(system)}-*.png")):
            title = "Learned vector fields" if path.stem.endswith("-vector-fields") else "Learning, stage by stage"
            alike = sorted(path.parent.glob(f"{path.stem}.*"))
            files = {other.suffix[1:]: other.relative_to(run.folder).as_posix() for other in alike}
            yield Plate(
                f"film-{path.stem}",
                title,
                f"Filmed with the first seed. {run.conditions}",
                system,
                _address(path),
                files,
            )


def _address(path: Path) -> str:
    """The content of a picture as an address that a page can hold."""
    media = {".png": "image/png", ".svg": "image/svg+xml"}[path.suffix]
    return f"data:{media};base64,{base64.b64encode(path.read_bytes()).decode()}"


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
