"""Training by graphs of the passes, as a GPU replays them: here a graph is played by the function that it records."""

from typing import Any

import pytest
import torch

from learners import Budget, LatentODE, Learner, NeuralODE, Predictor, ResNet, RKNet, Training
from learners.training import cuda_graph, run
from learners.training.training_step import TrainingStep
from systems import Dataset, Lorenz, sample
from tests.support.graphs import played
from tests.support.small_learners import SAMPLING

TRAINING = Training(updates=12, batch=4, validations=2)
SOAP = Training(updates=24, batch=4, validations=2, optimiser="soap")  # bases are turned twice


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(Lorenz(), SAMPLING, 0)


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Updates on the CPU go the way of a GPU: how often each record was replayed."""
    counts: list[int] = []
    monkeypatch.setattr(run, "REPLAYING", ("cpu",))
    monkeypatch.setattr(TrainingStep, "compiled", lambda step: None)  # as there
    monkeypatch.setattr(cuda_graph, "record", played(counts))
    return counts


def assert_same(one: Predictor, other: Predictor) -> None:
    for mine, theirs in zip(one.weights().values(), other.weights().values(), strict=True):
        assert torch.equal(mine, theirs)
    assert (one.log.nfe_forward, one.log.nfe_backward) == (other.log.nfe_forward, other.log.nfe_backward)
    assert [point.train_loss for point in one.log.curve] == [point.train_loss for point in other.log.curve]


@pytest.mark.parametrize(
    ("learner", "shapes"),
    [
        (NeuralODE(width=4, lookahead=3, training=TRAINING), 1),
        (NeuralODE(width=4, lookahead=3, curriculum=0.9, training=TRAINING), 3),
        (ResNet(width=4, noise=0.1, training=TRAINING), 1),
        (NeuralODE(width=4, lookahead=3, training=SOAP), 1),
    ],
    ids=["segments of one length", "of growing length", "with noise", "by SOAP"],
)
def test_replayed_training_is_the_training_itself(
    learner: Any, shapes: int, data: Dataset, records: list[int], monkeypatch: pytest.MonkeyPatch
):
    replayed = learner.fit_replicas(data, Budget(), (0, 1))
    assert len(records) == shapes
    measured = 2  # the first update, and that after a validation
    assert sum(records) == learner.training.updates - measured
    monkeypatch.setattr(run, "REPLAYING", ())
    for one, other in zip(replayed, learner.fit_replicas(data, Budget(), (0, 1)), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize(
    ("learner", "reason"),
    [
        (LatentODE(lookahead=3, hidden=4, width=4, latent=2, training=TRAINING), "comes from the CPU"),
        (RKNet(width=4, training=TRAINING), "asks the GPU for values"),
    ],
    ids=["draws", "adaptive steps"],
)
def test_what_no_graph_repeats_is_launched_one_by_one_and_the_reason_told(
    learner: Learner,
    reason: str,
    data: Dataset,
    records: list[int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    (tried,) = learner.fit_replicas(data, Budget(), (0,))
    told = capsys.readouterr().err
    assert not records
    assert told.count("updates are launched one by one: a graph cannot repeat what") == 1
    assert reason in told
    monkeypatch.setattr(run, "REPLAYING", ())
    assert_same(tried, learner.fit_replicas(data, Budget(), (0,))[0])
