"""Windowed recurrent network: a window of past states gives the next one, fed back on itself to forecast."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor
from learners.networks.recurrent import CellType, StackedRecurrent
from learners.networks.scales import Scales
from learners.networks.stacked import StackedLinear, replicas_in
from learners.solvers.compiled_windows import window_forecasts, window_updates
from learners.solvers.rollout import NetworkPredictor, Rollout, rollout_flow, rollout_map
from learners.streams import stream
from learners.training.loop import Training, train_on_residuals
from learners.training.segments import Segments, segments_of
from learners.validation import positive, window_within_context
from systems import Dataset, Trajectories

Times = Literal["regular", "ignored", "gaps"]
Target = Literal["change", "state"]


@dataclass(frozen=True)
class WindowedRNN(Learner):
    """Recurrent network read over a window of past samples; its readout is the change to the next one, or that itself.

    Trained on single steps. One function evaluation is one evaluation of the recurrent cell. Samples at irregular times
    are refused, unless `times` says otherwise; a network that sees the gaps can forecast to times of any distance.

    Elman, Cognitive Science 14, 1990; Hochreiter and Schmidhuber, Neural Computation 9, 1997; Cho et al., EMNLP 2014.
    """

    cell: CellType = "gru"
    window: int = 4  # past samples that are read
    hidden: int = 64  # units of the recurrent layer
    layers: int = 1  # recurrent layers, each of which reads the one below
    target: Target = "change"  # what is read out: the change to the next state in units of an increment, or that state
    scaled: bool = True  # whether states are standardised and errors counted in increments, or all is in physical units
    times: Times = "regular"  # of samples: have to be regular; are not looked at; or the gap behind each is an input
    training: Training = field(
        default_factory=lambda: Training(updates=2_300, learning_rate=3e-3, clip=1e9, optimiser="soap")
    )

    def __post_init__(self) -> None:
        positive(self, "window", "hidden", "layers")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        window_within_context(self, dataset)
        scales = Scales.of(dataset, clock=self.times != "regular", physical=not self.scaled)
        stack = WindowMap(self, scales.increment.cpu(), [stream(seed, "weights") for seed in seeds])
        stack = stack.to(scales.mean.device)

        def one_step_errors(segments: Segments) -> Float[Tensor, "seed batch channel"]:
            window = segments[:, :, :-1, : scales.dim]
            if self.times == "gaps":
                window = torch.cat([window, scales.intervals(segments).unsqueeze(-1)], dim=-1)
            return scales.residuals(stack(window), segments[:, :, -1])

        def predictor(network: WindowMap) -> WindowPredictor:
            return WindowPredictor(network, self.window, scales, self.window, gaps=self.times == "gaps")

        if self.times == "ignored":  # in validation, too
            times, states = dataset.valid.times, dataset.valid.states
            steps = dataset.step * torch.arange(times.shape[1], dtype=times.dtype, device=times.device)
            dataset = replace(dataset, valid=Trajectories(times[:, :1] + steps, states))
        data = segments_of(dataset, scales, self.window + 1, seeds)
        counted = [stack.recurrent.cell]
        parts = stack.recurrent, stack.readout, self.window, stack.increment
        usual = self.times == "regular" and self.scaled and stack.changes  # which is what the kernel covers
        compiler = window_updates(*parts) if usual else None
        return train_on_residuals(
            stack, one_step_errors, data, self.training, budget, counted, predictor, compiler=compiler
        )


class WindowMap(nn.Module):
    """A window of standardised states, perhaps with the gap behind each, to the next state, for every replica."""

    increment: Tensor

    def __init__(
        self, learner: WindowedRNN, increment: Float[Tensor, " dim"], generators: Sequence[torch.Generator]
    ) -> None:
        super().__init__()
        dim = len(increment)
        inputs = dim + (learner.times == "gaps")
        self.recurrent = StackedRecurrent(learner.cell, inputs, learner.hidden, generators, learner.layers)
        self.readout = StackedLinear(learner.hidden, dim, generators)
        self.changes = learner.target == "change"
        self.register_buffer("increment", increment)

    def forward(self, window: Float[Tensor, "seed batch window inputs"]) -> Float[Tensor, "seed batch dim"]:
        read = self.readout(self.recurrent(window))
        return torch.addcmul(window[:, :, -1, : len(self.increment)], read, self.increment) if self.changes else read


class WindowPredictor(NetworkPredictor):
    """A fitted windowed network; its state is the window `[batch, window, dim]` of standardised states, float32.

    With `gaps`, each state is followed by the time to the next one, in sampling steps; the last of them is open.
    """

    def __init__(self, network: nn.Module, window: int, scales: Scales, evaluations: int, gaps: bool = False) -> None:
        self.window = self.least_past = window
        self.gaps = gaps
        super().__init__(network, scales, partial(rollout_window, evaluations=evaluations, gaps=gaps), True)

    def encode(self, past: Trajectories) -> Float[Tensor, "batch window inputs"]:
        states = self.scales.standardise(past.states[:, -self.window :])
        if not self.gaps:
            return states
        gaps = (past.times[:, -self.window :].diff(dim=1) / self.scales.step).float()
        return torch.cat([states, nn.functional.pad(gaps, (0, 1)).unsqueeze(-1)], dim=-1)

    def decode(self, state: Float[Tensor, "*batch window inputs"]) -> Float[Tensor, "*batch dim"]:
        return self.scales.restore(state[..., -1, :])


def rollout_window(network: nn.Module, evaluations: int, gaps: bool) -> Rollout:
    """Apply a network of windows over and over, once a sample, or once a gap of any length up to a sampling step."""
    replicas = replicas_in(network)

    def following(window: Float[Tensor, "batch window inputs"]) -> Float[Tensor, "batch dim"]:
        return network(window.unflatten(0, (replicas, -1))).flatten(0, 1)

    def step(window: Float[Tensor, "batch window dim"]) -> Float[Tensor, "batch window dim"]:
        return torch.cat([window[:, 1:], following(window).unsqueeze(1)], dim=1)

    def step_over(window: Float[Tensor, "batch window inputs"], gap: float) -> Float[Tensor, "batch window inputs"]:
        known = window.clone()
        known[:, -1, -1] = gap
        return torch.cat([known[:, 1:], nn.functional.pad(following(known), (0, 1)).unsqueeze(1)], dim=1)

    if gaps:
        return rollout_flow(step_over, evaluations)
    compiled = None
    if isinstance(network, WindowMap) and network.changes:
        compiled = window_forecasts(network.recurrent, network.readout, network.increment)
    return rollout_map(step, evaluations, compiled)
