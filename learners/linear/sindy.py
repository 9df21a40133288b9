"""Sparse identification of the equations."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from time import perf_counter

import torch
from jaxtyping import Float64
from torch import Tensor

from learners.base import Budget, Learner, Predictor, TrainingLog, Unsuitable
from learners.linear.polynomial import evaluate, factor_index, monomials, products
from learners.linear.ridge import compress
from learners.solvers.accurate import fitted_equations
from learners.validation import flows_only, positive
from systems import Dataset

MOST_BYTES = 2**31  # of the values of all monomials, of which there are several copies
NEAREST = 5  # samples through which a polynomial goes, whose derivative is taken


@dataclass(frozen=True)
class SINDy(Learner):
    """Sparse regression of derivatives on monomials of the state; rk4 integrates what is found.

    Derivatives are finite differences of fourth order; small coefficients are set to zero by sequentially thresholded
    least squares. Works on physical units, in float64. Deterministic: the same for every seed.

    Brunton, Proctor and Kutz, PNAS 113, 2016.
    """

    degree: int = 2  # of the monomials
    threshold: float = 0.05  # smallest coefficient that is kept

    def __post_init__(self) -> None:
        positive(self, "degree", "threshold")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        flows_only(self, dataset)
        begun = perf_counter()
        factors, coefficients = self._regress(dataset)
        index = factor_index(factors, dataset.mean)

        def velocity(_: float, x: Float64[Tensor, "batch dim"]) -> Float64[Tensor, "batch dim"]:
            return products(x, index) @ coefficients

        learned = int(coefficients.count_nonzero())
        field = fitted_equations(velocity, dataset, {"coefficients": coefficients}, learned)
        seconds = (perf_counter() - begun) / len(seeds)
        samples = dataset.train.states[..., 0].numel()
        field.equations = written(factors, coefficients)
        field.log = TrainingLog(updates=1, fit_seconds=seconds, samples=samples, together=len(seeds))
        return [field] * len(seeds)

    def _regress(self, dataset: Dataset) -> tuple[list[tuple[int, ...]], Float64[Tensor, "terms dim"]]:
        """The channels that are the factors of each monomial, and the coefficients of these in each equation."""
        train = dataset.train
        terms = comb(dataset.dim + self.degree, self.degree)
        rows = train.times.numel()
        if 8 * terms * rows > MOST_BYTES:
            raise Unsuitable(
                f"SINDy.degree={self.degree} has {terms:,} monomials of {dataset.dim} channels, whose values for "
                f"{rows:,} samples take {8 * terms * rows / 2**30:.1f} GiB: lower the degree"
            )
        if train.times.shape[1] < NEAREST:
            raise ValueError(
                f"SINDy takes derivatives through {NEAREST} samples, but trajectories have {train.times.shape[1]}: "
                "raise Sampling.samples"
            )
        factors = monomials(dataset.dim, self.degree, terms)
        design = evaluate(factors, train.states).flatten(0, 1)
        equations = compress(design, derivatives(train.times, train.states).flatten(0, 1))
        return factors, thresholded(*equations, self.threshold)


def derivatives(
    times: Float64[Tensor, "batch time"], states: Float64[Tensor, "batch time dim"]
) -> Float64[Tensor, "batch time dim"]:
    """Of the polynomial through the nearest samples, at each of them; times may be irregular."""
    place = torch.arange(times.shape[1], device=times.device)
    first = (place - NEAREST // 2).clamp(0, len(place) - NEAREST)
    nearest = first[:, None] + torch.arange(NEAREST, device=times.device)
    own = place - first
    at = times[:, nearest]
    gaps = at[..., :, None] - at[..., None, :] + torch.eye(NEAREST, dtype=at.dtype, device=at.device)
    product = gaps.prod(dim=-1)  # of the gaps between a sample and all others
    weights = product[:, place, own, None] / (product * gaps[:, place, own])
    return (weights[..., None] * (states[:, nearest] - states[:, :, None])).sum(dim=2)


def thresholded(
    design: Float64[Tensor, "rows terms"], targets: Float64[Tensor, "rows dim"], threshold: float
) -> Float64[Tensor, "terms dim"]:
    """Least squares, again and again without the terms whose coefficients are smaller in size than the threshold."""
    units = design.norm(dim=0)
    scaled = design / torch.where(units > 0, units, 1)
    kept = torch.ones(design.shape[1], targets.shape[1], dtype=torch.bool, device=design.device)
    while True:
        coefficients = torch.zeros_like(kept, dtype=design.dtype)
        for some in kept.unique(dim=1).T:  # channels that keep the same terms are solved together
            if not some.any():
                continue
            channels = (kept == some[:, None]).all(dim=0)
            found = torch.linalg.lstsq(scaled[:, some].cpu(), targets[:, channels].cpu(), driver="gelsd").solution
            coefficients[some.nonzero(), channels] = found.to(design.device) / units[some, None]
        large = (coefficients.abs() >= threshold) & kept
        if torch.equal(large, kept):
            return coefficients
        kept = large


def written(factors: Sequence[tuple[int, ...]], coefficients: Float64[Tensor, "terms dim"]) -> tuple[str, ...]:
    """The equation of each channel in print, such as `x1' = -10 x1 + 10 x2`, with coefficients to four digits."""
    equations = []
    for channel, column in enumerate(coefficients.T.tolist(), 1):
        right = ""
        for factors_of_one, value in zip(factors, column, strict=True):
            if value:
                powers = Counter(factors_of_one)
                names = [f"x{each + 1}" + (f"^{power}" if power > 1 else "") for each, power in powers.items()]
                sign = ("-" if value < 0 else "") if not right else " - " if value < 0 else " + "
                right += " ".join([f"{sign}{abs(value):.4g}", *names])
        equations.append(f"x{channel}' = {right or 0}")
    return tuple(equations)
