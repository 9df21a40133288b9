"""Neural delay differential equation: a vector field that sees the past beside the present."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor
from learners.networks.scales import Scales
from learners.networks.stacked import Activation, StackedMLP
from learners.solvers.steps import EVALUATIONS, STEPS
from learners.streams import stream
from learners.training.loop import Training, train_on_residuals
from learners.training.segments import Segments, segments_of
from learners.validation import positive, window_within_context
from learners.windowed_rnn import WindowPredictor
from systems import Dataset

BEFORE = 2  # samples before the delayed state, and of the present, that are kept beside the delay


@dataclass(frozen=True)
class NeuralDDE(Learner):
    """Vector field of the present state and of that a known delay ago, trained on short look-ahead segments.

    dx/dt = f(x(t), x(t - delay); w), by the method of steps: rk4 from sample to sample, and between the samples of the
    past a cubic through the four nearest. The state is the history over the delay.

    Zhu, Guo and Lin, "Neural delay differential equations", ICLR 2021.
    """

    delay: int = 20  # samples
    lookahead: int = 1  # samples predicted from each start
    width: int = 64  # hidden units of each layer
    depth: int = 2  # hidden layers
    activation: Activation = "silu"
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        positive(self, "lookahead", "width", "depth")
        if self.delay < 2:
            raise ValueError(
                f"NeuralDDE.delay must be 2 samples at least, through which a cubic goes, not {self.delay}"
            )

    @property
    def window(self) -> int:
        """Samples of the history."""
        return self.delay + BEFORE

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        window_within_context(self, dataset)
        scales = Scales.of(dataset)
        sizes = [2 * scales.dim, *[self.width] * self.depth, scales.dim]
        network = StackedMLP(sizes, self.activation, [stream(seed, "weights") for seed in seeds])
        stack = DelayMap(network, scales.increment.cpu()).to(scales.mean.device)

        def errors(segments: Segments) -> Float[Tensor, "seed batch time channel"]:
            history, targets = segments[:, :, : self.window], segments[:, :, self.window :]
            for _ in range(targets.shape[2]):
                history = torch.cat([history, stack(history[:, :, -self.window :]).unsqueeze(2)], dim=2)
            return scales.residuals(history[:, :, self.window :], targets)

        def predictor(network: DelayMap) -> WindowPredictor:
            return WindowPredictor(network, self.window, scales, EVALUATIONS["rk4"])

        data = segments_of(dataset, scales, self.window + self.lookahead, seeds)
        return train_on_residuals(stack, errors, data, self.training, budget, [stack.network], predictor)


class DelayMap(nn.Module):
    """A history of standardised states to the next one, by one step of rk4, for every replica.

    The network is of the present and the delayed state side by side, in units of the increment.
    """

    increment: Tensor

    def __init__(self, network: nn.Module, increment: Float[Tensor, " dim"]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("increment", increment)

    def forward(self, history: Float[Tensor, "seed batch window dim"]) -> Float[Tensor, "seed batch dim"]:
        nearest = history[:, :, :4].unbind(2)

        def velocity(s: float, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
            delayed = torch.stack([w * state for w, state in zip(cubic(s), nearest, strict=True)]).sum(dim=0)
            return self.network(torch.cat([x, delayed], dim=-1)) * self.increment

        return STEPS["rk4"](velocity, history[:, :, -1], 1.0)


def cubic(s: float) -> tuple[float, float, float, float]:
    """By how much values at -1, 0, 1 and 2 count in that at s of the cubic through them: Lagrange's polynomials."""
    return (
        -s * (s - 1) * (s - 2) / 6,
        (s + 1) * (s - 1) * (s - 2) / 2,
        -(s + 1) * s * (s - 2) / 2,
        (s + 1) * s * (s - 1) / 6,
    )
