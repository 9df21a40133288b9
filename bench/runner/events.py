"""What a run tells of itself while it goes on: each cell is either cached, or started and then finished, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results import Record

if TYPE_CHECKING:  # who displays events needs no torch
    from bench.cells.key import Planned


@dataclass(frozen=True)
class Cached:
    """A cell whose results were in the store already."""

    planned: "Planned"
    records: Sequence[Record]


@dataclass(frozen=True)
class Damaged:
    """A cell whose results were in the store, but not as they were written. It is run again."""

    planned: "Planned"
    reason: str


@dataclass(frozen=True)
class Started:
    """A cell whose first attempt begins."""

    planned: "Planned"


@dataclass(frozen=True)
class Finished:
    """A cell that has come to its end, well or not, so many seconds after its first attempt began."""

    planned: "Planned"
    records: Sequence[Record]
    seconds: float


Event = Cached | Damaged | Started | Finished


def ignore(event: Event) -> None:
    """Do nothing about an event."""
