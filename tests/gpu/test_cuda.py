"""On a GPU: the results of the CPU to tolerance, no update that waits for it, and the bytes that it takes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.cells.forecasting import ForecastCell
from bench.machine.meter import meter
from learners import Budget, Learner, NeuralODE, Training
from learners.images import sweep
from learners.networks.stacked import StackedMLP
from learners.solvers import replayed_steps
from learners.solvers.embedded import solve
from learners.solvers.integration import Integration
from learners.streams import stream
from learners.training import run
from learners.training.cuda_graph import captured
from systems import Dataset, ImageSampling, LinearSpiral, Lorenz, sample, sample_images
from tests.support.devices import (
    BUDGET,
    LONGER,
    OF_FORECASTS,
    assert_same_classes,
    assert_same_models,
    forecast,
    measured,
    prepared_updates,
)
from tests.support.images import Stripes
from tests.support.learners import learner_name
from tests.support.small_learners import (
    CLASSIFIERS,
    IRREGULAR,
    LEARNERS,
    OTHERS,
    SAMPLING,
    SLOW_CLASSIFIERS,
    SMALL,
    WAITLESS,
)

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")]

DEVICE = "cuda"
TOLERANCE = 1e-3  # of forecasts by networks in float32 after two updates, whose sums are taken in another order


@pytest.fixture(autouse=True)
def full_precision() -> Iterator[None]:
    """Convolutions in float32 proper, which are in tf32 otherwise."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(Lorenz(), SAMPLING, 0)


@pytest.mark.parametrize("learner", [*LEARNERS, *OTHERS], ids=learner_name)
def test_a_learner_finds_the_models_of_the_cpu(learner: Learner, data: Dataset):
    there = assert_same_models(learner, data, DEVICE, TOLERANCE)
    if (together := there[0].ensemble(there[1:])) is not None:
        assert forecast(together, data.to(DEVICE)).device.type == DEVICE


@pytest.mark.parametrize("learner", IRREGULAR, ids=learner_name)
def test_times_may_be_irregular(learner: Learner):
    assert_same_models(learner, sample(Lorenz(), replace(SAMPLING, jitter=0.5), 0), DEVICE, TOLERANCE)


@pytest.mark.parametrize("classifier", [*CLASSIFIERS, *SLOW_CLASSIFIERS], ids=learner_name)
def test_a_classifier_finds_the_model_of_the_cpu(classifier: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweep, "TOLERANCES", (1e-1, 1e-2))
    monkeypatch.setattr(sweep, "REFERENCE", 1e-3)
    images = sample_images(Stripes(40), ImageSampling(valid=10, test=10, crop=1), 0)
    assert_same_classes(classifier, images, DEVICE, TOLERANCE)


def test_every_metric_has_the_value_of_the_cpu(tmp_path: Path):
    learner = NeuralODE(width=4, training=Training(updates=8, batch=8, validations=2))
    here = ForecastCell(LinearSpiral(), learner, LONGER, OF_FORECASTS, Budget(), (0,), 0)
    values, others = measured(here, tmp_path), measured(replace(here, device=DEVICE), tmp_path)
    assert others == pytest.approx(values, rel=0.02, abs=1e-3, nan_ok=True)


@pytest.mark.parametrize("solver", ["dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun"])
def test_adaptive_solvers_take_the_steps_of_the_cpu(solver: str):
    flow, start = Lorenz(), torch.tensor([[1.0, 2.0, 20.0], [-5.0, -6.0, 25.0]], dtype=torch.float64)
    times = torch.tensor([0.1, 0.2], dtype=torch.float64)
    found = [
        solve(lambda x: flow.velocity(0.0, x), start.to(where), times.to(where), solver, 1e-4)
        for where in ("cpu", DEVICE)
    ]
    torch.testing.assert_close(found[1][0].cpu(), found[0][0], rtol=1e-6, atol=1e-6)
    assert (found[1][1].cpu() - found[0][1]).abs().max() <= 14  # a step more or less


@pytest.mark.parametrize("solver", ["euler", "midpoint", "rk4", "rosenbrock"])
def test_fixed_steps_and_their_gradients_are_those_of_the_cpu(solver: Any):
    start, gradients = torch.linspace(-1, 1, 24).view(2, 4, 3), []
    for where in ("cpu", DEVICE):
        network = StackedMLP([3, 8, 3], "silu", [stream(seed, "weights") for seed in (0, 1)]).to(where)

        class Field(torch.nn.Module):
            inner = network

            def forward(self, s: Any, x: torch.Tensor) -> torch.Tensor:
                return self.inner(x)

        states = Integration(solver).integrate(Field(), start.to(where), 3)
        states.square().sum().backward()
        gradients.append([one.grad.cpu() for one in network.parameters() if one.grad is not None])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("learner", WAITLESS, ids=learner_name)
def test_neither_updates_nor_forecasts_wait(learner: Any, data: Dataset):
    there = data.to(DEVICE)
    training, minibatches, predictor = prepared_updates(learner, there)
    state = predictor.encode(there.test.between(0, 6))
    torch.cuda.set_sync_debug_mode("error")
    try:
        for minibatch in minibatches:
            training.update(minibatch, 1e-3)
        with torch.inference_mode():
            predictor.rollout(state, [there.step, 2 * there.step])
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_graph_computes_what_its_function_does():
    total = torch.zeros(3, device=DEVICE)
    replay = captured(total.add_, torch.ones(3, device=DEVICE))
    before = total.clone()
    replay(torch.full((3,), 5.0, device=DEVICE))
    assert torch.equal(total - before, torch.full((3,), 5.0, device=DEVICE))


@pytest.mark.parametrize("learner", WAITLESS, ids=learner_name)
def test_replayed_training_is_the_eager_one(learner: Any, data: Dataset, monkeypatch: pytest.MonkeyPatch):
    longer, there = replace(learner, training=Training(updates=12, batch=4, validations=2)), data.to(DEVICE)
    replayed = longer.fit_replicas(there, Budget(), (0, 1))
    monkeypatch.setattr(run, "REPLAYING", ())
    for one, other in zip(replayed, longer.fit_replicas(there, Budget(), (0, 1)), strict=True):
        torch.testing.assert_close(forecast(one, there), forecast(other, there), rtol=TOLERANCE, atol=TOLERANCE)
        assert (one.log.nfe_forward, one.log.nfe_backward) == (other.log.nfe_forward, other.log.nfe_backward)


@pytest.mark.parametrize("learner", WAITLESS, ids=learner_name)
def test_replayed_forecasts_are_the_eager_ones(learner: Any, data: Dataset, monkeypatch: pytest.MonkeyPatch):
    there = data.to(DEVICE)
    (predictor,) = learner.fit_replicas(there, BUDGET, (0,))
    state, offsets = predictor.encode(there.test.between(0, 6)), [there.step * one for one in range(1, 61)]
    with torch.no_grad():
        found, evaluations = predictor.rollout(state, offsets)
        monkeypatch.setattr(replayed_steps, "DEVICES", ())
        eager, others = predictor.rollout(state, offsets)
    torch.testing.assert_close(found, eager, rtol=TOLERANCE, atol=TOLERANCE)
    assert evaluations == others


def test_peak_bytes_are_those_of_the_allocator_and_hold_what_an_update_keeps(data: Dataset):
    there = data.to(DEVICE)
    with meter(DEVICE) as usage:
        torch.empty(10_000_000, dtype=torch.uint8, device=DEVICE)
    assert 10_000_000 <= usage.peak_bytes < 11_000_000
    with meter(DEVICE) as usage:
        (predictor,) = NeuralODE(lookahead=3, **SMALL).fit_replicas(there, Budget(), (0,))
    assert usage.peak_bytes >= predictor.log.kept_bytes > 0
