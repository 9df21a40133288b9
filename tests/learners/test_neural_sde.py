"""Learning stochastic equations: scores, paths, and what is found."""

from typing import Any

import numpy as np
import pytest
import torch

from bench.cells.forecasts import draw_members
from learners import Budget, IndependentTruth, NeuralSDE, Training, TrueEquations
from learners.validation_forecasts import HIGHEST, energy_score, mean_energy_score
from metrics import ensemble_crps, spread_over_skill
from systems import Dataset, GeometricBrownianMotion, Sampling, sample

SAMPLING = Sampling(
    step=0.02, trajectories=32, samples=60, valid=4, test=256, context=4, horizon=0.4, climate=1, climate_horizon=0.1
)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return sample(GeometricBrownianMotion(), SAMPLING, 0)


def test_an_energy_score_of_one_number_is_its_crps():
    generator = torch.Generator().manual_seed(0)
    members, truth = (torch.randn(shape, generator=generator) for shape in ((5, 7, 1), (7, 1)))
    expected = ensemble_crps(truth.double().numpy()[:, 0], members.double().numpy()[..., 0])
    np.testing.assert_allclose(energy_score(members, truth), expected, atol=1e-6)
    torch.testing.assert_close(energy_score(members[:1], truth), (members[0] - truth).abs()[:, 0])


def test_scores_of_drawn_forecasts_are_lowest_on_average_where_their_spread_is_that_of_the_truth():
    generator = torch.Generator().manual_seed(1)
    drawn, truth = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((8, 9000, 1), (9000, 1)))
    unit = torch.ones(1, dtype=torch.float64)
    scores = {spread: mean_energy_score(spread * drawn, truth, unit).item() for spread in (0.0, 0.5, 1.0, 2.0)}
    assert min(scores, key=lambda spread: scores[spread]) == 1.0
    assert scores[1.0] == pytest.approx(1 / np.pi**0.5, rel=0.03)  # in closed form
    assert mean_energy_score(drawn * float("nan"), truth, unit).item() == HIGHEST
    lost = drawn * torch.tensor([1.0, 1e18, 1e30])[torch.arange(len(drawn)) % 3].view(-1, *[1] * (drawn.ndim - 1))
    assert mean_energy_score(lost, truth, unit).item() == HIGHEST


def test_true_paths_have_the_least_crps_and_an_honest_spread(dataset: Dataset):
    (true,) = TrueEquations().fit_replicas(dataset, Budget(), (0,))
    members, context = draw_members(true, dataset.test, 4, 1), 4
    system: Any = dataset.system
    truth, start = dataset.test.states[:, context:].numpy(), dataset.test.states[:, context - 1, 0].numpy()
    for sample_index in (0, 19):
        time = (sample_index + 1) * dataset.step
        least = np.mean([system.least_crps(float(x), time) for x in start])
        found = ensemble_crps(truth[:, sample_index], members[:, :, sample_index]).mean()
        assert found == pytest.approx(least, rel=0.15)
    assert spread_over_skill(truth, members) == pytest.approx(1.0, abs=0.15)


def test_forecasts_that_are_drawn_differ_in_a_batch_and_are_the_same_again(dataset: Dataset):
    (true,) = TrueEquations().fit_replicas(dataset, Budget(), (0,))
    members = draw_members(true, dataset.test, 4, 1)
    assert (members[0] != members[1]).all()
    np.testing.assert_array_equal(members, draw_members(true, dataset.test, 4, 1))


def test_independent_paths_of_a_seed_are_those_of_no_other(dataset: Dataset):
    past, times = dataset.test.between(0, 4), dataset.test.times[:, 4:]
    one, other = (
        model.forecast(past, times).states for model in IndependentTruth().fit_replicas(dataset, Budget(), (0, 1))
    )
    assert (one[:16] != other[:16]).all()


def test_too_few_paths_are_refused():
    with pytest.raises(ValueError, match=r"NeuralSDE\.paths must be at least 2"):
        NeuralSDE(paths=1)


def test_without_the_extra_it_does_not_apply(dataset: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "torchsde", None)
    with pytest.raises(ValueError, match=r"NeuralSDE needs the package torchsde: pip install 'dynamics-bench\[sde\]'"):
        NeuralSDE().fit_replicas(dataset, Budget(), (0,))


@pytest.mark.slow
def test_drift_and_diffusion_of_growth_are_found(dataset: Dataset):
    training = Training(updates=800, batch=256, learning_rate=5e-3)
    (model,) = NeuralSDE(width=16, depth=1, training=training).fit_replicas(dataset, Budget(), (0,))
    members, truth = draw_members(model, dataset.test, 4, 1), dataset.test.states[:, 4:].numpy()
    (true,) = TrueEquations().fit_replicas(dataset, Budget(), (0,))
    least = ensemble_crps(truth, draw_members(true, dataset.test, 4, 1)).mean()
    assert ensemble_crps(truth, members).mean() < 1.1 * least
    assert spread_over_skill(truth, members) == pytest.approx(1.0, abs=0.2)
