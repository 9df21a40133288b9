"""Batches of sampled trajectories."""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from systems.html import html_table


@dataclass(frozen=True)
class Trajectories:
    """A batch of trajectories in physical units, float64."""

    times: Float64[Tensor, "batch time"]
    states: Float64[Tensor, "batch time dim"]

    def __len__(self) -> int:
        return len(self.states)

    def __repr__(self) -> str:
        count, samples, dim = self.states.shape
        span = f"t = {self.times.min():.4g} to {self.times.max():.4g}" if samples and count else "empty"
        return f"Trajectories({count} of {samples:,} samples of {dim} channels, {span})"

    def _repr_html_(self) -> str:
        states = self.states.flatten(0, 1)
        columns = torch.stack([states.amin(0), states.mean(0), states.amax(0)], dim=1) if len(states) else states
        rows = [(f"x{place}", *values) for place, values in enumerate(columns.tolist(), 1)]
        return html_table(repr(self), ("channel", "least", "mean", "largest"), rows)

    def between(self, start: int, stop: int | None = None) -> "Trajectories":
        """The samples from index `start` up to, not including, `stop`."""
        return Trajectories(self.times[:, start:stop], self.states[:, start:stop])

    def to(self, device: torch.device | str) -> "Trajectories":
        return Trajectories(self.times.to(device), self.states.to(device))
