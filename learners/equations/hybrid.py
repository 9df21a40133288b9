"""Hybrid model: what is known of the equations, and a network for what is missing or wrong, learned jointly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import nan

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor
from learners.equations.mechanistic import Starts, equations_and_guess
from learners.equations.sensitivities import parameter_axes, with_values
from learners.networks.fields import VectorField, stacked_field
from learners.networks.scales import Scales
from learners.networks.stacked import Activation
from learners.neural_ode import NeuralODE
from learners.solvers.integration import Integration
from learners.solvers.rollout import StatePredictor
from learners.training.loop import Training, train_on_residuals
from learners.training.segments import Segments, segments_of
from learners.validation import positive
from systems import Dataset, Flow
from systems.calibration import Calibration, EstimatedParameter

PACE = 5.0  # at which parameters of the equations are learned, relative to the network's weights
KNOWN = "known."  # before the names of these parameters among the weights


@dataclass(frozen=True)
class HybridODE(Learner):
    """dx/dt = f(x; p) + n(x; w): known equations f, perhaps without some couplings, and a network n.

    The parameters p are learned with the weights w on short segments, or stay as they are, perhaps wrong ones. In the
    equation of a `missing` channel all other channels are put to zero, and n is added: Lorenz keeps z' = -beta z, Lotka
    and Volterra keep y' = -d y. The others are complete. Where none is missing, n is added to all of them.

    Rackauckas et al., "Universal differential equations for scientific machine learning", arXiv 2001.04385, 2020.
    """

    missing: tuple[int, ...] = (-1,)  # channels whose coupling to the others is unknown; from the end if negative
    learned: bool = True  # whether the parameters are; if not, they stay where they start
    start: Starts = ()  # the parameters that are learned, and from where; none: all, from 1; unknown names are left out
    lookahead: int = 1  # samples predicted from each start
    width: int = 64  # hidden units of each layer
    depth: int = 2  # hidden layers
    activation: Activation = "silu"
    training: Training = field(
        default_factory=lambda: Training(updates=5_000, learning_rate=3e-3, clip=1e9, optimiser="soap")
    )

    def __post_init__(self) -> None:
        positive(self, "lookahead", "width", "depth")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        flow, first = equations_and_guess(dataset, self.start)
        scales = Scales.of(dataset)
        integration = Integration("rk4")
        beyond = [channel for channel in self.missing if not -dataset.dim <= channel < dataset.dim]
        if beyond:
            raise ValueError(
                f"HybridODE.missing={self.missing} has channel {beyond[0]}, but there are {dataset.dim}: "
                f"give numbers from {-dataset.dim} to {dataset.dim - 1}"
            )
        network = NeuralODE(width=self.width, depth=self.depth, activation=self.activation)
        learned = stacked_field(network, scales, seeds)
        missing = sorted({channel % dataset.dim for channel in self.missing})
        stack = HybridField(flow, first, missing, learned, scales, len(seeds), self.learned).to(scales.mean.device)

        def errors(segments: Segments) -> Float[Tensor, "seed batch time channel"]:
            start, targets = segments[:, :, 0], segments[:, :, 1:]
            return scales.residuals(integration.integrate(stack, start, targets.shape[2]), targets)

        data = segments_of(dataset, scales, self.lookahead + 1, seeds)
        predictor = partial(StatePredictor, scales=scales, build=integration.rollout, together=False)
        fitted = train_on_residuals(stack, errors, data, self.training, budget, [stack], predictor)
        for one in fitted if self.learned else ():
            one.parameters_at = _learned_values
            values = _learned_values(one.weights())
            estimates = [EstimatedParameter(name, getattr(flow, name), values[name], nan) for name in first]
            one.calibration = Calibration(tuple(estimates), nan)
        return fitted


def learned_value(weight: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The parameter that a learned number stands for, so that those of any size and sign are within reach."""
    return torch.sinh(PACE * weight)


def _learned_values(weights: Mapping[str, Tensor]) -> dict[str, float]:
    """The parameters of the equations, by their names."""
    return {
        name.removeprefix(KNOWN): float(learned_value(weight))
        for name, weight in weights.items()
        if name.startswith(KNOWN)
    }


class HybridField(nn.Module):
    """dx/ds for every replica, of standardised states x, in time s counted in sampling steps.

    Parameters of the equations are sinh(5 u) with learned u, so that those of any size and sign are within reach, and
    found before the network can imitate what they do.
    """

    mean: Tensor
    std: Tensor
    unknown: Tensor

    def __init__(
        self,
        flow: Flow,
        first: Mapping[str, Tensor],
        missing: Sequence[int],
        learned: VectorField,
        scales: Scales,
        replicas: int,
        fitted: bool = True,
    ) -> None:
        super().__init__()
        self.flow = flow
        self.missing = missing
        self.learned = learned
        self.step = scales.step
        self.known = nn.ParameterDict()
        self.names = list(first)
        for name, value in first.items():
            scaled = (torch.asinh(value) / PACE).float()
            if fitted:
                self.known[name] = nn.Parameter(scaled.expand(replicas, 1).clone())
            else:
                self.register_buffer(f"fixed_{name}", scaled.expand(1, 1).clone())
        single = {name: value.float() for name, value in first.items()}
        self.axes = parameter_axes(flow, single, scales.mean.float() + scales.std.float())
        self.register_buffer("mean", scales.mean.float())
        self.register_buffer("std", scales.std.float())
        added = torch.tensor(missing or range(scales.dim), dtype=torch.int64)
        self.register_buffer("unknown", torch.zeros(scales.dim).index_fill(0, added, 1.0))

    def forward(self, s: float | Tensor, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        known = self._equations(torch.addcmul(self.mean, x, self.std)) * (self.step / self.std)
        return torch.addcmul(known, self.unknown, self.learned(s, x))

    def _equations(self, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        """The velocity, in physical units, as far as it is known."""
        scaled = {name: self.known[name] if self.known else self.get_buffer(f"fixed_{name}") for name in self.names}
        values = {name: learned_value(value).squeeze(-1) for name, value in scaled.items()}
        flow = with_values(self.flow, {name: value[(..., *[None] * self.axes)] for name, value in values.items()})
        velocity = list(flow.velocity(0.0, x).unbind(-1))
        for channel in self.missing:
            alone = torch.zeros_like(x)
            alone[..., channel] = x[..., channel]
            velocity[channel] = flow.velocity(0.0, alone)[..., channel]
        return torch.stack(velocity, dim=-1)
