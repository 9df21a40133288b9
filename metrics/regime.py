"""What a model settles on when it runs on its own: a fixed point, a limit cycle, a torus, chaos, or nothing."""

import math
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64

from metrics.base import Evidence, Metric
from metrics.dimension import grassberger_procaccia
from metrics.zero_one import first_minimum_of_mutual_information, zero_one

Regime = Literal["fixed point", "limit cycle", "torus", "chaos", "unbounded"]
REGIMES: tuple[Regime, ...] = get_args(Regime)

FEWEST_SAMPLES = 200
RECURRING = 3000  # samples whose recurrence is judged
UNBOUNDED = 100.0  # range, in standard deviations of the truth
MOTIONLESS = 1e-3  # range, likewise, of a fixed point
SHRINKING = 0.9  # ratio of the ranges of the two halves, at most, on the way to a fixed point
CHAOTIC = 0.5  # K of the 0-1 test
FEWEST_TESTED = 150  # samples that subsampling leaves for it
SURFACE = 1.5  # dimension, between the curve of a limit cycle and the surface of a torus
SCALING = (3e-3, 3e-2)  # correlation sums between which it is read off
THIN = 0.01  # radius of the scaling range below which states recur too closely for a surface

Run = Float64[np.ndarray, "samples dim"]
Scale = Float64[np.ndarray, " dim"]


def settles_on(run: Run, scale: Scale, step: float) -> Regime:
    """What one long run settles on, judged without its first quarter.

    `scale` is the standard deviation of each channel of the truth, `step` the time between samples in timescales. In
    turn: a run that leaves the finite numbers or ranges over 100 standard deviations is unbounded; one that rests is at
    a fixed point; the 0-1 test finds chaos, from which noise is not told apart; what is regular and shrinks in each
    channel goes to a fixed point; of the rest, the correlation dimension, that is how states recur, tells curves from
    surfaces.
    Raises ValueError for fewer than 200 samples, or scales or steps that are not positive.
    """
    _check(run, scale, step)
    with np.errstate(over="ignore", invalid="ignore"):
        run = run / scale
        bounded = np.isfinite(run).all() and (np.ptp(run, axis=0) <= UNBOUNDED).all()
    if not bounded:
        return "unbounded"
    settled = run[len(run) // 4 :]
    if (np.ptp(settled[len(settled) // 2 :], axis=0) <= MOTIONLESS).all():
        return "fixed point"
    widest = settled[:, np.ptp(settled, axis=0).argmax()]
    lag = min(first_minimum_of_mutual_information(widest), max(1, len(widest) // FEWEST_TESTED))
    if zero_one(widest, lag).k > CHAOTIC:
        return "chaos"
    earlier, later = (np.ptp(half, axis=0) for half in np.array_split(settled, 2))
    if (later <= SHRINKING * earlier).all():
        return "fixed point"
    return "torus" if _fills_a_surface(settled, lag, step) else "limit cycle"


@lru_cache(maxsize=1)
def regimes(evidence: Evidence) -> tuple[Regime, ...]:
    """What each of the model's long forecasts settles on, judged once for all the metrics that need it."""
    return tuple(settles_on(run, evidence.scale, evidence.step) for run in evidence.climate)


def _fills_a_surface(settled: Run, lag: int, step: float) -> bool:
    if settled.shape[1] < 3:  # a torus needs three coordinates: delays give what two channels do not show
        settled = np.hstack([settled[: -2 * lag], settled[lag:-lag], settled[2 * lag :]])
    stride = -(-len(settled) // RECURRING)
    states = settled[None, ::stride]
    found = grassberger_procaccia(states, min(round(1 / (step * stride)), states.shape[1] // 4), SCALING)
    return found.value > SURFACE and found.radii[1] > THIN


def _check(run: Run, scale: Scale, step: float) -> None:
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
    if evidence.climate.shape[1] < FEWEST_SAMPLES:
        return math.nan
    return regimes(evidence).count(regime) / len(evidence.climate)


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
    return _fraction(evidence, "unbounded")


fixed_point_fraction = Metric("fixed_point_fraction", "", "truth", _at_rest, group="long run")
limit_cycle_fraction = Metric("limit_cycle_fraction", "", "truth", _on_a_cycle, group="long run")
torus_fraction = Metric("torus_fraction", "", "truth", _on_a_torus, group="long run")
chaos_fraction = Metric("chaos_fraction", "", "truth", _in_chaos, group="long run")
unbounded_fraction = Metric("unbounded_fraction", "", "lower", _lost, group="long run")

SETTLES_ON: tuple[Metric, ...] = (
    fixed_point_fraction,
    limit_cycle_fraction,
    torus_fraction,
    chaos_fraction,
    unbounded_fraction,
)
