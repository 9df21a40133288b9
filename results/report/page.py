"""The report of a run: results.csv, tables, figures, and one page that holds all of it and opens offline."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import chain, product
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.colors import to_hex

from results.claims.base import claims_table, judged
from results.claims.literature import CLAIMS
from results.figures.style import FORMATS
from results.formatting import heading, status
from results.report import conclusions
from results.report.equations import parameter_tables, written_equations
from results.report.figure_data import FigureData
from results.report.parallel import executor
from results.report.pictures import Omissions, pictures_of
from results.report.portraits import turned_orbits
from results.report.rendering import render
from results.report.saved_figures import save_picture, saved_films
from results.statistics.ranking import ranking
from results.statistics.scores import INDEPENDENT_TRUTH
from results.statistics.trials import groups, summary
from results.store.atomic import write_in_one_stroke
from results.store.manifest import LEADING_METRIC, leading_metric
from results.store.run import Run, write_csv
from results.tables import formats
from results.tables.matched import matched_tables
from results.tables.table import Table
from results.tables.tables import leaderboard, outcome_table, system_table

PAGE = "html"  # among the formats of tables
LOG_LINES = 30  # of a failed cell's log that the page shows


def write_report(
    run: Run,
    tables: Collection[str] = (*formats.KINDS, PAGE),
    figures: Collection[str] = FORMATS,
    jobs: int = 1,
    references: bool = True,
    elsewhere: Path | None = None,
) -> Path:
    """Make everything from a run's cells in its folder, or `elsewhere`, and return the page, or else the folder.

    An interrupted run is reported as far as it came. `tables` are the formats of tables, and say whether there is a
    page; `figures` are those of figures, which show the `references` or leave them out; so many `jobs` (processes)
    write files at once.
    """
    folder = elsewhere or run.folder
    folder.mkdir(parents=True, exist_ok=True)
    shown = PAGE in tables
    data, omitted = FigureData(run, run.frame()), Omissions()
    with executor(jobs) as pool:
        csv = pool.submit(write_csv, run.frame_of_axes(), folder / "results.csv")
        drawn = [
            (one, pool.submit(save_picture, one, f"{one.caption} {run.conditions}", folder, figures, shown))
            for one in pictures_of(data if references else data.without_references(), omitted)
        ]
        board, by_system, others = tables_of(run, data.frame, omitted)
        for system, table in parameter_tables(data, omitted):
            by_system[system].append(table)
        every = [*([board] if board else []), *chain(*by_system.values()), *others.values()]
        written = [(table, pool.submit(formats.write, table, folder / "tables", tables)) for table in every]
        content = _content(data, board, by_system, others, omitted) if shown else {}
        shown_figures = []
        for picture, figure in drawn:
            with omitted.instead_of(f"figure {picture.name}"):
                shown_figures.append(figure.result())
        for table, files in written:
            with omitted.instead_of(f"table {table.name}"):
                files.result()
        csv.result()
    if not elsewhere:
        for place, names in (("figures", shown_figures), ("tables", every)):
            _remove_others(folder / place, {each.name for each in names})
    if not shown:
        return folder
    path = folder / "report.html"
    content["figures"] = [*shown_figures, *saved_films(run)]
    write_in_one_stroke(path, render("report.html.j2", **content))
    return path


def _remove_others(folder: Path, names: Collection[str]) -> None:
    """Remove what earlier reports, of a wider run, have left in a folder of tables or figures."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix[1:] in (*FORMATS, *formats.KINDS) and path.stem not in names:
            path.unlink(missing_ok=True)


def _content(
    data: FigureData,
    board: Table | None,
    by_system: dict[str, list[Table]],
    others: dict[str, Table],
    omitted: Omissions,
) -> dict[str, Any]:
    """What the page shows beside the figures."""
    run = data.run
    machine = ["hostname", "processor", "cores", "threads", "device", "platform", "python", "torch"]
    about = pd.DataFrame([run.store.environment(cell.key) for cell in run.finished]).reindex(columns=machine)
    best: list[conclusions.Winner] = []
    concluded: list[str] = []
    orbits = {}
    equations = {}
    with omitted.instead_of("its conclusions"):
        best = conclusions.winners(data.prediction_times, run.compared, run.timescales)
        concluded = sentences(data, best)
    with omitted.instead_of("orbits in space"):
        orbits = turned_orbits(data)
    with omitted.instead_of("equations"):
        equations = written_equations(data)
    return {
        "run": run,
        "manifest": run.manifest,
        "conclusions": concluded,
        "winners": best,
        "leaderboard": board,
        "leading": heading(leading_metric(run.metrics)),
        "tables": by_system,
        "matched": others.get("matched"),
        "outcomes": others.get("outcomes"),
        "claims": _claims(run),
        "protocol": _protocol(run),
        "orbits": orbits,
        "equations": equations,
        "omitted": omitted,
        "failures": list(_failures(run)),
        "environments": about.astype(str).value_counts(sort=False).reset_index(name="cells").to_dict("records"),
        "colours": {learner: to_hex(style.colour) for learner, style in data.styles.items()},
    }


def _claims(run: Run) -> list[dict[Any, Any]]:
    """What the run says of each claim about its suite."""
    about = [claim for claim in CLAIMS if claim.suite == run.suite]
    found = judged(about, run.frame_of_components(), run.suite, run.budget) if about else []
    return claims_table(found).to_dict("records")


def _protocol(run: Run) -> dict[str, Any]:
    """Under which conditions learners were trained, and by what the best model of each training was chosen."""
    manifest, points = run.manifest, run.curves().dropna(subset="valid_loss")
    found = {"budget": manifest.get("budget"), "seeds": manifest["seeds"], "data seed": manifest.get("data_seed")}
    if manifest.get("unequal"):
        found["updates"] = f"not the same for all learners: {manifest['unequal']}"
    if manifest.get("settings"):
        found["settings"] = manifest["settings"]
    last = [name for name, one in run.learner_components.items() if one.settings.get("training.keep") == "last"]
    if last:
        found["last weights"] = last
    trained = set(points["learner"]) - set(last)
    by_forecasts = trained & set(points.dropna(subset="valid_error")["learner"])
    for rule, chosen in (("forecasts", by_forecasts), ("loss", trained - by_forecasts)):
        if chosen:
            found[f"best by validation {rule}"] = [learner for learner in run.learners if learner in chosen]
    return found


def sentences(data: FigureData, best: list[conclusions.Winner]) -> list[str]:
    """What the run shows, in sentences."""
    run = data.run
    if LEADING_METRIC not in run.metrics:
        return conclusions.describe_best(data.frame, run.compared, run.metrics[0])
    lost = conclusions.lost_to_references(data.prediction_times, run.compared, data.truths)
    if run.variants:
        return conclusions.conclusions(best, "", lost)
    ranks = ranking(data.frame, run.compared)
    advice = conclusions.advice(best, run.compared, [*data.truths, INDEPENDENT_TRUTH])
    found = conclusions.conclusions(best, conclusions.overall_ranking(ranks), lost)
    return [text for text in (advice, *found, ranks.note) if text]


def tables_of(
    run: Run, frame: pd.DataFrame, omitted: Omissions
) -> tuple[Table | None, dict[str, list[Table]], dict[str, Table]]:
    """The leaderboard, the tables of each system, and others by name where there are data; captions say conditions."""

    def with_conditions(table: Table) -> Table:
        return replace(table, caption=f"{table.caption} {run.conditions}")

    trials, totals = {system: here for (system,), here in groups(frame, "system")}, summary(frame)
    board = None
    by_system: dict[str, list[Table]] = {system: [] for system in run.timescales}
    others: dict[str, Table] = {}
    with omitted.instead_of("the leaderboard"):
        board = with_conditions(leaderboard(frame, run.learners, run.references, run.timescales, totals))
    for (system, timescale), (group, metrics) in product(run.timescales.items(), run.groups.items()):
        with omitted.instead_of(f"the table of {group or 'all'} metrics on {system}"):
            here = trials[system], system, run.learners, run.references, timescale, group, metrics, totals
            by_system[system].append(with_conditions(system_table(*here)))
    with omitted.instead_of("the tables at equal cost"):
        if (matched := matched_tables(run, frame)) is not None:
            others["matched"] = with_conditions(matched[0])
            for system, table in matched[1].items():
                by_system[system].append(with_conditions(table))
    with omitted.instead_of("the table of outcomes"):
        if bool((frame["status"] != "ok").any()):
            others["outcomes"] = with_conditions(
                outcome_table(frame, run.learners, run.references, list(run.timescales))
            )
    return board, by_system, others


def _failures(run: Run) -> Iterator[dict[str, str]]:
    """Trials of one cell that ended in the same way other than well, with the end of the cell's log."""
    for cell in run.finished:
        ended: dict[tuple[str, str], list[int]] = {}
        for record in run.records[cell.key]:
            if record.status != "ok":
                ended.setdefault((record.status, record.reason), []).append(record.seed)
        for (how, reason), seeds in ended.items():
            yield {
                "system": cell.system,
                "learner": cell.learner,
                "seeds": ", ".join(str(seed) for seed in seeds),
                "outcome": status(how),
                "reason": reason,
                "log": f"../cells/{cell.key}/log.txt",  # relative to the page
                "tail": "\n".join(run.store.log(cell.key).splitlines()[-LOG_LINES:]),
            }
