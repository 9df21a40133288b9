"""Recordings in rows: CSV and Parquet files, of which each row is a sample."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from systems.extras import optional
from systems.protocol import PARTS
from systems.recordings.recording import Columns, RecordedTrajectory, Recording

SEPARATORS = ";\t|"  # that other programs write in place of commas
NAMELESS = r"|Unnamed: \d+|__index_level_\d+__"  # columns, the last two being what pandas calls them

Rows = Iterable[tuple[int, Mapping[str, Any]]]  # with their numbers


def read_csv(path: Path, columns: Columns) -> Recording:
    """Read comma-separated values in UTF-8, whose first row names the columns."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        try:
            header = [name.strip() for name in next(rows, [])]
            _check_format(path, header, columns)
            channels = _channels(f"{path}, row 1", header, columns)
            return _of_rows(path, channels, _named(path, header, rows), columns)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{path}: is not a CSV file in UTF-8: {error}") from error


def read_parquet(path: Path, columns: Columns) -> Recording:
    """Read the columns of a Parquet file."""
    parquet = optional("pyarrow.parquet", "parquet", f"{path}: reading Parquet files")
    with path.open("rb") as file:
        try:
            table = parquet.read_table(file)
        except (ValueError, OSError) as error:
            raise ValueError(f"{path}: is not a Parquet file: {error}") from error
    channels = _channels(str(path), table.column_names, columns)
    return _of_rows(path, channels, enumerate(table.to_pylist()), columns)


def _check_format(path: Path, header: Sequence[str], columns: Columns) -> None:
    """Raise ValueError where a file is separated by something else than commas, or names no columns."""
    first = ",".join(header)
    others = SEPARATORS + " " * (len(header) == 1)  # names may have spaces in them
    separator = next((one for one in others if one in first), None)
    if separator and columns.time not in header:
        raise ValueError(
            f"{path}, row 1: columns are separated by {separator!r}: write commas between them and points in numbers, "
            f"as pandas.read_csv(..., sep={separator!r}, decimal=',').to_csv(..., index=False) does"
        )
    if header and all(re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", name, re.IGNORECASE) for name in header):
        raise ValueError(
            f"{path}, row 1: holds numbers where the names of the columns belong: "
            f"put a row such as '{','.join([columns.time, *(f'x{place}' for place in range(len(header) - 1))])}' before"
        )


def _named(path: Path, header: Sequence[str], rows: Iterator[list[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows that are not empty, counted as a spreadsheet does: the header is row 1."""
    for row, cells in enumerate(rows, start=2):
        if any(cell.strip() for cell in cells):
            if len(cells) != len(header):
                raise ValueError(
                    f"{path}, row {row}: has {len(cells)} values, but the header names {len(header)} columns: "
                    "write a value for each, and numbers with a decimal point"
                )
            yield row, dict(zip(header, cells, strict=True))


def _channels(where: str, header: Sequence[str], columns: Columns) -> tuple[str, ...]:
    others = tuple(name for name in header if name not in (columns.trajectory, columns.time, columns.part))
    nameless = [place for place, name in enumerate(header, start=1) if re.fullmatch(NAMELESS, name)]
    doubled = sorted({name for name in header if header.count(name) > 1 and name})
    if doubled:
        raise ValueError(f"{where}: column {doubled[0]!r} appears more than once: give each a name of its own")
    if columns.time not in header or not others:
        raise ValueError(
            f"{where}: needs a column {columns.time!r} and at least one channel, but has {list(header)}: "
            "rename one, or say with Recorded.time which holds the times"
        )
    if nameless and not columns.channels:
        raise ValueError(
            f"{where}: column {nameless[0]} has no name: give it one, or leave it out, as pandas does with "
            "to_csv(..., index=False), or choose the others with Recorded.channels"
        )
    return columns.choose(where, others)


def _of_rows(path: Path, channels: tuple[str, ...], rows: Rows, columns: Columns) -> Recording:
    groups: dict[tuple[str, str], list[tuple[int, list[float]]]] = {}
    for row, cells in rows:
        numbers = [_number(path, row, name, cells[name], columns) for name in (columns.time, *channels)]
        part, name = (str(cells.get(column, "")).strip() for column in (columns.part, columns.trajectory))
        if columns.part in cells and part not in PARTS:
            raise ValueError(
                f"{path}, row {row}, column {columns.part!r}: {part!r} is none of {', '.join(PARTS)}: "
                "write one of these, or give the column another name"
            )
        groups.setdefault((part, name or "0"), []).append((row, numbers))
    if not groups:
        raise ValueError(f"{path}: has no samples below its header")
    return Recording(channels, tuple(_together(path, *place, samples, columns) for place, samples in groups.items()))


def _number(path: Path, row: int, column: str, given: str | float | None, columns: Columns) -> float:
    text = "" if given is None else str(given).strip()
    try:
        value = float("nan" if given is None or "_" in text else given)  # Python reads 1_05 as 105
    except (TypeError, ValueError, OverflowError):
        value = np.nan
    if np.isfinite(value):
        return value
    if re.fullmatch(r"[-+]?[\d.]*,[\d,]+(e[-+]?\d+)?", text, re.IGNORECASE):
        remedy = "write a decimal point in place of the comma"
    elif re.fullmatch("|nan|[-+]?inf(inity)?", text, re.IGNORECASE):
        remedy = "fill it in, or leave out the row"
    elif "_" in text:
        remedy = "write digits without _ between them"
    elif column == columns.time:
        remedy = "give times as numbers, such as seconds from the start"
    else:
        remedy = "correct it, or choose the other columns with Recorded.channels"
    raise ValueError(f"{path}, row {row}, column {column!r}: {given!r} is not a finite number: {remedy}")


def _together(
    path: Path, part: str, name: str, samples: list[tuple[int, list[float]]], columns: Columns
) -> RecordedTrajectory:
    values = np.array([numbers for _, numbers in samples])
    late = np.flatnonzero(np.diff(values[:, 0]) <= 0)
    if len(late):
        before = values[late[0], 0]
        after = values[late[0] + 1, 0]
        (row, _) = samples[late[0] + 1]
        raise ValueError(
            f"{path}, row {row}, column {columns.time!r}: {after:.10g} does not come after {before:.10g} in trajectory "
            f"{name}: sort the rows by time, or tell trajectories apart by a column {columns.trajectory!r}"
        )
    return RecordedTrajectory(f"{part} {name}".strip(), values[:, 0].copy(), values[:, 1:].copy(), part)
