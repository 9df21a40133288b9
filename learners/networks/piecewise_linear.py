"""Piecewise-linear recurrent networks of every replica: z <- A z + W phi(z) + h, where A is diagonal."""

from collections.abc import Sequence
from math import inf, sqrt
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.networks.stacked import StackedLinear, uniform

PiecewiseLinearForm = Literal["shallow", "dendritic", "almost-linear"]
States = Float[Tensor, "seed batch state"]

MEMORY = 0.9  # of an untrained unit from one sample to the next


class PiecewiseLinearMap(nn.Module):
    """One sampling step of standardised states, the first of all units; the others are the network's own.

    Their beginning is a linear function of the first sample.
    """

    def __init__(
        self, form: PiecewiseLinearForm, dim: int, hidden: int, nonlinear: int, generators: Sequence[torch.Generator]
    ) -> None:
        super().__init__()
        units = dim + hidden
        self.form = form
        self.features = _FEATURES[form](units, nonlinear, generators)
        inputs = nonlinear if form == "shallow" else units
        self.diagonal = nn.Parameter(torch.full((len(generators), 1, units), MEMORY))
        self.weight = uniform((inputs, units), 0.1 / sqrt(inputs), generators)
        self.bias = nn.Parameter(torch.zeros(len(generators), 1, units))
        self.start = StackedLinear(dim, hidden, generators) if hidden else None

    def begin(self, x: Float[Tensor, "seed batch dim"]) -> States:
        """The state at the first sample that is known."""
        return x if self.start is None else torch.cat([x, self.start(x)], dim=-1)

    def forward(self, z: States) -> States:
        return torch.addcmul(torch.baddbmm(self.bias, self.features(z), self.weight), z, self.diagonal)


class ShallowFeatures(nn.Module):
    """phi(z) = relu(V z + b) - relu(V z): one hidden layer, whose difference is bounded.

    Hess et al., "Generalized teacher forcing for learning chaotic dynamics", ICML 2023.
    """

    def __init__(self, units: int, nonlinear: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.weight = uniform((units, nonlinear), 1 / sqrt(units), generators)
        self.bias = uniform((1, nonlinear), 1.0, generators)

    def forward(self, z: States) -> Float[Tensor, "seed batch nonlinear"]:
        inputs = torch.bmm(z, self.weight)
        return torch.relu(inputs + self.bias) - torch.relu(inputs)


class DendriticFeatures(nn.Module):
    """phi(z) = sum_b a_b (relu(z - h_b) - relu(z)): every unit has a spline of its own, which is bounded.

    Brenner et al., "Tractable dendritic RNNs for reconstructing nonlinear dynamical systems", ICML 2022.
    """

    def __init__(self, units: int, nonlinear: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.slopes = uniform((1, nonlinear, 1), 1 / sqrt(nonlinear), generators)
        self.thresholds = uniform((1, nonlinear, units), 2.0, generators)

    def forward(self, z: States) -> States:
        z = z.unsqueeze(2)
        return (self.slopes * (torch.relu(z - self.thresholds) - torch.relu(z))).sum(dim=2)


class AlmostLinearFeatures(nn.Module):
    """phi(z) = z, rectified in the last units alone.

    Brenner et al., "Almost-linear RNNs yield highly interpretable symbolic codes", NeurIPS 2024.
    """

    least: Tensor

    def __init__(self, units: int, nonlinear: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.register_buffer("least", torch.tensor([-inf] * (units - nonlinear) + [0.0] * nonlinear))

    def forward(self, z: States) -> States:
        return torch.maximum(z, self.least)


_FEATURES = {"shallow": ShallowFeatures, "dendritic": DendriticFeatures, "almost-linear": AlmostLinearFeatures}
