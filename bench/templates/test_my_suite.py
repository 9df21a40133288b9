"""my_suite: every learner is fitted to every system, hardly at all, and forecasts it."""

from dataclasses import replace

import pytest
from my_suite import suite

import bench
from learners import Budget
from metrics import nrmse
from systems import Sampling, sample

SMALL = Sampling(trajectories=4, samples=80, valid=2, test=3, context=8, horizon=0.4, climate=1, climate_horizon=0.4)
CELLS = replace(suite, sampling=SMALL).cells()


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.learner_label} on {cell.system_label}")
def test_a_learner_forecasts_a_system(cell):
    data = sample(cell.system, cell.sampling, cell.data_seed)
    model = cell.learner.fit(data, Budget(effort=0.001))
    (error,) = bench.evaluate(model, data, [nrmse])
    assert 0 <= error < 100


def test_its_results_have_a_folder_of_their_own():
    assert suite.name == "my_suite"
    assert len(CELLS) == len(suite.systems) * len(suite.learners)
