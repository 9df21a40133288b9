"""Settings that repeat a write-up: what they train is what its author's loop in plain PyTorch trains."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchdiffeq import odeint

from learners import Budget, NeuralODE, Training, WindowedRNN
from learners.networks.scales import Scales
from systems import CubicSpiral, Dataset, LinearSpiral, Sampling, Trajectories, sample
from tests.support.cases import few

SAMPLING = Sampling(
    step=0.02, trajectories=1, samples=40, valid=1, test=2, context=4, horizon=0.2, climate=1, climate_horizon=0.2
)
UPDATES = 4
PLAIN = Training(
    updates=UPDATES, batch=64, learning_rate=1e-2, clip=1e9, schedule="constant", drop=0.5, keep="last", validations=2
)


@pytest.fixture(scope="module")
def spiral() -> Dataset:
    return sample(CubicSpiral(), SAMPLING, 0)


def descend(network: nn.Module, loss: Callable[[], Tensor]) -> None:
    """The author's loop: Adam on all the data at once, at a rate of 1e-2, and of 1e-3 for the second half."""
    optimiser = torch.optim.Adam([one for one in network.parameters() if one.requires_grad], lr=1e-2)
    for update in range(UPDATES):
        if update == UPDATES // 2:
            optimiser.param_groups[0]["lr"] = 1e-3
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()


def untrained(learner: WindowedRNN | NeuralODE, data: Dataset) -> dict[str, Tensor]:
    """The weights at the start, which a rate that moves nothing leaves as they are."""
    still = Training(updates=1, batch=64, learning_rate=1e-30, keep="last", validations=1)
    kind = type(learner)
    settings = {**vars(learner), "training": still}
    return kind(**settings).fit_replicas(data, Budget(), [0])[0].weights()


def test_a_windowed_network_of_the_write_up_is_trained_as_there(spiral: Dataset):
    learner = WindowedRNN("relu", window=3, hidden=16, layers=2, target="state", scaled=False, training=PLAIN)
    weights = untrained(learner, spiral)
    rnn, readout = nn.RNN(2, 16, 2, nonlinearity="relu", batch_first=True), nn.Linear(16, 2)
    with torch.no_grad():
        for layer, prefix in enumerate(("recurrent.", "recurrent.above.")):
            getattr(rnn, f"weight_ih_l{layer}").copy_(weights[prefix + "embed.weight"][0].T)
            getattr(rnn, f"bias_ih_l{layer}").copy_(weights[prefix + "embed.bias"][0, 0])
            getattr(rnn, f"weight_hh_l{layer}").copy_(weights[prefix + "cell.weight"][0].T)
            getattr(rnn, f"bias_hh_l{layer}").zero_().requires_grad_(False)  # the other bias does the same
        readout.weight.copy_(weights["readout.weight"][0].T)
        readout.bias.copy_(weights["readout.bias"][0, 0])
    states = spiral.train.states[0].float()
    windows, following = states.unfold(0, 3, 1)[:-1].transpose(1, 2), states[3:]

    def next_state(window: Tensor) -> Tensor:
        return readout(rnn(window)[0][:, -1])

    descend(nn.ModuleList([rnn, readout]), lambda: (next_state(windows) - following).square().mean())
    (mine,) = learner.fit_replicas(spiral, Budget(), [0])
    past, times = spiral.test.between(0, 4), spiral.test.times[0, 4:7]
    window = past.states[:, -3:].float()
    with torch.no_grad():
        for _ in times:
            window = torch.cat([window, next_state(window[:, -3:])[:, None]], dim=1)
    torch.testing.assert_close(mine.forecast(past, times).states, window[:, 3:].double(), rtol=0, atol=2e-5)


@pytest.mark.parametrize("solver", ["rk4", "dopri5"])
def test_physical_units_may_be_far_from_zero(solver: Any, spiral: Dataset):
    """As pressures are: 1,013 +- 1 hPa. A forecast is lost where it is far from the data, not where these are large."""
    parts = {name: getattr(spiral, name) for name in ("train", "valid", "test")}
    moved = {name: Trajectories(part.times, 1013 + part.states) for name, part in parts.items()}
    data = replace(spiral, **moved)
    learner = NeuralODE(solver=solver, scaled=False, absolute=1e-4, training=PLAIN)
    (predictor,) = learner.fit_replicas(data, Budget(), [0])
    forecast = predictor.forecast(data.test.between(0, 4), data.test.times[:, 4:])
    assert forecast.states.isfinite().all()
    (lost,), _ = predictor.rollout(torch.full((1, 2), 1e6), [data.step])
    assert bool(lost.isfinite().all()) == (solver == "rk4")


@pytest.mark.parametrize("activation", few(["relu", "leaky_relu"], 1))
def test_a_neural_ode_of_the_write_ups_is_trained_as_there(activation: Any, spiral: Dataset):
    learner = NeuralODE(lookahead=5, widths=(8, 20), activation=activation, scaled=False, training=PLAIN)
    weights = untrained(learner, spiral)
    between = nn.ReLU() if activation == "relu" else nn.LeakyReLU()
    field: Any = nn.Sequential(nn.Linear(2, 8), between, nn.Linear(8, 20), between, nn.Linear(20, 2))
    with torch.no_grad():
        for place in range(3):
            field[2 * place].weight.copy_(weights[f"network.layers.{place}.weight"][0].T)
            field[2 * place].bias.copy_(weights[f"network.layers.{place}.bias"][0, 0])
    states: Any = spiral.train.states[0].float()
    segments, times = states.unfold(0, 6, 1).transpose(1, 2), spiral.step * torch.arange(6)

    def solution() -> Tensor:
        solve: Any = odeint
        return solve(lambda t, x: field(x), segments[:, 0], times, method="rk4")[1:].transpose(0, 1)

    descend(field, lambda: (solution() - segments[:, 1:]).square().mean())
    (mine,) = learner.fit_replicas(spiral, Budget(), [0])
    for place in range(3):
        found = mine.weights()[f"network.layers.{place}.weight"][0].T
        torch.testing.assert_close(found, field[2 * place].weight.detach(), rtol=0, atol=2e-5)
    assert mine.log.selection == ""


@pytest.mark.parametrize("change", [{}, {"layers": 2}, {"target": "state"}, {"scaled": False}], ids=str)
def test_any_form_of_a_windowed_network_is_trained_and_forecast_as_it_is_written(
    change: dict[str, Any], spiral: Dataset
):
    still = Training(updates=1, batch=64, learning_rate=1e-30, keep="last", validations=1)
    learner = WindowedRNN(hidden=16, training=still, **change)
    (mine,) = learner.fit_replicas(spiral, Budget(), [0])
    network, scales = mine.network, Scales.of(spiral, physical=not learner.scaled)  # type: ignore[attr-defined]
    states = scales.standardise(spiral.train.states[0])
    windows, following = states.unfold(0, 4, 1)[:-1].transpose(1, 2), states[4:]
    with torch.no_grad():
        loss = scales.residuals(network(windows[None])[0], following).square().mean()
        past, window = spiral.test.between(0, 4), scales.standardise(spiral.test.states[:, :4])
        for _ in range(10):
            window = torch.cat([window, network(window[None, :, -4:])[0][:, None]], dim=1)
    assert mine.log.curve[0].train_loss == pytest.approx(float(loss), rel=1e-4)
    found = mine.forecast(past, spiral.test.times[:, 4:14]).states
    torch.testing.assert_close(found, scales.restore(window[:, 4:]), rtol=0, atol=1e-5)


def test_a_matrix_is_recovered_from_a_trajectory_of_a_linear_field():
    data = sample(LinearSpiral(), SAMPLING, 0)
    training = Training(updates=10, batch=64, validations=1, optimiser="levenberg-marquardt")
    (mine,) = NeuralODE(network="matrix", scaled=False, training=training).fit_replicas(data, Budget(), [0])
    matrix = mine.weights()["network.weight"][0]
    torch.testing.assert_close(matrix, torch.tensor([[-0.1, 1.0], [-1.0, -0.1]]), rtol=0, atol=1e-5)
    assert mine.parameters == 4
