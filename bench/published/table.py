"""Tables of other people's figures: what each row measures, and the published figure beside ours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Rows = Callable[[Path], "Sequence[Row]"]


@dataclass(frozen=True)
class Figure:
    """A measured number and, where there is one, the published number that it is compared with."""

    measured: float
    published: float | None = None
    decimals: int = 1
    margin: float = 0.0  # half of the 95 % interval of what was measured, where that is a mean
    note: str = ""  # in brackets behind it

    @property
    def difference(self) -> float | None:
        """What was measured less what is published."""
        return None if self.published is None else self.measured - self.published

    def __str__(self) -> str:
        """Published / **measured**, and by how much it differs."""
        found = f"**{self.measured:.{self.decimals}f}**"
        if self.margin:
            found += f" ± {self.margin:.{self.decimals}f}"
        if self.published is not None:
            found = f"{self.published:.{self.decimals}f} / {found}, {self.difference:+.{self.decimals}f}"
        return f"{found} ({self.note})" if self.note else found


@dataclass(frozen=True)
class Row:
    """One row: what it is called, in one cell or several, and how its figures are measured."""

    names: tuple[str, ...]
    measure: Callable[[], Sequence[Figure]]
    minutes: int = 0  # of the processor, about: rows that take long are begun first


@dataclass(frozen=True)
class PublishedTable:
    """What one source publishes and we measure: `rows` are those for a folder of files that some of them read."""

    title: str
    about: str  # what is measured, how, and where it is published
    heads: tuple[str, ...]  # of the names of a row, then of its figures
    rows: Rows
    notes: str = ""  # what else has to be known


@dataclass(frozen=True)
class MeasuredRow:
    """What became of a row: its figures, or the reason why there are none."""

    names: tuple[str, ...]
    figures: tuple[Figure, ...]
    seconds: float  # of the processor
    reason: str = ""
    failed: bool = False  # rather than left out, since what it needs is not there
