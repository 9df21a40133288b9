"""The page of other people's tables, in Markdown: one section a table, of which those that were not made anew stay."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.display.tables import duration
from bench.published.table import MeasuredRow, PublishedTable
from results.formatting import escape_markdown, pipe_table

TITLE = "# Measured where others have measured"
BETWEEN_FIELDS = re.compile(r",(?=[a-z_.]+=)")  # of a label, where a line may break behind a space


def page(known: Sequence[PublishedTable], made: Mapping[str, str], before: str) -> str:
    """The whole page: of each table the section that was made, by its title, or else the one that was there before."""
    there = sections(before)
    parts = [made.get(table.title) or there.get(table.title) for table in known]
    introduction = (
        "Figures are *published* / **ours**, and ours less the published one; **ours** alone where none is published. "
        "`python -m bench published --files FOLDER --out docs/published.md` makes all of the page, "
        "`python -m bench published basins` one table of it."
    )
    return "\n\n".join([TITLE, introduction, *filter(None, parts)]) + "\n"


def sections(page: str) -> dict[str, str]:
    """The sections of a page by their titles."""
    found = re.split(r"^## (.*)$", page, flags=re.MULTILINE)[1:]
    return {title: f"## {title}\n\n{text.strip()}" for title, text in zip(found[::2], found[1::2], strict=True)}


def section(table: PublishedTable, outcomes: Sequence[MeasuredRow], environment: Mapping[str, Any]) -> str:
    """One table with its conditions, and when, where and in what time it was made."""
    heads = [*table.heads, "time"]
    grid = pipe_table([_cells(one, len(table.heads)) for one in outcomes], heads, ["left"] * len(heads))
    time = duration(sum(one.seconds for one in outcomes))
    today = datetime.now(UTC).date().isoformat()
    machine = f"{environment['processor']}, torch {environment['torch']}"
    made = f"Made on {today} in {time} of processor time, one thread of {machine}."
    return "\n\n".join(filter(None, [f"## {table.title}", table.about, grid, table.notes, made]))


def _cells(outcome: MeasuredRow, count: int) -> list[str]:
    figures = [str(one) for one in outcome.figures] or [escape_markdown(outcome.reason)]
    cells = [*(BETWEEN_FIELDS.sub(", ", name) for name in outcome.names), *figures]
    return [*cells, *[""] * (count - len(cells)), duration(outcome.seconds) if outcome.figures else ""]
