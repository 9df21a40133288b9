"""The regression gate of timings: is anything slower than before, beyond tolerance, drift and the number of looks?"""

from math import log

import numpy as np

from results.gate.regression import SHARPNESS, Check, Finding
from results.statistics.intervals import LEVEL, SEED
from results.statistics.ranking import holm
from results.timing.timings import RESAMPLES, Timings, medians, paired

TOLERANCE = 0.25  # of a logarithm: two processes on one machine differ by so much now and then


def check_timings(before: Timings, after: Timings) -> Check:
    """Hold timings to earlier ones of the same hardware: what is not measured any more is lost, what is slower fails.

    The effect is the log-ratio of medians; it must exceed both the tolerance and the drift within the measurements
    themselves. How updates grow is shown only. Raises BrokenTimingError where the hardware is not the same.
    """
    pairs = paired(before, after)
    there = {where for where, *_ in pairs}
    lost = [f"{_named(where)} of {where[0]} is not timed any more" for where in _measured(before) if where not in there]
    deciding = [pair for pair in pairs if not pair[0][3]]
    growing = [pair for pair in pairs if pair[0][3]]
    return Check(tuple(lost), _findings(deciding), _findings(growing), ())


def _findings(pairs: list[tuple]) -> tuple[Finding, ...]:
    tests = max(1, len(pairs))
    effects = [_effect(first, second, tests) for _, first, second in pairs]
    corrected = holm(np.array([p for *_, p in effects]))
    return tuple(
        Finding(
            learner=where[0],
            metric=_named(where),
            effect=effect,
            low=low,
            high=high,
            p=float(p),
            tolerance=TOLERANCE,
            noise=max(_drift(first), _drift(second)),
            pairs=min(len(first), len(second)),
            two_sided=False,
            equal=first == second,
            counted="measurements",
        )
        for (where, first, second), (effect, low, high, _), p in zip(pairs, effects, corrected, strict=True)
    )


def _effect(first: list[float], second: list[float], tests: int) -> tuple[float, float, float, float]:
    """Log-ratio of the medians, the ends of its bootstrap interval at the level of so many tests, and its p-value."""
    rng, count = np.random.default_rng(SEED), max(RESAMPLES, round(SHARPNESS * tests / LEVEL))
    drawn = np.log(medians(rng, np.asarray(second), count) / medians(rng, np.asarray(first), count))
    low, high = np.quantile(drawn, [LEVEL / 2 / tests, 1 - LEVEL / 2 / tests])
    p = max(float(np.mean(drawn <= 0)), 1 / (count + 1))
    return log(float(np.median(second)) / float(np.median(first))), float(low), float(high), p


def _drift(times: list[float]) -> float:
    """How far the median of the later half of a measurement is from that of the earlier half, as a log-ratio."""
    half = len(times) // 2
    return abs(log(float(np.median(times[half:])) / float(np.median(times[:half])))) if half else 0.0


def _measured(found: Timings) -> list[tuple]:
    """What is measured of the learners as the suite has them."""
    return [where for where, *_ in paired(found, found) if not where[3]]


def _named(where: tuple) -> str:
    """What a measurement is of: "eager update", "eager float64 update", "eager update, batch 64"."""
    _, variant, precision, axis, value, part = where
    how = variant if precision == "float32" else f"{variant} {precision}"
    return f"{how} {part}" + (f", {axis} {value}" if axis else "")
