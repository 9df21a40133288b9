"""How a system is observed: trajectories, samples, step, context, horizon, noise."""

from dataclasses import dataclass, fields
from math import inf

import numpy as np
import torch
from jaxtyping import Float64

from systems.base import System
from systems.integrate import STATISTICS_TOLERANCE, TOLERANCE
from systems.trajectories import Dataset, Trajectories

# Each purpose draws from a stream of its own, so that more training data leave the test data as they are.
_STREAMS = {"train": 0, "valid": 1, "test": 2, "climate": 3}

# Whole numbers are at least 1 and others positive, except:
_LEAST = {"samples": 3, "noise": 0}


@dataclass(frozen=True)
class Sampling:
    """The protocol of observation. Steps and horizons are in units of the system's timescale."""

    step: float = 0.02  # between two samples, in timescales
    trajectories: int = 32  # for training
    samples: int = 1000  # of each training and validation trajectory
    valid: int = 8  # trajectories for validation
    test: int = 128  # initial states that are forecast
    context: int = 32  # samples given before a forecast starts; never scored
    horizon: float = 12.0  # of the forecasts that are scored, in timescales
    climate: int = 4  # initial states of the long forecasts
    climate_horizon: float = 100.0  # of the long forecasts, in timescales
    noise: float = 0.0  # standard deviation of the observation noise, relative to the signal's

    def __post_init__(self) -> None:
        for field in fields(self):
            value, whole = getattr(self, field.name), isinstance(field.default, int)
            least = _LEAST.get(field.name, 1 if whole else None)
            number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
            if not number or not (value > 0 if least is None else value >= least) or not value < inf:
                kind = "a whole number" if whole else "a finite number"
                rule = "above 0" if least is None else f"of at least {least}"
                raise ValueError(f"Sampling.{field.name} must be {kind} {rule}, but is {value!r}")

    @property
    def forecast_samples(self) -> int:
        """Scored samples of each test trajectory."""
        return max(1, round(self.horizon / self.step))

    @property
    def climate_samples(self) -> int:
        """Scored samples of each long trajectory."""
        return max(1, round(self.climate_horizon / self.step))


def sample(system: System, sampling: Sampling, seed: int) -> Dataset:
    """Observe a system: a pure function of its arguments, with the same bytes in any process.

    Raises FloatingPointError where the reference solution leaves the finite numbers.
    """
    shapes = {
        "train": (sampling.trajectories, sampling.samples),
        "valid": (sampling.valid, sampling.samples),
        "test": (sampling.test, sampling.context + sampling.forecast_samples),
        "climate": (sampling.climate, sampling.context + sampling.climate_samples),
    }
    clean = {name: _solve(system, sampling, seed, name, *shape) for name, shape in shapes.items()}
    scale = sampling.noise * clean["train"].std(axis=(0, 1))
    parts = {}
    for name, states in clean.items():
        observed = slice(sampling.context if name in ("test", "climate") else None)
        if sampling.noise:
            rng = _stream(seed, name, "noise")
            states[:, observed] += scale * rng.standard_normal(states[:, observed].shape)
        times = np.broadcast_to(_times(system, sampling, states.shape[1]), states.shape[:2])
        parts[name] = Trajectories(torch.from_numpy(times.copy()), torch.from_numpy(states))
    return Dataset(system, sampling, seed, **parts)


def _solve(
    system: System, sampling: Sampling, seed: int, part: str, count: int, length: int
) -> Float64[np.ndarray, "batch time dim"]:
    initial = system.initial_states(count, _stream(seed, part, "initial"))
    tolerance = STATISTICS_TOLERANCE if part == "climate" else TOLERANCE
    return system.solve(initial, _times(system, sampling, length), tolerance)


def _times(system: System, sampling: Sampling, length: int) -> Float64[np.ndarray, " time"]:
    return np.arange(length) * (sampling.step * system.timescale)


def _stream(seed: int, part: str, purpose: str) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, _STREAMS[part], purpose == "noise"]))
