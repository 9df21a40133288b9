"""A browsable leaderboard of several runs: static pages whose every number leads to its cell, for any web server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from results.figures.style import styles
from results.formatting import heading, in_timescale, listed, slug, three_digits
from results.report.rendering import render
from results.statistics.trials import column
from results.store.atomic import write_in_one_stroke
from results.store.manifest import leading_metric
from results.store.record import Record
from results.store.run import Run, StoredCell
from results.tables.table import Column, Table
from results.tables.tables import metric_table

Reproduce = Callable[[Run, StoredCell], str]  # the command that computes a cell anew, or why there is none


@dataclass(frozen=True)
class Leader:
    """Who leads on one system by the leading metric of a suite."""

    system: str
    learners: str
    value: float
    printed: str
    reference: str  # the best of the reference rows, with its value


@dataclass(frozen=True)
class Board:
    """A run as pages need it."""

    run: Run

    @property
    def folder(self) -> str:
        return slug(self.run.suite)

    @property
    def leading(self) -> str:
        return leading_metric(self.run.metrics)

    @cached_property
    def tables(self) -> dict[str, Table]:
        """A table of each metric that has been measured: learners by systems."""
        run, frame = self.run, self.run.frame()
        measured = set(frame["metric"])
        return {
            metric: metric_table(frame, metric, run.learners, run.references, run.timescales)
            for metric in run.metrics
            if metric in measured
        }

    @cached_property
    def addresses(self) -> dict[str, dict[tuple[str, str], str]]:
        """Of each metric's table the page of each number, by learner and name of the column."""
        cells = [(cell.learner, cell.system, f"{cell.key}.html") for cell in self.run.finished]
        return {
            metric: {(learner, f"{metric}_{system}"): page for learner, system, page in cells} for metric in self.tables
        }

    @property
    def colours(self) -> dict[str, str]:
        run = self.run
        return {learner: to_hex(style.colour) for learner, style in styles(run.learners, run.references).items()}

    @property
    def leaders(self) -> Iterator[Leader]:
        """On each system the best learner by the leading metric, and those that are level with it."""
        table = self.tables[self.leading]
        for system, place in zip(self.run.timescales, table.columns, strict=True):
            best = [str(learner) for learner, first in column(table.best, place.name).items() if first]
            values = _ordered(place, self.run.compared)
            yardsticks = _ordered(place, self.run.references)
            value = float(values.iloc[0]) if len(values) else np.nan
            printed = f"{three_digits(value)} {place.printed_unit}".strip() if len(values) else "none"
            reference = f"{yardsticks.index[0]}, {three_digits(yardsticks.iloc[0])}" if len(yardsticks) else "none"
            alone = self.run.compared if len(self.run.compared) == 1 else ["none stands out"]
            yield Leader(system, listed(best or alone), value, printed, reference)


def write_site(runs: Sequence[Run], folder: Path, reproduce: Reproduce) -> Path:
    """Write the pages of runs of different suites to a folder, and return the path of the first page.

    Pages of a suite that an earlier site has left there are removed where they are not written again.
    """
    boards = [Board(run) for run in runs]
    for board in boards:
        pages = {"index.html": render("site_suite.html.j2", board=board, run=board.run, colours=board.colours)}
        pages |= {f"{cell.key}.html": _cell_page(board, cell, reproduce) for cell in board.run.finished}
        for name, page in pages.items():
            write_in_one_stroke(folder / board.folder / name, page)
        for path in (folder / board.folder).glob("*.html"):
            if path.name not in pages:
                path.unlink()
    write_in_one_stroke(folder / "index.html", render("site.html.j2", boards=boards))
    return folder / "index.html"


def _cell_page(board: Board, cell: StoredCell, reproduce: Reproduce) -> str:
    """The page of one cell: every seed's numbers, the configuration, the command, and where it was computed."""
    run = board.run
    kept = dict(run.store.cell(cell.key))
    configuration = {name: value for name, value in kept["configuration"].items() if name != "metrics"}
    return render(
        "site_cell.html.j2",
        run=run,
        cell=cell,
        seeds=run.manifest["seeds"],
        rows=list(_rows(run.records[cell.key], kept["timescale_name"])),
        reasons=_reasons(run.records[cell.key]),
        command=reproduce(run, cell),
        configuration=dict(_flat(configuration)),
        environment=run.store.environment(cell.key),
    )


def _rows(records: Sequence[Record], timescale: str) -> Iterator[tuple[str, str, list[str]]]:
    """Each metric with its unit and the values of all seeds, in print."""
    for place, first in enumerate(records[0].measurements if records else ()):
        values = [record.measurements[place].value for record in records]
        printed = ["—" if value is None or value != value else three_digits(value) for value in values]
        yield heading(first.metric), in_timescale(first.unit, timescale), printed


def _reasons(records: Sequence[Record]) -> dict[str, str]:
    """What is said of seeds, by their numbers; what several have in common is said once."""
    found: dict[str, list[str]] = {}
    for record in records:
        if record.reason:
            found.setdefault(record.reason, []).append(str(record.seed))
    return {listed(seeds): reason for reason, seeds in found.items()}


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings with dotted names; that of a class is the name of what it is the class of."""
    for name, value in settings.items():
        path = f"{above}{name}".removesuffix(".class")
        if isinstance(value, dict):
            yield from _flat(value, f"{path}.")
        else:
            yield path, value


def _ordered(place: Column, learners: Sequence[str]) -> pd.Series:
    """The values of some learners in a column, the best first; none where no order is better."""
    values = place.values.reindex(list(learners)).dropna().astype(float)
    if place.better == "truth":
        return values.iloc[:0]
    return values.sort_values(ascending=place.better == "lower", kind="stable")
