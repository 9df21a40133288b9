"""Timings in a file of `python -m bench time`: reading them, and setting two of them side by side."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from results.statistics.intervals import Interval
from results.store.errors import BrokenTimingError
from results.store.shape import fits

FORM = 1
REQUIRED = {
    "suite": str, "system": str, "learners": list, "times": list, "costs": list, "skipped": list, "environment": dict,
}  # fmt: skip
HARDWARE = ("processor", "cores", "threads", "device")  # of which times depend
RESAMPLES = 2000

Timings = Mapping[str, Any]


class Timed(NamedTuple):
    """What was timed. `axis` and `value` say what was changed; empty where a learner is as its suite has it."""

    learner: str
    variant: str
    precision: str
    axis: str
    value: Any
    part: str

    @property
    def in_words(self) -> str:
        """All but the learner: "eager update", "eager float64 update", "eager update, batch 64"."""
        changed = f", {self.axis} {self.value}" if self.axis else ""
        return f"{variant_in_words(self.variant, self.precision)} {self.part}{changed}"


@dataclass(frozen=True)
class Ratio:
    """How many times longer something takes in a second measurement, and its 95 % interval."""

    timed: Timed
    first: float  # median seconds
    second: float
    ratio: Interval

    @property
    def verdict(self) -> str:
        """Unresolved where the interval holds one."""
        if self.ratio.low <= 1 <= self.ratio.high:
            return "unresolved"
        return "faster" if self.ratio.high < 1 else "slower"


def is_timing(name: str) -> bool:
    """Whether a name given to `compare` is that of a file of timings, and not of a run."""
    return name.endswith(".json")


def load(path: Path) -> Timings:
    """The timings in a file. Raises BrokenTimingError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BrokenTimingError(f"{path} cannot be read ({error}); `python -m bench time` writes it") from error
    if not isinstance(found, dict) or found.get("kind") != "timing" or found.get("form") != FORM:
        raise BrokenTimingError(f"{path} holds no timings of form {FORM}; `python -m bench time` writes them")
    if wrong := [name for name, kind in REQUIRED.items() if not isinstance(found.get(name), kind)]:
        raise BrokenTimingError(f"{path} lacks {', '.join(wrong)}; `python -m bench time` writes it")
    if not fits(found["times"], [{"times": [(int, float)]}]) or not all(entry["times"] for entry in found["times"]):
        raise BrokenTimingError(f"{path} has an entry without its times; `python -m bench time` writes it")
    return found


def compare_timings(first: Timings, second: Timings) -> list[Ratio]:
    """What both have measured, second over first. Raises BrokenTimingError where their hardware is not the same.

    The interval is of the medians of repeated measurements in one process each: what differs between two processes on
    the same machine is not in it.
    """
    ratios = []
    for timed, one, other in in_both(first, second):
        rng = np.random.default_rng(0)
        resampled = medians(rng, np.asarray(other)) / medians(rng, np.asarray(one))
        low, high = np.quantile(resampled, [0.025, 0.975])
        before, after = median(one), median(other)
        ratios.append(Ratio(timed, before, after, Interval(after / before, float(low), float(high))))
    return ratios


def in_both(first: Timings, second: Timings) -> list[tuple[Timed, list[float], list[float]]]:
    """What both have measured, and the times of each. Raises BrokenTimingError where their hardware is not the same."""
    one, other = first["environment"], second["environment"]
    differing = [
        f"{name} {one.get(name)!r} and {other.get(name)!r}" for name in HARDWARE if one.get(name) != other.get(name)
    ]
    if differing:
        raise BrokenTimingError(f"times of different hardware cannot be compared: {'; '.join(differing)}")
    if first["system"] != second["system"]:
        raise BrokenTimingError(
            f"times on different systems cannot be compared: {first['system']} and {second['system']}"
        )
    others = {_timed(entry): entry["times"] for entry in second["times"]}
    return [
        (_timed(entry), entry["times"], others[_timed(entry)]) for entry in first["times"] if _timed(entry) in others
    ]


def measurements(found: Timings, **wanted: Any) -> Iterator[Mapping[str, Any]]:
    """The entries that are of this learner, variant, part and so on."""
    for entry in found["times"]:
        if all(entry.get(name, "") == value for name, value in wanted.items()):
            yield entry


def variant_in_words(variant: str, precision: str) -> str:
    """How a learner is run: "eager", "eager float64"."""
    return variant if precision == "float32" else f"{variant} {precision}"


def median(times: Sequence[float]) -> float:
    """The median of repeated measurements."""
    return float(np.median(times))


def medians(
    rng: np.random.Generator, times: Float[np.ndarray, " n"], count: int = RESAMPLES
) -> Float[np.ndarray, " resample"]:
    """Medians of so many bootstrap samples of the times."""
    return np.median(times[rng.integers(len(times), size=(count, len(times)))], axis=1)


def as_json(ratios: Sequence[Ratio]) -> dict[str, Any]:
    """Ratios as JSON-ready values."""
    return {
        "ratios": [
            one.timed._asdict()
            | {"first": one.first, "second": one.second, "verdict": one.verdict}
            | {"ratio": one.ratio.median, "low": one.ratio.low, "high": one.ratio.high}
            for one in ratios
        ]
    }


def _timed(entry: Mapping[str, Any]) -> Timed:
    return Timed(*(entry.get(name, "") for name in Timed._fields))
