"""Minibatches of trajectory segments, drawn for every seed from a stream of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learners.base import Unsuitable
from learners.networks.scales import Scales
from learners.streams import stream
from learners.validation_forecasts import ValidationForecasts
from systems import Dataset

Segments = Float[Tensor, "seed batch length dim"]

DRAWS = 256  # updates whose minibatches are drawn at a time


class SegmentSampler:
    """Segments of `length` consecutive samples of float32 trajectories.

    In minibatches, but not where all are asked for, their starts are perturbed by `noise` times random normal numbers,
    and they grow from two samples to their length over the first updates, a fraction `curriculum` of all.
    """

    def __init__(
        self,
        states: Float[Tensor, "batch time dim"],
        length: int,
        seeds: Sequence[int],
        noise: Float[Tensor, " dim"] | None = None,
        curriculum: float = 0.0,
    ) -> None:
        self.states = states
        self.length = length
        self.seeds = seeds
        self.noise = noise
        self.curriculum = curriculum
        self.starts = states.shape[1] - length + 1
        self.offsets = torch.arange(length, device=states.device)

    def batches(self, size: int, updates: int) -> Iterator[Segments]:
        """A minibatch of `size` random segments for every seed and update; the same for a seed in any stack.

        Where there are no more than `size` segments, each minibatch is all of them.
        """
        generators = [stream(seed, "noise") for seed in self.seeds]
        for update, index in enumerate(self._indices(size, updates)):
            progress = update / updates
            length = self.length
            if progress < self.curriculum:
                length = 1 + max(1, ceil((length - 1) * progress / self.curriculum))
            segments = self.at(index)[:, :, :length]
            if self.noise is not None:
                shape = segments.shape[1], segments.shape[3]
                draws = torch.stack([torch.randn(shape, generator=generator) for generator in generators])
                segments = segments.clone()
                segments[:, :, 0] += self.noise * draws.to(self.noise.device, non_blocking=True)
            yield segments

    def evenly_spaced(self, most: int) -> Segments:
        """At most `most` segments, evenly spread over the data, the same for every seed."""
        total = len(self.states) * self.starts
        index = torch.arange(0, total, max(1, -(-total // most)), device=self.states.device)
        return self.at(index.expand(len(self.seeds), -1))

    def at(self, index: Int[Tensor, "seed batch"]) -> Segments:
        """The segments that start at flat indices of (trajectory, sample)."""
        trajectory = index // self.starts
        start = index % self.starts
        return self.states[trajectory[..., None], start[..., None] + self.offsets]

    def _indices(self, size: int, updates: int) -> Iterator[Int[Tensor, "seed batch"]]:
        total = len(self.states) * self.starts
        if size >= total:
            everything = torch.arange(total, device=self.states.device).expand(len(self.seeds), -1)
            yield from (everything for _ in range(updates))
            return
        generators = [stream(seed, "minibatches") for seed in self.seeds]
        for begin in range(0, updates, DRAWS):
            count = min(DRAWS, updates - begin)
            draws = [torch.randint(total, (DRAWS, size), generator=generator) for generator in generators]
            yield from torch.stack(draws, dim=1)[:count].to(self.states.device, non_blocking=True)


@dataclass(frozen=True)
class TrainingData:
    """What training takes from a dataset: segments to learn from, others to validate, forecasts to choose by."""

    train: SegmentSampler
    valid: SegmentSampler
    forecasts: ValidationForecasts


def segments_of(
    dataset: Dataset, scales: Scales, length: int, seeds: Sequence[int], noise: float = 0.0, curriculum: float = 0.0
) -> TrainingData:
    """Segments of the training and validation data, as states of a model, and forecasts of the latter.

    `noise` perturbs the system's channels where training segments start, in standard deviations.
    Raises ValueError where trajectories of either are shorter than a segment, and Unsuitable where times are irregular
    and the states do not have them.
    """
    if not scales.duration:
        regular_only(dataset)
    for part, trajectories in (("training", dataset.train), ("validation", dataset.valid)):
        if (samples := trajectories.states.shape[1]) < length:
            raise ValueError(
                f"{part} needs segments of {length} samples, but its trajectories have {samples}: "
                "lower the learner's lookahead or window, or give longer trajectories (Sampling.samples)"
            )
    train, valid = (scales.lift(part) for part in (dataset.train, dataset.valid))
    perturbation = train.new_tensor([noise] * scales.dim + [0.0] * (train.shape[-1] - scales.dim)) if noise else None
    segments = SegmentSampler(train, length, seeds, perturbation, curriculum)
    return TrainingData(segments, SegmentSampler(valid, length, seeds), ValidationForecasts(dataset))


def regular_only(dataset: Dataset) -> None:
    """Raise Unsuitable where samples are not one sampling step apart, which many learners take for granted."""
    if not dataset.is_regular:
        raise Unsuitable("this learner needs samples one step apart, but these come at irregular times")
