"""Residual network: a learned map of one sampling step to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor, TrainingLog
from learners.networks import Activation, StackedMLP, replica, stream
from learners.rollout import StatePredictor, iterate
from learners.segments import Segments, segments_of
from learners.standard import Scales
from learners.training import Training, train
from learners.validation import positive
from systems import Dataset


@dataclass(frozen=True)
class ResNet(Learner):
    """Residual map: x <- x + h f_1(x), x <- x + h f_2(x), ... takes one sampling step; trained on single steps.

    Each f is a multilayer perceptron, and h is the size of the data's own increments.

    He et al., "Deep residual learning for image recognition", CVPR 2016.
    """

    blocks: int = 2
    width: int = 64  # hidden units of a block's layers
    depth: int = 2  # hidden layers of a block
    activation: Activation = "silu"
    training: Training = field(default_factory=lambda: Training(updates=15_000))

    def __post_init__(self) -> None:
        positive(self, "blocks", "width", "depth")

    def fit(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        scales = Scales.of(dataset)
        generators = [stream(seed, "weights") for seed in seeds]
        sizes = [dataset.dim, *[self.width] * self.depth, dataset.dim]
        blocks = [StackedMLP(sizes, self.activation, generators) for _ in range(self.blocks)]
        stack = ResidualMap(blocks, scales.increment.cpu()).to(scales.mean.device)

        def one_step_error(segments: Segments) -> Float[Tensor, " seed"]:
            start, end = segments.unbind(2)
            return scales.increments(stack(start), end)

        logs = train(stack, one_step_error, segments_of(dataset, scales, 2, seeds), self.training, budget, stack.blocks)
        return [self._predictor(replica(stack, index), scales, log) for index, log in enumerate(logs)]

    def _predictor(self, network: "ResidualMap", scales: Scales, log: TrainingLog) -> Predictor:
        def step(state: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
            return network(state.unsqueeze(0)).squeeze(0)

        return StatePredictor(network, scales, log, iterate(step, evaluations=self.blocks))


class ResidualMap(nn.Module):
    """Residual blocks one after the other, for every replica."""

    increment: Tensor

    def __init__(self, blocks: Sequence[nn.Module], increment: Float[Tensor, " dim"]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.register_buffer("increment", increment)

    def forward(self, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        for block in self.blocks:
            x = torch.addcmul(x, block(x), self.increment)
        return x
