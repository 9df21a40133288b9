"""The regression gate of timings: is anything slower than before, beyond tolerance, drift and the number of looks?"""

from math import log

import numpy as np

from results.gate.regression import Finding, GateResult
from results.statistics.intervals import LEVEL, SEED
from results.statistics.significance import holm
from results.timing.timings import RESAMPLES, Timed, Timings, in_both, median, medians

TOLERANCE = 0.25  # of a logarithm: two processes on one machine differ by so much now and then
SHARPNESS = 4  # how much smaller than its share of the level the smallest p-value must be


def check_timings(before: Timings, after: Timings) -> GateResult:
    """Hold timings to earlier ones of the same hardware: what is not measured any more is lost, what is slower fails.

    The effect is the log-ratio of medians; it must exceed both the tolerance and the drift within the measurements
    themselves. How updates grow is shown only. Raises BrokenTimingError where the hardware is not the same.
    """
    pairs = in_both(before, after)
    still = {timed for timed, *_ in pairs}
    lost = [timed for timed, *_ in in_both(before, before) if not timed.axis and timed not in still]
    deciding = [pair for pair in pairs if not pair[0].axis]
    growing = [pair for pair in pairs if pair[0].axis]
    sentences = tuple(f"{timed.in_words} of {timed.learner} is not timed any more" for timed in lost)
    return GateResult(sentences, _findings(deciding), _findings(growing), ())


def _findings(pairs: list[tuple[Timed, list[float], list[float]]]) -> tuple[Finding, ...]:
    """Log-ratios of medians, with bootstrap intervals at the level of one of so many, and p-values by Holm."""
    count = max(RESAMPLES, round(SHARPNESS * len(pairs) / LEVEL))
    drawn = []
    for _, first, second in pairs:
        rng = np.random.default_rng(SEED)
        drawn.append(np.log(medians(rng, np.asarray(second), count) / medians(rng, np.asarray(first), count)))
    p_values = holm(np.array([max(np.mean(one <= 0), 1 / (count + 1)) for one in drawn]))
    found = []
    for (timed, first, second), one, p in zip(pairs, drawn, p_values, strict=True):
        low, high = np.quantile(one, [LEVEL / 2 / len(pairs), 1 - LEVEL / 2 / len(pairs)])
        found.append(
            Finding(
                system="",
                learner=timed.learner,
                metric=timed.in_words,
                effect=log(median(second) / median(first)),
                low=float(low),
                high=float(high),
                p=float(p),
                tolerance=TOLERANCE,
                noise=max(_drift(first), _drift(second)),
                pairs=min(len(first), len(second)),
                two_sided=False,
                equal=first == second,
                counted="measurements",
            )
        )
    return tuple(found)


def _drift(times: list[float]) -> float:
    """How far the median of the later half of a measurement is from that of the earlier half, as a log-ratio."""
    half = len(times) // 2
    return abs(log(median(times[half:]) / median(times[:half]))) if half else 0.0
