"""Tables for a terminal: what exists, what is planned, what failed, and any other in the same style."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.catalogue.components import ComponentEntry, MetricEntry
from bench.catalogue.suites import SuiteEntry
from results import Record

if TYPE_CHECKING:
    from bench.planning.status import CacheState, RunStatus
    from results.timing.report import Sheet

REASON = 120  # characters of a failure's reason
LEAST = 8  # characters for a system in a grid
MOST = 19
GAP = 2  # between two
STATES = {
    "cached": Text("cached", style="green"),
    "missing": Text("missing", style="yellow"),
    "stale": Text("stale", style="magenta"),
    "measured": Text("measure", style="cyan"),
}


def listing(title: str, entries: Iterable[ComponentEntry | MetricEntry | SuiteEntry]) -> RenderableType:
    """One row for each thing that exists: its name, and what it is; reference rows last."""
    ordered = sorted(entries, key=lambda entry: isinstance(entry, ComponentEntry) and entry.reference)
    table = table_of((title, ""), [(Text(entry.name, style="bold"), _summary(entry)) for entry in ordered])
    table.header_style = "bold green"
    references = sum(isinstance(entry, ComponentEntry) and entry.reference for entry in ordered)
    if 0 < references < len(ordered):
        table.rows[-references - 1].end_section = True
    return Group(table, "")


def page(entry: ComponentEntry | MetricEntry | SuiteEntry) -> RenderableType:
    """All that is known of one thing."""
    head = Text(entry.name, style="bold green")
    about = Padding(Text(entry.description), (1, 0, 1, 0))
    if isinstance(entry, ComponentEntry):
        fields = [
            (Text(one.name, style="bold"), one.annotation, one.default or "must be given", one.comment)
            for one in entry.parameters
        ]
        table = table_of(("parameter", "type", "default", "meaning"), fields)
        table.columns[0].no_wrap = True
        head.append(f"   {entry.module}", style="dim")
        return Group(head, about, table if fields else Text("It has no parameters."))
    if isinstance(entry, MetricEntry):
        return Group(head, about, Text(f"unit {entry.unit or 'none'}, better: {entry.better}"))
    parts = [(Text(name, style="bold"), "\n".join(values)) for name, values in entry.parts.items()]
    return Group(head.append(f"   {entry.path}", style="dim"), about, table_of(("part", "value"), parts))


def plan(manifest: Mapping[str, Any], found: Mapping[str, "CacheState"], width: int) -> RenderableType:
    """The grid of cells, learner by system: which are cached, and which a run would compute, or measure again."""
    state = {(cell["learner"], cell["system"]): found[cell["key"]].state for cell in manifest["cells"]}
    learners = [learner["label"] for learner in manifest["learners"]]
    names, groups = panes(learners, manifest["systems"], width)
    absent = Text("·", style="dim")
    tables = [grid(names, systems) for systems in groups]
    for table, systems in zip(tables, groups, strict=True):
        for learner in learners:
            entries = (STATES.get(state.get((learner, system), ""), absent) for system in systems)
            table.add_row(Text(learner), *entries)
    return Group(*tables)


def panes(learners: Sequence[str], systems: Sequence[str], width: int) -> tuple[int, list[list[str]]]:
    """The width of the column of learners, and the systems in groups that fit beside it."""
    sizes = {system: min(max(len(system), LEAST), MOST) + GAP for system in systems}
    names = min(max(map(len, learners)), max(2 * width // 5, width - sum(sizes.values())))
    groups: list[list[str]] = [[]]
    for system in systems:
        if groups[-1] and names + sum(sizes[one] for one in groups[-1]) + sizes[system] > width:
            groups.append([])
        groups[-1].append(system)
    return names, groups


def grid(names: int, systems: Sequence[str], justify: Literal["left", "right"] = "left") -> Table:
    """An empty table of learners by systems."""
    table = table_of(("learner",))
    table.columns[0].width = names
    for system in systems:
        table.add_column(Text(system), justify=justify, min_width=LEAST, max_width=MOST, overflow="fold")
    return table


def table_of(
    heads: Sequence[str], rows: Iterable[Sequence[str | Text]] = (), right: Collection[int] = (), grouped: bool = False
) -> Table:
    """A plain table, in the style of all that commands print.

    Args:
        heads: of the columns.
        rows: entries of each row.
        right: numbers of the columns that are set flush right and not wrapped.
        grouped: rows that begin with the same entry stand below it, and there is no column for it.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for number, head in list(enumerate(heads))[grouped:]:
        flush = number in right
        table.add_column(Text(head), justify="right" if flush else "left", no_wrap=flush, overflow="fold")
    above: str | Text = ""
    for row in rows:
        if grouped and row[0] != above:
            above = row[0]
            table.add_row(Text.assemble(above, style="bold"))
        first, *rest = row[grouped:]
        table.add_row(Text.assemble("  " if grouped else "", first), *map(Text.assemble, rest))
    return table


def titled(title: str, table: Table, note: str = "") -> RenderableType:
    """A table with its title above, and below it a note, if there is one, and an empty line."""
    return Group(Text(title, style="bold green"), table, *([Text(note, style="dim")] if note else []), "")


def failures(
    found: Sequence["FailedCell"], folder: Path, title: str = "of the cells failed, in whole or in part"
) -> RenderableType:
    """What failed, why, and the log to read: lines that are best not wrapped."""
    lines = [Text(f"{len(found)} {title}:", style="bold red")]
    for key, record in found:
        lines.append(Text(f"{record.system}  {record.learner}  {record.status}", style="red"))
        reason = Text(f"  {' '.join(record.reason.split()) or 'no reason was recorded'}")
        reason.truncate(REASON + 2, overflow="ellipsis")
        lines.append(reason)
        lines.append(Text(f"  {folder / key / 'log.txt'}", style="dim"))
    return Group(*lines)


def run_status(found: "RunStatus") -> RenderableType:
    """How many cells of a run are in each state, with the names of those that run or are damaged."""
    counts = ", ".join(f"{count} {state}" for state, count in found.counts.items() if count or state == "ok")
    lines = [Text.assemble((found.run.suite, "bold green"), f"  {len(found.states)} cells: {counts}")]
    for cell, state in found.states.items():
        if state in ("running", "damaged"):
            lines.append(Text(f"  {state}  {cell.system}  {cell.learner}"))
    lines += [Text(f"  {reason}", style="red") for reason in found.damage.values()]
    return Group(*lines)


def sheet(found: "Sheet") -> RenderableType:
    """A table of timings with its title and note; rows of the same learner below its name."""
    grouped = found.heads[0] == "learner" and found.words == 2
    numbers = range(found.words, len(found.heads))
    return titled(found.title, table_of(found.heads, found.rows, numbers, grouped), found.note)


def _summary(entry: ComponentEntry | MetricEntry | SuiteEntry) -> Text:
    if isinstance(entry, ComponentEntry) and entry.parameters:
        names = dict.fromkeys(one.name.partition(".")[0] for one in entry.parameters)
        return Text.assemble(entry.about, "\n", (", ".join(names), "dim"))
    if isinstance(entry, MetricEntry):
        return Text.assemble(entry.about, "\n", (f"{entry.unit or 'no unit'}, better: {entry.better}", "dim"))
    return Text(entry.about)


class FailedCell(NamedTuple):
    """A cell of which some trials failed, and the first of these."""

    key: str
    record: Record


def duration(seconds: float) -> str:
    """Seconds as a person says them: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
