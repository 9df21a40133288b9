"""Lyapunov spectra of learned models, seen as dynamical systems of their own."""

from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from systems.lyapunov import Spectrum, lyapunov_spectrum


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
) -> Spectrum:
    """The spectrum of a learned model per time unit; `.per(system.timescale)` gives it per timescale.

    `states` are the model's own, as its `encode` gives them: a system's state, a window of states, or whatever it
    carries along; each exponent belongs to one of their dimensions. `step` is the time of one application, for a map
    its sampling step. Vectors are orthonormalised after each of `warm_up` + `steps` applications.

    The model is evaluated and differentiated in the precision of `states`: float32 for networks, whose strongly
    contracting exponents are therefore bounded by about -16 / step from one application to the next.
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
    )
