"""Minibatches of trajectory segments, drawn for every seed from a stream of its own."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learners.networks import stream
from learners.standard import Scales
from systems import Dataset

Segments = Float[Tensor, "seed batch length dim"]

DRAWS = 256  # updates whose minibatches are drawn at a time


class SegmentSampler:
    """Segments of `length` consecutive samples of float32 trajectories."""

    def __init__(self, states: Float[Tensor, "batch time dim"], length: int, seeds: Sequence[int]) -> None:
        self.states, self.length, self.seeds = states, length, seeds
        self.starts = states.shape[1] - length + 1
        self.offsets = torch.arange(length, device=states.device)

    def batches(self, size: int, updates: int) -> Iterator[Segments]:
        """A minibatch of `size` random segments for every seed and update; the same for a seed in any stack."""
        generators = [stream(seed, "minibatches") for seed in self.seeds]
        total = len(self.states) * self.starts
        for begin in range(0, updates, DRAWS):
            count = min(DRAWS, updates - begin)
            draws = [torch.randint(total, (DRAWS, size), generator=generator) for generator in generators]
            yield from (self.at(index) for index in torch.stack(draws, dim=1)[:count].to(self.states.device))

    def spread(self, most: int) -> Segments:
        """At most `most` segments, evenly spread over the data, the same for every seed."""
        total = len(self.states) * self.starts
        index = torch.arange(0, total, max(1, -(-total // most)), device=self.states.device)
        return self.at(index.expand(len(self.seeds), -1))

    def at(self, index: Int[Tensor, "seed batch"]) -> Segments:
        """The segments that start at flat indices of (trajectory, sample)."""
        trajectory, start = index // self.starts, index % self.starts
        return self.states[trajectory[..., None], start[..., None] + self.offsets]


def segments_of(
    dataset: Dataset, scales: Scales, length: int, seeds: Sequence[int]
) -> tuple[SegmentSampler, SegmentSampler]:
    """Samplers of the standardised training and validation data.

    Raises ValueError where the trajectories are shorter than a segment.
    """
    samples = dataset.train.states.shape[1]
    if samples < length:
        raise ValueError(
            f"training needs segments of {length} samples, but the trajectories were sampled with {samples}: "
            "lower the learner's lookahead or window, or raise Sampling.samples"
        )
    train, valid = (scales.standardise(part.states) for part in (dataset.train, dataset.valid))
    return SegmentSampler(train, length, seeds), SegmentSampler(valid, length, seeds)
