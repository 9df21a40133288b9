"""What the user asks for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError


@dataclass(frozen=True)
class Request:
    """What the user asks for, in his own words; None stands for the suite's own choice."""

    suite: str
    systems: Sequence[str] = ()
    learners: Sequence[str] = ()
    seeds: int | None = None
    data_seed: int | None = None
    budget: str = "standard"
    device: str = "auto"
    jobs: int | None = None
    out: Path = Path("runs")
    rerun: str = ""
    shard: str = ""
    include: Sequence[Path] = ()
    metrics: Sequence[str] = ()  # beside those of the suite
    elsewhere: bool = False  # on machines that may have a GPU where this one has none


@dataclass(frozen=True)
class Shard:
    """The part of a suite that one of several runs computes: number `part` of so many `parts`, from 1."""

    part: int
    parts: int


WHOLE = Shard(1, 1)


def read_shard(text: str) -> Shard:
    """The shard that `i/n` stands for; all of the suite where nothing is said. Raises UserError."""
    if not text:
        return WHOLE
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UserError(f"--shard is i/n, the number of a part from 1 to n and n, such as 1/4, but is {text!r}")
    return Shard(int(found[1]), int(found[2]))
