"""Learners that are fitted by linear least squares: polynomial maps, delays, reservoirs, sparse equations."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from learners import DMD, NVAR, Budget, Learner, PolynomialPropagator, Reservoir, SINDy, Unsuitable
from learners.linear.polynomial import PolynomialMap, evaluate, monomials
from learners.linear.reservoir import EchoState, features
from learners.linear.ridge import PENALTIES, compress, ridge
from learners.linear.sindy import derivatives, thresholded, written
from learners.solvers.accurate import fitted_equations
from learners.streams import stream
from learners.validation_forecasts import ValidationForecasts
from systems import (
    Dataset,
    LinearSpiral,
    Lorenz,
    Lorenz96,
    LotkaVolterra,
    Sampling,
    System,
    Trajectories,
    sample,
)

SAMPLING = Sampling(
    step=0.02, trajectories=8, samples=100, valid=2, test=4, context=8, horizon=1.0, climate=1, climate_horizon=1.0
)


@pytest.fixture(scope="module")
def spiral() -> Dataset:
    return sample(LinearSpiral(), SAMPLING, 0)


@pytest.fixture(scope="module")
def lorenz() -> Dataset:
    return sample(Lorenz(), replace(SAMPLING, trajectories=16, samples=400, test=16, horizon=4.0), 0)


def prediction_times(learner: Learner, dataset: Dataset) -> np.ndarray:
    (predictor,) = learner.fit_replicas(dataset, Budget(), [0])
    context = dataset.sampling.context
    states = predictor.forecast(dataset.test.between(0, context), dataset.test.times[:, context:]).states
    errors = ((states - dataset.test.between(context).states) / dataset.std).square().mean(dim=-1).sqrt()
    return (errors < 0.5).cumprod(dim=1).sum(dim=1).numpy() * dataset.sampling.step


def hidden(dataset: Dataset, channel: int = 0) -> Dataset:
    """The same data with a single channel left."""
    parts = {}
    for name in ("train", "valid", "test", "climate"):
        part = getattr(dataset, name)
        parts[name] = replace(part, states=part.states[..., channel : channel + 1])
    return replace(dataset, **parts)


def test_two_delays_of_one_channel_recover_a_linear_plane(spiral: Dataset):
    assert (prediction_times(DMD(lags=2), hidden(spiral)) == 1.0).all()
    assert (prediction_times(DMD(lags=1), hidden(spiral)) < 1.0).all()


@pytest.mark.slow
def test_a_linear_map_cannot_follow_chaos_but_quadratic_delays_can(lorenz: Dataset):
    assert np.median(prediction_times(DMD(), lorenz)) < 1.0
    assert np.median(prediction_times(NVAR(), lorenz)) > 2.5


def test_a_polynomial_propagator_is_the_autoregression_of_one_sample(lorenz: Dataset):
    (one,) = NVAR(lags=1, degree=3).fit_replicas(lorenz, Budget(), [0])
    (other,) = PolynomialPropagator(degree=3).fit_replicas(lorenz, Budget(), [0])
    torch.testing.assert_close(one.weights()["weights"], other.weights()["weights"])


def test_the_state_of_an_autoregression_is_its_window(lorenz: Dataset):
    (predictor,) = NVAR(lags=3, stride=2).fit_replicas(lorenz, Budget(), [0])
    state = predictor.encode(lorenz.test.between(0, 8))
    torch.testing.assert_close(predictor.decode(state), lorenz.test.states[:, 7])
    assert state.shape == (16, 5, 3)


@pytest.mark.parametrize("learner", [NVAR(lags=9), DMD(lags=3, stride=4)])
def test_more_delays_than_the_context_has_are_refused(learner: Learner, spiral: Dataset):
    with pytest.raises(ValueError, match="read 9 samples, but trajectories have 100 and the context 8"):
        learner.fit_replicas(spiral, Budget(), [0])


def test_ridge_solves_the_penalised_normal_equations():
    generator = stream(0, "test")
    design, target = (torch.randn(50, width, generator=generator, dtype=torch.float64) for width in (6, 2))
    weights = ridge(*compress(design, target), 0.7)
    expected = torch.linalg.solve(design.T @ design + 0.7 * torch.eye(6, dtype=torch.float64), design.T @ target)
    torch.testing.assert_close(weights, expected)
    assert min(PENALTIES) > 0


@pytest.mark.parametrize("rows", [4, 7, 50])
def test_compressed_equations_have_the_same_solutions_however_few_there_are(rows: int):
    generator = stream(1, "test")
    design, target = (torch.randn(rows, width, generator=generator, dtype=torch.float64) for width in (6, 2))
    few = compress(design, target)
    assert [tuple(one.shape) for one in few] == [(min(rows, 6), 6), (min(rows, 6), 2)]
    torch.testing.assert_close(ridge(*few, 0.1), ridge(design, target, 0.1))
    again = compress(torch.cat([few[0], design]), torch.cat([few[1], target]))  # all of them twice
    torch.testing.assert_close(ridge(*again, 0.2), ridge(design, target, 0.1))


def test_the_recurrent_weights_have_the_spectral_radius(spiral: Dataset):
    network = EchoState(Reservoir(size=60, radius=0.7), spiral, stream(3, "weights"))
    assert torch.linalg.eigvals(network.recurrent).abs().max().item() == pytest.approx(0.7)


def test_a_reservoir_forgets_how_it_began(spiral: Dataset):
    network = EchoState(Reservoir(size=60), spiral, stream(0, "weights"))
    samples = spiral.standardise(spiral.train.states)[:1]
    one, other = torch.zeros(1, 60, dtype=torch.float64), torch.ones(1, 60, dtype=torch.float64)
    for sample_ in samples.unbind(1):
        one, other = network.drive(one, sample_), network.drive(other, sample_)
    torch.testing.assert_close(one, other, atol=1e-9, rtol=0)


def test_a_reservoir_hears_a_trajectory_sample_by_sample(spiral: Dataset):
    network = EchoState(Reservoir(size=20, leak=0.5), spiral, stream(0, "weights"))
    samples = spiral.standardise(spiral.train.states)[:2, :5]
    heard, r = network.listen(samples), samples.new_zeros(2, 20)
    for index in range(5):
        r = 0.5 * r + 0.5 * torch.tanh(r @ network.recurrent + samples[:, index] @ network.inputs + network.bias)
    torch.testing.assert_close(heard[:, -1], r)
    assert features(r, samples[:, 4]).shape == (2, 1 + 2 + 20 + 20)


def test_a_reservoir_forecasts_lorenz(lorenz: Dataset):
    assert np.median(prediction_times(Reservoir(size=150), lorenz)) > 2.5


def test_a_reservoir_needs_more_samples_than_its_washout(spiral: Dataset):
    with pytest.raises(ValueError, match="washout=99 leaves nothing to fit of trajectories of 100 samples"):
        Reservoir(washout=99).fit_replicas(spiral, Budget(), [0])


def test_sparse_regression_finds_the_equations_of_lotka_and_volterra():
    (predictor,) = SINDy().fit_replicas(sample(LotkaVolterra(), SAMPLING, 0), Budget(), [0])
    terms = ("1", "x", "y", "xx", "xy", "yy")
    found = dict(zip(terms, predictor.weights()["coefficients"].tolist(), strict=True))
    assert found["x"] == pytest.approx([1.5, 0.0], abs=0.02)
    assert found["y"] == pytest.approx([0.0, -3.0], abs=0.02)
    assert found["xy"] == pytest.approx([-1.0, 1.0], abs=0.02)
    assert predictor.parameters == 4
    assert predictor.equations is not None
    assert re.fullmatch(r"x1' = 1\.\d* x1 - (1|1\.0\d*|0\.9\d*) x1 x2", predictor.equations[0])


def test_equations_are_written_without_what_they_lack():
    factors = [(), (0,), (1,), (0, 0), (0, 1)]
    coefficients = torch.tensor([[0.0, 1.0, 0], [-10.0, 0, 0], [10.0, 0, 0], [0.0, -0.12345, 0], [0.0, 2.0, 0]])
    assert written(factors, coefficients.double()) == (
        "x1' = -10 x1 + 10 x2",
        "x2' = 1 - 0.1235 x1^2 + 2 x1 x2",
        "x3' = 0",
    )


@pytest.mark.slow
def test_exactly_true_coefficients_reach_the_horizon(monkeypatch: pytest.MonkeyPatch):
    true = {"x": [-10.0, 28.0, 0.0], "y": [10.0, -1.0, 0.0], "z": [0.0, 0.0, -8 / 3]}
    factors = [(0,), (1,), (2,), (0, 1), (0, 2)]  # x, y, z, xy, xz
    coefficients = torch.tensor([*true.values(), [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]], dtype=torch.float64)
    monkeypatch.setattr(SINDy, "_regress", lambda *_: (factors, coefficients))
    data = sample(Lorenz(), replace(SAMPLING, step=0.018112, test=32, horizon=16.0), 0)
    assert np.median(prediction_times(SINDy(), data)) == pytest.approx(16.0, abs=0.02)
    (predictor,) = SINDy().fit_replicas(data, Budget(), [0])
    assert predictor.parameters == 7
    steps = predictor.forecast(data.test.between(0, 8), data.test.times[:, 8:18]).evaluations / 10 / 4
    assert steps == 8  # halving them again changes a state by less than 1e-8


@pytest.mark.parametrize("rate", [0.01, 1.0, 10.0, 1000.0])
def test_stiffer_equations_are_given_more_steps_up_to_a_limit(spiral: Dataset, rate: float):
    def decay(h: float, count: int) -> float:
        """What `count` steps of fourth order make of one."""
        z = -rate * h / count
        return (1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24) ** count

    states, h = spiral.train.states, spiral.step
    size = (states / spiral.std).square().mean().sqrt().item()
    counts = [count for count in (1, 2, 4, 8, 16, 32) if abs(decay(h, count) - decay(h, 2 * count)) * size < 1e-8]
    predictor = fitted_equations(lambda _, x: -rate * x, spiral, {}, 0)
    _, evaluations = predictor.advance(spiral.test.states[:, 0], h)
    assert evaluations == 4 * min(counts, default=64)


@pytest.mark.slow
@pytest.mark.parametrize(("degree", "least"), [(5, 13.0), (6, 17.0), (7, 22.0), (0, 23.0)])
def test_polynomials_of_lorenz_reach_farther_with_each_degree(degree: int, least: float):
    """Without noise: 13.7, 17.9 and 23.6 Lyapunov times for degrees 5, 6 and 7 (published best: 18.4)."""
    one = Sampling(step=2**-6 * 0.90566, trajectories=1, samples=4096, test=64, horizon=32.0, climate=1)
    data = sample(Lorenz(), replace(one, climate_horizon=1.0), 0)
    assert np.median(prediction_times(PolynomialPropagator(degree=degree), data)) > least


def test_eight_degrees_are_tried_and_more_until_two_in_a_row_forecast_no_better(
    spiral: Dataset, monkeypatch: pytest.MonkeyPatch
):
    """Low degrees diverge, and end nothing; the ninth is the best, ten and eleven end the search before the twelfth."""
    errors = {1: 5.0, 2: 4.0, 3: 4.0, 4: 4.0, 5: 6.0, 6: 6.0, 7: 3.0, 8: 3.0, 9: 2.0, 10: 2.0, 11: 2.5, 12: 1.0}
    degree_of = {(degree + 1) * (degree + 2) // 2: degree for degree in errors}  # by the monomials in two dimensions
    tried: list[int] = []

    def error(_: ValidationForecasts, predictors: Sequence[PolynomialMap]) -> torch.Tensor:
        tried.append(degree_of[len(predictors[0].factors)])
        return torch.tensor([errors[tried[-1]]])

    monkeypatch.setattr(ValidationForecasts, "errors", error)
    for limit, chosen in (0, 9), (3, 2):
        tried.clear()
        (found,) = PolynomialPropagator(degree=limit).fit_replicas(spiral, Budget(), [0])
        assert degree_of[found.parameters // 2] == chosen
        assert list(dict.fromkeys(tried)) == list(range(1, (limit or 11) + 1))


@pytest.mark.parametrize("learner", [PolynomialPropagator(degree=5), NVAR(lags=3, stride=2)], ids=["all", "nvar"])
def test_compiled_forecasts_are_the_eager_steps_to_rounding(learner: Learner, spiral: Dataset):
    (found,) = learner.fit_replicas(spiral, Budget(), [0])
    assert isinstance(found, PolynomialMap)
    window = found.encode(spiral.test)
    with torch.no_grad():
        states = found.compiled()(window, 12)
        for state in states:
            window = found.step(window)
            torch.testing.assert_close(state, window, rtol=1e-12, atol=1e-12)
    assert len(states) == 12


@pytest.mark.parametrize("system", [LotkaVolterra(), Lorenz()], ids=str)
@pytest.mark.parametrize("degree", [2, 3])
def test_sparse_regression_is_that_of_pysindy_at_irregular_times(system: System, degree: int):
    pysindy = pytest.importorskip("pysindy")
    train = sample(system, replace(SAMPLING, jitter=0.6), 0).train
    differences = pysindy.FiniteDifference(order=4)
    pairs = zip(train.states.numpy(), train.times.numpy(), strict=True)
    expected = np.stack([differences(states, times) for states, times in pairs])
    np.testing.assert_allclose(derivatives(train.times, train.states), expected, rtol=1e-9, atol=1e-9)
    factors = monomials(system.dim, degree, 100)
    design, targets = evaluate(factors, train.states).flatten(0, 1), torch.from_numpy(expected).flatten(0, 1)
    found = thresholded(*compress(design, targets), 0.05)
    optimiser = pysindy.STLSQ(threshold=0.05, alpha=0).fit(design.numpy(), targets.numpy())
    np.testing.assert_allclose(found.T, optimiser.coef_, rtol=1e-8, atol=1e-10)
    assert 0 < found.count_nonzero() < found.numel()


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e3])
def test_linear_equations_are_found_in_any_unit(spiral: Dataset, unit: float):
    train = Trajectories(spiral.train.times, unit * spiral.train.states)
    (found,) = SINDy(degree=1).fit_replicas(replace(spiral, train=train), Budget(), [0])
    system = LinearSpiral()
    expected = [[0, 0], [-system.damping, system.rotation], [-system.rotation, -system.damping]]
    assert found.weights()["coefficients"].tolist() == pytest.approx(np.array(expected), abs=1e-3)


def test_sparse_regression_leaves_nothing_where_all_is_small_and_needs_five_samples(spiral: Dataset):
    (still,) = SINDy(threshold=1e9).fit_replicas(spiral, Budget(), [0])
    assert (still.parameters, still.equations) == (0, ("x1' = 0", "x2' = 0"))
    few = Trajectories(spiral.train.times[:, :4], spiral.train.states[:, :4])
    with pytest.raises(ValueError, match=r"through 5 samples, but trajectories have 4: raise Sampling.samples"):
        SINDy().fit_replicas(replace(spiral, train=few), Budget(), [0])


def test_monomials_that_no_memory_holds_are_refused():
    """Of twenty channels and fifth degree there are 53,130, which take 13 GiB for the samples of a usual dataset."""
    many = sample(Lorenz96(sites=40), SAMPLING, 0)
    with pytest.raises(Unsuitable, match=r"SINDy.degree=5 has 1,221,759 monomials of 40 channels.*: lower the degree"):
        SINDy(degree=5).fit_replicas(many, Budget(), [0])
