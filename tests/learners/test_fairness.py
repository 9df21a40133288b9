"""What makes a comparison of learners fair: no look at the answers, no seed that depends on others, no lost promise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.catalogue import suites as catalogue
from bench.suite import Suite, load
from bench.suites.smoke import suite as smoke
from learners import Budget, Learner, Predictor
from learners.delayed import Delayed
from learners.fewer_trajectories import Fewer
from systems import Dataset, LinearSpiral, Lorenz, Lorenz96, Sampling, Trajectories, sample
from systems.calibration import Calibration
from systems.configuration import label
from tests.support.learners import exported_learners, learner_name, short
from tests.support.stubs import Turning

SAMPLING = Sampling(
    step=0.02, trajectories=16, samples=100, valid=2, test=3, context=50, horizon=0.2, climate=1, climate_horizon=0.3
)
SEEDS = (3, 4)


def suites() -> list[Suite]:
    return [load(name) for name in catalogue.suites()]


def shipped() -> list[Any]:
    """Every learner of a shipped suite, briefly trained, each once; those that `smoke` has not take minutes."""
    found = {label(short(one)): short(one) for suite in suites() for one in suite.learners if isinstance(one, Learner)}
    quick = {label(short(one)) for one in smoke.learners}
    return [pytest.param(one, id=name, marks=() if name in quick else pytest.mark.slow) for name, one in found.items()]


@cache
def data(ring: bool = False) -> Dataset:
    return sample(Lorenz96(sites=20) if ring else Lorenz(), SAMPLING, 0)


def suitable(learner: Learner) -> Dataset:
    return data(getattr(learner, "network", "") == "convolution")


def numbers(predictor: Predictor, dataset: Dataset) -> list[Tensor]:
    """What was learned, and what is forecast."""
    past, times = dataset.test.between(0, SAMPLING.context), dataset.test.times[0, SAMPLING.context :]
    return [*predictor.weights().values(), predictor.forecast(past, times).states]


@pytest.mark.parametrize("learner", exported_learners(), ids=learner_name)
def test_nothing_changes_where_the_answers_are_hidden_before_the_fit(learner: Learner):
    dataset = data()
    hidden = {
        name: Trajectories(part.times, torch.full_like(part.states, torch.nan))
        for name, part in (("test", dataset.test), ("climate", dataset.climate))
    }
    (seen,), (blind,) = (
        learner.fit_replicas(one, Budget(), SEEDS[:1]) for one in (dataset, replace(dataset, **hidden))
    )
    for one, other in zip(numbers(seen, dataset), numbers(blind, dataset), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("learner", shipped())
def test_a_seed_of_a_stack_is_the_seed_alone_in_every_setting_that_is_shipped(learner: Learner):
    dataset = suitable(learner)
    together = learner.fit_replicas(dataset, Budget(), SEEDS)
    for seed, one in zip(SEEDS, together, strict=True):
        (alone,) = learner.fit_replicas(dataset, Budget(), [seed])
        for mine, other in zip(numbers(one, dataset), numbers(alone, dataset), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-3)
        for cost in ("updates", "samples", "nfe_forward", "nfe_backward", "saved_bytes", "kept_bytes"):
            mine, other = getattr(one.log, cost), getattr(alone.log, cost)
            shared = 0.01 if "bytes" in cost else 0.0  # constants of the data are kept once for all
            assert mine == pytest.approx(other, rel=shared, nan_ok=True), cost
        assert one.log.failure == alone.log.failure
        assert len(one.log.curve) == len(alone.log.curve)


@pytest.mark.parametrize("suite", suites(), ids=lambda suite: suite.name)
def test_learners_of_a_suite_are_trained_alike_or_a_reason_is_given(suite: Suite):
    learners: list[Any] = [getattr(one, "learner", one) for one in suite.learners]  # within wrappers
    trained = {one.training.updates for one in learners if hasattr(one, "training")}
    assert len(trained) < 2 or suite.equal or suite.unequal


@dataclass(frozen=True)
class Promising(Learner):
    """Its predictor keeps none of the promises as others do by default."""

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return [Particular(seed) for seed in seeds]


class Particular(Turning):
    differentiable = False
    stochastic = True
    calibration = Calibration((), 7.0)
    equations = ("x1' = x2",)

    def encode(self, past: Trajectories) -> Tensor:
        return 2 * super().encode(past)[..., :2]

    def decode(self, state: Tensor) -> Tensor:
        return torch.cat([state / 2, state / 2], dim=-1)

    def advance(self, state: Tensor, dt: float) -> tuple[Tensor, int]:
        return state + dt, 77

    def constants(self) -> dict[str, Tensor]:
        return {"scales.mean": torch.ones(2)}

    def ensemble(self, others: Sequence[Predictor]) -> Predictor | None:
        return Particular(100 + len(others))


def test_fewer_trajectories_give_the_predictor_itself():
    (one,) = Fewer(Promising(), 2).fit_replicas(data(), Budget(), SEEDS[:1])
    assert type(one) is Particular


def test_delays_keep_every_promise_of_what_they_wrap():
    """Each public name of a Predictor, so that a promise that is new must be thought of here."""
    dataset = sample(LinearSpiral(), SAMPLING, 0)
    (one, other), inner = Delayed(Promising(), 1, 2).fit_replicas(dataset, Budget(), SEEDS), Particular(SEEDS[0])
    past, times = dataset.test.between(0, 50), dataset.test.times[0, 50:]
    state = inner.encode(past)
    together = one.ensemble([other])
    expected = {
        "differentiable": (one.differentiable, False),
        "stochastic": (one.stochastic, True),
        "least_past": (one.least_past, 1 + 1 * 2),
        "log": (repr(one.log), repr(inner.log)),  # of which numbers that are missing are equal
        "calibration": (one.calibration, inner.calibration),
        "equations": (one.equations, inner.equations),
        "parameters_at": (one.parameters_at, inner.parameters_at),
        "parameters": (one.parameters, inner.parameters),
        "encode": (one.encode(past).tolist(), state.tolist()),
        "decode": (one.decode(state).tolist()[0][:2], (state / 2).tolist()[0]),
        "rollout": (one.rollout(state, [0.3])[0].tolist(), inner.rollout(state, [0.3])[0].tolist()),
        "advance": (one.advance(state, 0.5)[1], 77),
        "forecast": (one.forecast(past, times).states.shape[-1], 2),
        "ensemble": (together and together.weights(), Particular(101).weights()),
        "weights": (one.weights(), inner.weights()),
        "constants": (one.constants()["scales.mean"].tolist(), [1.0, 1.0]),
    }
    names = {name for name in dir(Predictor) if not name.startswith("_")} | set(Predictor.__annotations__)
    assert expected.keys() == names - {"forecast_after", "simulate", "fitted_to"}  # which are made from these
    assert {name: found for name, (found, _) in expected.items()} == {
        name: right for name, (_, right) in expected.items()
    }
