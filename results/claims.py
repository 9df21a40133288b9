"""What the literature says, put to the test on the results of a run: supported, refuted or inconclusive."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from results.statistics import CONFIDENCE, RESAMPLES, SEED, column, rows

Verdict = Literal["supported", "refuted", "inconclusive"]


@dataclass(frozen=True)
class Effect:
    """How large what a claim speaks of is, with its 95 % interval over seeds; NaN where it was not measured."""

    size: float
    low: float
    high: float
    unit: str
    verdict: Verdict
    reason: str = ""  # why nothing is said


@dataclass(frozen=True)
class Claim:
    """A sentence of the literature, and how it is tested on the long form of a run."""

    name: str
    statement: str
    source: str
    suite: str  # whose results it is tested on
    test: Callable[[pd.DataFrame], Effect]


def judged(claims: Sequence[Claim], frame: pd.DataFrame, suite: str) -> list[tuple[Claim, Effect]]:
    """The claims about a suite, each with what its results say of it."""
    return [(claim, claim.test(frame)) for claim in claims if claim.suite == suite]


def claims_table(found: Sequence[tuple[Claim, Effect]]) -> pd.DataFrame:
    """A row for each claim: `claim`, `statement`, `verdict`, `effect`, `low`, `high`, `unit`, `reason`, `source`."""
    return pd.DataFrame(
        [
            {
                "claim": claim.name,
                "statement": claim.statement,
                "verdict": effect.verdict,
                "effect": effect.size,
                "low": effect.low,
                "high": effect.high,
                "unit": effect.unit,
                "reason": effect.reason,
                "source": claim.source,
            }
            for claim, effect in found
        ]
    )


def effect(values: np.ndarray, unit: str, lowest: float = -inf, highest: float = inf) -> Effect:
    """The mean of a value over seeds, held against the range in which the claim is true.

    It is supported where the whole interval lies in the range, refuted where all of it lies outside, and else open.
    """
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return Effect(np.nan, np.nan, np.nan, unit, "inconclusive", f"measured for {len(values)} seeds: two are needed")
    low, high = interval(values)
    inside, outside = lowest <= low and high <= highest, high < lowest or low > highest
    verdict: Verdict = "supported" if inside else "refuted" if outside else "inconclusive"
    return Effect(float(np.mean(values)), low, high, unit, verdict)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Ends of the 95 % percentile bootstrap interval of a mean; always the same for the same values.

    Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
    """
    draws = np.random.default_rng(SEED)
    found = stats.bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method="percentile", rng=draws
    ).confidence_interval
    return float(found.low), float(found.high)


def together(parts: Sequence[Effect]) -> Effect:
    """Of a claim with several parts, the one that decides: a refuted part, else an open one, else the first."""
    order = ("refuted", "inconclusive", "supported")
    return min(parts, key=lambda part: order.index(part.verdict))


def by_seed(frame: pd.DataFrame, metric: str, kind: str) -> pd.Series:
    """A metric of the learners of one class on every system, by learner, system and seed; failed trials are missing."""
    chosen = rows(frame, metric=metric)
    mine = chosen.loc[[str(learner).partition("[")[0] == kind for learner in chosen["learner"]]]
    return column(mine.set_index(["learner", "system", "seed"]), "value").dropna()


def _error_and_parameters(frame: pd.DataFrame) -> Effect:
    """Error at most half a percentage point above the ResNet's of the same seed, with at most 0.4 of its parameters."""
    parts = []
    for kind in ("ODENetClassifier", "RKNetClassifier"):
        above = _paired(frame, "test_error", kind, "ResNetClassifier", np.subtract)
        share = _paired(frame, "parameters", kind, "ResNetClassifier", np.divide)
        parts += [effect(above, "percentage points", highest=0.5), effect(share, "of the parameters", highest=0.4)]
    return together(parts)


def _memory(frame: pd.DataFrame) -> Effect:
    """Exponent of saved bytes over NFE: 0 for the ODE-Net, 1 for the RK-Net."""
    flat = effect(by_seed(frame, "memory_power", "ODENetClassifier").to_numpy(), "exponent", -0.05, 0.05)
    linear = effect(by_seed(frame, "memory_power", "RKNetClassifier").to_numpy(), "exponent", 0.8, 1.2)
    return together([flat, linear])


def _within(metric: str, unit: str, lowest: float = -inf, highest: float = inf) -> Callable[[pd.DataFrame], Effect]:
    """Tests that a metric of the ODE-Net lies in a range."""
    return lambda frame: effect(by_seed(frame, metric, "ODENetClassifier").to_numpy(), unit, lowest, highest)


def _paired(
    frame: pd.DataFrame, metric: str, kind: str, other: str, compare: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """A comparison of two kinds of learners, seed by seed, where both have a value."""
    one, two = (by_seed(frame, metric, each).groupby(["system", "seed"]).median() for each in (kind, other))
    both = one.index.intersection(two.index)
    return compare(one.loc[both].to_numpy(), two.loc[both].to_numpy())


_CHEN = "Chen et al., Neural ordinary differential equations, NeurIPS 2018"

DEPTH_CLAIMS: tuple[Claim, ...] = (
    Claim(
        "D1",
        "ODE-Net and RK-Net match the ResNet's error with a third of its parameters.",
        f"{_CHEN}, table 1",
        "images",
        _error_and_parameters,
    ),
    Claim(
        "D2",
        "The ODE-Net's memory does not grow with the solver's steps; the RK-Net's grows linearly.",
        f"{_CHEN}, table 1",
        "images",
        _memory,
    ),
    Claim(
        "D3",
        "The numerical error falls as the number of function evaluations grows.",
        f"{_CHEN}, figure 3a",
        "images",
        _within("error_power", "exponent", highest=0.0),
    ),
    Claim(
        "D4",
        "Time is proportional to the number of forward evaluations.",
        f"{_CHEN}, figure 3b",
        "images",
        _within("time_power", "exponent", 0.85, 1.15),
    ),
    Claim(
        "D5",
        "There are about half as many backward as forward evaluations.",
        f"{_CHEN}, figure 3c",
        "images",
        _within("backward_ratio", "backward / forward", 0.35, 0.65),
    ),
    Claim(
        "D6",
        "The number of forward evaluations grows as training goes on.",
        f"{_CHEN}, figure 3d",
        "images",
        _within("nfe_growth", "last / first fifth", np.nextafter(1.0, 2.0)),
    ),
)

CLAIMS = DEPTH_CLAIMS
