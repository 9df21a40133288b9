"""Cases on which theory, a closed form or a published value says what a measuring instrument has to show."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import exp, log, pi, sqrt
from operator import attrgetter
from typing import Any, Literal

import numpy as np

import metrics
from bench.doctor import known_series as series
from bench.doctor import measurements as measure
from bench.doctor.known_series import FEW, Runs
from bench.doctor.measurements import Measure
from systems import Certificate, Check, HenonMap, LinearSpiral, LogisticMap, Lorenz, VanDerPol
from systems.flows.lorenz import LARGEST_EXPONENT
from systems.lyapunov import leading_exponent
from systems.published import CLOSED_FORM, SPROTT, TWO_CODES

CURVE = (3e-3, 3e-2)  # correlation sums between which the dimension of a curve of a few thousand samples is read off
DEFINITION = "definition"
THEORY = "theory"
GRASSBERGER = "GP 1983"  # Grassberger and Procaccia, "Measuring the strangeness of strange attractors"
GOTTWALD = "Gottwald 2009"  # Gottwald and Melbourne, "On the implementation of the 0-1 test for chaos"
DENSE = "0-1 test"
LARGEST = "largest exponent"
SUM = "sum of the exponents"

HENON = HenonMap().step

WIDTH = 2 * 0.4549364  # median squared distance of two draws from a normal distribution: twice that of chi squared
NORMAL_MMD = sqrt(2 * sqrt(WIDTH / (WIDTH + 2)) * (1 - exp(-0.5 / (WIDTH + 2))))  # of means a standard deviation apart


@dataclass(frozen=True)
class Expectation:
    """The value that an instrument has to show on the runs of a case."""

    instrument: str
    measure: Measure
    expected: float | str
    tolerance: float = 0.0
    source: str = THEORY
    kind: Literal["about", "at least"] = "about"


@dataclass(frozen=True)
class Case:
    """Runs of which everything is known. Where two distributions are compared, the first half of them is the truth."""

    name: str
    runs: Callable[[], Runs]
    expectations: tuple[Expectation, ...]

    def certificate(self) -> Certificate:
        """Try every instrument on the runs."""
        runs = self.runs()
        checks = (
            Check(one.instrument, one.measure(runs), one.expected, one.tolerance, one.source, one.kind)
            for one in self.expectations
        )
        return Certificate(self.name, tuple(checks))


def expect_k(expected: float, source: str = THEORY, tolerance: float = 0.02) -> Expectation:
    """K of the 0-1 test is so much."""
    return Expectation("K", measure.k_as_sampled, expected, tolerance, source)


def expect_regime(expected: str, step: float = 1.0, source: str = THEORY) -> Expectation:
    """The runs settle on this; `step` is the time between samples in timescales."""
    return Expectation("settles on", partial(measure.regime, step=step), expected, source=source)


def expect_dimension(expected: float, tolerance: float, source: str = THEORY, **options: Any) -> Expectation:
    """The correlation dimension is so much."""
    return Expectation("correlation dimension", partial(measure.dimension, **options), expected, tolerance, source)


def expect_valid_time(name: str, threshold: float) -> Expectation:
    """The valid prediction time of the growing error is when it reaches the threshold."""
    return Expectation(name, measure.valid_time(threshold), log(1e3 * threshold), series.GROWTH_STEP, CLOSED_FORM)


def case(name: str, runs: Callable[[], Runs], *expectations: Expectation) -> Case:
    """A case with what is expected of its runs."""
    return Case(name, runs, expectations)


def sampled_lorenz(step: float, samples: int, seen: float, warning: str, runs: int = FEW, *more: Expectation) -> Case:
    """Lorenz sampled too densely: the test misses the chaos, warns of it, and finds it after subsampling."""
    return case(
        f"Lorenz dt={step:g}",
        partial(series.lorenz, step, samples, runs),
        expect_k(seen, TWO_CODES),
        Expectation(DENSE, measure.oversampled, warning, source=GOTTWALD),
        Expectation("K, subsampled", measure.k_subsampled, 0.998, 0.02, TWO_CODES),
        # three quarters of a run of 1,000 samples are too few to tell
        expect_regime("chaos" if samples > 1400 else "undecided", step * LARGEST_EXPONENT),
        *more,
    )


def logistic_map(r: float, exponent: float, source: str, *expectations: Expectation) -> Case:
    """The logistic map, and its exponent beside what else is expected."""
    step = LogisticMap(r).step
    expected = Expectation(LARGEST, measure.of_map(step, measure.largest), exponent, 0.01, source)
    return case(f"logistic map r={r:g}", partial(series.orbit, step, (0.4,)), *expectations, expected)


CASES: tuple[Case, ...] = (
    logistic_map(3.97, 0.5899, "time mean", expect_k(0.998, TWO_CODES), expect_regime("chaos")),
    logistic_map(
        3.55,
        -0.09989,
        "cycle of 8",
        expect_k(-0.005, TWO_CODES),
        expect_regime("limit cycle"),
        expect_dimension(0.0, 0.0),
    ),
    logistic_map(4.0, log(2), CLOSED_FORM, expect_k(1.0), expect_regime("chaos"), expect_dimension(1.0, 0.1)),
    case(
        "Henon map",
        partial(series.orbit, HENON, (0.1, 0.1), 8000),
        expect_k(1.0),
        expect_regime("chaos"),
        expect_dimension(1.21, 0.04, GRASSBERGER),
        Expectation(LARGEST, measure.of_map(HENON, measure.largest), 0.4192, 0.01, SPROTT),
        Expectation(SUM, measure.of_map(HENON, measure.total), log(0.3), 1e-9, CLOSED_FORM),
        Expectation("Kaplan-Yorke dimension", measure.of_map(HENON, attrgetter("kaplan_yorke")), 1.258, 0.01, SPROTT),
    ),
    case(
        "circle rotation",
        partial(series.orbit, series.rotation, (1.0, 0.0)),
        expect_k(0.0),
        expect_regime("limit cycle"),
        expect_dimension(1.0, 0.1, scaling=CURVE),
        Expectation(LARGEST, measure.of_map(series.rotation, measure.largest), 0.0, 1e-9),
    ),
    case("two-frequency torus", series.torus, expect_k(0.0), expect_regime("torus"), expect_dimension(2.0, 0.2)),
    case(
        "white noise",
        series.noise,
        expect_k(1.0),
        expect_regime("chaos", source="as documented"),
        expect_dimension(3.0, 0.1),
        Expectation("D_H of two samples", measure.of_halves(metrics.spectral_distance), 0.0, 0.1),
        Expectation("MMD of two samples", measure.of_halves(metrics.mean_discrepancy), 0.0, 0.03),
    ),
    case(
        "constant series",
        series.constant,
        expect_k(0.0, DEFINITION, 0.0),
        expect_regime("fixed point"),
        expect_dimension(0.0, 0.0),
    ),
    case(
        "sine",
        series.sine,
        expect_k(0.0),
        Expectation(DENSE, measure.oversampled, "warns", source=GOTTWALD),
        expect_regime("limit cycle", 0.1 / (2 * pi)),
        expect_dimension(1.0, 0.1, scaling=CURVE),
    ),
    sampled_lorenz(0.01, 10_000, -0.01, "warns", 48),
    sampled_lorenz(0.05, series.SAMPLES, 0.26, "warns", 48, expect_dimension(2.05, 0.06, GRASSBERGER, window=20)),
    sampled_lorenz(
        0.1,
        1000,
        0.998,
        "warns",
        FEW,
        Expectation(LARGEST, measure.of_flow(Lorenz(), 10.0, leading_exponent, 100, warm_up=3.0), 0.9056, 0.01, SPROTT),
    ),
    sampled_lorenz(0.2, 1000, 0.998, "is silent"),
    case(
        "Lorenz rho=160",
        partial(series.lorenz, 0.05, 2000, rho=160.0),
        expect_k(0.002, TWO_CODES),
        expect_regime("limit cycle", 0.05 * LARGEST_EXPONENT),
        expect_dimension(1.0, 0.1, window=20),
        Expectation(LARGEST, measure.of_flow(Lorenz(rho=160.0), 4.6, measure.largest, warm_up=3.0), 0.0, 0.1),
        Expectation(SUM, measure.of_flow(Lorenz(rho=160.0), 0.2, measure.total), -(10 + 1 + 8 / 3), 1e-3, CLOSED_FORM),
    ),
    case(
        "stable spiral",
        series.spiral,
        expect_regime("fixed point", 0.1 / (2 * pi)),
        Expectation(LARGEST, measure.of_flow(LinearSpiral(), 6.0, measure.largest), -0.1, 1e-4, CLOSED_FORM),
        Expectation(SUM, measure.of_flow(LinearSpiral(), 6.0, measure.total), -0.2, 1e-4, CLOSED_FORM),
    ),
    case(
        "Van der Pol mu=1",
        series.van_der_pol,
        expect_k(0.0),
        expect_regime("limit cycle", 0.1 / VanDerPol().timescale),
        expect_dimension(1.0, 0.1, window=33, scaling=CURVE),
        Expectation(LARGEST, measure.of_flow(VanDerPol(), 13.3, measure.largest, warm_up=6.7), 0.0, 0.01),
        Expectation("sum less divergence", measure.of_flow(VanDerPol(), 6.7, measure.total_less_divergence), 0.0, 1e-3),
    ),
    case(
        "two sines",
        series.two_sines,
        Expectation("D_H", measure.of_halves(metrics.spectral_distance), sqrt(1 - exp(-0.5)), 0.005, CLOSED_FORM),
    ),
    case(
        "two coins",
        series.two_coins,
        Expectation("D_stsp, binned", measure.of_halves(metrics.binned_divergence), log(4 / 3) / 2, 1e-4, CLOSED_FORM),
        Expectation("out-of-box mass", measure.of_halves(metrics.out_of_box_mass), 0.0, 0.0, DEFINITION),
    ),
    case(
        "shifted noise",
        partial(series.shifted_noise, 10_000, 6),
        Expectation("D_stsp, mixture", measure.of_halves(metrics.mixture_divergence), 0.25, 0.03, CLOSED_FORM),
        Expectation(
            "MMD, first channel", measure.of_first_channels(metrics.mean_discrepancy), NORMAL_MMD, 0.04, CLOSED_FORM
        ),
    ),
    case(
        "model at rest",
        series.noise_and_rest,
        Expectation("D_H", measure.of_halves(metrics.spectral_distance), 1.0, 0.0, DEFINITION),
    ),
    case(
        "growing error",
        series.growing_error,
        expect_valid_time("VPT", metrics.THRESHOLD),
        expect_valid_time("VPT, strict", metrics.STRICT_THRESHOLD),
    ),
    case(
        "doubled sine",
        series.doubled_sine,
        Expectation("sMAPE", measure.mean_of_halves(metrics.symmetric_percentage_error), 200 / 3, 1e-9, CLOSED_FORM),
        Expectation(
            "roughness",
            measure.mean_of_halves(partial(metrics.relative_roughness, scale=np.ones(1))),
            2.0,
            1e-9,
            CLOSED_FORM,
        ),
    ),
)
