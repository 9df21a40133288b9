"""Causal transformer: attention over a window of past states gives the next one, fed back on itself to forecast."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor
from learners.networks.scales import Scales
from learners.networks.stacked import StackedLinear, uniform
from learners.streams import stream
from learners.training.loop import Training, train_on_residuals
from learners.training.segments import Segments, segments_of
from learners.validation import positive, window_within_context
from learners.windowed_rnn import WindowPredictor
from systems import Dataset

Sequences = Float[Tensor, "seed batch window width"]


@dataclass(frozen=True)
class Transformer(Learner):
    """Pre-normalised causal transformer over a window of past samples; its readout is the change to the next sample.

    Trained on single steps from every position of the window. One function evaluation is one pass over the window.

    Vaswani et al., "Attention is all you need", NeurIPS 2017.
    """

    window: int = 4  # past samples that are read
    width: int = 32  # features of a sample
    heads: int = 2  # of the attention
    blocks: int = 2
    training: Training = field(default_factory=lambda: Training(updates=4_000, learning_rate=5e-3))

    def __post_init__(self) -> None:
        positive(self, "window", "width", "heads", "blocks")
        if self.width % self.heads:
            raise ValueError(
                f"Transformer.width={self.width} must be a multiple of heads={self.heads}: each head takes its share"
            )

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        window_within_context(self, dataset)
        scales = Scales.of(dataset)
        stack = AttentionMap(self, scales.increment.cpu(), [stream(seed, "weights") for seed in seeds])
        stack = stack.to(scales.mean.device)

        def one_step_errors(segments: Segments) -> Float[Tensor, "seed batch time channel"]:
            return scales.residuals(stack.every(segments[:, :, :-1]), segments[:, :, 1:])

        data = segments_of(dataset, scales, self.window + 1, seeds)
        predictor = partial(WindowPredictor, window=self.window, scales=scales, evaluations=1)
        return train_on_residuals(stack, one_step_errors, data, self.training, budget, [stack.embed], predictor)


class AttentionMap(nn.Module):
    """A window of standardised states to the next state, for every replica."""

    increment: Tensor

    def __init__(
        self, learner: Transformer, increment: Float[Tensor, " dim"], generators: Sequence[torch.Generator]
    ) -> None:
        super().__init__()
        dim = len(increment)
        self.embed = StackedLinear(dim, learner.width, generators)
        self.positions = uniform((1, learner.window, learner.width), 1 / sqrt(learner.width), generators)
        self.blocks = nn.ModuleList(Block(learner.width, learner.heads, generators) for _ in range(learner.blocks))
        self.norm = StackedNorm(learner.width, generators)
        self.readout = StackedLinear(learner.width, dim, generators)
        self.register_buffer("increment", increment)

    def forward(self, window: Float[Tensor, "seed batch window dim"]) -> Float[Tensor, "seed batch dim"]:
        return self.every(window)[:, :, -1]

    def every(self, window: Float[Tensor, "seed batch window dim"]) -> Float[Tensor, "seed batch window dim"]:
        """The state after each of the window's, given those up to it."""
        x = _each(self.embed, window) + self.positions[:, :, -window.shape[2] :]
        for block in self.blocks:
            x = block(x)
        return torch.addcmul(window, _each(self.readout, self.norm(x)), self.increment)


class Block(nn.Module):
    """x <- x + attention(norm x), x <- x + perceptron(norm x), for every replica."""

    def __init__(self, width: int, heads: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(StackedNorm(width, generators) for _ in range(2))
        self.project = StackedLinear(width, 3 * width, generators)
        self.merge = StackedLinear(width, width, generators)
        self.widen = StackedLinear(width, 4 * width, generators)
        self.narrow = StackedLinear(4 * width, width, generators)

    def forward(self, x: Sequences) -> Sequences:
        before, between = self.norms
        x = x + self.attend(before(x))
        return x + _each(self.narrow, nn.functional.gelu(_each(self.widen, between(x))))

    def attend(self, x: Sequences) -> Sequences:
        """Each position looks at itself and at those before it."""
        parts = _each(self.project, x).unflatten(-1, (3, self.heads, -1))
        query, key, value = (part.flatten(0, 1).transpose(1, 2) for part in parts.unbind(3))
        seen = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return _each(self.merge, seen.transpose(1, 2).flatten(2).unflatten(0, x.shape[:2]))


class StackedNorm(nn.Module):
    """Layer normalisation with a scale and a shift for every replica."""

    def __init__(self, width: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(len(generators), 1, 1, width))
        self.shift = nn.Parameter(torch.zeros(len(generators), 1, 1, width))

    def forward(self, x: Sequences) -> Sequences:
        return torch.addcmul(self.shift, nn.functional.layer_norm(x, x.shape[-1:]), self.scale)


def _each(layer: nn.Module, x: Float[Tensor, "seed batch window inputs"]) -> Float[Tensor, "seed batch window outputs"]:
    """A layer applied to every position."""
    return layer(x.flatten(1, 2)).unflatten(1, x.shape[1:3])
