"""Sparse identification of the equations, by pysindy, which is an extra."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from time import perf_counter
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from learners.base import Budget, Learner, Predictor, TrainingLog, Unsuitable
from learners.linear.polynomial import factor_index, products
from learners.solvers.accurate import fitted_equations
from learners.validation import flows_only, positive
from systems import Dataset

MOST_BYTES = 2**31  # of the values of all monomials, of which pysindy keeps several copies


@dataclass(frozen=True)
class SINDy(Learner):
    """Sparse regression of derivatives on monomials of the state; rk4 integrates what is found.

    Derivatives are finite differences of fourth order; small coefficients are set to zero by sequentially thresholded
    least squares. Works on physical units, in float64. Deterministic: the same for every seed. Needs the extra `sindy`.

    Brunton, Proctor and Kutz, PNAS 113, 2016; de Silva et al., Journal of Open Source Software 5, 2020.
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
        try:
            import pysindy
        except ImportError as error:
            raise Unsuitable("SINDy needs pysindy: pip install 'dynamics-bench[sindy]'") from error
        model = pysindy.SINDy(
            optimizer=pysindy.STLSQ(threshold=self.threshold),
            feature_library=pysindy.PolynomialLibrary(degree=self.degree),
            differentiation_method=pysindy.FiniteDifference(order=4),
        )
        train = dataset.train
        terms, rows = comb(dataset.dim + self.degree, self.degree), train.times.numel()
        if 8 * terms * rows > MOST_BYTES:
            raise Unsuitable(
                f"SINDy.degree={self.degree} has {terms:,} monomials of {dataset.dim} channels, whose values for "
                f"{rows:,} samples take {8 * terms * rows / 2**30:.1f} GiB: lower the degree"
            )
        model.fit(list(train.states.numpy(force=True)), t=list(train.times.numpy(force=True)))
        library: Any = model.feature_library
        powers = np.asarray(library.powers_)
        factors = [tuple(np.repeat(np.arange(powers.shape[1]), of_one).tolist()) for of_one in powers]
        coefficients = torch.from_numpy(np.array(model.coefficients(), dtype=np.float64).T)
        return factors, coefficients.to(dataset.mean.device)


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
