"""Lyapunov exponents of a fitted model, from many states on its own long forecasts."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float64

from learners import Predictor, SolverError
from metrics import Undefined, central_difference, learned_spectrum
from systems import Dataset, Trajectories
from systems.lyapunov import Spectrum

MOST_EXPONENTS = 10  # exponents at most; those beyond the system's dimension say nothing about its attractor
VALUES = 384  # of all states that are followed: fewer of larger systems; of shorter long forecasts in proportion
FEWEST_STATES = 16  # which an interval needs
STRIDE = 5  # samples between two orthonormalisations
WARM_UP = 4.0  # timescales in which the vectors find their directions, if that is enough
TIME = 6.0  # timescales in which they are measured
DRIFT = 0.005  # per timescale, and relative, between two halves of the time: log t leaves three times as much in all
SETTLED = 0.25  # of a long forecast, before which it may not have come to what the model settles on


class Remembered:
    """Exponents that are worked out when they are asked for first, and then kept; or the reason why there are none."""

    def __init__(self, work_out: Callable[[], Spectrum], found: Spectrum | str | None = None) -> None:
        self._work_out = work_out
        self.found = found

    def __call__(self) -> Spectrum:
        if self.found is None:
            try:
                self.found = self._work_out()
            except Undefined as reason:
                self.found = str(reason)
        if isinstance(self.found, str):
            raise Undefined(self.found)
        return self.found


def exponents(predictor: Predictor, data: Dataset, runs: Float64[np.ndarray, "runs samples dim"]) -> Spectrum:
    """The model's leading exponents per timescale; `runs` are its forecasts of the long trajectories.

    Raises Undefined where no long forecast stays finite, the model is no smooth map of its state or cannot be followed,
    or the exponents do not converge.
    """
    if not predictor.differentiable:
        raise Undefined(f"{type(predictor).__name__} is no smooth map of its state")
    values = VALUES * runs.shape[1] / data.sampling.climate_samples
    states = predictor.encode(_windows(data, runs, max(FEWEST_STATES, round(values / data.system.dim))))
    leading = min(MOST_EXPONENTS, data.system.dim, states[0].numel())
    warm_up, steps = (max(1, round(time / (STRIDE * data.sampling.step))) for time in (WARM_UP, TIME))

    def drift(spectrum: Spectrum) -> float:
        """By how much the exponents drift per timescale, beyond what is allowed relative to them."""
        found = spectrum.per(data.system.timescale)
        return float((found.certain_drift - DRIFT * abs(found.exponents)).max())

    try:
        found = learned_spectrum(
            predictor,
            states,
            STRIDE * data.step,
            steps,
            warm_up=warm_up,
            leading=leading,
            push=central_difference,
            converged=lambda spectrum: drift(spectrum) <= DRIFT,
        )
    except (FloatingPointError, SolverError) as error:
        raise Undefined(f"the model cannot be followed: {error}") from error
    if (off := drift(found)) > DRIFT:
        raise Undefined(f"the exponents have not converged: they still drift by {off:.2g} per timescale")
    return found.per(data.system.timescale)


def _windows(data: Dataset, runs: Float64[np.ndarray, "runs samples dim"], wanted: int) -> Trajectories:
    """Stretches of the model's own forecasts, each as long as a context, from which it can be started again."""
    context = data.sampling.context
    count = runs.shape[1]
    finite = np.flatnonzero(np.isfinite(runs).all(axis=(1, 2)))
    if not len(finite):
        raise Undefined("every long forecast leaves the finite numbers")
    if count < context:
        raise Undefined(f"long forecasts of {count} samples are shorter than a context of {context}")
    ends = np.linspace(max(context, int(SETTLED * count)), count, -(-wanted // len(finite))).astype(int)
    places = ends[:, None] + np.arange(-context, 0)
    states = torch.from_numpy(runs[finite][:, places]).to(data.climate.states).flatten(0, 1)
    times = data.climate.times[torch.from_numpy(finite), context:][:, torch.from_numpy(places)].flatten(0, 1)
    return Trajectories(times, states)
