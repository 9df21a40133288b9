"""The scales in which networks see a dataset: standardised states and their increments, or physical units."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor

from systems import Dataset, Trajectories

OUT_OF_BOUNDS = 1e3  # standard deviations of the data beyond which a forecast is given up as diverged
EVEN = 0.1  # variation of a change, relative to its mean, below which a channel grows evenly, as a phase does
NO_CHANGE = 1e-20  # increment of a channel that never changes, such as a parameter: zero would divide zero


@dataclass(frozen=True)
class Scales:
    """Constants of a dataset, taken from its training data alone, on its device; and what a model's state holds.

    Beside the system's channels, a model's state may have further ones of its own, which start at zero and are not
    scored, and last the time since the beginning of a trajectory, in durations of the training trajectories.
    """

    mean: Float64[Tensor, " dim"]
    std: Float64[Tensor, " dim"]
    increment: Float32[Tensor, " dim"]  # standard deviation of the change over one step, of standardised states; or its
    # mean where a channel grows evenly
    unit: Float32[Tensor, " dim"]  # of errors: these increments
    step: float  # sampling step in the system's time unit
    augmented: int = 0  # channels of the model's own
    duration: float = 0.0  # of the training trajectories, in the system's time unit, if the state has the time; else 0
    bound: float = OUT_OF_BOUNDS  # of the size of a state's channels, beyond which forecasts are given up

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        shared: bool = False,
        augmented: int = 0,
        clock: bool = False,
        physical: bool = False,
    ) -> "Scales":
        """The scales of a dataset; `shared` by all channels, as sites of a ring must share them.

        Or `physical` units: states as they are, errors in the same units, and a step's increment at unit speed.
        """
        mean, std = dataset.mean, dataset.std
        if shared:
            std = (dataset.train.states - mean.mean()).square().mean().sqrt().expand_as(std).clone()
            mean = mean.mean().expand_as(mean).clone()
        states = (dataset.train.states - mean) / std
        change = states[:, 1:] - states[:, :-1]
        increment = change.std(dim=(0, 1))
        drift = change.mean(dim=(0, 1)).abs()
        increment = torch.where(increment < EVEN * drift, drift, increment)
        increment = increment.square().mean().sqrt().expand_as(increment).clone() if shared else increment
        duration = float(dataset.train.times.max() - dataset.train.times.min()) if clock else 0.0
        increment = increment.float().clamp_min(NO_CHANGE)
        if physical:
            bound = float((mean.abs() + OUT_OF_BOUNDS * std).max())
            mean, std, unit = torch.zeros_like(mean), torch.ones_like(std), torch.ones_like(increment)
            return cls(mean, std, dataset.step * unit, unit, dataset.step, augmented, duration, bound)
        return cls(mean, std, increment, increment, dataset.step, augmented, duration)

    @property
    def dim(self) -> int:
        """Channels of the system."""
        return len(self.mean)

    @property
    def pace(self) -> float:
        """What one sampling step adds to the time in a model's state."""
        return self.step / self.duration if self.duration else 0.0

    def by_name(self) -> dict[str, Tensor]:
        """The constants that a checkpoint keeps: each channel's mean, standard deviation and increment."""
        return {"scales.mean": self.mean, "scales.std": self.std, "scales.increment": self.increment}

    def standardise(self, states: Float64[Tensor, "*batch dim"]) -> Float32[Tensor, "*batch dim"]:
        """Physical states as networks see them; rounded only after the standardisation."""
        return ((states - self.mean) / self.std).float()

    def lift(self, part: Trajectories) -> Float32[Tensor, "batch time state"]:
        """The states of a model along a trajectory, as far as they are known."""
        states = self.standardise(part.states)
        own = states.new_zeros(*states.shape[:-1], self.augmented)
        clock = [(part.times / self.duration).float().unsqueeze(-1)] if self.duration else []
        return torch.cat([states, own, *clock], dim=-1) if self.augmented or clock else states

    def restore(self, states: Float[Tensor, "*batch state"]) -> Float64[Tensor, "*batch dim"]:
        """A model's states as those of the system, in physical units."""
        return states[..., : self.dim].double() * self.std + self.mean

    def residuals(self, states: Tensor, truth: Tensor) -> Float[Tensor, "*batch dim"]:
        """Errors in units of one step's increment, or in physical ones."""
        return (states[..., : self.dim] - truth[..., : self.dim]) / self.unit

    def intervals(self, segments: Float[Tensor, "seed batch length state"]) -> Float[Tensor, "seed batch count"]:
        """Times between the samples of segments whose states have the time, in sampling steps."""
        return segments[..., -1].diff(dim=2) / self.pace


def mean_square(residuals: Float[Tensor, "seed ..."]) -> Float[Tensor, " seed"]:
    """Of each replica."""
    return residuals.square().flatten(1).mean(dim=1)
