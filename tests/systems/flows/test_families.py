"""Families of a system over a parameter, and flows of the dysts catalogue."""

import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from learners import Budget, NeuralODE, ResNet, Training
from systems import Dysts, Family, Flow, Lorenz, Lorenz96, Sampling, Simulated, VanDerPol, over, sample
from systems.configuration import label
from systems.flows import dysts as adapter
from systems.tangents import push_forward

SMALL = Sampling(
    step=0.05, trajectories=4, samples=20, valid=2, test=3, context=5, horizon=0.3, climate=1, climate_horizon=0.5
)


# Families


def test_a_member_of_a_family_is_the_system_at_its_value():
    family, initial = over(VanDerPol(), mu=[1, 2]), np.array([[1.0, 0.5, 2.0], [1.0, 0.5, 1.0]])
    times = np.array([0.0, 1.0, 2.5])
    solution = family.solve(initial, times)
    for place, mu in enumerate((2.0, 1.0)):
        np.testing.assert_array_equal(solution[place, :, :2], VanDerPol(mu).solve(initial[[place], :2], times)[0])
        assert (solution[place, :, 2] == mu).all()


@pytest.mark.parametrize("flow", [Lorenz96(), Lorenz()], ids=lambda flow: type(flow).__name__)
def test_the_velocity_of_a_family_is_that_of_its_members(flow: Flow):
    parameter = "forcing" if isinstance(flow, Lorenz96) else "rho"
    family = Family(flow, parameter, (7.0, 9.0))
    x = torch.randn((2, 3, flow.dim + 1), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    velocity = family.velocity(0.0, x)
    member = replace(flow, **{parameter: float(x[1, 2, -1])})
    torch.testing.assert_close(velocity[1, 2, :-1], member.velocity(0.0, x[1, 2, :-1]))
    assert velocity[..., -1].eq(0).all()


def test_forecasts_are_of_the_unseen_values_only():
    data = sample(over(VanDerPol(), mu=[1, 3], unseen=[2]), SMALL, 0)
    assert data.train.states[:, 0, -1].tolist() == [1, 3, 1, 3]
    assert data.valid.states[:, 0, -1].tolist() == [1, 3]
    assert set(data.test.states[..., -1].flatten().tolist()) == {2.0}
    assert set(data.climate.states[..., -1].flatten().tolist()) == {2.0}
    assert set(sample(over(VanDerPol(), mu=[1, 3]), SMALL, 0).test.states[:, 0, -1].tolist()) == {1.0, 3.0}


@pytest.mark.parametrize("learner", [NeuralODE, ResNet])
def test_a_learned_family_keeps_its_parameter(learner: type):
    data = sample(over(VanDerPol(), mu=[1, 3], unseen=[2]), SMALL, 0)
    (predictor,) = learner(training=Training(updates=5, batch=8)).fit_replicas(data, Budget(), [0])
    forecast = predictor.forecast(data.test.between(0, 5), data.test.times[0, 5:]).states
    assert predictor.log.failure is None
    torch.testing.assert_close(forecast[..., -1], torch.full_like(forecast[..., -1], 2.0), rtol=1e-6, atol=0)


def test_a_family_is_named_by_its_values_and_shares_the_timescale():
    family = over(Lorenz(), rho=[26, 30], unseen=[28])
    assert label(family) == "Family[values=(26.0, 30.0),unseen=(28.0,)]"
    assert (family.timescale, family.timescale_name, family.dim) == (Lorenz().timescale, "Lyapunov time", 4)
    assert Family() == over(Lorenz(), rho=[26, 28, 30])


@pytest.mark.slow
def test_the_parameter_is_no_state_that_forecasts_are_scored_on():
    family = over(Lorenz(), rho=[26, 30], unseen=[28])
    sampling = Sampling(trajectories=2, samples=5, valid=1, test=2, context=2, horizon=0.1, climate=1)
    assert (family.dim, family.scored, Lorenz().scored) == (4, 3, 3)
    assert sample(family, sampling, 0).scored == 3
    assert sample(family, replace(sampling, channels=(1, 3)), 0).scored == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: over(Lorenz(), raleigh=[1, 2]),
            "Lorenz has no real parameter 'raleigh': choose from sigma, rho, beta",
        ),
        (lambda: over(Lorenz(), rho=[28]), "needs two values of rho or more"),
        (lambda: over(Lorenz(), rho=[1, 2], beta=[1, 2]), "over one parameter, but 2 are given: rho, beta"),
        (lambda: over(VanDerPol(), mu=[1, 2], unseen=[-1]), "VanDerPol needs mu > 0"),
    ],
)
def test_families_that_make_no_sense_are_refused(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


# The catalogue


def test_a_flow_of_the_catalogue_is_what_it_says():
    pytest.importorskip("dysts", reason="the extra is not installed")
    system = Dysts("Lorenz")
    x = torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.5, 20.0]], dtype=torch.float64)
    torch.testing.assert_close(system.velocity(0.0, x), Lorenz(beta=2.667).velocity(0.0, x))
    assert isinstance(system, Simulated)
    assert (system.dim, system.timescale_name) == (3, "period")
    assert system.timescale == pytest.approx(1.5008)


@pytest.mark.parametrize("name", ["Colpitts", "Lorenz96", "NuclearQuadrupole"])
def test_a_flow_that_is_written_for_arrays_is_differentiable_all_the_same(name: str):
    """Steps, assignments to slices, functions of numbers: beside differences of theirs."""
    pytest.importorskip("dysts", reason="the extra is not installed")
    system = Dysts(name)
    state = system.initial_states(1, np.random.default_rng(0))
    tangent = np.random.default_rng(1).normal(size=state.shape)
    _, found = push_forward(partial(system.velocity, 0.0), torch.from_numpy(state), torch.from_numpy(tangent))
    model = adapter._model(name)
    ahead, behind = (np.array(model.rhs((state + sign * 1e-6 * tangent)[0], 0.0)) for sign in (1, -1))
    np.testing.assert_allclose(found[0], (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NoSuch", "dysts has no flow 'NoSuch'"),
        ("MackeyGlass", "dysts has no flow 'MackeyGlass'"),
        ("Hopfield", "is not a formula of its state: choose another"),
        ("BeerRNN", "is not a formula of its state: choose another"),
        ("BelousovZhabotinsky", "is not a formula of its state: choose another"),  # of one state, but not of many
        ("Torus", "depends on the time, not on its state alone"),
    ],
)
def test_what_cannot_be_taken_over_is_refused(name: str, message: str):
    pytest.importorskip("dysts", reason="the extra is not installed")
    with pytest.raises(ValueError, match=message):
        Dysts(name)


def test_a_missing_catalogue_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    adapter._model.cache_clear()
    monkeypatch.setitem(sys.modules, "dysts", None)
    monkeypatch.setitem(sys.modules, "dysts.flows", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'dynamics-bench\[dysts\]'"):
        Dysts("Lorenz")
