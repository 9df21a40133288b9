"""What each measuring instrument says of runs, as one number or word."""

from collections.abc import Callable
from math import inf

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from bench.doctor.known_series import FEW, GROWTH_STEP, SAMPLES, Runs
from metrics import grassberger_procaccia, normalised_error, settles_on, valid_prediction_time
from metrics.dimension import SCALING
from metrics.zero_one import subsampling, zero_one
from systems import Spectrum, flow_spectrum, lyapunov_spectrum
from systems.base import Flow
from systems.tangents import StateFunction

Measure = Callable[[Runs], float | str]
OfSpectrum = Callable[[Spectrum], float]


def k_as_sampled(runs: Runs) -> float:
    """K of the 0-1 test on the first samples of the first channel, mean over the runs."""
    return float(np.mean([zero_one(run[:SAMPLES, 0]).k for run in runs]))


def k_subsampled(runs: Runs) -> float:
    """K on every n-th sample, as the 0-1 test itself proposes."""
    lag = subsampling(runs[:FEW, :, 0])
    return float(np.mean([zero_one(run[:, 0], lag).k for run in runs[:FEW]]))


def oversampled(runs: Runs) -> str:
    """Whether the 0-1 test warns that the samples are too close."""
    return "warns" if any(zero_one(run[:SAMPLES, 0]).is_oversampled for run in runs[:FEW]) else "is silent"


def regime(runs: Runs, step: float = 1.0) -> str:
    """What the runs settle on; `step` is the time between samples in timescales."""
    scale = runs.std(axis=(0, 1)) + np.finfo(float).tiny
    return ", ".join(sorted({settles_on(run, scale, step) for run in runs[:FEW]}))


def dimension(runs: Runs, window: int = 1, scaling: tuple[float, float] = SCALING) -> float:
    """The correlation dimension of Grassberger and Procaccia."""
    return grassberger_procaccia(runs[:FEW], window, scaling).value


def of_map(step: StateFunction, value: OfSpectrum) -> Measure:
    """A value of the Lyapunov spectrum of a map, over 400 steps from 100 states of its runs."""
    return lambda runs: value(lyapunov_spectrum(step, _states(runs, 100), 400, warm_up=50))


def of_flow(flow: Flow, time: float, value: OfSpectrum, states: int = 20, warm_up: float = 0.0) -> Measure:
    """A value of the Lyapunov spectrum of a flow, over `time` from some states of its runs."""
    return lambda runs: value(flow_spectrum(flow, _states(runs, states), time, warm_up=warm_up))


def largest(spectrum: Spectrum) -> float:
    """The largest exponent."""
    return float(spectrum.exponents[0])


def total(spectrum: Spectrum) -> float:
    """The sum of the exponents."""
    return float(spectrum.exponents.sum())


def total_less_divergence(spectrum: Spectrum) -> float:
    """The sum of the exponents less the mean divergence of the flow, which it has to equal."""
    return total(spectrum) - (inf if spectrum.divergence is None else spectrum.divergence)


def of_halves(measure: Callable[[Runs, Runs], float]) -> Measure:
    """A measure of a model, the second half of the runs, against the truth, the first half."""
    return lambda runs: measure(*np.split(runs, 2))


def of_first_channels(measure: Callable[[Runs, Runs], float]) -> Measure:
    """The same of the first channels alone."""
    return of_halves(lambda truth, model: measure(truth[:, :, :1], model[:, :, :1]))


def mean_of_halves(measure: Callable[..., np.ndarray]) -> Measure:
    """The same where a measure has a value for each trajectory: their mean."""
    return of_halves(lambda truth, model: float(measure(truth, model).mean()))


def valid_time(threshold: float) -> Measure:
    """The valid prediction time of a model, for a truth of unit variance."""

    def measure(truth: Runs, model: Runs) -> float:
        error = normalised_error(truth, model, np.ones(truth.shape[-1]))
        return float(valid_prediction_time(error, GROWTH_STEP, threshold).mean())

    return of_halves(measure)


def _states(runs: Runs, count: int) -> Float64[Tensor, "count dim"]:
    """So many states of the runs, evenly spread."""
    states = runs.reshape(-1, runs.shape[-1])
    return torch.from_numpy(states[np.linspace(0, len(states) - 1, count).astype(int)])
