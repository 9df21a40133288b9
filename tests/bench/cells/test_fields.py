"""Vector fields of models in the plane: where they are seen, and how far from the true one they are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.cells.fields import ALONG, GRID, field_of, true_velocity
from learners import Budget, NeuralODE, Persistence, Training, TrueEquations, WindowedRNN
from metrics import Cost, Evidence, Field, Undefined, field_error, field_error_along
from systems import Dataset, LinearSpiral, Lorenz, Sampling, sample

SAMPLING = Sampling(
    step=0.02, trajectories=1, samples=60, valid=1, test=2, context=4, horizon=0.2, climate=1, climate_horizon=0.2
)
STATES = np.ones((2, 3, 2))
NOTHING = Evidence(0.1, np.ones(2), STATES, STATES, STATES, STATES, Cost(0, 0, 0, 0, 0, 0, 0, 0, 0))


@pytest.fixture(scope="module")
def spiral() -> Dataset:
    return sample(LinearSpiral(), SAMPLING, 0)


def test_the_true_equations_have_the_true_field(spiral: Dataset):
    found = field_of(TrueEquations().fit_replicas(spiral, Budget(), [0])[0], spiral)
    assert found is not None
    assert (found.around, len(found.places)) == (GRID**2, GRID**2 + min(ALONG, 60))
    np.testing.assert_allclose(found.places[GRID**2 :], spiral.train.states[0])
    np.testing.assert_allclose(found.learned, found.flow, atol=1e-4)
    evidence = replace(NOTHING, field=found)
    assert max(field_error.measure(evidence), field_error_along.measure(evidence)) < 1e-4


def test_the_velocity_is_the_mean_over_a_sampling_step():
    turn = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    found = true_velocity(LinearSpiral(damping=0.0), turn, 0.1)
    torch.testing.assert_close(found, torch.tensor([[np.cos(0.1) - 1, np.sin(0.1)]]) / 0.1, atol=1e-6, rtol=0)


def test_only_models_whose_state_is_a_place_in_the_plane_have_a_field(spiral: Dataset):
    short = Training(updates=1, batch=4, validations=1)
    (field,) = NeuralODE(width=4, training=short).fit_replicas(spiral, Budget(), [0])
    assert field_of(field, spiral) is not None
    (window,) = WindowedRNN(hidden=4, training=short).fit_replicas(spiral, Budget(), [0])
    (constant,) = Persistence().fit_replicas(spiral, Budget(), [0])
    lorenz = sample(Lorenz(), SAMPLING, 0)
    (true,) = TrueEquations().fit_replicas(lorenz, Budget(), [0])
    assert [field_of(*one) for one in ((window, spiral), (constant, spiral), (true, lorenz))] == [None] * 3
    with pytest.raises(Undefined, match="no vector field in the plane"):
        field_error.measure(NOTHING)


def test_distances_are_relative_to_the_true_field_on_the_grid_and_along_the_data():
    flow = np.array([[3.0, 4.0], [0.0, 5.0], [1.0, 0.0]])
    learned = flow + np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.5]])
    evidence = replace(NOTHING, field=Field(np.zeros((3, 2)), flow, learned, around=2))
    assert field_error.measure(evidence) == pytest.approx(0.2)
    assert field_error_along.measure(evidence) == pytest.approx(0.5)
