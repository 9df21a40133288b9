"""The dataset that every learner of a comparison sees, and how a system is sampled to make one."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import System
from systems.configuration import label
from systems.html import html_table
from systems.protocol import PARTS, Sampling, stream
from systems.trajectories import Trajectories


@dataclass(frozen=True)
class Dataset:
    """What one system, one sampling and one data seed give: the same numbers for every learner and seed.

    `train` and `valid` carry the observation noise. In `test` and `climate` the first `sampling.context` samples of
    each trajectory carry it and are given to the learner; the rest is the noise-free truth that its forecast is scored
    on. `test` is many short forecasts; `climate` is a few long ones, for the statistics of the attractor.
    """

    system: System
    sampling: Sampling
    seed: int
    train: Trajectories
    valid: Trajectories
    test: Trajectories
    climate: Trajectories

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {'x'.join(map(str, getattr(self, name).states.shape[:2]))}" for name in PARTS)
        return f"Dataset({label(self.system)}, seed {self.seed}, step {self.step:.4g}, {self.dim} channels; {parts})"

    def _repr_html_(self) -> str:
        rows = []
        for name in PARTS:
            part: Trajectories = getattr(self, name)
            count, samples = part.states.shape[:2]
            span = (part.times[:, -1] - part.times[:, 0]).max().item() / self.system.timescale
            rows.append((name, count, samples, span))
        return html_table(repr(self), ("part", "trajectories", "samples", "timescales"), rows)

    @property
    def step(self) -> float:
        """Time between two samples, in the system's time unit."""
        return self.sampling.step * self.system.timescale

    @property
    def is_regular(self) -> bool:
        """Whether learners are given samples one step apart, in training and validation data and in every context."""
        given = self.train, self.valid, *(part.between(0, self.sampling.context) for part in (self.test, self.climate))
        steps = torch.cat([part.times.diff(dim=1).flatten() for part in given])
        return bool(((steps - self.step).abs() < 1e-6 * self.step).all())

    @property
    def is_complete(self) -> bool:
        """Whether all state variables of the system are observed, and nothing else is in the states."""
        return self.dim == self.system.dim == len(self.channels)

    @property
    def ring(self) -> bool:
        """Whether the states are the sites of a ring, all of them and in their order."""
        return self.system.ring and self.is_complete

    @property
    def dim(self) -> int:
        return self.train.states.shape[-1]

    @property
    def channels(self) -> list[int]:
        """Which of the system's state variables are observed."""
        return list(self.sampling.channels or range(self.system.dim))

    @property
    def channel_names(self) -> list[str]:
        """What the observed channels are called, as their system has it."""
        names = self.system.channel_names
        return [names[channel] for channel in self.channels]

    @property
    def scored(self) -> int:
        """Number of channels, the first ones, that forecasts are scored on; others only carry a parameter."""
        return sum(channel < self.system.scored for channel in self.channels)

    @property
    def mean(self) -> Float64[Tensor, " dim"]:
        """Mean of each channel over the training data."""
        return self.train.states.mean(dim=(0, 1))

    @property
    def std(self) -> Float64[Tensor, " dim"]:
        """Standard deviation of each channel over the training data."""
        return self.train.states.std(dim=(0, 1), correction=0)

    def standardise(self, states: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """States in units of the training data's standard deviation about its mean, in the dtype of `states`."""
        return (states - self.mean.to(states.dtype)) / self.std.to(states.dtype)

    def to(self, device: torch.device | str) -> "Dataset":
        """The same data on another device; learners fit where their data lie."""
        parts = {name: getattr(self, name).to(device) for name in PARTS}
        return replace(self, **parts)


STANDARD = Sampling()


def sample(system: System, sampling: Sampling = STANDARD, seed: int = 0) -> Dataset:
    """Observe a system, by the standard protocol unless another is given.

    A pure function of its arguments, with the same bytes in any process.

    Raises FloatingPointError where the reference solution leaves the finite numbers, and ValueError where the system
    cannot be observed in this way.
    """
    sampling = system.adapt(sampling, seed)
    if sampling.channels and sampling.channels[-1] >= system.dim:
        raise ValueError(
            f"Sampling.channels={sampling.channels} has channel {sampling.channels[-1]}, but those of "
            f"{type(system).__name__} are 0 to {system.dim - 1}: leave it out"
        )
    clean = {part: system.observe(part, sampling, seed) for part in PARTS}
    scale = sampling.noise * clean["train"].states.numpy().std(axis=(0, 1)) + sampling.error
    parts = {}
    for part, trajectories in clean.items():
        states = trajectories.states.numpy().copy()
        given = slice(sampling.context if part in ("test", "climate") else None)
        if sampling.noise or sampling.error:
            rng = stream(seed, part, "noise")
            states[:, given] += scale * rng.standard_normal(states[:, given].shape)
            if sampling.exact_start:
                states[:, 0] = trajectories.states[:, 0].numpy()
        if sampling.channels:
            states = states[..., list(sampling.channels)]
        parts[part] = Trajectories(trajectories.times, torch.from_numpy(states))
    return Dataset(system.source, sampling, seed, **parts)
