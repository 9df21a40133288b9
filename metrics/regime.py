"""What a model settles on when it runs on its own: a fixed point, a limit cycle, a torus, chaos, or nothing."""

from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64

from metrics.base import Evidence, Metric
from metrics.dimension import grassberger_procaccia
from metrics.recurrence import LongRun, is_periodic, is_settling, is_stationary, unpredictable
from metrics.validation import Undefined, check_scale
from metrics.zero_one import FEWEST_SAMPLES as FEWEST_OF_ZERO_ONE
from metrics.zero_one import is_short, subsampling, zero_one

Regime = Literal["fixed point", "limit cycle", "torus", "chaos", "unbounded", "undecided"]
REGIMES: tuple[Regime, ...] = get_args(Regime)

FEWEST_SAMPLES = 200
RECURRING = 3000  # samples whose recurrence is judged
UNBOUNDED = 100.0  # range, in standard deviations of the truth
AT_REST = 1e-3  # range, likewise, of a fixed point: far more than the rounding of a model that stands still
CHAOTIC = 0.5  # K of the 0-1 test
FEWEST_RETURNS = 2  # periods of a run that may be on a cycle, of which it does not show enough
SURFACE = 1.5  # dimension, between the curve of a limit cycle and the surface of a torus
SCALING = (3e-3, 3e-2)  # correlation sums between which it is read off
NOISE = 0.25  # unpredictable part of a run, relative to the least of those radii, at which noise may pass for a surface

Scale = Float64[np.ndarray, " dim"]


def settles_on(run: LongRun, scale: Scale, step: float) -> Regime:
    """What one long run settles on, judged without its first quarter.

    In turn: a run that leaves the finite numbers or ranges over 100 standard deviations is "unbounded". One whose last
    quarter rests, or whose every channel keeps shrinking, is at a "fixed point"; any other that is not stationary is
    "undecided". One that comes back after a period, again and again, is a "limit cycle". For the rest the 0-1 test
    needs 1,000 samples: where K is large there is "chaos", from which noise is not told apart, but not where it comes
    back after a period that is too long to be seen again and again. Where K is small, the samples not too dense for
    that to mean anything, and the motion fills a surface well above what no linear prediction explains, it is a
    "torus". All else is "undecided".

    Args:
        run: states `[samples, dim]`, evenly spaced in time.
        scale: standard deviation of each channel of the truth.
        step: time between two samples, in timescales.

    Raises ValueError for fewer than 200 samples, or scales or steps that are not positive.
    """
    _check(run, scale, step)
    if not is_bounded(run, scale):
        return "unbounded"
    settled = run[len(run) // 4 :] / scale
    if (np.ptp(settled[-(len(settled) // 3) :], axis=0) <= AT_REST).all():
        return "fixed point"
    settled = settled[:, np.ptp(settled, axis=0) > AT_REST]
    if not is_stationary(settled):
        return "fixed point" if is_settling(settled) else "undecided"
    if is_periodic(settled):
        return "limit cycle"
    if is_short(len(settled)):
        return "undecided"
    widest = settled[:, np.ptp(settled, axis=0).argmax()]
    lag = min(subsampling(widest[None]), len(widest) // FEWEST_OF_ZERO_ONE)
    test = zero_one(widest, lag)
    if test.k > CHAOTIC:
        return "undecided" if is_periodic(settled, FEWEST_RETURNS) else "chaos"
    if not test.is_oversampled and _fills_a_surface(settled, widest[::lag], lag, step):
        return "torus"
    return "undecided"


def is_bounded(run: LongRun, scale: Scale) -> bool:
    """Whether a run is finite and ranges over at most 100 standard deviations of the truth in every channel."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(run).all() and (np.ptp(run / scale, axis=0) <= UNBOUNDED).all())


@lru_cache(maxsize=1)
def regimes(evidence: Evidence) -> tuple[Regime, ...]:
    """What each of the model's long forecasts settles on, judged once for all the metrics that need it.

    Raises Undefined where a channel is constant in the training data.
    """
    check_scale(evidence.climate_truth, evidence.scale)
    return tuple(settles_on(run, evidence.scale, evidence.step) for run in evidence.climate)


def _fills_a_surface(settled: LongRun, series: Float64[np.ndarray, " samples"], lag: int, step: float) -> bool:
    if settled.shape[1] < 3:  # a torus needs three coordinates: delays give what two channels do not show
        settled = np.hstack([settled[: -2 * lag], settled[lag:-lag], settled[2 * lag :]])
    stride = -(-len(settled) // RECURRING)
    states = settled[None, ::stride]
    found = grassberger_procaccia(states, min(round(1 / (step * stride)), states.shape[1] // 4), SCALING)
    return found.value > SURFACE and unpredictable(series) < NOISE * found.radii[0]


def _check(run: LongRun, scale: Scale, step: float) -> None:
    if run.ndim != 2 or len(run) < FEWEST_SAMPLES or run.shape[1] == 0:
        raise ValueError(
            f"a run must be a [samples, dim] array of at least {FEWEST_SAMPLES} samples, "
            f"but has the shape {run.shape}: raise the climate horizon"
        )
    if np.shape(scale) != run.shape[1:] or not (np.isfinite(scale) & (np.asarray(scale) > 0)).all():
        raise ValueError(f"scale needs a positive number for each of {run.shape[1]} channels, but is {scale}")
    if not 0 < step < np.inf:
        raise ValueError(f"step must be positive, but is {step!r}")


def _fraction(evidence: Evidence, regime: Regime) -> float:
    count = evidence.climate.shape[1]
    if count < FEWEST_SAMPLES:
        raise Undefined(f"long forecasts of {count} samples are too short to tell what they settle on")
    found = regimes(evidence)
    if 2 * found.count("undecided") >= len(found) and regime != "undecided":
        raise Undefined(
            f"of {len(found)} long forecasts {found.count('undecided')} are too short, or not stationary enough, "
            f"to tell what they settle on"
        )
    return found.count(regime) / len(found)


def _at_rest(evidence: Evidence) -> float:
    """Share of the model's long forecasts that settle on a fixed point."""
    return _fraction(evidence, "fixed point")


def _on_a_cycle(evidence: Evidence) -> float:
    """Share of the model's long forecasts that settle on a limit cycle."""
    return _fraction(evidence, "limit cycle")


def _on_a_torus(evidence: Evidence) -> float:
    """Share of the model's long forecasts that settle on a torus."""
    return _fraction(evidence, "torus")


def _in_chaos(evidence: Evidence) -> float:
    """Share of the model's long forecasts that stay chaotic, or noisy."""
    return _fraction(evidence, "chaos")


def _lost(evidence: Evidence) -> float:
    """Share of the model's long forecasts that diverge, or range over 100 standard deviations."""
    check_scale(evidence.climate_truth, evidence.scale)
    return 1 - float(np.mean([is_bounded(run, evidence.scale) for run in evidence.climate]))


def _undecided(evidence: Evidence) -> float:
    """Share of the model's long forecasts that are too short, or not stationary enough, to tell what they settle on."""
    return _fraction(evidence, "undecided")


fixed_point_fraction = Metric("fixed_point_fraction", "", "truth", _at_rest, group="long run")
limit_cycle_fraction = Metric("limit_cycle_fraction", "", "truth", _on_a_cycle, group="long run")
torus_fraction = Metric("torus_fraction", "", "truth", _on_a_torus, group="long run")
chaos_fraction = Metric("chaos_fraction", "", "truth", _in_chaos, group="long run")
unbounded_fraction = Metric("unbounded_fraction", "", "lower", _lost, group="long run")
undecided_fraction = Metric("undecided_fraction", "", "lower", _undecided, group="long run")

SETTLES_ON: tuple[Metric, ...] = (
    fixed_point_fraction,
    limit_cycle_fraction,
    torus_fraction,
    chaos_fraction,
    unbounded_fraction,
    undecided_fraction,
)
