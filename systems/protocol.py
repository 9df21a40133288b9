"""The protocol of observation: trajectories, samples, step, context, horizon, noise, times, channels."""

from dataclasses import dataclass, fields
from math import ceil, inf
from typing import Any

import numpy as np
from jaxtyping import Float64

# Each purpose in each part draws from a stream of its own, so that more training data leave the test data as they are.
PARTS = ("train", "valid", "test", "climate")
_PURPOSES = ("initial", "noise", "times", "split", "path", "spirals")

# Whole numbers are at least 1 and others positive, except:
_LEAST = {"samples": 3, "noise": 0, "error": 0, "spread": 0, "jitter": 0, "dropped": 0}
_BELOW_ONE = ("jitter", "dropped")


@dataclass(frozen=True)
class Sampling:
    """The protocol of observation. Steps and horizons are in units of the system's timescale.

    With `jitter` or `dropped`, what a learner is given comes at irregular times: the training and validation data, and
    the context of each forecast. The first sample of a trajectory and the last of a context stay on the regular grid,
    and so does what is scored.
    """

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
    error: float = 0.0  # standard deviation of noise beside that, in the system's units, alike on all channels
    centre: tuple[float, ...] = ()  # about which trajectories start; none: where the system says
    spread: float = 0.0  # standard deviation of the initial states about the centre
    elsewhere: bool = False  # whether all but the training trajectories start where the system says all the same
    exact_start: bool = False  # whether the first sample of each trajectory is without noise
    jitter: float = 0.0  # width of the random shift of each sample, in steps, below 1
    dropped: float = 0.0  # fraction of the samples that is missing; those that are left reach the farther
    channels: tuple[int, ...] = ()  # that are observed, in increasing order; none: all

    def __post_init__(self) -> None:
        for name in ("centre", "channels"):
            if isinstance(getattr(self, name), list):
                object.__setattr__(self, name, tuple(getattr(self, name)))
        for field in fields(self):
            value = getattr(self, field.name)
            whole = isinstance(field.default, int)
            if isinstance(field.default, bool):
                if not isinstance(value, bool):
                    raise ValueError(f"Sampling.{field.name} must be True or False, but is {value!r}")
                continue
            if field.name == "channels":
                _check_channels(value)
                continue
            if field.name == "centre":
                continue
            least = _LEAST.get(field.name, 1 if whole else None)
            most = 1 if field.name in _BELOW_ONE else inf
            number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
            if not number or not (value > 0 if least is None else value >= least) or not value < most:
                kind = "a whole number" if whole else "a finite number"
                rule = "above 0" if least is None else f"of at least {least}"
                limit = " and below 1" if most == 1 else ""
                raise ValueError(f"Sampling.{field.name} must be {kind} {rule}{limit}, but is {value!r}")

    @property
    def forecast_samples(self) -> int:
        """Scored samples of each test trajectory."""
        return max(1, round(self.horizon / self.step))

    @property
    def climate_samples(self) -> int:
        """Scored samples of each long trajectory."""
        return max(1, round(self.climate_horizon / self.step))

    def starts(self, count: int, dim: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """Initial states about the centre. Raises ValueError where it is not a state of a system of `dim` variables."""
        if len(self.centre) != dim:
            raise ValueError(f"Sampling.centre={self.centre} must have {dim} numbers, one for each state variable")
        return np.array(self.centre, dtype=np.float64) + self.spread * rng.standard_normal((count, dim))

    @property
    def irregular(self) -> bool:
        """Whether learners are given samples at irregular times."""
        return self.jitter > 0 or self.dropped > 0

    def size(self, part: str) -> tuple[int, int, int]:
        """Of a part of the data: its trajectories, the samples that a learner is given of each, and those scored."""
        return {
            "train": (self.trajectories, self.samples, 0),
            "valid": (self.valid, self.samples, 0),
            "test": (self.test, self.context, self.forecast_samples),
            "climate": (self.climate, self.context, self.climate_samples),
        }[part]

    def centred(self, part: str) -> bool:
        """Whether the trajectories of a part start about the centre, rather than where the system says."""
        return bool(self.centre) and (part == "train" or not self.elsewhere)

    def places(self, part: str, seed: int) -> Float64[np.ndarray, "*batch time"]:
        """When the samples of a part are taken, in steps from the first: `[time]`, or `[batch, time]` if irregular."""
        count, given, scored = self.size(part)
        if not self.irregular:
            return np.arange(given + scored, dtype=np.float64)
        rng = stream(seed, part, "times")
        grid = ceil(given / (1 - self.dropped)) if given > 1 else 1
        inner = rng.permuted(np.tile(np.arange(1, grid - 1), (count, 1)), axis=1)[:, : max(given - 2, 0)]
        shifted = np.sort(inner, axis=1) + self.jitter * rng.uniform(-0.5, 0.5, inner.shape)
        first = np.zeros((count, 1))
        rest = np.tile(np.arange(grid + scored, dtype=np.float64), (count, 1))
        return np.hstack([first, shifted, rest[:, max(grid - 1, 1) :]])


def stream(seed: int, part: str, purpose: str) -> np.random.Generator:
    """The random stream of one data seed for one purpose in one part of the data."""
    return np.random.default_rng(np.random.SeedSequence([seed, PARTS.index(part), _PURPOSES.index(purpose)]))


def _check_channels(channels: Any) -> None:
    whole = isinstance(channels, tuple) and all(type(one) is int and one >= 0 for one in channels)
    if not whole or list(channels) != sorted(set(channels)):
        raise ValueError(
            "Sampling.channels must be a tuple of different channels, counted from 0, in increasing order, "
            f"but is {channels!r}"
        )
