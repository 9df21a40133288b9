"""Polynomial propagator: ridge regression of the next state on monomials of the present one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb, inf
from time import perf_counter
from typing import ClassVar

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from learners.base import Budget, Learner, Predictor, TrainingLog
from learners.rollout import iterate
from learners.validation import positive
from systems import Dataset, Trajectories

PENALTIES = tuple(10.0**power for power in range(-14, 1, 2))  # relative to the number of samples
SAMPLES = 40_000  # training pairs used at the most
FORECAST = 4.0  # timescales that validation forecasts run, where the trajectories are that long
LOWEST, HIGHEST = 1e-12, 1e2  # errors in standard deviations beyond which they are all the same


@dataclass(frozen=True)
class PolynomialPropagator(Learner):
    """One-step map: the change over one step is a polynomial of the standardised state, fitted in float64.

    Degree and penalty of the ridge regression are those whose free-running forecasts of the validation data are best.
    Deterministic: the same for every seed.

    Nearly solves noise-free low-dimensional chaos (arXiv 2507.09652, 2508.06730), hence a reference row.
    """

    degree: int = 5  # of the polynomial, at the most
    terms: int = 300  # monomials at the most: in many dimensions the degree is lowered until it fits

    reference: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self, "degree", "terms")

    def fit(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        begun = perf_counter()
        factors = monomials(dataset.dim, self.degree, self.terms)
        triangle, projected, samples = _compress(dataset, factors)
        best, lowest = None, inf
        for count in {len(monomials(dataset.dim, degree, len(factors))): None for degree in range(1, self.degree + 1)}:
            for penalty in PENALTIES:
                weights = _ridge(triangle[:count, :count], projected[:count], penalty * samples)
                candidate = PolynomialMap(factors[:count], weights, dataset)
                error = _forecast_error(candidate, dataset)
                if best is None or error < lowest:
                    best, lowest = candidate, error
        assert best is not None
        best.log = TrainingLog(updates=1, fit_seconds=(perf_counter() - begun) / len(seeds))
        return [best] * len(seeds)


def monomials(dim: int, degree: int, terms: int) -> list[tuple[int, ...]]:
    """The factors of every monomial up to the highest degree, not above `degree`, that has at most `terms` of them.

    A monomial is a tuple of channel indices with repetition: (0, 0, 2) is x0^2 x2, and () is one.
    """
    while degree > 1 and comb(dim + degree, degree) > terms:
        degree -= 1
    return [factors for order in range(degree + 1) for factors in combinations_with_replacement(range(dim), order)]


def evaluate(factors: Sequence[tuple[int, ...]], x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch terms"]:
    """The value of each monomial, every one from a shorter one that came before it."""
    values: dict[tuple[int, ...], Tensor] = {(): torch.ones_like(x[..., 0])}
    for monomial in factors[1:]:
        values[monomial] = values[monomial[:-1]] * x[..., monomial[-1]]
    return torch.stack([values[monomial] for monomial in factors], dim=-1)


def _compress(
    dataset: Dataset, factors: Sequence[tuple[int, ...]]
) -> tuple[Float64[Tensor, "terms terms"], Float64[Tensor, "terms dim"], int]:
    """All that least-squares fits to the first so many monomials need: triangular factor, right-hand side, samples."""
    states = dataset.standardise(dataset.train.states)
    starts, changes = states[:, :-1].flatten(0, 1), (states[:, 1:] - states[:, :-1]).flatten(0, 1)
    every = -(-len(starts) // SAMPLES)
    design = evaluate(factors, starts[::every])
    orthogonal, triangle = torch.linalg.qr(design)
    return triangle, orthogonal.T @ changes[::every], len(design)


def _forecast_error(candidate: "PolynomialMap", dataset: Dataset) -> float:
    """Mean logarithm of the error of forecasts of the validation data over a few timescales, bounded on both sides."""
    states = dataset.standardise(dataset.valid.states)
    horizon = min(round(FORECAST / dataset.sampling.step), states.shape[1] - 1)
    starts = torch.arange(0, states.shape[1] - horizon, max(1, horizon // 4))
    state, errors = states[:, starts].flatten(0, 1), []
    for step in range(1, horizon + 1):
        state = candidate.step(state)
        error = (state - states[:, starts + step].flatten(0, 1)).square().mean(dim=-1).sqrt()
        errors.append(error.nan_to_num(HIGHEST).clamp(LOWEST, HIGHEST).log().mean())
    return float(torch.stack(errors).mean())


def _ridge(triangle: Tensor, projected: Tensor, penalty: float) -> Float64[Tensor, "terms dim"]:
    """Weights that minimise |triangle w - projected|^2 + penalty |w|^2, without squaring the condition number."""
    terms = triangle.shape[1]
    rows = torch.cat([triangle, penalty**0.5 * torch.eye(terms, dtype=triangle.dtype, device=triangle.device)])
    orthogonal, factor = torch.linalg.qr(rows)
    return torch.linalg.solve_triangular(factor, orthogonal[: len(triangle)].T @ projected, upper=True)


class PolynomialMap(Predictor):
    """A fitted polynomial map; its state is the standardised state, float64."""

    def __init__(
        self, factors: Sequence[tuple[int, ...]], weights: Float64[Tensor, "terms dim"], dataset: Dataset
    ) -> None:
        self.factors, self.polynomial = factors, weights
        self.mean, self.std, self.sampling_step = dataset.mean, dataset.std, dataset.step
        self._propagate = iterate(self.step, evaluations=1)

    @property
    def parameters(self) -> int:
        return self.polynomial.numel()

    def encode(self, past: Trajectories) -> Float[Tensor, "batch dim"]:
        return (past.states[:, -1] - self.mean) / self.std

    def decode(self, state: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        return state * self.std + self.mean

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        return self._propagate(state, [offset / self.sampling_step for offset in offsets])

    def weights(self) -> dict[str, Tensor]:
        return {"weights": self.polynomial}

    def step(self, state: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        """The standardised state one sampling step later."""
        return state + evaluate(self.factors, state) @ self.polynomial
