"""The scales in which networks see a dataset: standardised states, and increments of unit size."""

from dataclasses import dataclass

from jaxtyping import Float, Float32, Float64
from torch import Tensor

from systems import Dataset


@dataclass(frozen=True)
class Scales:
    """Constants of a dataset, taken from its training data alone, on its device."""

    mean: Float64[Tensor, " dim"]
    std: Float64[Tensor, " dim"]
    increment: Float32[Tensor, " dim"]  # standard deviation of the change over one step, of standardised states
    step: float  # sampling step in the system's time unit

    @classmethod
    def of(cls, dataset: Dataset) -> "Scales":
        states = dataset.standardise(dataset.train.states)
        increment = (states[:, 1:] - states[:, :-1]).std(dim=(0, 1))
        return cls(dataset.mean, dataset.std, increment.float(), dataset.step)

    def standardise(self, states: Float64[Tensor, "*batch dim"]) -> Float32[Tensor, "*batch dim"]:
        """Physical states as networks see them; rounded only after the standardisation."""
        return ((states - self.mean) / self.std).float()

    def restore(self, states: Float[Tensor, "*batch dim"]) -> Float64[Tensor, "*batch dim"]:
        """Standardised states back in physical units."""
        return states.double() * self.std + self.mean

    def increments(self, states: Tensor, truth: Tensor) -> Float[Tensor, " seed"]:
        """Mean squared error of each replica in units of one step's increment."""
        return ((states - truth) / self.increment).square().flatten(1).mean(dim=1)
