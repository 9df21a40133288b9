"""The fits of known equations as they were published: Adam on minibatches of whole trajectories."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from jaxtyping import Float64, Int
from torch import Tensor, nn

from learners.base import Budget, CurvePoint, Failure, Learner, Predictor, TrainingLog
from learners.equations.mechanistic import (
    Starts,
    calibrated,
    equations_and_guess,
    estimates,
    least_squares,
    noise_scale,
)
from learners.equations.sensitivities import sensitivities
from learners.training.callbacks import TrainingState, call_back
from learners.validation import positive
from systems import Dataset, Flow
from systems.calibration import Calibration


@dataclass(frozen=True)
class Recipe:
    """How the parameters of one system were fitted."""

    start: Starts
    epochs: int
    learning_rate: float
    substeps: int  # of the solver between two samples in the fit


PUBLISHED = (
    Recipe((("mu", 0.1),), epochs=50, learning_rate=1e-2, substeps=12),
    Recipe((("a", 1.6), ("b", 1.1), ("d", 2.7), ("g", 1.2)), epochs=60, learning_rate=1e-2, substeps=1),
    Recipe((("sigma", 10.2), ("rho", 28.2), ("beta", 3.0)), epochs=300, learning_rate=1e-3, substeps=1),
)


@dataclass(frozen=True)
class PublishedFit(Learner):
    """Adam at a constant rate on the squared error of whole trajectories, each from its own first observation.

    The first recipe is taken that names a parameter of the system. Kingma and Ba, "Adam: a method for stochastic
    optimization", ICLR 2015.
    """

    recipes: tuple[Recipe, ...] = PUBLISHED
    batch: int = 5  # trajectories in an update

    def __post_init__(self) -> None:
        positive(self, "batch")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        begun = perf_counter()
        recipe = next(
            (one for one in self.recipes if dict(one.start).keys() & vars(dataset.system).keys()), self.recipes[0]
        )
        flow, start = equations_and_guess(dataset, recipe.start)
        epochs = budget.updates(recipe.epochs)
        values, losses = self._train(flow, start, recipe, epochs, dataset, seeds)
        problem = least_squares(flow, dataset, 0, noise_scale(dataset), recipe.substeps)
        seconds = (perf_counter() - begun) / len(seeds)
        updates = epochs * -(-len(dataset.train) // self.batch)
        evaluations = problem.evaluations, 2 * len(start) * problem.evaluations  # these for central differences
        seen = epochs * dataset.train.states[..., 0].numel()
        predictors: list[Predictor] = []
        for index in range(len(seeds)):
            curve = tuple(
                CurvePoint(updates * epoch // epochs, loss, loss, seconds, *evaluations)
                for epoch, loss in enumerate(losses[:, index].tolist(), 1)
            )
            finite = bool(losses[-1, index].isfinite())
            failure = None if finite else Failure("diverged", "the training loss left the finite numbers")
            log = TrainingLog(
                updates, seconds, *evaluations, samples=seen, together=len(seeds), curve=curve, failure=failure
            )
            mine = {name: value[index].clone() for name, value in values.items()}
            calibration = Calibration(estimates(flow, mine, problem, dataset), curve[-1].train_loss)
            predictors.append(calibrated(flow, mine, dataset, log, calibration))
        return predictors

    def _train(
        self,
        flow: Flow,
        start: dict[str, Tensor],
        recipe: Recipe,
        epochs: int,
        dataset: Dataset,
        seeds: Sequence[int],
    ) -> tuple[dict[str, Float64[Tensor, " seed"]], Float64[Tensor, "epoch seed"]]:
        """The parameters of every seed, and the mean loss of each epoch, in units of the noise."""
        values = nn.ParameterDict({name: value.expand(len(seeds)).clone() for name, value in start.items()})
        optimiser = torch.optim.Adam(values.values(), lr=recipe.learning_rate)
        scale = noise_scale(dataset)
        updates = 0
        planned = epochs * -(-len(dataset.train) // self.batch)
        losses = []
        for orders in _orders(len(dataset.train), epochs, seeds):
            batches = orders.split(self.batch, dim=1)
            total = torch.zeros(len(seeds), dtype=scale.dtype, device=scale.device)
            for batch in batches:
                call_back(TrainingState(updates, planned, values, list(values.values())))
                states, times = dataset.train.states[batch], dataset.train.times[batch]
                free = {name: value.detach() for name, value in values.items()}
                solved = sensitivities(flow, free, states[:, :, 0], times, recipe.substeps, free_start=False)
                residuals = (solved.states - states) / scale
                total += residuals.square().flatten(1).mean(dim=1) / len(batches)
                slopes = (2 * residuals * solved.by_parameters / scale).flatten(2).mean(dim=2)
                for value, slope in zip(values.values(), slopes, strict=True):
                    value.grad = slope
                optimiser.step()
                updates += 1
            losses.append(total)
        return {name: value.detach() for name, value in values.items()}, torch.stack(losses)


def _orders(count: int, epochs: int, seeds: Sequence[int]) -> list[Int[Tensor, "seed trajectory"]]:
    """For each epoch, the order in which every seed sees the trajectories."""
    streams = [np.random.default_rng(np.random.SeedSequence([seed, *b"order"])) for seed in seeds]
    return [torch.from_numpy(np.stack([rng.permutation(count) for rng in streams])) for _ in range(epochs)]
