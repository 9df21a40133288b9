"""Latent dynamics: a window is encoded as a latent state, which an ODE or a recurrent cell then moves on."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from learners.base import Budget, Learner, Predictor
from learners.latent.networks import LatentCell, LatentFlow, LatentModel
from learners.latent.predictor import LatentPredictor
from learners.networks.scales import Scales
from learners.streams import stream
from learners.training.loop import Training, train
from learners.training.segments import Segments, segments_of
from learners.validation import flows_only, not_negative, positive, window_within_context
from systems import Dataset

LATENT_TRAINING = Training(updates=1_000, batch=64)


@dataclass(frozen=True)
class LatentLearner(Learner):
    """A GRU that reads a window backwards, latent dynamics, and a decoder, trained on the evidence bound."""

    window: int = 4  # samples that are read; 0: as many as there are before a forecast
    lookahead: int = 30  # samples after the window that are predicted in training
    latent: int = 6  # dimension of the encoded distribution
    hidden: int = 64  # units of the encoder, and of a generating cell
    width: int = 64  # units of the layers of the decoder, and of a field
    deviation: float = 0.05  # of observations about what is decoded, in standard deviations of the data
    training: Training = field(default_factory=lambda: LATENT_TRAINING)

    def __post_init__(self) -> None:
        positive(self, "latent", "hidden", "width", "deviation")
        not_negative(self, "window", "lookahead")

    @abstractmethod
    def dynamics(self, irregular: bool, generators: Sequence[torch.Generator]) -> LatentFlow | LatentCell:
        """The latent dynamics of every replica, untrained, for samples at regular times or irregular ones."""

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        window_within_context(self, dataset)
        window = self.window or dataset.sampling.context
        generators = [stream(seed, "weights") for seed in seeds]
        dynamics = self.dynamics(not dataset.is_regular, generators)
        if isinstance(dynamics, LatentFlow):
            flows_only(self, dataset)
        scales = Scales.of(dataset, clock=not dataset.is_regular)
        stack = LatentModel(self, dataset.dim, dynamics, generators, scales.pace).to(scales.mean.device)
        bound = EvidenceBound(window, self.deviation, stack, [stream(seed, "latent") for seed in seeds])
        data = segments_of(dataset, scales, window + self.lookahead, seeds)
        predictor = partial(LatentPredictor, window=window, scales=scales)
        return train(stack, bound, data, self.training, budget, [stack.dynamics.counted], predictor)


@dataclass(frozen=True)
class LatentODE(LatentLearner):
    """Recognition by a GRU that reads a window backwards, a latent ODE, and a decoder, trained on the evidence bound.

    dz/dt = f(z; w) from z at the first sample of the window, by the fourth-order Runge-Kutta method. Where samples come
    at irregular times, the encoder reads the gaps between them, too.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018, section 5.
    """

    def dynamics(self, irregular: bool, generators: Sequence[torch.Generator]) -> LatentFlow:
        return LatentFlow(self.latent, self.width, generators)


@dataclass(frozen=True)
class LatentRNN(LatentLearner):
    """The same encoder, decoder and bound as the latent ODE, with a GRU that generates the samples one after the other.

    Where samples come at irregular times, the cell reads the gaps between them, too.

    One function evaluation is one evaluation of the generating cell.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018, section 5 (their baseline).
    """

    def dynamics(self, irregular: bool, generators: Sequence[torch.Generator]) -> LatentCell:
        return LatentCell(self.latent, self.hidden, irregular, generators)


class EvidenceBound:
    """Negative evidence lower bound of a segment, per number observed, up to a constant.

    Squared error over twice the variance of the observations, and the divergence of the encoded distribution from the
    standard normal one. The latent state is drawn in training; in validation it is the mean.

    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014.
    """

    def __init__(
        self, window: int, deviation: float, model: LatentModel, generators: Sequence[torch.Generator]
    ) -> None:
        self.window, self.deviation, self.model, self.generators = window, deviation, model, generators

    def __call__(self, segments: Segments) -> Float[Tensor, " seed"]:
        mean, log_deviation = self.model.encode(segments[:, :, : self.window])
        z = mean
        if torch.is_grad_enabled():
            draws = [torch.randn(mean.shape[1:], generator=generator) for generator in self.generators]
            z = mean + log_deviation.exp() * torch.stack(draws).to(mean.device, non_blocking=True)
        state = self.model.dynamics.begin(z)
        states = [state]
        targets = segments
        spans = self.model.gaps(targets).unsqueeze(-1).unbind(2) if self.model.pace else [1] * (targets.shape[2] - 1)
        for span in spans:
            states.append(self.model.dynamics.step(states[-1], span))
        decoded = self.model.decode(torch.cat(states, dim=1)).unflatten(1, (len(states), -1)).transpose(1, 2)
        targets = targets[..., : self.model.dim]
        error = ((decoded - targets) / self.deviation).square().flatten(1).mean(dim=1) / 2
        divergence = (mean.square() + (2 * log_deviation).exp() - 1) / 2 - log_deviation
        return error + divergence.sum(dim=-1).mean(dim=1) / targets[0, 0].numel()
