"""Windowed recurrent network: a window of past states gives the next one, fed back on itself to forecast."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor, TrainingLog
from learners.networks import StackedLinear, replica, size, stream
from learners.recurrent import CellType, StackedRecurrent
from learners.rollout import iterate
from learners.segments import Segments, segments_of
from learners.standard import Scales
from learners.training import Training, train
from learners.validation import positive
from systems import Dataset, Trajectories


@dataclass(frozen=True)
class WindowedRNN(Learner):
    """Recurrent network read over a window of past samples; its readout is the change to the next sample.

    Trained on single steps. One function evaluation is one evaluation of the recurrent cell.

    Elman, Cognitive Science 14, 1990; Hochreiter and Schmidhuber, Neural Computation 9, 1997; Cho et al., EMNLP 2014.
    """

    cell: CellType = "gru"
    window: int = 4  # past samples that are read
    hidden: int = 64  # units of the recurrent layer
    training: Training = field(default_factory=lambda: Training(updates=4_000))

    def __post_init__(self) -> None:
        positive(self, "window", "hidden")

    def fit(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        if dataset.sampling.context < self.window:
            raise ValueError(
                f"WindowedRNN.window={self.window} needs as many samples before a forecast, but Sampling.context="
                f"{dataset.sampling.context}: lower the window or raise the context"
            )
        scales = Scales.of(dataset)
        stack = WindowMap(self, scales.increment.cpu(), [stream(seed, "weights") for seed in seeds])
        stack = stack.to(scales.mean.device)

        def one_step_error(segments: Segments) -> Float[Tensor, " seed"]:
            return scales.increments(stack(segments[:, :, :-1]), segments[:, :, -1])

        data = segments_of(dataset, scales, self.window + 1, seeds)
        logs = train(stack, one_step_error, data, self.training, budget, counted=[stack.recurrent.cell])
        return [
            WindowPredictor(replica(stack, index), self.window, scales, log, evaluations=self.window)
            for index, log in enumerate(logs)
        ]


class WindowMap(nn.Module):
    """A window of standardised states to the next state, for every replica."""

    increment: Tensor

    def __init__(
        self, learner: WindowedRNN, increment: Float[Tensor, " dim"], generators: Sequence[torch.Generator]
    ) -> None:
        super().__init__()
        dim = len(increment)
        self.recurrent = StackedRecurrent(learner.cell, dim, learner.hidden, generators)
        self.readout = StackedLinear(learner.hidden, dim, generators)
        self.register_buffer("increment", increment)

    def forward(self, window: Float[Tensor, "seed batch window dim"]) -> Float[Tensor, "seed batch dim"]:
        return torch.addcmul(window[:, :, -1], self.readout(self.recurrent(window)), self.increment)


class WindowPredictor(Predictor):
    """A fitted windowed network; its state is the window `[batch, window, dim]` of standardised states, float32."""

    def __init__(self, network: nn.Module, window: int, scales: Scales, log: TrainingLog, evaluations: int) -> None:
        self.network, self.window, self.scales, self.log = network, window, scales, log
        self._propagate = iterate(self._step, evaluations)

    @property
    def parameters(self) -> int:
        return size(self.network)

    def encode(self, past: Trajectories) -> Float[Tensor, "batch window dim"]:
        return self.scales.standardise(past.states[:, -self.window :])

    def decode(self, state: Float[Tensor, "*batch window dim"]) -> Float[Tensor, "*batch dim"]:
        return self.scales.restore(state[..., -1, :])

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        return self._propagate(state, [offset / self.scales.step for offset in offsets])

    def weights(self) -> dict[str, Tensor]:
        return dict(self.network.named_parameters())

    def _step(self, state: Float[Tensor, "batch window dim"]) -> Float[Tensor, "batch window dim"]:
        following = self.network(state.unsqueeze(0)).squeeze(0)
        return torch.cat([state[:, 1:], following.unsqueeze(1)], dim=1)
