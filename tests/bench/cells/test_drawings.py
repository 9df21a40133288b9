"""Arrays that figures are drawn from: parts of long runs."""

import numpy as np
import pytest

from bench.cells.drawings import LENGTHS, SHORTEST, growing_tests
from bench.cells.files import stack
from metrics import Cost, Evidence
from metrics.zero_one import subsampling, zero_one


def test_the_test_for_chaos_is_told_of_ever_longer_parts_of_the_first_long_run():
    turn = np.cos(2.4 * np.arange(1200))[None, :, None]
    noise = np.random.default_rng(0).uniform(-1, 1, turn.shape)
    noise[:, 900:] = np.inf
    cost = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
    arrays = growing_tests(Evidence(0.5, np.ones(1), turn[:, :9], turn[:, :9], turn, noise, cost))
    lag = subsampling(turn[:, :, 0])
    assert arrays["k_times"][[0, -1]] == pytest.approx([SHORTEST * lag * 0.5, -(-1200 // lag) * lag * 0.5])
    assert len(arrays["k_times"]) == LENGTHS
    np.testing.assert_array_equal(np.isnan(arrays["k"]), arrays["k_times"] > 450)
    assert arrays["k_truth"][-1] < 0.1
    assert arrays["k"][np.isfinite(arrays["k"])][-1] > 0.9
    long = arrays["k_truth"][-1], zero_one(turn[0, :, 0], lag, scale=1.0).k
    assert long[0] == pytest.approx(long[1])
    short = Evidence(0.5, np.ones(1), turn[:, :9], turn[:, :9], turn[:, :60], noise[:, :60], cost)
    assert growing_tests(short) == {}


def test_seeds_with_fewer_points_than_others_have_none_behind_them():
    few, none, many = {"sweep_error": np.arange(2.0)}, {}, {"sweep_error": np.arange(3.0)}
    for seeds in ((few, none, many), (many, none, few)):
        found = stack(seeds)["sweep_error"]
        assert found.shape == (3, 3)
        assert sorted(np.isfinite(found).sum(axis=1)) == [0, 2, 3]
        assert np.nanmax(found) == 2.0
