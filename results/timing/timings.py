"""Timings: what `python -m bench time` has measured, read back, and two of them side by side."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from results.statistics.intervals import Interval
from results.store.errors import BrokenTimingError

FORM = 1
REQUIRED = {"suite": str, "system": str, "learners": list, "times": list, "costs": list, "skipped": list}
HARDWARE = ("processor", "cores", "threads", "device")  # of which times depend
RESAMPLES = 2000
PLACE = ("learner", "variant", "precision", "axis", "value", "part")  # of one measurement

Timings = Mapping[str, Any]


@dataclass(frozen=True)
class Ratio:
    """How many times longer something takes in a second measurement, and its 95 % interval."""

    place: tuple[Any, ...]
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
    wrong = [name for name, kind in REQUIRED.items() if not isinstance(found.get(name), kind)]
    if wrong or not isinstance(found.get("environment"), dict):
        raise BrokenTimingError(f"{path} lacks {', '.join(wrong) or 'environment'}; `python -m bench time` writes it")
    return found


def compare(first: Timings, second: Timings) -> list[Ratio]:
    """What both have measured, second over first. Raises BrokenTimingError where their hardware is not the same.

    The interval is of the medians of repeated measurements in one process each: what differs between two processes on
    the same machine is not in it.
    """
    return [_ratio(*pair) for pair in paired(first, second)]


def paired(first: Timings, second: Timings) -> list[tuple[tuple[Any, ...], list[float], list[float]]]:
    """What both have measured, and the times of each. Raises BrokenTimingError where their hardware is not the same."""
    differing = [name for name in HARDWARE if first["environment"].get(name) != second["environment"].get(name)]
    if differing:
        said = "; ".join(
            f"{name} {first['environment'].get(name)!r} and {second['environment'].get(name)!r}" for name in differing
        )
        raise BrokenTimingError(f"times of different hardware cannot be compared: {said}")
    if first["system"] != second["system"]:
        raise BrokenTimingError(
            f"times on different systems cannot be compared: {first['system']} and {second['system']}"
        )
    others = {place(entry): entry["times"] for entry in second["times"]}
    pairs = [(place(entry), entry["times"]) for entry in first["times"]]
    return [(where, times, others[where]) for where, times in pairs if where in others]


def place(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a measurement is of; without axis and value where the learner is as the suite has it."""
    return tuple(entry.get(name, "") for name in PLACE)


def median(times: Sequence[float]) -> float:
    return float(np.median(times))


def chosen(found: Timings, **wanted: Any) -> Iterator[Mapping[str, Any]]:
    """The measurements that are of this."""
    for entry in found["times"]:
        if all(entry.get(name, "") == value for name, value in wanted.items()):
            yield entry


def as_json(ratios: Sequence[Ratio]) -> dict[str, Any]:
    return {
        "ratios": [
            dict(zip(PLACE, one.place, strict=True))
            | {"first": one.first, "second": one.second, "verdict": one.verdict}
            | {"ratio": one.ratio.median, "low": one.ratio.low, "high": one.ratio.high}
            for one in ratios
        ]
    }


def medians(
    rng: np.random.Generator, times: Float[np.ndarray, " n"], count: int = RESAMPLES
) -> Float[np.ndarray, " resample"]:
    """Medians of so many bootstrap samples of the times."""
    return np.median(times[rng.integers(len(times), size=(count, len(times)))], axis=1)


def _ratio(where: tuple[Any, ...], first: Sequence[float], second: Sequence[float]) -> Ratio:
    rng = np.random.default_rng(0)
    resampled = medians(rng, np.asarray(second)) / medians(rng, np.asarray(first))
    low, high = np.quantile(resampled, [0.025, 0.975])
    one, other = median(first), median(second)
    return Ratio(where, one, other, Interval(other / one, float(low), float(high)))
