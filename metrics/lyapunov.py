"""Lyapunov spectra of learned models, seen as dynamical systems of their own."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from metrics.base import Evidence, Metric, Undefined
from metrics.regime import FEWEST_SAMPLES, regimes
from systems.lyapunov import CONFIDENCE, Spectrum, kaplan_yorke, lyapunov_spectrum, margin
from systems.tangents import Push, StateFunction

REACH = 3e-3  # of central differences, in units of the states: balances truncation with single precision's rounding
NEUTRAL = 0.02  # exponent per timescale, below which it is taken for 0: else a cycle might have no dimension


class Advancing(Protocol):
    """Whatever goes forward in time: every fitted predictor does."""

    def advance(self, state: Tensor, dt: float) -> tuple[Tensor, int]:
        """The state `dt` later, and the evaluations that it took."""
        ...


def learned_spectrum(
    predictor: Advancing,
    states: Float[Tensor, "batch *state"],
    step: float,
    steps: int,
    *,
    warm_up: int = 0,
    leading: int | None = None,
    push: Push | None = None,
    converged: Callable[[Spectrum], bool] | None = None,
) -> Spectrum:
    """The spectrum of a learned model per time unit; `.per(system.timescale)` gives it per timescale.

    `states` are the model's own, as its `encode` gives them: a system's state, a window of states, or whatever it
    carries along; each exponent belongs to one of their dimensions. `step` is the time of one application, for a map
    its sampling step. Vectors are orthonormalised after each of `warm_up` + `steps` applications.

    The model is evaluated and differentiated in the precision of `states`: float32 for networks, whose strongly
    contracting exponents are therefore bounded by about -16 / step from one application to the next. Derivatives are
    exact unless another `push` is given. A spectrum that has not `converged` is measured for longer.
    Raises FloatingPointError where a trajectory leaves the finite numbers, and ValueError where `step` is not positive.

    Benettin et al., Meccanica 15, 1980.
    """
    if not step > 0:
        raise ValueError(f"a spectrum per unit of time needs step > 0, but step={step!r}: give the sampling step")
    return lyapunov_spectrum(
        lambda state: predictor.advance(state, step)[0],
        states,
        steps,
        warm_up=warm_up,
        duration=step,
        leading=leading,
        push=push,
        converged=converged,
    )


def central_difference(
    function: StateFunction, states: Float[Tensor, "batch *state"], tangents: Float[Tensor, "batch *state"]
) -> tuple[Tensor, Tensor]:
    """The value of a map and its derivative along tangents, by a central difference.

    For networks in float32 it takes a half to a tenth of the time of forward-mode differentiation; both of its errors,
    truncation and rounding, are 1e-5 to 1e-4 of the largest stretch. The distance is measured in each component's own
    unit, so that derivatives do not depend on units or zeros: the standard deviation of the component over the batch,
    and more where that is small beside the component itself, whose rounding then counts. A batch that has come to rest
    is measured in units of its size, or in ones at zero.

    Args:
        function: maps states to states, each on its own.
        states: where the derivative is taken.
        tangents: the direction at each state.

    Returns:
        The mean of the values ahead and behind, and the derivative, both of the shape of `states`.
    """
    with torch.no_grad():
        size = states.square().mean(dim=0).sqrt()
        spread = states.std(dim=0, correction=0)
        spread = torch.where(spread > torch.finfo(states.dtype).eps ** 0.5 * size, spread, size)
        unit = (spread.square() * size) ** (1 / 3)  # balances truncation, h^2 / spread^2, with rounding, size / h
        unit = torch.where(unit > 0, unit, 1.0)
        reach = REACH / (tangents / unit).flatten(1).norm(dim=1).clamp_min(torch.finfo(states.dtype).tiny)
        reach = reach.reshape(-1, *[1] * (states.ndim - 1))
        ahead, behind = function(torch.cat([states + reach * tangents, states - reach * tangents])).chunk(2)
    return (ahead + behind) / 2, (ahead - behind) / (2 * reach)


def model_spectrum(evidence: Evidence) -> Spectrum:
    """The model's exponents per timescale, worked out once for all that need them; none is positive at rest.

    Raises Undefined.
    """
    found = _outcome(evidence)
    if isinstance(found, str):
        raise Undefined(found)
    return found


@lru_cache(maxsize=1)
def _outcome(evidence: Evidence) -> Spectrum | str:
    try:
        spectrum = evidence.exponents()
        if not _comes_to_rest(evidence):
            return spectrum
    except Undefined as reason:
        return str(reason)
    grown = np.maximum(spectrum.exponents, 0.0)  # on the way to a point, as powers of time do: it ends there
    return replace(spectrum, per_trajectory=spectrum.per_trajectory - grown)


def _largest(evidence: Evidence) -> float:
    """Largest Lyapunov exponent of the model, on its own long forecasts: positive in chaos, 0 on a cycle or torus."""
    return round(float(model_spectrum(evidence).exponents[0]), 9) + 0.0  # rest is 0, not a rounding error


def _dimension(evidence: Evidence) -> float:
    """Kaplan-Yorke dimension of the model's attractor, from its Lyapunov exponents: 1 on a cycle, 0 at a point."""
    return dimension_interval(evidence)[0]


def dimension_interval(evidence: Evidence) -> tuple[float, float, float]:
    """The Kaplan-Yorke dimension, and the ends of its 95 % interval over the states, by the jackknife.

    Raises Undefined.
    """
    spectrum = model_spectrum(evidence)
    if _comes_to_rest(evidence):
        return 0.0, 0.0, 0.0
    rates = np.where(abs(spectrum.exponents) < NEUTRAL, 0.0, spectrum.per_trajectory)
    if not rates.any():
        raise Undefined("every exponent is 0, which tells no dimension")
    count = len(rates)
    dimension = kaplan_yorke(rates.mean(axis=0), spectrum.complete)
    without_one = (rates.sum(axis=0) - rates) / max(1, count - 1)
    moved = np.array([[kaplan_yorke(exponents, spectrum.complete)] for exponents in without_one])
    reach = (count - 1) * float(margin(moved, 1 - CONFIDENCE)[0]) if count > 1 else np.inf
    return dimension, dimension - reach, dimension + reach


def _comes_to_rest(evidence: Evidence) -> bool:
    """Whether every long forecast does."""
    return evidence.climate.shape[1] >= FEWEST_SAMPLES and set(regimes(evidence)) == {"fixed point"}


lyapunov_exponent = Metric("lyapunov_exponent", "1 / timescale", "truth", _largest, group="long run")
kaplan_yorke_dimension = Metric("kaplan_yorke_dimension", "", "truth", _dimension, group="long run")

LYAPUNOV: tuple[Metric, ...] = (lyapunov_exponent, kaplan_yorke_dimension)
