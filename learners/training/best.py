"""The best weights of a training run so far."""

from collections.abc import Sequence
from math import inf

import torch
from jaxtyping import Float
from torch import Tensor


class Best:
    """The weights `[seed, ...]` of each replica at its lowest error; where errors are equal, at the lowest loss."""

    def __init__(self, current: Sequence[Tensor]) -> None:
        self.current = current
        self.error = torch.full((len(current[0]),), inf, dtype=torch.float64, device=current[0].device)
        self.loss = self.error.float()
        self.weights = [tensor.detach().clone() for tensor in current]
        self.stale = torch.zeros_like(self.loss, dtype=torch.int64)  # validations since each replica improved

    def offer(self, error: Float[Tensor, " seed"], loss: Float[Tensor, " seed"]) -> None:
        """Keep the weights of the replicas whose error is the lowest so far, and whose loss is finite."""
        better = loss.isfinite() & ((error < self.error) | ((error == self.error) & (loss < self.loss)))
        self.stale = (self.stale + 1).masked_fill(better, 0)
        for kept, tensor in zip(self.weights, self.current, strict=True):
            kept[better] = tensor.detach()[better]
        self.error = torch.where(better, error, self.error)
        self.loss = torch.where(better, loss, self.loss)

    def restore(self) -> None:
        """Put the kept weights back into the network."""
        for kept, tensor in zip(self.weights, self.current, strict=True):
            tensor.data.copy_(kept)
