"""my_metric on forecasts whose value is known."""

from math import inf, nan

import numpy as np
from my_metric import my_metric

from metrics import Cost, Evidence

TRUTH = np.random.default_rng(0).standard_normal((3, 10, 2))  # [batch, time, dim]
SCALE = np.array([2.0, 5.0])
NO_COST = Cost(0, 0, nan, nan, nan, nan, nan, nan, nan)


def measured(forecast: np.ndarray) -> float:
    return my_metric.measure(Evidence(0.1, SCALE, TRUTH, forecast, TRUTH, forecast, NO_COST))


def test_the_truth_itself_has_no_error():
    assert measured(TRUTH) == 0.0


def test_one_sample_that_is_two_standard_deviations_off_is_an_error_of_two():
    forecast = TRUTH.copy()
    forecast[:, 4] += 2 * SCALE
    np.testing.assert_allclose(measured(forecast), 2.0)


def test_forecasts_that_diverge_are_as_bad_as_can_be():
    for value in (nan, inf):
        forecast = TRUTH.copy()
        forecast[:, 7:] = value
        assert measured(forecast) == inf
