"""The training loop: schedule, clipping, the best weights, failures, and what an update costs."""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from learners import Budget, NeuralODE, ODENet, ResNet, RKNet, SolverError, Training, TrainingLog
from learners.networks.recurrent import CellType, StackedRecurrent
from learners.networks.scales import Scales, mean_square
from learners.networks.stacked import StackedConvolution, StackedLinear, StackedMLP
from learners.streams import stream
from learners.training.best import Best
from learners.training.counting import counting, counting_flops, forecast_flops, keeping
from learners.training.loop import Objective, run_updates
from learners.training.segments import SegmentSampler, segments_of
from learners.training.training_step import Adam, TrainingStep, clip
from systems import LinearSpiral, Sampling, Trajectories, VanDerPol, sample
from systems.protocol import PARTS

SHORT = Training(updates=40, batch=8, learning_rate=0.1, validations=8)
SAMPLING = Sampling(step=0.05, trajectories=2, samples=20, valid=1, test=2, context=4, horizon=0.2, climate=1)
SEEDS = (0, 1)


class Weight(nn.Module):
    """One number for each replica."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(values).view(-1, 1, 1))


def train(
    network: nn.Module, objective: Objective, training: Training = SHORT, effort: float = 1.0
) -> list[TrainingLog]:
    """The loop, where there is nothing to forecast: the lowest validation loss counts."""
    segments = SegmentSampler(torch.linspace(0, 1, 40).view(2, 10, 2), 3, SEEDS)
    parameters = list(network.parameters())
    step = TrainingStep(
        network,
        objective,
        partial(segments.batches, training.batch),
        Adam(parameters),
        partial(clip, parameters, training.clip),
        [],
        lambda: objective(segments.evenly_spaced(64)),
        parameters,
    )
    return run_updates(step, training, Budget(effort))


def test_the_rate_rises_to_its_peak_and_falls_to_a_thousandth():
    training = Training(learning_rate=0.1, warmup=0.25)
    assert training.rate(0.0) == pytest.approx(0.004)
    assert training.rate(0.25) == pytest.approx(0.1)
    assert training.rate(0.625) == pytest.approx(0.05005)
    assert training.rate(1.0) == pytest.approx(0.0001)


def test_soap_goes_faster_in_fewer_updates_up_to_an_end_and_adam_never():
    training = Training(updates=1_000, learning_rate=3e-3, optimiser="soap")
    found = [training.within(updates).learning_rate for updates in (1_000, 100, 4_000, 1)]
    assert found == pytest.approx([3e-3, 3e-3 * 10**0.5, 1.5e-3, 0.03])
    assert replace(training, learning_rate=0.1).within(10).learning_rate == 0.1
    adam = replace(training, optimiser="adam")
    assert adam.within(10) == adam


def test_a_constant_rate_falls_once_to_a_tenth():
    training = Training(learning_rate=1e-2, schedule="constant", drop=0.9)
    assert [training.rate(update / 2_000) for update in (0, 1_799)] == [1e-2, 1e-2]
    assert [training.rate(update / 2_000) for update in (1_800, 1_999)] == pytest.approx([1e-3, 1e-3])
    assert replace(training, drop=1.0).rate(0.999) == 1e-2
    with pytest.raises(ValueError, match=r"training.drop must be above 0 and at most 1, but is 1\.5"):
        replace(training, drop=1.5)


@pytest.mark.parametrize(
    ("field", "value"), [("updates", 0), ("batch", -1), ("learning_rate", 0.0), ("clip", 0.0), ("validations", 0)]
)
def test_a_setting_that_must_be_positive_is_named(field: str, value: float):
    with pytest.raises(ValueError, match=f"training.{field} must be positive, but is {value}"):
        replace(SHORT, **{field: value})


@pytest.mark.parametrize("change", [{"warmup": 1.0}, {"warmup": -0.1}, {"patience": -1}])
def test_warmup_and_patience_have_their_ranges(change: dict):
    with pytest.raises(ValueError, match="0 <= warmup < 1 and patience >= 0"):
        replace(SHORT, **change)


def test_few_updates_are_validated_less_often():
    updates = {1.0: 10, 0.3: 10, 0.15: 5, 0.03: 1, 0.003: 1, 3.0: 10}
    assert {effort: Budget(effort).validations(10) for effort in updates} == updates
    data = sample(LinearSpiral(), SAMPLING, 0)
    for effort, points in ((1.0, 10), (0.1, 3)):
        learner = NeuralODE(width=8, training=replace(SHORT, updates=100, validations=10))
        assert len(learner.fit_replicas(data, Budget(effort), [0])[0].log.curve) == points


@pytest.mark.parametrize("change", [{"effort": 0.0}, {"climate": 0.0}, {"climate": 1.1}, {"effort": float("nan")}])
def test_a_budget_out_of_range_is_refused(change: dict):
    with pytest.raises(ValueError, match="a positive effort and 0 < climate <= 1, but has effort="):
        Budget(**change)


def test_training_finds_the_minimum_of_every_replica():
    network = Weight(5.0, -3.0)
    goal = torch.tensor([1.0, 2.0])
    logs = train(network, lambda segments: (network.weight.flatten() - goal).square(), effort=5.0)
    torch.testing.assert_close(network.weight.flatten().detach(), goal, atol=0.02, rtol=0)
    assert [log.updates for log in logs] == [200, 200]
    assert logs[0].curve[-1].valid_loss < logs[0].curve[0].valid_loss
    assert [point.update for point in logs[0].curve] == list(range(25, 201, 25))


def test_the_weights_that_were_best_on_validation_data_are_kept():
    network = Weight(0.0, 0.0)
    best = Best(list(network.parameters()))
    for value, errors, losses in (
        (1.0, [3.0, 1.0], [1.0, 1.0]),
        (2.0, [2.0, 0.5], [2.0, torch.nan]),
        (3.0, [2.0, 1.0], [3.0, 0.5]),
        (4.0, [4.0, 4.0], [0.0, 0.0]),
    ):
        network.weight.data.fill_(value)
        best.offer(torch.tensor(errors), torch.tensor(losses))
    best.restore()
    assert network.weight.flatten().tolist() == [2.0, 3.0]  # the lowest error, and where these are equal the lower loss
    assert best.stale.tolist() == [2, 1]


def test_the_last_finite_weights_are_kept_where_they_are_to_be():
    network = Weight(0.0, 0.0)
    best = Best(list(network.parameters()), keep="last")
    for value, losses in ((1.0, [1.0, 1.0]), (2.0, [2.0, 0.5]), (3.0, [3.0, torch.nan])):
        network.weight.data.fill_(value)
        best.offer(torch.tensor(losses), torch.tensor(losses))
    best.restore()
    assert network.weight.flatten().tolist() == [3.0, 2.0]
    assert best.stale.tolist() == [2, 1]  # patience waits for an improvement all the same


def test_patience_ends_training_that_does_not_improve():
    network = Weight(0.0, 0.0)
    training = replace(SHORT, updates=1000, validations=100, patience=3)
    logs = train(network, lambda segments: 1 + 0 * network.weight.flatten(), training)
    assert [log.updates for log in logs] == [40, 40]


def test_patience_is_that_of_each_replica_which_then_stays_as_it_is():
    """A replica improves for so many validations, and then no more: it ends as it would alone."""
    training = replace(SHORT, updates=100, validations=100, patience=3)

    def fit(improving: list[int]) -> tuple[list[float], list[TrainingLog]]:
        network = Weight(*map(float, improving))
        limits, validations = torch.tensor(improving), [0]

        def objective(segments: torch.Tensor) -> torch.Tensor:
            validations[0] += not torch.is_grad_enabled()
            trained = network.weight.flatten()
            return 1.0 / torch.minimum(torch.tensor(validations[0]), limits) + trained - trained.detach()

        logs = train(network, objective, training)
        return network.weight.flatten().tolist(), logs

    together = fit([2, 20])
    alone = [fit([2]), fit([20])]
    assert [log.updates for log in together[1]] == [5, 23]
    assert together[0] == pytest.approx([*alone[0][0], *alone[1][0]], rel=1e-5)
    for one, (_, (other,)) in zip(together[1], alone, strict=True):
        assert (one.updates, one.failure) == (other.updates, other.failure)
        mine, theirs = ([(point.update, point.valid_loss) for point in log.curve] for log in (one, other))
        assert mine == [(update, pytest.approx(loss, rel=1e-5)) for update, loss in theirs]


def test_a_replica_that_diverges_is_reported_and_does_not_disturb_the_other():
    network = Weight(1.0, 1.0)
    spoiled = torch.tensor([1.0, torch.nan])
    logs = train(network, lambda segments: network.weight.flatten().square() * spoiled)
    assert logs[0].failure is None
    assert logs[1].failure is not None
    assert logs[1].failure.status == "diverged"
    assert "never finite in 5 updates" in logs[1].failure.reason
    assert [log.updates for log in logs] == [40, 5]
    assert abs(network.weight[0].item()) < 0.5


def test_training_ends_when_every_replica_has_diverged():
    network = Weight(1.0, 1.0)
    logs = train(network, lambda segments: network.weight.flatten() * torch.nan)
    assert logs[0].updates == 5


def test_a_failing_solver_ends_training_with_its_reason():
    network = Weight(1.0, 1.0)
    calls = []

    def objective(segments: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) > 3:
            raise SolverError("step too small")
        return network.weight.flatten().square()

    logs = train(network, objective)
    assert logs[0].failure is not None
    assert logs[0].failure.status == "solver_failed"
    assert logs[0].failure.reason == "step too small in update 4 of 40"
    assert logs[0].updates == 3


def test_gradients_are_clipped_for_each_replica_alone():
    layer = StackedLinear(2, 2, [stream(0, "weights"), stream(1, "weights")])
    for parameter in layer.parameters():
        parameter.grad = torch.ones_like(parameter)
        parameter.grad[1] *= 1e-3
    clip(list(layer.parameters()), 1.0)
    assert layer.weight.grad is not None
    assert layer.bias.grad is not None
    assert layer.weight.grad[0, 0, 0].item() == pytest.approx(1 / 6**0.5)
    assert layer.bias.grad[1, 0, 0].item() == pytest.approx(1e-3)


def test_every_evaluation_is_counted_once_and_only_while_counting():
    layer = StackedLinear(2, 2, [stream(0, "weights")])
    with counting([layer]) as tally:
        layer(layer(torch.ones(1, 3, 2)))
        assert tally.take() == 2
        layer(torch.ones(1, 3, 2))
        assert tally.take() == 1
    layer(torch.ones(1, 3, 2))
    assert tally.take() == 0


def test_saved_bytes_are_what_the_layers_keep():
    network = StackedMLP([2, 8, 2], "tanh", [stream(0, "weights")])
    x = torch.ones(1, 10, 2)
    _, kept = keeping(lambda: network(x), list(network.parameters()))
    assert kept == 4 * (10 * 2 + 10 * 8)  # the input and the output of tanh; the weights do not count


def test_what_is_let_go_in_the_forward_pass_is_not_kept_with_what_comes_after():
    x = torch.ones(1000, requires_grad=True)

    def forward() -> torch.Tensor:
        tried = x
        for _ in range(5):  # as steps of a solver that are rejected
            tried = (x + 1).exp()
        return tried.sum()

    assert keeping(forward, ())[1] == 2 * 4 * 1000  # the last, and the one before until then


@pytest.mark.parametrize(
    "learner",
    [
        NeuralODE(width=64, lookahead=5, curriculum=0.5, training=replace(SHORT, updates=4)),
        ResNet(width=64, training=replace(SHORT, updates=4)),
    ],
    ids=lambda learner: type(learner).__name__,
)
def test_costs_are_those_of_autograd_also_where_updates_are_compiled(learner: Any, monkeypatch: pytest.MonkeyPatch):
    dataset = sample(LinearSpiral(), SAMPLING, 0)
    compiled = learner.fit_replicas(dataset, Budget(), SEEDS)[0].log
    monkeypatch.setattr(TrainingStep, "compiled", lambda step: None)
    eager = learner.fit_replicas(dataset, Budget(), SEEDS)[0].log
    for cost in ("nfe_forward", "nfe_backward", "saved_bytes", "flops", "samples", "updates"):
        assert getattr(compiled, cost) == getattr(eager, cost), cost
    assert eager.kept_bytes == eager.saved_bytes
    assert 0 < compiled.kept_bytes != eager.kept_bytes


def test_operations_are_those_of_the_closed_form_in_both_passes():
    network = StackedMLP([3, 16, 16, 3], "silu", [stream(0, "weights"), stream(1, "weights")])
    x, weights = torch.ones(2, 10, 3), 3 * 16 + 16 * 16 + 16 * 3
    _, forward = counting_flops(lambda: network(x))
    _, both = counting_flops(lambda: network(x).sum().backward())
    assert forward == 2 * 2 * 10 * weights
    assert both == 3 * forward - 2 * 2 * 10 * 3 * 16  # the input of the first layer needs no gradient
    assert counting_flops(lambda: network(x))[1] == forward


@pytest.mark.parametrize("replicas", [1, 3])
def test_operations_of_convolutions_are_those_of_each_replica_alone(replicas: int):
    network = StackedConvolution([1, 16, 1], 5, 1, "silu", [stream(seed, "weights") for seed in range(replicas)])
    x, weights = torch.ones(replicas, 8, 10), 5 * 16 + 5 * 16
    _, forward = counting_flops(lambda: network(x))
    _, both = counting_flops(lambda: network(x).sum().backward())
    assert forward == 2 * replicas * 8 * 10 * weights
    assert both == 3 * forward - 2 * replicas * 8 * 10 * 5 * 16


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_recurrent_layers_are_counted_as_the_matrix_products_that_they_are(cell: CellType, gates: int):
    layer = StackedRecurrent(cell, 3, 8, [stream(0, "weights")])
    _, flops = counting_flops(lambda: layer(torch.ones(1, 10, 4, 3)))
    assert flops == 2 * 10 * gates * (4 * 3 * 8 + 3 * 8 * 8)  # the first hidden state is zero


def test_operations_of_composite_functions_are_counted_in_every_mode():
    a, b = torch.ones(5, 4), torch.ones(4, 2)
    with torch.inference_mode():
        assert counting_flops(lambda: a @ b)[1] == 80
    assert counting_flops(lambda: a @ b)[1] == 80


def test_the_adjoint_spends_operations_on_the_way_back():
    dataset = sample(LinearSpiral(), SAMPLING, 0)
    training = Training(updates=2, batch=4, validations=2)
    logs = [
        learner(width=8, training=training).fit_replicas(dataset, Budget(), [0])[0].log
        for learner in (RKNet, ODENet, NeuralODE)
    ]
    assert all(log.failure is None and log.flops > 0 for log in logs)
    evaluation = 2 * 4 * (2 * 8 + 8 * 8 + 8 * 2)
    assert logs[2].flops == pytest.approx(4 * 3 * evaluation, rel=0.1)  # four stages; a backward pass is two forward
    assert logs[1].flops == pytest.approx(
        (logs[1].nfe_forward + 3 * logs[1].nfe_backward) * evaluation, rel=0.15
    )  # on the way back the field is evaluated and differentiated


def test_counting_operations_changes_no_number():
    dataset = sample(LinearSpiral(), SAMPLING, 0)
    weights = []
    for validations in (1, 10):  # after each of which an update is measured
        training = Training(updates=10, batch=4, validations=validations)
        (predictor,) = NeuralODE(width=8, training=training).fit_replicas(dataset, Budget(), [0])
        weights.append(predictor.log.curve[-1].valid_loss)
    assert weights[0] == weights[1]


def test_the_operations_of_a_forecast_are_those_of_its_evaluations():
    dataset = sample(LinearSpiral(), SAMPLING, 0)
    (predictor,) = NeuralODE(width=8, training=replace(SHORT, updates=1)).fit_replicas(dataset, Budget(), [0])
    past = dataset.test.between(0, SAMPLING.context)
    assert forecast_flops(predictor, past, dataset.step, 80.0) == 80 * 2 * (2 * 8 + 8 * 8 + 8 * 2)
    assert math.isnan(forecast_flops(predictor, past, dataset.step, math.nan))


@pytest.mark.slow
def test_what_autograd_keeps_is_flat_for_the_adjoint_and_linear_for_backpropagation():
    dataset = sample(VanDerPol(), replace(SAMPLING, step=0.1, trajectories=2, samples=40), 0)
    short = Training(updates=1, batch=32, validations=1)
    steps, kept = {RKNet: [], ODENet: []}, {RKNet: [], ODENet: []}
    for learner in (RKNet, ODENet):
        for tolerance in (1e-2, 1e-3, 1e-4):
            net = learner(solver="adaptive_heun", tolerance=tolerance, lookahead=5, training=short, width=16)
            log = net.fit_replicas(dataset, Budget(), [0])[0].log
            steps[learner].append(log.nfe_forward)
            kept[learner].append(log.saved_bytes)
    assert steps[RKNet][-1] > 5 * steps[RKNet][0]
    assert len(set(kept[ODENet])) == 1
    assert np.corrcoef(steps[RKNet], kept[RKNet])[0, 1] > 0.999
    slope = np.polyfit(steps[RKNet], kept[RKNet], 1)[0]
    layer_inputs = 4 * 32 * (2 + 16 + 16)  # what one evaluation keeps at least: the inputs of its three layers
    assert layer_inputs < slope < 5 * layer_inputs
    assert kept[RKNet][-1] > 20 * kept[ODENet][-1]


def test_minibatches_of_a_seed_do_not_depend_on_the_stack_or_the_number_of_updates():
    states = torch.arange(60.0).view(2, 15, 2)
    alone = next(SegmentSampler(states, 4, [5]).batches(6, 3))
    together = next(SegmentSampler(states, 4, [1, 5]).batches(6, 300))
    assert torch.equal(alone[0], together[1])
    assert alone.shape == (1, 6, 4, 2)


def test_segments_are_consecutive_samples_and_all_can_be_drawn():
    states = torch.arange(20.0).view(2, 10, 1)
    segments = SegmentSampler(states, 3, [0]).evenly_spaced(100)[0, :, :, 0]
    assert len(segments) == 2 * 8
    assert (segments.diff(dim=1) == 1).all()


def test_trajectories_shorter_than_a_segment_are_refused_with_the_remedy():
    dataset = sample(LinearSpiral(), SAMPLING, 0)
    short = replace(dataset, valid=dataset.valid.between(0, 4))
    remedy = "lower the learner's lookahead or window, or give longer trajectories"
    with pytest.raises(ValueError, match=f"^training needs segments of 21 samples, but its .* have 20: {remedy}"):
        segments_of(dataset, Scales.of(dataset), 21, [0])
    with pytest.raises(ValueError, match=f"^validation needs segments of 5 samples, but its .* have 4: {remedy}"):
        segments_of(short, Scales.of(dataset), 5, [0])


def test_standardised_states_have_unit_scale_and_come_back():
    dataset = sample(LinearSpiral(), SAMPLING, 0)
    scales = Scales.of(dataset)
    states = scales.standardise(dataset.train.states)
    assert states.dtype == torch.float32
    torch.testing.assert_close(states.std(dim=(0, 1), correction=0), torch.ones(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(scales.restore(states), dataset.train.states, atol=1e-6, rtol=0)
    torch.testing.assert_close(
        mean_square(scales.residuals(states[:, 1:], states[:, :-1])).mean(), torch.tensor(1.0), atol=0.2, rtol=0
    )


@pytest.mark.parametrize("rate", [2.0, -1e-6])
def test_a_channel_that_grows_evenly_is_measured_by_its_growth_and_leaves_the_others_be(rate: float):
    """As the unwrapped phase of a drive: by how its steps vary, which is rounding, nothing would be learned."""
    plain = sample(LinearSpiral(), SAMPLING, 0)

    def with_phase(part: Trajectories) -> Trajectories:
        phase = rate * part.times + torch.arange(len(part)).unsqueeze(1) * rate
        return Trajectories(part.times, torch.cat([part.states, phase.unsqueeze(-1)], dim=-1))

    dataset = replace(plain, **{name: with_phase(getattr(plain, name)) for name in PARTS})
    scales, states = Scales.of(dataset), dataset.standardise(dataset.train.states)
    assert torch.equal(scales.increment[:2], Scales.of(plain).increment)
    torch.testing.assert_close(scales.increment[2], (states[0, 1, 2] - states[0, 0, 2]).abs().float())
    (model,) = ResNet(width=8, training=replace(SHORT, updates=60)).fit_replicas(dataset, Budget(), [0])
    assert model.log.curve[-1].valid_loss < 0.1
