"""Recurrent networks that are trained on long sequences, in which the data correct the state that is carried on."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor
from learners.networks.piecewise_linear import PiecewiseLinearForm, PiecewiseLinearMap
from learners.networks.recurrent import CellType, StackedRecurrent
from learners.networks.scales import Scales
from learners.networks.stacked import StackedLinear, replicas_in
from learners.solvers.forced_updates import forced_updates
from learners.solvers.rollout import NetworkPredictor, Rollout, rollout_map
from learners.streams import stream
from learners.training.loop import Training, train_on_residuals
from learners.training.segments import Segments, segments_of
from learners.validation import not_negative, positive
from systems import Dataset, Trajectories


@dataclass(frozen=True)
class TeacherForced(Learner):
    """A map of the system's state and a network's own, trained on sequences by teacher forcing.

    At every `interval`-th sample the forecast x becomes (1 - forcing) x + forcing * data, and the network's own state
    is carried on. Sparse teacher forcing has forcing 1 and an interval of about a predictability time; generalised
    teacher forcing has interval 1 and forcing below 1; classical teacher forcing has both 1. A forecast starts from a
    state that the samples before it have forced likewise.

    Brenner et al., ICML 2022; Mikhaeil, Monfared and Durstewitz, NeurIPS 2022; Hess et al., ICML 2023.
    """

    lookahead: int = 32  # samples that are predicted in a sequence
    interval: int = 8  # samples from one correction to the next
    forcing: float = 1.0  # share of the data in a corrected state
    training: Training = field(default_factory=lambda: Training(updates=4_000, batch=32))

    def __post_init__(self) -> None:
        positive(self, "lookahead", "interval", "forcing")
        if self.forcing > 1:
            raise ValueError(
                f"{type(self).__name__}.forcing is the share of the data, at most 1, but is {self.forcing!r}"
            )

    @abstractmethod
    def network(self, scales: Scales, generators: Sequence[torch.Generator]) -> nn.Module:
        """The map of every replica, untrained, with `begin`: its state at the first sample that is known."""

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        scales = Scales.of(dataset)
        stack = self.network(scales, [stream(seed, "weights") for seed in seeds]).to(scales.mean.device)

        def errors(segments: Segments) -> Float[Tensor, "seed batch time channel"]:
            states = torch.stack(self.follow(stack, segments)[1:], dim=2)
            return states[..., : scales.dim] - segments[:, :, 1:]

        data = segments_of(dataset, scales, self.lookahead + 1, seeds)
        predictor = partial(ForcedPredictor, learner=self, scales=scales)
        compiler = forced_updates(stack, self.interval, self.forcing)
        return train_on_residuals(stack, errors, data, self.training, budget, [stack], predictor, compiler=compiler)

    def follow(self, network: Any, samples: Segments) -> list[Float[Tensor, "seed batch state"]]:
        """The network's states at samples that are shown to it: predicted, and only then corrected, but the first."""
        first, *others = samples.unbind(2)
        states = [network.begin(first)]
        state = states[0]
        for index, sample in enumerate(others, 1):
            state = network(state)
            states.append(state)
            if index % self.interval == 0:
                state = corrected(state, sample, self.forcing)
        return states


@dataclass(frozen=True)
class PLRNN(TeacherForced):
    """Piecewise-linear recurrent network: z <- A z + W phi(z) + h, whose first units are the system's state.

    shallow: phi(z) = relu(V z + b) - relu(V z); dendritic: phi(z) = sum_b a_b (relu(z - h_b) - relu(z)); almost-linear:
    phi(z) = z, rectified in its last units. Hess et al., ICML 2023; Brenner et al., ICML 2022 and NeurIPS 2024.
    """

    form: PiecewiseLinearForm = "shallow"
    hidden: int = 0  # units beside the system's channels
    nonlinear: int = 64  # shallow: units of the layer V; dendritic: thresholds of each unit; almost-linear: last units

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "nonlinear")
        not_negative(self, "hidden")

    def network(self, scales: Scales, generators: Sequence[torch.Generator]) -> PiecewiseLinearMap:
        units = scales.dim + self.hidden
        if self.form == "almost-linear" and self.nonlinear > units:
            raise ValueError(
                f"PLRNN.nonlinear={self.nonlinear} of an almost-linear network are among its {units} units, "
                f"{scales.dim} channels and hidden={self.hidden}: lower the former or raise the latter"
            )
        return PiecewiseLinearMap(self.form, scales.dim, self.hidden, self.nonlinear, generators)


@dataclass(frozen=True)
class StatefulRNN(TeacherForced):
    """Elman, GRU or LSTM network that reads its own forecast and carries its hidden state on; it gives the change.

    Vlachas et al., "Backpropagation algorithms and reservoir computing in recurrent neural networks for the forecasting
    of complex spatiotemporal dynamics", Neural Networks 126, 2020.
    """

    cell: CellType = "gru"
    hidden: int = 64  # units of the recurrent layer
    training: Training = field(default_factory=lambda: Training(updates=1_000, batch=32))

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "hidden")

    def network(self, scales: Scales, generators: Sequence[torch.Generator]) -> "RecurrentMap":
        return RecurrentMap(self.cell, self.hidden, scales.increment.cpu(), generators)


class RecurrentMap(nn.Module):
    """One sampling step of a standardised state, followed by the state of a recurrent layer, for every replica."""

    increment: Tensor

    def __init__(
        self, cell: CellType, hidden: int, increment: Float[Tensor, " dim"], generators: Sequence[torch.Generator]
    ) -> None:
        super().__init__()
        dim = len(increment)
        self.recurrent = StackedRecurrent(cell, dim, hidden, generators)
        self.readout = StackedLinear(hidden, dim, generators)
        self.sizes = [dim, hidden, hidden] if cell == "lstm" else [dim, hidden]
        self.register_buffer("increment", increment)

    def begin(self, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch state"]:
        return nn.functional.pad(x, (0, sum(self.sizes[1:])))

    def forward(self, state: Float[Tensor, "seed batch state"]) -> Float[Tensor, "seed batch state"]:
        x, *kept = state.split(self.sizes, dim=-1)
        kept = [one for one in self.recurrent.cell(self.recurrent.embed(x), *kept) if one is not None]
        return torch.cat([torch.addcmul(x, self.readout(kept[0]), self.increment), *kept], dim=-1)


def corrected(
    state: Float[Tensor, "seed batch state"], sample: Float[Tensor, "seed batch dim"], share: float
) -> Float[Tensor, "seed batch state"]:
    """A network's state whose first channels are moved by a share of the way to a sample."""
    x, kept = state[..., : sample.shape[-1]], state[..., sample.shape[-1] :]
    return torch.cat([sample if share == 1 else torch.lerp(x, sample, share), kept], dim=-1)


class ForcedPredictor(NetworkPredictor):
    """A fitted map; its state is the system's, standardised, and the network's own `[batch, state]`, float32.

    It has been forced by the samples of the past as in training, and by the last of them wholly.
    """

    def __init__(self, network: nn.Module, learner: TeacherForced, scales: Scales) -> None:
        super().__init__(network, scales, rollout_forced, together=True)
        self.learner = learner

    def encode(self, past: Trajectories) -> Float[Tensor, "batch state"]:
        samples = self.scales.standardise(past.states).unflatten(0, (replicas_in(self.network), -1))
        first = (samples.shape[2] - 1) % self.learner.interval  # so that the last sample is one that corrects
        last = self.learner.follow(self.network, samples[:, :, first:])[-1]
        return corrected(last, samples[:, :, -1], 1.0).flatten(0, 1)

    def decode(self, state: Float[Tensor, "*batch state"]) -> Float[Tensor, "*batch dim"]:
        return self.scales.restore(state)


def rollout_forced(network: nn.Module) -> Rollout:
    """Apply the map of several replicas over and over, each to its part of the batch, with no data to correct it."""
    replicas = replicas_in(network)
    return rollout_map(lambda state: network(state.unflatten(0, (replicas, -1))).flatten(0, 1), evaluations=1)
