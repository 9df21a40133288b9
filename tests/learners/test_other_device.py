"""Every learner works where its data lie: on a device that mixes with no other, it finds the models of the CPU."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from learners import LatentODE, Learner, NeuralODE, RKNet
from learners.images import sweep
from learners.training.cuda_graph import NotRepeatableError, Repeatable
from learners.training.training_step import collect_steps
from metrics import central_difference, learned_spectrum
from systems import Dataset, ImageSampling, Lorenz, Lorenz96, sample, sample_images
from systems.tangents import push_forward
from tests.support.cases import few
from tests.support.devices import BUDGET, assert_same_classes, assert_same_models, forecast, prepared_updates
from tests.support.images import Stripes
from tests.support.learners import exported_learners, learner_name
from tests.support.other_device import NAME, OtherTensor, waits
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

TOLERANCE = 1e-4  # the CPU has compiled updates and steps, which round otherwise


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(Lorenz(), SAMPLING, 0)


@pytest.mark.parametrize("learner", [*LEARNERS, *few(OTHERS)], ids=learner_name)
def test_a_learner_finds_the_same_models_where_its_data_lie(learner: Learner, data: Dataset):
    there = assert_same_models(learner, data, NAME, TOLERANCE)
    if (together := there[0].ensemble(there[1:])) is not None:
        assert isinstance(forecast(together, data.to(NAME)), OtherTensor)


def test_no_exported_learner_is_left_out():
    assert {type(one) for one in exported_learners()} <= {type(one) for one in (*LEARNERS, *OTHERS)}


@pytest.mark.parametrize("learner", few(WAITLESS, 0, 1), ids=learner_name)
def test_neither_updates_nor_forecasts_wait_for_the_device(learner: Any, data: Dataset):
    there = data.to(NAME)
    run, minibatches, predictor = prepared_updates(learner, there)
    with waits() as found:
        for minibatch in minibatches:
            run.update(minibatch, 1e-3)
    state = predictor.encode(there.test.between(0, 6))
    with torch.inference_mode(), waits() as rolling:
        predictor.rollout(state, [there.step, 2 * there.step])
    assert not found
    assert not rolling


def test_a_graph_is_refused_where_it_would_repeat_what_the_cpu_gave_once(data: Dataset):
    latent = next(one for one in WAITLESS if isinstance(one, LatentODE))
    with collect_steps() as steps:
        for learner in (LEARNERS[0], latent, LEARNERS[1]):
            learner.fit_replicas(data.to(NAME), BUDGET, (0,))
    repeatable, drawing, asking = steps
    minibatches = [next(step.minibatches(1)) for step in steps]
    with Repeatable():
        repeatable.objective(minibatches[0]).sum().backward()
    with Repeatable(), pytest.raises(NotRepeatableError, match="comes from the CPU"):
        drawing.objective(minibatches[1])
    with Repeatable(), pytest.raises(NotRepeatableError, match="asks the GPU for values"):
        asking.objective(minibatches[2])


@pytest.mark.slow
@pytest.mark.parametrize("learner", IRREGULAR, ids=learner_name)
def test_times_may_be_irregular_there(learner: Learner):
    assert_same_models(learner, sample(Lorenz(), replace(SAMPLING, jitter=0.5), 0), NAME, TOLERANCE)


@pytest.mark.slow
def test_a_convolution_along_a_ring_is_damped_there():
    ring = sample(Lorenz96(sites=6), SAMPLING, 0)
    assert_same_models(NeuralODE(network="convolution", kernel=3, damping=0.1, **SMALL), ring, NAME, TOLERANCE)


@pytest.mark.parametrize("push", [push_forward, central_difference])
@pytest.mark.parametrize("learner", few([NeuralODE(**SMALL), LEARNERS[3], RKNet(**SMALL)], 0), ids=learner_name)
def test_the_tangent_map_is_followed_there(learner: Learner, push: Any, data: Dataset):
    there = data.to(NAME)
    spectra = [
        learned_spectrum(predictor, predictor.encode(part.test.between(0, 6)), part.step, 3, leading=2, push=push)
        for part in (data, there)
        for predictor in learner.fit_replicas(part, BUDGET, (0,))
    ]
    assert spectra[0].exponents == pytest.approx(spectra[1].exponents, abs=2e-3)


@pytest.mark.parametrize("classifier", [*CLASSIFIERS, *few(SLOW_CLASSIFIERS)], ids=learner_name)
def test_a_classifier_finds_the_same_model_where_its_images_lie(classifier: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweep, "TOLERANCES", (1e-1, 1e-2))
    monkeypatch.setattr(sweep, "REFERENCE", 1e-3)
    images = sample_images(Stripes(40), ImageSampling(valid=10, test=10, crop=1), 0)
    assert_same_classes(classifier, images, NAME, 1e-4)


def test_what_lies_elsewhere_is_refused():
    here, there = torch.ones(3), torch.ones(3, device=NAME)
    with pytest.raises(RuntimeError, match="on the CPU"):
        _ = there + here
    with pytest.raises(RuntimeError, match="on the CPU"):
        torch.cat([there, here])
    with pytest.raises(RuntimeError, match="generator"):
        torch.rand(3, device=NAME, generator=torch.Generator())
    assert (there + torch.tensor(1.0)).tolist() == [2.0] * 3


def test_a_wait_is_told():
    x = torch.arange(3.0, device=NAME)
    with waits() as none:
        y = (x * 2 + 1).sum()
    with waits() as found:
        _ = float(y), x.cpu(), x[x > 0]
    assert not none
    assert len(found) == 3
