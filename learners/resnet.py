"""Residual network: a learned map of one sampling step to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor
from learners.networks.fields import stacked_damping
from learners.networks.scales import Scales
from learners.networks.stacked import Activation, NetworkKind, replicas_in, stacked_network
from learners.solvers.compiled import kernel_updates
from learners.solvers.compiled_forecasts import fixed_forecasts
from learners.solvers.rollout import Rollout, StatePredictor, rollout_map
from learners.streams import stream
from learners.training.loop import Training, train_on_residuals
from learners.training.segments import Segments, segments_of
from learners.validation import not_negative, positive
from systems import Dataset
from systems.solvers.fixed import TABLEAUS


@dataclass(frozen=True)
class ResNet(Learner):
    """Residual map: x <- x + h f_1(x), x <- x + h f_2(x), ... takes one sampling step; trained on single steps.

    Each f is a network, and h is the size of the data's own increments. With a damping, x <- x - A A^T x comes first.

    He et al., "Deep residual learning for image recognition", CVPR 2016.
    """

    blocks: int = 2
    shared: bool = False  # whether all blocks are one and the same: Euler steps of one vector field
    width: int = 64  # hidden units (of a convolution: channels) of a block's layers
    depth: int = 2  # hidden layers of a block
    activation: Activation = "silu"
    network: NetworkKind = "mlp"  # convolution: along the channels, as sites of a ring
    kernel: int = 5  # places that a layer of a convolution sees
    patch: int = 1  # neighbouring sites that are one place of a convolution
    damping: float = 0.0  # of a learned linear damping at the start of training, per step; 0: none
    noise: float = 0.0  # on the starts of training steps, in standard deviations
    training: Training = field(
        default_factory=lambda: Training(updates=4_700, learning_rate=3e-3, clip=1e9, optimiser="soap")
    )

    def __post_init__(self) -> None:
        positive(self, "blocks", "width", "depth", "kernel", "patch")
        not_negative(self, "damping", "noise")

    @property
    def widths(self) -> tuple[int, ...]:
        """None of their own: all hidden layers are alike."""
        return ()

    @property
    def for_rings(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.network == "convolution"

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        scales = Scales.of(dataset, shared=self.network == "convolution")
        generators = [stream(seed, "weights") for seed in seeds]
        dim = scales.dim
        different = 1 if self.shared else self.blocks
        blocks = [stacked_network(self, dim, dim, dim, generators) for _ in range(different)]
        blocks *= self.blocks // different
        damping = stacked_damping(self, scales, len(seeds))
        stack = ResidualMap(blocks, scales.increment.cpu(), damping).to(scales.mean.device)

        def one_step_errors(segments: Segments) -> Float[Tensor, "seed batch channel"]:
            start, end = segments.unbind(2)
            return scales.residuals(stack(start), end)

        data = segments_of(dataset, scales, 2, seeds, self.noise)
        predictor = partial(StatePredictor, scales=scales, build=self._rollout, together=True)
        eager = damping or (self.shared and self.blocks > 1)  # the kernel keeps weights of each block
        compiler = None if eager else kernel_updates(blocks, TABLEAUS["euler"], scales.increment, scales.increment)
        return train_on_residuals(
            stack, one_step_errors, data, self.training, budget, set(stack.blocks), predictor, compiler=compiler
        )

    def _rollout(self, network: "ResidualMap") -> Rollout:
        replicas = replicas_in(network)

        def step(state: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
            return network(state.unflatten(0, (replicas, -1))).flatten(0, 1)

        compiled = None if network.damping else fixed_forecasts(network.blocks, TABLEAUS["euler"], network.increment)
        return rollout_map(step, self.blocks, compiled)


class ResidualMap(nn.Module):
    """Residual blocks one after the other, for every replica, after a damping if there is one."""

    increment: Tensor

    def __init__(
        self, blocks: Sequence[nn.Module], increment: Float[Tensor, " dim"], damping: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.damping = damping
        self.register_buffer("increment", increment)

    def forward(self, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        if self.damping is not None:
            x = x - self.damping(x)
        for block in self.blocks:
            x = torch.addcmul(x, block(x), self.increment)
        return x
