"""The weights of a training run that are kept."""

from collections.abc import Sequence
from math import inf
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Kept = Literal["best", "last"]


class Best:
    """The weights `[seed, ...]` of each replica at its lowest error; where errors are equal, at the lowest loss.

    Or the last ones whose loss was finite, if these are to be kept.
    """

    def __init__(self, current: Sequence[Tensor], keep: Kept = "best") -> None:
        self.current, self.keep = current, keep
        self.error = torch.full((len(current[0]),), inf, dtype=torch.float64, device=current[0].device)
        self.loss = self.error.float()
        self.weights = [tensor.detach().clone() for tensor in current]
        self.stale = torch.zeros_like(self.loss, dtype=torch.int64)  # validations since each replica improved

    def offer(self, error: Float[Tensor, " seed"], loss: Float[Tensor, " seed"]) -> None:
        """Keep the weights of the replicas whose loss is finite, and whose error is the lowest so far if it counts."""
        better = loss.isfinite() & ((error < self.error) | ((error == self.error) & (loss < self.loss)))
        taken = loss.isfinite() if self.keep == "last" else better
        self.stale = (self.stale + 1).masked_fill(better, 0)
        for kept, tensor in zip(self.weights, self.current, strict=True):
            kept[taken] = tensor.detach()[taken]
        self.error = torch.where(better, error, self.error)
        self.loss = torch.where(better, loss, self.loss)

    def restore(self) -> None:
        """Put the kept weights back into the network."""
        for kept, tensor in zip(self.weights, self.current, strict=True):
            tensor.data.copy_(kept)
