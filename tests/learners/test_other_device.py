"""Every learner works where its data lie: on a device that mixes with no other, it finds the models of the CPU."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from learners import (
    DMD,
    NVAR,
    Budget,
    Climatology,
    HybridODE,
    IndependentTruth,
    LatentODE,
    LatentRNN,
    Learner,
    Mechanistic,
    MLPClassifier,
    NeuralODE,
    ODENet,
    ODENetClassifier,
    Persistence,
    PolynomialPropagator,
    Predictor,
    Reservoir,
    ResNet,
    ResNetClassifier,
    RKNet,
    RKNetClassifier,
    SINDy,
    Training,
    TrainingMean,
    Transformer,
    TrueEquations,
    WindowedRNN,
)
from learners.delayed import Delayed
from learners.equations.published_fit import PublishedFit, Recipe
from learners.fewer_trajectories import Fewer
from learners.images import sweep
from learners.training.counting import counting
from learners.training.run import TrainingRun
from learners.training.training_step import collect_steps
from metrics import central_difference, learned_spectrum
from systems import Dataset, ImageSampling, Lorenz, Lorenz96, Sampling, sample, sample_images
from systems.images import ImageDataset
from systems.lyapunov import push_forward
from tests.support.images import Stripes
from tests.support.learners import exported_learners, learner_name
from tests.support.other_device import NAME, OtherTensor, waits

SAMPLING = Sampling(
    step=0.02, trajectories=3, samples=24, valid=1, test=2, context=6, horizon=0.1, climate=1, climate_horizon=0.1
)
SHORT = Training(updates=2, batch=4, validations=1)
SMALL = {"width": 4, "training": SHORT}
LEARNERS: tuple[Learner, ...] = (
    NeuralODE(**SMALL),
    RKNet(**SMALL),
    ResNet(damping=0.1, noise=0.1, **SMALL),
    WindowedRNN(hidden=4, training=SHORT),
    Mechanistic(start=(("sigma", 9.0), ("rho", 27.0)), iterations=1, window=4),
    DMD(lags=2),
    Reservoir(size=8, washout=4),
    Persistence(),
    TrainingMean(),
    Climatology(),
    TrueEquations(),
    IndependentTruth(),
)
OTHERS: tuple[Learner, ...] = (
    NeuralODE(lookahead=3, depth=1, curriculum=0.5, noise=0.1, augmented=1, time=True, damping=0.1, **SMALL),
    NeuralODE(jacobian=0.1, inputs="cubic", **SMALL),
    NeuralODE(solver="rosenbrock", **SMALL),
    NeuralODE(solver="euler", gradient="adjoint", **SMALL),
    NeuralODE(width=2, depth=1, training=replace(SHORT, optimiser="levenberg-marquardt")),
    ODENet(**SMALL),
    Transformer(**SMALL),
    WindowedRNN(cell="rnn", hidden=4, training=SHORT),
    WindowedRNN(cell="lstm", hidden=4, training=SHORT),
    LatentODE(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
    LatentRNN(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
    HybridODE(**SMALL),
    PublishedFit((Recipe((("sigma", 9.0),), epochs=2, learning_rate=1e-3, substeps=1),), batch=2),
    NVAR(),
    PolynomialPropagator(degree=2),
    SINDy(degree=1),
    Delayed(ResNet(**SMALL), delays=1, stride=2),
    Fewer(NeuralODE(**SMALL), 2),
)
IRREGULAR: tuple[Learner, ...] = (
    NeuralODE(lookahead=2, **SMALL),
    WindowedRNN(times="gaps", hidden=4, training=SHORT),
    WindowedRNN(times="ignored", hidden=4, training=SHORT),
    LatentODE(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
)
WAITLESS = (
    NeuralODE(noise=0.1, **SMALL),
    WindowedRNN(hidden=4, training=SHORT),
    NeuralODE(solver="rosenbrock", **SMALL),
    ResNet(damping=0.1, **SMALL),
    Transformer(**SMALL),
    LatentODE(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
    LatentRNN(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
    HybridODE(**SMALL),
)
CLASSIFIERS = (
    MLPClassifier(hidden=4, training=SHORT),
    ResNetClassifier(width=8, blocks=1, norm="batch", training=SHORT, channels_last=True),
    ODENetClassifier(width=8, solver="euler", steps=2, training=SHORT),
)
SLOW_CLASSIFIERS = (RKNetClassifier(width=8, training=SHORT), ODENetClassifier(width=8, training=SHORT))
BUDGET = Budget()


def name(learner: Any) -> str:
    return learner_name(learner)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(Lorenz(), SAMPLING, 0)


@pytest.fixture(scope="module")
def images() -> ImageDataset:
    return sample_images(Stripes(40), ImageSampling(valid=10, test=10, crop=1), 0)


def forecast(predictor: Predictor, data: Dataset, context: int = 6) -> Tensor:
    return predictor.forecast(data.test.between(0, context), data.test.times[:, context:]).states


def same_on_both(learner: Learner, data: Dataset) -> list[Predictor]:
    """The learner's models on the other device, after a look that they forecast as those of the CPU."""
    here, there = learner.fit(data, BUDGET, (0, 1)), learner.fit(data.to(NAME), BUDGET, (0, 1))
    for one, other in zip(here, there, strict=True):
        found = forecast(other, data.to(NAME))
        assert isinstance(found, OtherTensor)
        torch.testing.assert_close(found.cpu(), forecast(one, data), rtol=1e-5, atol=1e-5, equal_nan=True)
    return there


def quick_and_slow(quick: Sequence[Any], slow: Sequence[Any]) -> list[Any]:
    """Parameters, of which some are tested at night."""
    return [*quick, *(pytest.param(one, marks=pytest.mark.slow) for one in slow)]


@pytest.mark.parametrize("learner", quick_and_slow(LEARNERS, OTHERS), ids=name)
def test_a_learner_finds_the_same_models_where_its_data_lie(learner: Learner, data: Dataset):
    there = same_on_both(learner, data)
    if (together := there[0].ensemble(there[1:])) is not None:
        assert isinstance(forecast(together, data.to(NAME)), OtherTensor)


def test_no_exported_learner_is_left_out():
    assert {type(one) for one in exported_learners()} <= {type(one) for one in (*LEARNERS, *OTHERS)}


@pytest.mark.parametrize("learner", quick_and_slow(WAITLESS[:2], WAITLESS[2:]), ids=name)
def test_neither_updates_nor_forecasts_wait_for_the_device(learner: Any, data: Dataset):
    there = data.to(NAME)
    with collect_steps() as steps:
        predictor, *_ = learner.fit(there, BUDGET, (0, 1))
    run = TrainingRun(steps[0], None, count_flops=False)
    with counting(steps[0].counted) as run.tally:
        first, *others = list(steps[0].minibatches(4))
        run.update(first, 1e-3)  # which is measured
        with waits() as found:
            for minibatch in others:
                run.update(minibatch, 1e-3)
    state = predictor.encode(there.test.between(0, 6))
    with torch.inference_mode(), waits() as rolling:
        predictor.rollout(state, [there.step, 2 * there.step])
    assert not found
    assert not rolling


@pytest.mark.slow
@pytest.mark.parametrize("learner", IRREGULAR, ids=name)
def test_times_may_be_irregular_there(learner: Learner):
    same_on_both(learner, sample(Lorenz(), replace(SAMPLING, jitter=0.5), 0))


@pytest.mark.slow
def test_a_convolution_along_a_ring_is_damped_there():
    ring = sample(Lorenz96(sites=6), SAMPLING, 0)
    same_on_both(NeuralODE(network="convolution", kernel=3, damping=0.1, **SMALL), ring)


@pytest.mark.parametrize("push", [push_forward, central_difference])
@pytest.mark.parametrize("learner", quick_and_slow([NeuralODE(**SMALL)], [LEARNERS[3], RKNet(**SMALL)]), ids=name)
def test_the_tangent_map_is_followed_there(learner: Learner, push: Any, data: Dataset):
    there = data.to(NAME)
    spectra = [
        learned_spectrum(predictor, predictor.encode(part.test.between(0, 6)), part.step, 3, leading=2, push=push)
        for part in (data, there)
        for predictor in learner.fit(part, BUDGET, (0,))
    ]
    assert spectra[0].exponents == pytest.approx(spectra[1].exponents, rel=1e-4)


@pytest.mark.parametrize("classifier", quick_and_slow(CLASSIFIERS, SLOW_CLASSIFIERS), ids=name)
def test_a_classifier_finds_the_same_model_where_its_images_lie(
    classifier: Any, images: ImageDataset, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sweep, "TOLERANCES", (1e-1, 1e-2))
    monkeypatch.setattr(sweep, "REFERENCE", 1e-3)
    there = images.to(NAME)
    (one,), (other,) = classifier.fit(images, BUDGET, (0,)), classifier.fit(there, BUDGET, (0,))
    found = other.probabilities(there.test.pixels)
    assert isinstance(found, OtherTensor)
    torch.testing.assert_close(found.cpu(), one.probabilities(images.test.pixels), rtol=1e-4, atol=1e-5)
    assert len(other.sweep(there.test)) == len(one.sweep(images.test))


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
