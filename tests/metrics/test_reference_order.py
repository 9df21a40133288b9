"""The order in which each metric must put the reference rows: a metric that a yardstick can game is seen here."""

from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from bench.cells.exponents import exponents
from learners import Budget, Climatology, Learner, Persistence, PolynomialPropagator, TrainingMean, TrueEquations
from metrics import ATTRACTOR, COMMON_TASK, LONG_TERM, SETTLES_ON, STANDARD, Cost, Evidence, Undefined, normalised_error
from systems import Dataset, Lorenz, Sampling, Trajectories, sample

SAMPLING = Sampling(
    step=0.036224,  # 0.04 time units
    trajectories=6,
    samples=300,
    valid=2,
    test=12,
    context=8,
    horizon=8.0,
    climate=2,
    climate_horizon=150.0,
)
ROWS = (TrueEquations(), PolynomialPropagator(), Climatology(), TrainingMean(), Persistence())
TRUE, POLYNOMIAL, CLIMATOLOGY, MEAN, PERSISTENCE = (type(row).__name__ for row in ROWS)
MEASURED = {metric.name: metric for metric in (*STANDARD, *LONG_TERM, *ATTRACTOR, *SETTLES_ON, *COMMON_TASK)}


@pytest.fixture(scope="module")
def evidence() -> dict[str, Evidence]:
    """What the forecasts of each reference leave to be measured, on a small dataset of the Lorenz system."""
    data = sample(Lorenz(), SAMPLING, 0)
    return {type(row).__name__: forecasts(row, data) for row in ROWS}


def forecasts(learner: Learner, data: Dataset) -> Evidence:
    (predictor,) = learner.fit_replicas(data, Budget(), [0])
    context = SAMPLING.context

    def beside(part: Trajectories) -> tuple[np.ndarray, np.ndarray]:
        forecast = predictor.forecast(part.between(0, context), part.times[0, context:])
        return part.between(context).states.numpy(), forecast.states.numpy()

    scale, cost = data.std.numpy(), Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
    truth, climate = beside(data.climate)
    found = partial(exponents, predictor, data, climate)
    return Evidence(SAMPLING.step, scale, *beside(data.test), truth, climate, cost, exponents=found)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        # short forecasts: knowing where the system is beats knowing where it may be, and a mean beats a random draw;
        # a polynomial of high degree, fitted in double precision, may beat the equations in single precision
        ("nrmse", (TRUE, MEAN, CLIMATOLOGY)),
        ("nrmse", (POLYNOMIAL, MEAN)),
        ("nrmse", (MEAN, PERSISTENCE)),
        ("vpt", (TRUE, PERSISTENCE, CLIMATOLOGY)),
        ("vpt_strict", (TRUE, PERSISTENCE)),
        ("vpt_strict", (POLYNOMIAL, PERSISTENCE)),
        ("smape", (TRUE, CLIMATOLOGY)),
        ("smape", (POLYNOMIAL, CLIMATOLOGY)),
        ("cme", (TRUE, PERSISTENCE)),
        ("cme", (POLYNOMIAL, PERSISTENCE)),
        ("ctf_short", (TRUE, PERSISTENCE, CLIMATOLOGY)),
        # places: a draw of the attractor has them, a point has not
        ("d_stsp", (TRUE, CLIMATOLOGY, PERSISTENCE)),
        ("d_stsp", (POLYNOMIAL, CLIMATOLOGY, MEAN)),
        ("mmd", (TRUE, PERSISTENCE)),  # a draw and a run of the true equations differ by the noise of samples alone
        ("mmd", (CLIMATOLOGY, PERSISTENCE)),
        ("ctf_long", (TRUE, PERSISTENCE)),
        ("ctf_long", (CLIMATOLOGY, MEAN)),
        # rhythms: a draw has none, a point has no motion at all
        ("d_h", (TRUE, CLIMATOLOGY, PERSISTENCE)),
        ("d_h", (POLYNOMIAL, CLIMATOLOGY, MEAN)),
        # chaos: what stands still does not part from its neighbours
        ("lyapunov_exponent", (TRUE, PERSISTENCE)),
        ("lyapunov_exponent", (POLYNOMIAL, MEAN)),
    ],
)
def test_each_row_beats_the_next(evidence: dict[str, Evidence], name: str, rows: tuple[str, ...]):
    metric = MEASURED[name]
    values = [metric.measure(evidence[row]) for row in rows]
    if metric.better == "truth":
        values = [abs(value - metric.measure(evidence[TRUE])) for value in values]
    ordered = values[::-1] if metric.better == "higher" else values
    assert all(better < worse for better, worse in pairwise(ordered)), dict(zip(rows, values, strict=True))


def test_climatology_loses_to_persistence_on_the_first_samples(evidence: dict[str, Evidence]):
    first = {
        row: np.median(normalised_error(given.truth, given.forecast, given.scale)[:, 0])
        for row, given in evidence.items()
    }
    assert first[TRUE] < 1e-4
    assert first[TRUE] < first[PERSISTENCE] < first[CLIMATOLOGY]


@pytest.mark.parametrize(
    ("name", "point", "draw"),
    [("roughness", 0.0, np.inf), ("chaos_fraction", 0.0, 1.0), ("correlation_dimension", 0.0, np.inf)],
)
def test_metrics_that_are_best_near_the_truth_tell_a_point_and_a_draw_from_it(
    evidence: dict[str, Evidence], name: str, point: float, draw: float
):
    values = {row: MEASURED[name].measure(given) for row, given in evidence.items()}
    assert values[PERSISTENCE] == values[MEAN] == point
    assert values[PERSISTENCE] < values[TRUE] <= values[CLIMATOLOGY] <= draw


@pytest.mark.slow
def test_what_the_true_equations_do_is_within_their_own_bounds():
    long_runs = replace(SAMPLING, climate=3, climate_horizon=300.0)
    given = forecasts(TrueEquations(), sample(Lorenz(), long_runs, 0))
    expected = {
        "roughness": (0.99, 1.01),
        "out_of_box": (0.0, 0.01),
        "d_h": (0.0, 0.05),
        "mmd": (0.0, 0.05),
        "correlation_dimension": (1.8, 2.2),
        "ctf_short": (99.9, 100.0),
        "chaos_fraction": (1.0, 1.0),
        "unbounded_fraction": (0.0, 0.0),
        "lyapunov_exponent": (0.8, 1.2),
        "kaplan_yorke_dimension": (2.04, 2.08),
        "divergence_rate": (0.7, 1.3),
    }
    values = {name: MEASURED[name].measure(given) for name in expected}
    for name, (least, most) in expected.items():
        assert least <= values[name] <= most, values


@pytest.mark.parametrize("row", [CLIMATOLOGY, PERSISTENCE, MEAN])
def test_a_rate_of_divergence_is_not_told_of_what_is_wrong_from_the_start(evidence: dict[str, Evidence], row: str):
    with pytest.raises(Undefined, match="no growth phase"):
        MEASURED["divergence_rate"].measure(evidence[row])


def test_a_random_draw_passes_for_chaos_but_has_no_exponent(evidence: dict[str, Evidence]):
    assert MEASURED["zero_one_k"].measure(evidence[CLIMATOLOGY]) > 0.9
    assert MEASURED["chaos_fraction"].measure(evidence[CLIMATOLOGY]) == 1
    for name in ("lyapunov_exponent", "kaplan_yorke_dimension"):
        with pytest.raises(Undefined, match="no smooth map"):
            MEASURED[name].measure(evidence[CLIMATOLOGY])


def test_a_point_within_the_attractor_is_never_out_of_the_box(evidence: dict[str, Evidence]):
    for row in (PERSISTENCE, MEAN):
        assert MEASURED["out_of_box"].measure(evidence[row]) == 0
    assert MEASURED["out_of_box"].measure(evidence[CLIMATOLOGY]) < 0.01


def test_points_are_told_from_the_attractor(evidence: dict[str, Evidence]):
    for row in (PERSISTENCE, MEAN):
        assert MEASURED["fixed_point_fraction"].measure(evidence[row]) == 1
        assert MEASURED["zero_one_k"].measure(evidence[row]) == 0
        assert MEASURED["d_h"].measure(evidence[row]) == 1
