"""Latent dynamics: a window is encoded as a latent state, which an ODE or a recurrent cell then moves on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor, TrainingLog
from learners.networks import StackedLinear, StackedMLP, replica, size, stream
from learners.recurrent import GRUCell, StackedRecurrent
from learners.rollout import Rollout, iterate, substeps
from learners.segments import Segments, segments_of
from learners.solvers import EVALUATIONS, STEPS
from learners.standard import Scales
from learners.training import Training, train
from learners.validation import not_negative, positive
from systems import Dataset, Trajectories

LATENT_TRAINING = Training(updates=1_000, batch=64, validations=20)
INITIAL = 2.0  # minus logarithm of the standard deviation of an untrained latent state
RATE = 0.1  # size of an untrained latent field, per sample


@dataclass(frozen=True)
class LatentODE(Learner):
    """Recognition by a GRU that reads a window backwards, a latent ODE, and a decoder, trained on the evidence bound.

    dz/dt = f(z; w) from z at the first sample of the window, by the fourth-order Runge-Kutta method.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018, section 5.
    """

    window: int = 4  # samples that are read
    lookahead: int = 30  # samples after the window that are predicted in training
    latent: int = 6  # dimension of the latent state
    hidden: int = 64  # units of the encoder
    width: int = 64  # units of the layers of the field and of the decoder
    every: int = 2  # samples that one step of the solver spans in training
    deviation: float = 0.05  # of observations about what is decoded, in standard deviations of the data
    training: Training = field(default_factory=lambda: LATENT_TRAINING)

    def __post_init__(self) -> None:
        positive(self, "window", "latent", "hidden", "width", "every", "deviation")
        not_negative(self, "lookahead")

    def fit(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        def dynamics(generators: Sequence[torch.Generator]) -> LatentFlow:
            return LatentFlow(self.latent, self.width, generators)

        return fit_latent(self, self.every, dynamics, dataset, budget, seeds)


@dataclass(frozen=True)
class LatentRNN(Learner):
    """The same encoder, decoder and bound as the latent ODE, with a GRU that generates the samples one after the other.

    One function evaluation is one evaluation of the generating cell.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018, section 5 (their baseline).
    """

    window: int = 4  # samples that are read
    lookahead: int = 30  # samples after the window that are predicted in training
    latent: int = 6  # dimension of the encoded distribution
    hidden: int = 64  # units of the encoder and of the generator
    width: int = 64  # units of the layer of the decoder
    deviation: float = 0.05  # of observations about what is decoded, in standard deviations of the data
    training: Training = field(default_factory=lambda: LATENT_TRAINING)

    def __post_init__(self) -> None:
        positive(self, "window", "latent", "hidden", "width", "deviation")
        not_negative(self, "lookahead")

    def fit(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        def dynamics(generators: Sequence[torch.Generator]) -> LatentCell:
            return LatentCell(self.latent, self.hidden, generators)

        return fit_latent(self, 1, dynamics, dataset, budget, seeds)


class LatentFlow(nn.Module):
    """dz/ds = f(z) for every replica; time s is counted in sampling steps, over a few of which z changes little."""

    def __init__(self, latent: int, width: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.size = latent
        self.field = StackedMLP([latent, width, width, latent], "elu", generators)

    def begin(self, z: Float[Tensor, "seed batch latent"]) -> Float[Tensor, "seed batch latent"]:
        return z

    def step(self, z: Float[Tensor, "seed batch latent"], samples: float) -> Float[Tensor, "seed batch latent"]:
        return STEPS["rk4"](lambda s, x: RATE * self.field(x), z, samples)

    @property
    def counted(self) -> nn.Module:
        return self.field

    @property
    def rollout(self) -> Rollout:
        def step(z: Float[Tensor, "batch latent"], h: float) -> Float[Tensor, "batch latent"]:
            return self.step(z.unsqueeze(0), h).squeeze(0)

        return substeps(step, EVALUATIONS["rk4"])


class LatentCell(nn.Module):
    """h <- GRU(h) for every replica, once a sample, from a linear image of the latent state."""

    def __init__(self, latent: int, hidden: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.size = hidden
        self.lift = StackedLinear(latent, hidden, generators)
        self.gates = StackedLinear(hidden, 3 * hidden, generators)
        self.cell = GRUCell(hidden, generators)

    def begin(self, z: Float[Tensor, "seed batch latent"]) -> Float[Tensor, "seed batch hidden"]:
        return torch.tanh(self.lift(z))

    def step(self, h: Float[Tensor, "seed batch hidden"], samples: float) -> Float[Tensor, "seed batch hidden"]:
        return self.cell(self.gates(h), h, h)[0]

    @property
    def counted(self) -> nn.Module:
        return self.cell

    @property
    def rollout(self) -> Rollout:
        return iterate(lambda h: self.step(h.unsqueeze(0), 1.0).squeeze(0), evaluations=1)


class LatentModel(nn.Module):
    """Encoder, latent dynamics and decoder for every replica, of standardised states."""

    def __init__(
        self,
        form: LatentODE | LatentRNN,
        dim: int,
        dynamics: LatentFlow | LatentCell,
        generators: Sequence[torch.Generator],
    ) -> None:
        super().__init__()
        self.recurrent = StackedRecurrent("gru", dim, form.hidden, generators)
        self.readout = StackedLinear(form.hidden, 2 * form.latent, generators)
        self.dynamics = dynamics
        self.decoder = StackedMLP([dynamics.size, form.width, dim], "elu", generators)

    def encode(
        self, window: Float[Tensor, "seed batch window dim"]
    ) -> tuple[Float[Tensor, "seed batch latent"], Float[Tensor, "seed batch latent"]]:
        """Mean and logarithm of the standard deviation of the latent state at the first sample of the window."""
        mean, log_deviation = self.readout(self.recurrent(window.flip(2))).chunk(2, dim=-1)
        return mean, log_deviation - INITIAL

    def decode(self, states: Float[Tensor, "seed batch state"]) -> Float[Tensor, "seed batch dim"]:
        return self.decoder(states)


def fit_latent(
    form: LatentODE | LatentRNN,
    every: int,
    dynamics: Callable[[Sequence[torch.Generator]], LatentFlow | LatentCell],
    dataset: Dataset,
    budget: Budget,
    seeds: Sequence[int],
) -> list[Predictor]:
    """Train a latent model for every seed on its evidence bound, over windows and what follows them."""
    if dataset.sampling.context < form.window:
        raise ValueError(
            f"{type(form).__name__}.window={form.window} needs as many samples before a forecast, but Sampling.context="
            f"{dataset.sampling.context}: lower the window or raise the context"
        )
    scales, generators = Scales.of(dataset), [stream(seed, "weights") for seed in seeds]
    stack = LatentModel(form, dataset.dim, dynamics(generators), generators).to(scales.mean.device)
    bound = EvidenceBound(form, every, stack, [stream(seed, "latent") for seed in seeds])
    data = segments_of(dataset, scales, form.window + form.lookahead, seeds)
    logs = train(stack, bound, data, form.training, budget, counted=[stack.dynamics.counted])
    return [LatentPredictor(replica(stack, index), form.window, scales, log) for index, log in enumerate(logs)]


class EvidenceBound:
    """Negative evidence lower bound of a segment, per number observed, up to a constant.

    Squared error over twice the variance of the observations, and the divergence of the encoded distribution from the
    standard normal one. The latent state is drawn in training; in validation it is the mean.

    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014.
    """

    def __init__(
        self, form: LatentODE | LatentRNN, every: int, model: LatentModel, generators: Sequence[torch.Generator]
    ) -> None:
        self.form, self.every, self.model, self.generators = form, every, model, generators

    def __call__(self, segments: Segments) -> Float[Tensor, " seed"]:
        mean, log_deviation = self.model.encode(segments[:, :, : self.form.window])
        z = mean + log_deviation.exp() * self._draws(mean) if torch.is_grad_enabled() else mean
        state = self.model.dynamics.begin(z)
        targets = segments[:, :, :: self.every]
        states = [state]
        for _ in range(targets.shape[2] - 1):
            states.append(self.model.dynamics.step(states[-1], self.every))
        decoded = self.model.decode(torch.cat(states, dim=1)).unflatten(1, (len(states), -1)).transpose(1, 2)
        error = ((decoded - targets) / self.form.deviation).square().flatten(1).mean(dim=1) / 2
        divergence = (mean.square() + (2 * log_deviation).exp() - 1) / 2 - log_deviation
        return error + divergence.sum(dim=-1).mean(dim=1) / targets[0, 0].numel()

    def _draws(self, like: Float[Tensor, "seed batch latent"]) -> Float[Tensor, "seed batch latent"]:
        draws = [torch.randn(like.shape[1:], generator=generator) for generator in self.generators]
        return torch.stack(draws).to(like.device)


class LatentPredictor(Predictor):
    """A fitted latent model; its state is that of the latent dynamics, float32, from the mean of what is encoded."""

    def __init__(self, model: LatentModel, window: int, scales: Scales, log: TrainingLog) -> None:
        self.model, self.window, self.scales, self.log = model, window, scales, log
        self._propagate = model.dynamics.rollout

    @property
    def parameters(self) -> int:
        return size(self.model)

    def latent(self, past: Trajectories) -> Float[Tensor, "batch latent"]:
        """The mean of the latent state at the first sample of the window that ends `past`."""
        window = self.scales.standardise(past.states[:, -self.window :])
        return self.model.encode(window.unsqueeze(0))[0].squeeze(0)

    def encode(self, past: Trajectories) -> Float[Tensor, "batch state"]:
        state = self.model.dynamics.begin(self.latent(past).unsqueeze(0)).squeeze(0)
        return self._propagate(state, [self.window - 1.0])[0][-1] if self.window > 1 else state

    def decode(self, state: Float[Tensor, "*batch state"]) -> Float[Tensor, "*batch dim"]:
        decoded = self.model.decode(state.reshape(1, -1, state.shape[-1])).squeeze(0)
        return self.scales.restore(decoded.unflatten(0, state.shape[:-1]) if state.dim() > 1 else decoded.squeeze(0))

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        return self._propagate(state, [offset / self.scales.step for offset in offsets])

    def weights(self) -> dict[str, Tensor]:
        return dict(self.model.named_parameters())
