"""A small benchmark in one process, into which bugs can be planted: two systems, a trained learner, two yardsticks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch

from learners import Budget, Learner, NeuralODE, Persistence, TrueEquations, Unsuitable
from learners.training.loop import Training
from metrics import normalised_error, valid_prediction_time
from systems import Dataset, LinearSpiral, Lorenz, Sampling, sample

SAMPLING = Sampling(
    step=0.018112, trajectories=8, samples=200, valid=2, test=16, context=4, horizon=4.0, climate=1, climate_horizon=0.1
)
SYSTEMS = {"LinearSpiral": LinearSpiral(), "Lorenz": Lorenz()}
LEARNERS: dict[str, Learner] = {
    "NeuralODE": NeuralODE(width=16, training=Training(updates=300, batch=64, learning_rate=3e-3, validations=2)),
    "Persistence": Persistence(), "TrueEquations": TrueEquations(),
}  # fmt: skip
REFERENCES = ("Persistence", "TrueEquations")

Values = dict[tuple[str, str, int], dict[str, float]]


def measure(
    seeds: Sequence[int], learners: Sequence[str] = tuple(LEARNERS), rate: float = 1.0, shift: int = 0
) -> Values:
    """NRMSE and VPT of every trial. Bugs: learning rates multiplied by `rate`, truth late by `shift` samples."""
    found: Values = {}
    for system in SYSTEMS:
        dataset = _dataset(system)
        for name in learners:
            try:
                predictors = _slower(LEARNERS[name], rate).fit_replicas(dataset, Budget(), seeds)
            except Unsuitable:
                continue  # trials that are skipped leave no values
            for seed, predictor in zip(seeds, predictors, strict=True):
                found[system, name, seed] = _scores(dataset, predictor, shift)
    return found


@lru_cache
def _dataset(system: str) -> Dataset:
    return sample(SYSTEMS[system], SAMPLING, 0)


def _slower(learner: Learner, rate: float) -> Learner:
    if not isinstance(learner, NeuralODE):
        return learner
    return replace(learner, training=replace(learner.training, learning_rate=rate * learner.training.learning_rate))


@torch.no_grad()
def _scores(dataset: Dataset, predictor, shift: int) -> dict[str, float]:
    given, context = dataset.test, SAMPLING.context
    forecast = predictor.forecast(given.between(0, context), given.times[0, context:]).states.double().numpy()
    truth, scale = given.between(context).states.numpy(), dataset.std.numpy()
    error = normalised_error(truth[:, shift:], forecast[:, : forecast.shape[1] - shift], scale)
    return {"nrmse": float(error.mean()), "vpt": float(np.median(valid_prediction_time(error, SAMPLING.step)))}


def relabelled(values: Values, seeds: Sequence[int], name: Callable[[int], int]) -> Values:
    """The trials of these seeds, under other names."""
    return {(system, learner, name(seed)): one for (system, learner, seed), one in values.items() if seed in seeds}
