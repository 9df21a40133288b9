"""Polynomial maps: ridge regression of the next sample on monomials of the present one and of those before it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import combinations_with_replacement
from math import comb
from operator import itemgetter
from time import perf_counter
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Int64
from torch import Tensor

from learners.base import Budget, Learner, Predictor, TrainingLog
from learners.linear.ridge import PENALTIES, compress, ridge
from learners.solvers.rollout import Compiled, SteppedPredictor, rollout_map
from learners.training.segments import regular_only
from learners.validation import not_negative, positive
from learners.validation_forecasts import ValidationForecasts
from systems import Dataset, Trajectories

SAMPLES = 40_000  # training pairs used at the most
ALWAYS = 8  # degrees that are tried in any case: forecasts by low ones may diverge, and say nothing of the next
MOST_COMPILED = 3000  # weights, beyond which products of matrices cost less
PATIENCE = 2  # degrees in a row without improvement beyond: odd maps have use for every other one


@dataclass(frozen=True)
class PolynomialPropagator(Learner):
    """One-step map: the change over one step is a polynomial of the standardised state, fitted in float64.

    Degree and penalty of the ridge regression are those whose free-running forecasts of the validation data are best;
    from 8 on, the degree is raised until two in a row forecast no better. Deterministic: the same for every seed.

    Nearly solves noise-free low-dimensional chaos (arXiv 2507.09652, 2508.06730), hence a reference row.
    """

    degree: int = 0  # of the polynomial, at the most; 0: as high as the monomials go
    terms: int = 300  # monomials at the most: in many dimensions the degree is lowered until it fits

    reference: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self, "terms")
        not_negative(self, "degree")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return best_polynomial(dataset, seeds, range(1, (self.degree or self.terms) + 1), self.terms)


@dataclass(frozen=True)
class NVAR(Learner):
    """Nonlinear vector autoregression: the change over one step is a polynomial of this and earlier samples.

    The penalty of the ridge regression is the one whose free-running forecasts of the validation data are best.
    Deterministic: the same for every seed.

    Gauthier, Bollt, Griffith and Barbosa, "Next generation reservoir computing", Nature Communications 12, 2021.
    """

    lags: int = 2  # samples that are read
    stride: int = 1  # samples from one of them to the next
    degree: int = 2
    terms: int = 1000  # monomials at the most: in many dimensions the degree is lowered until it fits

    def __post_init__(self) -> None:
        positive(self, "lags", "stride", "degree", "terms")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return best_polynomial(dataset, seeds, [self.degree], self.terms, self.lags, self.stride)


@dataclass(frozen=True)
class DMD(Learner):
    """Dynamic mode decomposition with delays: one linear map takes this and earlier samples to the next.

    The least squares are penalised in place of a truncation of modes, as the validation data ask for. Deterministic:
    the same for every seed.

    Schmid, Journal of Fluid Mechanics 656, 2010; Arbabi and Mezic, SIAM Journal on Applied Dynamical Systems 16, 2017.
    """

    lags: int = 4  # samples that are read
    stride: int = 1  # samples from one of them to the next

    def __post_init__(self) -> None:
        positive(self, "lags", "stride")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        return best_polynomial(dataset, seeds, [1], sys.maxsize, self.lags, self.stride)


def best_polynomial(
    dataset: Dataset, seeds: Sequence[int], degrees: Sequence[int], terms: int, lags: int = 1, stride: int = 1
) -> list[Predictor]:
    """The map whose free-running forecasts of the validation data are best, over increasing degrees and penalties.

    Beyond the eighth, degrees after two in a row that forecast no better are not tried. The map reads `lags` samples,
    each `stride` after the one before, and has at most `terms` monomials. Raises ValueError where trajectories or the
    context hold fewer samples than it reads.
    """
    regular_only(dataset)
    begun = perf_counter()
    reach = (lags - 1) * stride + 1
    length = dataset.train.states.shape[1]
    if reach >= length or reach > dataset.sampling.context:
        raise ValueError(
            f"lags={lags} with stride={stride} read {reach} samples, but trajectories have {length} and the context "
            f"{dataset.sampling.context}: lower lags or stride, or raise Sampling.samples or Sampling.context"
        )
    inputs = lags * dataset.dim
    factors = monomials(inputs, degrees[-1], terms)
    triangle, projected, samples = _equations(dataset, factors, reach, stride)
    forecasts = ValidationForecasts(dataset)
    tried: list[tuple[float, PolynomialMap]] = []  # the best of each degree, with its error
    for count in dict.fromkeys(min(comb(inputs + degree, degree), len(factors)) for degree in degrees):
        candidates = (
            PolynomialMap(
                factors[:count],
                ridge(triangle[:count, :count], projected[:count], penalty * samples),
                dataset,
                reach,
                stride,
            )
            for penalty in PENALTIES
        )
        tried.append(min(((float(forecasts.errors([one])), one) for one in candidates), key=itemgetter(0)))
        errors = [error for error, _ in tried]
        if len(tried) >= ALWAYS and min(errors[-PATIENCE:]) >= min(errors[:-PATIENCE]):
            break
    _, best = min(tried, key=itemgetter(0))
    seconds = (perf_counter() - begun) / len(seeds)
    best.log = TrainingLog(1, seconds, samples=samples, together=len(seeds), selection="validation forecasts")
    return [best] * len(seeds)


def monomials(dim: int, degree: int, terms: int) -> list[tuple[int, ...]]:
    """The factors of every monomial up to the highest degree, not above `degree`, that has at most `terms` of them.

    A monomial is a tuple of channel indices with repetition: (0, 0, 2) is x0^2 x2, and () is one.
    """
    while degree > 1 and comb(dim + degree, degree) > terms:
        degree -= 1
    return [factors for order in range(degree + 1) for factors in combinations_with_replacement(range(dim), order)]


def evaluate(factors: Sequence[tuple[int, ...]], x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch terms"]:
    """The value of each monomial, of which all that are below it have to come before."""
    channels = x.unbind(-1)
    values = dict[tuple[int, ...], Tensor]()
    for each in factors:
        values[each] = values[each[:-1]] * channels[each[-1]] if each else torch.ones_like(channels[0])
    return torch.stack([*values.values()], dim=-1)


def factor_index(factors: Sequence[tuple[int, ...]], x: Float[Tensor, "*batch dim"]) -> Int[Tensor, "degree terms"]:
    """The channel of each factor of each monomial; where a monomial has none left, the number of channels."""
    longest = max(map(len, factors))
    rows = [[*factors_of_one, *[x.shape[-1]] * (longest - len(factors_of_one))] for factors_of_one in factors]
    return torch.tensor(rows, dtype=torch.int64, device=x.device).reshape(len(factors), longest).T


def products(x: Float[Tensor, "*batch dim"], index: Int[Tensor, "degree terms"]) -> Float[Tensor, "*batch terms"]:
    """Products of channels, factor by factor; beyond the last channel stands a one."""
    padded = torch.nn.functional.pad(x, (0, 1), value=1.0)
    values = torch.ones_like(padded[..., :1]).expand(*x.shape[:-1], index.shape[1])
    for channels in index:
        values = values * padded.index_select(-1, channels)
    return values


def _equations(
    dataset: Dataset, factors: Sequence[tuple[int, ...]], reach: int, stride: int
) -> tuple[Float64[Tensor, "rank terms"], Float64[Tensor, "rank dim"], int]:
    """All that least-squares fits to the first so many monomials need: triangular factor, right-hand side, samples.

    The rank is that of as many equations as there are, where these are fewer than the monomials.
    """
    states = dataset.standardise(dataset.train.states)
    windows = states.unfold(1, reach + 1, 1).transpose(2, 3).flatten(0, 1)
    every = -(-len(windows) // SAMPLES)
    windows = windows[::every]
    design = evaluate(factors, windows[:, :reach:stride].flatten(1))
    return *compress(design, windows[:, -1] - windows[:, -2]), len(design)


class PolynomialMap(SteppedPredictor):
    """A fitted polynomial map; its state is the window `[batch, reach, dim]` of standardised states, float64."""

    def __init__(
        self,
        factors: Sequence[tuple[int, ...]],
        weights: Float64[Tensor, "terms dim"],
        dataset: Dataset,
        reach: int,
        stride: int,
    ) -> None:
        compiled = self.compiled if weights.numel() <= MOST_COMPILED and find_spec("numba") else None
        super().__init__(rollout_map(self.step, 1, compiled, torch.float64), dataset.step)
        self.factors, self.polynomial, self.stride = factors, weights, stride
        self.reach = self.least_past = reach
        self.mean, self.std = dataset.mean, dataset.std
        self.index = factor_index(factors, weights.new_empty(len(dataset.mean) * len(range(0, reach, stride))))

    @property
    def parameters(self) -> int:
        return self.polynomial.numel()

    def encode(self, past: Trajectories) -> Float[Tensor, "batch reach dim"]:
        return (past.states[:, -self.reach :] - self.mean) / self.std

    def decode(self, state: Float[Tensor, "*batch reach dim"]) -> Float[Tensor, "*batch dim"]:
        return state[..., -1, :] * self.std + self.mean

    def weights(self) -> dict[str, Tensor]:
        return {"weights": self.polynomial}

    def constants(self) -> dict[str, Tensor]:
        return {"scales.mean": self.mean, "scales.std": self.std}

    def step(self, state: Float[Tensor, "batch reach dim"]) -> Float[Tensor, "batch reach dim"]:
        """The window one sampling step later."""
        change = products(state[:, :: self.stride].flatten(1), self.index) @ self.polynomial
        return torch.cat([state[:, 1:], (state[:, -1] + change).unsqueeze(1)], dim=1)

    @cached_property
    def _lower(self) -> Int64[np.ndarray, "2 terms"]:
        """Of each monomial the place of the one below it, and the channel that this is multiplied by."""
        places = {factors: place for place, factors in enumerate(self.factors)}
        pairs = [(places[each[:-1]], each[-1]) if each else (0, 0) for each in self.factors]
        return np.ascontiguousarray(np.array(pairs, dtype=np.int64).T)

    def compiled(self) -> Compiled:
        """Compiled code of the same steps."""
        from learners.linear.polynomial_kernel import forecast  # half a second for numba

        lower, channel = self._lower
        weights = np.ascontiguousarray(self.polynomial.numpy(force=True))

        def windows(state: Tensor, count: int) -> Tensor:
            given = np.ascontiguousarray(state.numpy())
            return torch.from_numpy(forecast(given, lower, channel, weights, self.stride, count))

        return windows
