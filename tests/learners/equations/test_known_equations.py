"""Known equations: sensitivities, least squares, the floor that noise sets, the published fits, and hybrids."""

from dataclasses import dataclass, replace
from math import exp, inf, nan

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor
from torchdiffeq import odeint

from learners import Budget, Failure, HybridODE, Learner, Mechanistic, Persistence, Training, Unsuitable
from learners.equations.least_squares import LeastSquares
from learners.equations.mechanistic import least_squares, noise_scale, observation_noise, pieces
from learners.equations.published_fit import PublishedFit, Recipe
from learners.equations.sensitivities import integrate, real_parameters, sensitivities
from learners.fewer_trajectories import Fewer
from metrics import Cost, Evidence, misfit, parameter_error, parameter_floor
from metrics.base import Undefined
from systems import (
    Dataset,
    Flow,
    Halvorsen,
    LinearSpiral,
    Lorenz,
    Lorenz96,
    LotkaVolterra,
    Sampling,
    System,
    Trajectories,
    VanDerPol,
    sample,
)
from systems.calibration import Calibration, EstimatedParameter
from systems.flows.kuramoto_sivashinsky import KuramotoSivashinsky
from tests.support.cases import few
from tests.support.problems import LogisticGrowth

SAMPLING = Sampling(
    step=0.05, trajectories=4, samples=40, valid=1, test=2, context=2, horizon=0.5, climate=1, climate_horizon=0.5
)


@dataclass(frozen=True)
class Mixed(LinearSpiral):
    """A velocity of which one part is written channel by channel, and the other for all channels."""

    def velocity(self, t: float | torch.Tensor, x: Float[torch.Tensor, "*batch 2"]) -> Float[torch.Tensor, "*batch 2"]:
        u, v = x.unbind(-1)
        return torch.stack([-self.rotation * v, self.rotation * u], dim=-1) - self.damping * x


def observed(system: System, seed: int = 0, **changes: object) -> Dataset:
    return sample(system, replace(SAMPLING, **changes), seed)  # type: ignore[arg-type]


def fitted(learner: Mechanistic | PublishedFit | HybridODE, data: Dataset) -> Calibration:
    calibration = learner.fit_replicas(data, Budget(), [0])[0].calibration
    assert calibration is not None
    return calibration


def test_following_known_equations_is_torchdiffeqs_rk4():
    start = torch.tensor([[1.0, 2.0, 20.0], [-3.0, 1.0, 15.0]], dtype=torch.float64)
    times = torch.linspace(0, 1, 11, dtype=torch.float64)
    ours = integrate(Lorenz(), start, times.expand(2, -1), substeps=4)
    theirs = odeint(Lorenz().velocity, start, times, method="rk4", options={"step_size": 0.025})
    assert isinstance(theirs, torch.Tensor)
    torch.testing.assert_close(ours, theirs.transpose(0, 1), rtol=1e-9, atol=1e-9)


def test_each_trajectory_is_followed_by_its_own_clock():
    start, flow = torch.tensor([[0.1], [0.1]], dtype=torch.float64), LogisticGrowth()
    times = torch.tensor([[0.0, 0.3, 0.5], [0.0, 0.1, 0.7]], dtype=torch.float64)
    exact = np.stack([flow.exact(start[:1].numpy(), row)[0] for row in times.numpy()])
    np.testing.assert_allclose(integrate(flow, start, times, 50).numpy(), exact, atol=1e-9)


def test_sensitivities_are_those_of_the_closed_form():
    start, times = torch.tensor([[2.0, 0.0]], dtype=torch.float64), torch.linspace(0, 2, 9, dtype=torch.float64)[None]
    value = {"damping": torch.tensor(0.1, dtype=torch.float64)}
    found = sensitivities(LinearSpiral(), value, start, times, substeps=50)
    torch.testing.assert_close(found.by_parameters[0], -times[..., None] * found.states, rtol=1e-7, atol=1e-8)
    by_first = torch.stack([torch.cos(times), torch.sin(times)], dim=-1) * torch.exp(-0.1 * times)[..., None]
    torch.testing.assert_close(found.by_start[0], by_first, rtol=1e-7, atol=1e-8)
    assert sensitivities(LinearSpiral(), value, start, times, 1, free_start=False).by_start.numel() == 0


@pytest.mark.parametrize("flow", few([LinearSpiral(), VanDerPol(mu=0.3), LotkaVolterra(), Lorenz()], 1), ids=repr)
def test_parameters_are_recovered_from_clean_data_without_a_first_guess(flow: System):
    calibration = fitted(Mechanistic(), observed(flow))
    assert max(estimate.relative_error for estimate in calibration.estimates) < 1e-5
    assert all(estimate.deviation == 0 for estimate in calibration.estimates)


@pytest.mark.slow
def test_the_error_of_a_fit_scatters_as_wide_as_the_cramer_rao_floor():
    scores = []
    for seed in range(20):
        data = observed(LinearSpiral(), seed, samples=12, error=0.02)
        scores += [(one.fitted - one.true) / one.deviation for one in fitted(Mechanistic(window=0), data).estimates]
    assert abs(np.mean(scores)) < 0.6
    assert 0.7 < np.std(scores) < 1.3


def test_the_floor_is_that_of_the_closed_form():
    """A decaying number with unknown start: the variance is that of a line fitted to two weighted points."""
    times = torch.tensor([[0.0, 0.5]], dtype=torch.float64)
    start = torch.tensor([[1e-6]], dtype=torch.float64)
    rate = {"rate": torch.tensor(2.0, dtype=torch.float64)}
    states = integrate(LogisticGrowth(), start, times, 100)
    problem = LeastSquares(
        LogisticGrowth(), Trajectories(times, states), torch.tensor([1e-9], dtype=torch.float64), 100
    )
    growth, slope = exp(1.0), 0.5 * 1e-6 * exp(1.0)
    assert float(problem.least_deviations(rate)) == pytest.approx(1e-9 * (1 + growth**2) ** 0.5 / slope, rel=1e-3)
    exact = replace(problem, exact=torch.tensor([True]))
    assert float(exact.least_deviations(rate)) == pytest.approx(1e-9 / slope, rel=1e-3)


def test_what_the_data_do_not_tell_has_no_finite_floor():
    data = observed(LinearSpiral(), error=0.01)
    still = Trajectories(data.train.times, torch.zeros_like(data.train.states))
    problem = LeastSquares(LinearSpiral(), still, noise_scale(data), 1)
    values = {"damping": torch.tensor(0.1, dtype=torch.float64), "rotation": torch.tensor(1.0, dtype=torch.float64)}
    assert problem.least_deviations(values).isinf().all()


def test_an_exact_start_stays_as_it_is_in_whole_trajectories_and_in_first_pieces():
    data = observed(LinearSpiral(), samples=12, error=0.05, exact_start=True)
    assert least_squares(LinearSpiral(), observed(LinearSpiral()), 4, noise_scale(data), 1).exact is None
    problem = least_squares(LinearSpiral(), data, 4, noise_scale(data), 1)
    found = problem.exact
    assert found is not None
    assert found.tolist() == [True, False, False] * 4
    values = {"damping": torch.tensor(0.2, dtype=torch.float64), "rotation": torch.tensor(1.1, dtype=torch.float64)}
    _, moves = problem.normal(values, problem.observed.states[:, 0]).step(1e-3)
    assert (moves[found] == 0).all()
    assert (moves[~found] != 0).all()


@pytest.mark.slow
def test_the_published_loss_and_error_of_van_der_pol_are_reproduced():
    from bench.suites import mechanistic

    system, sampling = mechanistic.suite.own[0]
    short = replace(sampling, test=1, climate=1, horizon=1.0, climate_horizon=1.0)
    for seed in range(3):
        found = fitted(PublishedFit(), sample(system, short, seed))
        assert 1.5e-4 < found.misfit * sampling.error**2 * 2 < 6e-4  # published: 2.0e-4; a replication: up to 5.7e-4
        (mu,) = found.estimates
        assert abs(mu.fitted - mu.true) < 1.2e-2  # published: 1.7e-3; the replication: up to 1.1e-2


@pytest.mark.slow
def test_the_published_losses_and_parameters_of_lotka_and_volterra_are_reproduced():
    from bench.suites import mechanistic

    system, sampling = mechanistic.suite.own[1]
    data = sample(system, replace(sampling, test=1, climate=1, horizon=1.0, climate_horizon=1.0), 0)
    (predictor,) = PublishedFit().fit_replicas(data, Budget(), [0])
    first, *_, last = [2 * sampling.error**2 * point.train_loss for point in predictor.log.curve]
    assert first == pytest.approx(1.12, rel=0.05)
    assert last == pytest.approx(2.14e-2, rel=0.1)
    assert predictor.calibration is not None
    found = [one.fitted for one in predictor.calibration.estimates]
    assert found == pytest.approx([1.594, 1.046, 2.820, 0.939], abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("row", ["van_der_pol", "lotka_volterra", "lorenz"])
def test_fits_are_at_least_as_good_as_published_in_the_median_of_five_data_seeds(row: str):
    from bench.suites import mechanistic

    rows: list[str] = ["van_der_pol", "lotka_volterra", "lorenz"]
    system, sampling = mechanistic.suite.own[rows.index(row)]
    short = replace(sampling, test=1, climate=1, horizon=1.0, climate_horizon=1.0)
    found = [fitted(Mechanistic(window=0), sample(system, short, seed)) for seed in range(5)]
    errors = np.median([[abs(one.fitted - one.true) for one in each.estimates] for each in found], axis=0)
    reported = {"van_der_pol": [1.7e-3], "lotka_volterra": [0.094, 0.046, 0.18, 0.061], "lorenz": [inf, inf, inf]}[row]
    minibatches, loss = {"van_der_pol": (2, 2.02e-4), "lotka_volterra": (2, 2.14e-2), "lorenz": (6, 0.53)}[row]
    assert (errors <= reported).all()
    assert np.median([each.misfit for each in found]) * sampling.error**2 * minibatches <= loss


@pytest.mark.parametrize(
    "learner", [Mechanistic(), PublishedFit((Recipe((("rho", 20.0),), 4, 1e-2, 2),), batch=2)], ids=repr
)
def test_evaluations_are_those_of_all_copies_that_are_solved(learner: Learner, monkeypatch: pytest.MonkeyPatch):
    """One copy is the solution itself, forward, and two for each derivative are backward."""
    forward, backward = [], []

    def counted(flow: Flow, start: Tensor, times: Tensor, substeps: int) -> Tensor:
        evaluations = 4 * substeps * (times.shape[-1] - 1)
        forward.append(evaluations)
        backward.append(evaluations * (len(start) - 1))
        return integrate(flow, start, times, substeps)

    monkeypatch.setattr("learners.equations.sensitivities.integrate", counted)
    monkeypatch.setattr("learners.equations.least_squares.LeastSquares.least_deviations", lambda *_: torch.zeros(9))
    log = learner.fit_replicas(observed(Lorenz(), samples=12), Budget(), [0])[0].log
    assert log.nfe_forward * log.updates == pytest.approx(sum(forward), rel=1e-9)
    assert log.nfe_backward * log.updates == pytest.approx(sum(backward), rel=1e-9)


@pytest.mark.slow
def test_parameters_stay_within_their_bounds():
    (damping, rotation) = fitted(Mechanistic(bounds=(("damping", 0.2, 1.0),)), observed(LinearSpiral())).estimates
    assert damping.fitted == 0.2
    assert rotation.fitted == pytest.approx(1.0, abs=0.05)


@pytest.mark.slow
def test_only_the_parameters_that_are_named_are_fitted():
    learner = Mechanistic(start=(("rho", 20.0), ("mu", 0.1)))
    (only,) = fitted(learner, observed(Lorenz())).estimates
    assert (only.name, only.true) == ("rho", 28.0)
    assert only.fitted == pytest.approx(28.0, rel=1e-6)


def test_irregular_times_cost_known_equations_nothing():
    calibration = fitted(Mechanistic(), observed(LinearSpiral(), jitter=0.8, dropped=0.3))
    assert max(estimate.relative_error for estimate in calibration.estimates) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("pieces", [12, 13, 14])
def test_sensitivities_do_not_depend_on_how_many_trajectories_there_are(pieces: int):
    """Of five channels and one parameter thirteen copies are solved: none may be taken for one of thirteen pieces."""
    flow, generator = Lorenz96(sites=5), torch.Generator().manual_seed(0)
    times = torch.tensor([0.0, 0.02, 0.04], dtype=torch.float64)
    for _ in range(10):
        start = 2.5 + 3.5 * torch.randn(pieces, 5, generator=generator, dtype=torch.float64)
        found = sensitivities(
            flow, {"forcing": torch.tensor(1.0, dtype=torch.float64)}, start, times.expand(pieces, 3), 1
        )
        up, down = (integrate(Lorenz96(5, forcing), start, times.expand(pieces, 3), 1) for forcing in (1.001, 0.999))
        torch.testing.assert_close(found.by_parameters[0], (up - down) / 0.002, rtol=1e-4, atol=1e-7)


def test_velocities_of_all_channels_at_once_can_be_fitted_too():
    data = observed(Lorenz96(sites=5), samples=20)
    assert max(estimate.relative_error for estimate in fitted(Mechanistic(), data).estimates) < 1e-3
    (predictor,) = HybridODE(training=Training(updates=2)).fit_replicas(data, Budget(), [0])
    assert predictor.log.failure is None


def test_parameters_that_no_stack_can_hold_are_unsuitable():
    with pytest.raises(Unsuitable, match="damping, rotation of Mixed cannot be learned"):
        Mechanistic().fit_replicas(observed(Mixed()), Budget(), [0])


def test_a_fit_that_diverges_at_once_stays_where_it_began():
    (predictor,) = Mechanistic(start=(("rho", 1e200),)).fit_replicas(observed(Lorenz(), samples=4), Budget(), [0])
    assert predictor.calibration is not None
    assert predictor.calibration.estimates[0].fitted == 1e200
    assert predictor.log.failure == Failure("diverged", "the first guess has no finite solution")


def test_a_first_guess_that_long_steps_cannot_follow_is_given_shorter_ones():
    sparse = {"step": 10 / 9 / VanDerPol(mu=0.3).timescale, "trajectories": 10, "samples": 10, "error": 0.01}
    data = observed(VanDerPol(mu=0.3), 3, centre=(0.0, 0.0), spread=1.0, **sparse)
    with_long_steps = fitted(Mechanistic(window=0, substeps=1), data)
    assert with_long_steps.misfit == inf
    assert fitted(Mechanistic(window=0), data).estimates[0].fitted == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize(
    ("learner", "data", "complaint"),
    [
        (
            Mechanistic(start=(("mu", 1.0),)),
            observed(Lorenz()),
            "Lorenz has the parameters sigma, rho, beta, but to be",
        ),
        (Mechanistic(), observed(Lorenz(), channels=(0,)), "some of them are not observed"),
    ],
)
def test_equations_that_cannot_be_fitted_are_unsuitable(learner: Mechanistic, data: Dataset, complaint: str):
    with pytest.raises(Unsuitable, match=complaint):
        learner.fit_replicas(data, Budget(), [0])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"window": 1}, "at least 2 samples"),
        ({"bounds": (("mu", 1.0, 0.0),)}, "bounds of mu"),
        ({"iterations": 0}, "iterations must be positive"),
    ],
)
def test_settings_that_cannot_be_are_refused(change: dict, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        Mechanistic(**change)


def test_pieces_cover_the_trajectories_in_order():
    data = observed(LinearSpiral())
    cut = pieces(data.train, 8)
    assert torch.equal(cut.states[1], data.train.states[0, 8:16])
    assert torch.equal(cut.times[5], data.train.times[1, :8])
    assert len(pieces(data.train, 0)) == len(data.train)


@pytest.mark.slow
def test_the_published_fit_moves_towards_the_truth_alike_in_any_stack():
    recipe = Recipe((("mu", 0.1),), epochs=40, learning_rate=1e-2, substeps=4)
    data = observed(VanDerPol(mu=0.3), samples=6, error=0.001)
    learner = PublishedFit((recipe,), batch=2)
    one, two = learner.fit_replicas(data, Budget(), [0, 1])
    (alone,) = learner.fit_replicas(data, Budget(), [1])
    torch.testing.assert_close(alone.weights(), two.weights())
    assert one.calibration is not None
    assert abs(one.calibration.estimates[0].fitted - 0.3) < 0.1
    assert one.log.curve[-1].train_loss < 0.2 * one.log.curve[0].train_loss
    assert one.log.updates == 80


def test_a_published_fit_that_diverges_says_so():
    recipe = Recipe((("rho", 1e200),), epochs=1, learning_rate=1e-2, substeps=1)
    (predictor,) = PublishedFit((recipe,)).fit_replicas(observed(Lorenz(), samples=4), Budget(), [0])
    assert predictor.log.failure == Failure("diverged", "the training loss left the finite numbers")


def test_forecasts_of_a_fit_follow_the_truth_and_leave_checkpoints_by_name():
    data = observed(LinearSpiral())
    (predictor,) = Mechanistic().fit_replicas(data, Budget(), [0])
    forecast = predictor.forecast(data.test.between(0, 2), data.test.times[:, 2:])
    torch.testing.assert_close(forecast.states, data.test.states[:, 2:], atol=1e-5, rtol=1e-4)
    assert {name: value.shape for name, value in predictor.weights().items()} == {"damping": (1,), "rotation": (1,)}
    assert predictor.parameters == 2


def test_real_parameters_are_those_that_are_no_whole_numbers_or_words():
    assert real_parameters(VanDerPol()) == ["mu"]
    assert real_parameters(KuramotoSivashinsky()) == ["length"]


def test_a_hybrid_knows_the_equations_but_for_the_missing_coupling():
    data = observed(LotkaVolterra())
    (predictor,) = HybridODE(training=Training(updates=1)).fit_replicas(data, Budget(), [0])
    field = predictor.network  # type: ignore[attr-defined]
    states = torch.tensor([[[2.0, 3.0]]])
    with torch.no_grad():
        for name, value in (("a", 1.5), ("b", 1.0), ("d", 3.0), ("g", 7.0)):
            field.known[name].copy_(torch.tensor([[np.arcsinh(value) / 5.0]]))
        known = field._equations(states)[0, 0]
    torch.testing.assert_close(known, torch.tensor([1.5 * 2 - 2.0 * 3.0, -3.0 * 3.0]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("flow", [Halvorsen(), Lorenz()], ids=str)
def test_replicas_of_a_hybrid_have_parameters_of_their_own_however_many_they_are(flow: Flow):
    """Also where an update sees as many states as there are replicas, or channels."""
    data = observed(flow)
    learner = HybridODE(missing=(), width=4, training=Training(updates=5, batch=3, learning_rate=0.01))
    for seed, one in enumerate(learner.fit_replicas(data, Budget(), [0, 1, 2])):
        (alone,) = learner.fit_replicas(data, Budget(), [seed])
        for name, value in alone.weights().items():
            torch.testing.assert_close(one.weights()[name], value, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_hybrid_finds_the_parameters_of_its_complete_equations():
    data = observed(LotkaVolterra(), samples=100)
    (predictor,) = HybridODE(training=Training(updates=300, batch=64)).fit_replicas(data, Budget(), [0])
    known = predictor.network.known  # type: ignore[attr-defined]
    assert float(torch.sinh(5 * known["a"])) == pytest.approx(1.5, abs=0.1)
    assert float(torch.sinh(5 * known["b"])) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("learned", [True, False])
def test_a_network_may_be_added_to_complete_equations_whose_parameters_are_learned_or_wrong(learned: bool):
    data, start = observed(LotkaVolterra()), (("a", 1.6), ("b", 1.1), ("d", 2.7), ("g", 1.2))
    learner = HybridODE(missing=(), learned=learned, start=start, width=4, training=Training(updates=3))
    first, second = learner.fit_replicas(data, Budget(), [0, 1])
    field, states = second.network, torch.tensor([[[2.0, 3.0]]])  # type: ignore[attr-defined]
    assert field.unknown.tolist() == [1.0, 1.0]
    wrong = torch.tensor([1.6 * 2 - 1.1 * 6, 1.2 * 6 - 2.7 * 3])
    assert torch.allclose(field._equations(states)[0, 0], wrong, rtol=1e-5) is not learned
    assert first.parameters == 2 * 4 + 4 + 4 * 4 + 4 + 4 * 2 + 2 + 4 * learned
    if learned:
        assert second.calibration is not None
        found = {one.name: (one.true, one.fitted) for one in second.calibration.estimates}
        a, g = (float(torch.sinh(5 * field.known[name])) for name in "ag")
        assert (found["a"], found["g"]) == ((1.5, pytest.approx(a)), (1.0, pytest.approx(g)))
    else:
        assert second.calibration is None


def test_a_missing_channel_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"missing=\(2,\) has channel 2, but there are 2: give numbers from -2 to 1"):
        HybridODE(missing=(2,)).fit_replicas(observed(LotkaVolterra()), Budget(), [0])


def test_fewer_trajectories_are_the_first_ones():
    data = observed(LotkaVolterra(), error=0.05)
    few = fitted(Mechanistic(), sample(LotkaVolterra(), replace(data.sampling, trajectories=2), 0))
    (same,) = Fewer(Mechanistic(), 2).fit_replicas(data, Budget(), [0])
    assert same.calibration is not None
    assert [one.fitted for one in same.calibration.estimates] == [one.fitted for one in few.estimates]


def test_more_trajectories_than_there_are_cannot_be_given():
    with pytest.raises(ValueError, match=r"Fewer\.trajectories=9, but there are only 4"):
        Fewer(Persistence(), 9).fit_replicas(observed(LinearSpiral()), Budget(), [0])


def test_parameter_metrics_tell_of_the_worst_parameter():
    found = Calibration(
        (EstimatedParameter("a", 2.0, 2.1, 0.02), EstimatedParameter("b", 0.0, -0.01, 0.03)), misfit=1.5
    )
    states, cost = np.ones((2, 3, 1)), Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)
    silent = Evidence(0.1, np.ones(1), states, states, states, states, cost)
    told = replace(silent, calibration=found)
    assert parameter_error.measure(told) == pytest.approx(0.05)
    assert parameter_floor.measure(told) == pytest.approx(0.03)
    assert misfit.measure(told) == 1.5
    unknown = replace(silent, calibration=Calibration((EstimatedParameter("a", 2.0, 2.1, nan),), misfit=nan))
    assert parameter_error.measure(unknown) == pytest.approx(0.05)
    lost = Calibration((EstimatedParameter("a", 1.0, 1.01, 0.1), EstimatedParameter("b", 1.0, nan, 0.1)), misfit=nan)
    assert np.isnan(parameter_error.measure(replace(silent, calibration=lost)))
    for metric in (parameter_floor, misfit):
        with pytest.raises(Undefined, match="fit together with a network"):
            metric.measure(unknown)
    assert str(found.estimates[0]) == "a = 2.1, truly 2: error 0.1, floor 0.02"
    with pytest.raises(Undefined, match="no parameters of known equations"):
        parameter_error.measure(silent)


def test_trajectories_start_about_the_centre_and_noise_is_in_units_of_the_system():
    clean = observed(Lorenz(), trajectories=400, samples=3, centre=(1.0, 0.0, 0.0), spread=0.1)
    noisy = observed(Lorenz(), trajectories=400, samples=3, centre=(1.0, 0.0, 0.0), spread=0.1, error=0.02)
    start = clean.train.states[:, 0]
    torch.testing.assert_close(start.mean(0), torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64), atol=0.02, rtol=0)
    assert torch.allclose(start.std(0), torch.tensor(0.1, dtype=torch.float64), rtol=0.1)
    assert float((noisy.train.states - clean.train.states).std()) == pytest.approx(0.02, rel=0.05)
    with pytest.raises(ValueError, match="must have 3 numbers"):
        observed(Lorenz(), centre=(1.0,))


@pytest.mark.parametrize(("noise", "error"), few([(0.3, 0.0), (0.3, 0.2), (0.0, 0.2), (1.0, 0.0)], 1))
def test_the_size_of_the_noise_is_relative_to_the_signal_without_it(noise: float, error: float):
    clean = Sampling(step=0.05, trajectories=200, samples=200, valid=1, test=1, climate=1, climate_horizon=1.0)
    signal, noisy = (sample(LotkaVolterra(), one, 0) for one in (clean, replace(clean, noise=noise, error=error)))
    added = (noisy.train.states - signal.train.states).std(dim=(0, 1))
    torch.testing.assert_close(observation_noise(noisy), noise * signal.std + error, rtol=0.01, atol=0)
    torch.testing.assert_close(observation_noise(noisy), added, rtol=0.01, atol=0)
