"""Training of piecewise-linear networks by compiled code, along sequences that correct their states."""

from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.networks.piecewise_linear import PiecewiseLinearMap
from learners.training.training_step import Compiler, Optimiser, clip, descent


def forced_updates(network: nn.Module, interval: int, forcing: float) -> Compiler | None:
    """The function that makes `ForcedUpdates` from what training asks for; None where there is no such code.

    It is for piecewise-linear networks, and needs numba, which a machine may lack that has a GPU.
    """
    if not isinstance(network, PiecewiseLinearMap) or find_spec("numba") is None:
        return None
    return partial(ForcedUpdates, network, interval, forcing)


class ForcedUpdates:
    """Updates of a stack of piecewise-linear networks, as the eager ones make them, to rounding.

    Args:
        network: the stack.
        interval: samples from one correction to the next.
        forcing: share of the data in a corrected state.
        largest: norm of a replica's gradient.
        optimiser: who descends.
    """

    evaluations: tuple[int, int] | None = None

    def __init__(
        self,
        network: PiecewiseLinearMap,
        interval: int,
        forcing: float,
        largest: float,
        optimiser: Optimiser = "adam",
    ) -> None:
        from learners.solvers import piecewise_linear as compiled  # numba takes half a second to import

        self.differentiate_forced = compiled.differentiate_forced
        self.settings = compiled.FORMS.index(network.form), interval, np.float32(forcing)
        self.parameters = list(network.parameters())
        self.largest = largest
        self.kept_bytes = 0
        self.gradients = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.optimiser = descent(self.parameters, optimiser, 0.0)  # each update has a rate of its own
        gradients = dict(zip(self.parameters, self.gradients, strict=True))
        parts = _parts(network)
        self.weights, self.sums = (
            compiled.Weights(*(part.detach().numpy() for part in each))
            for each in (
                [one.reshape(shape) for one, shape in parts],
                [gradients.get(one, torch.zeros_like(one)).reshape(shape) for one, shape in parts],
            )
        )

    def differentiate(self, segments: Float[Tensor, "seed batch length dim"]) -> Float[Tensor, " seed"]:
        """The loss of each replica, whose gradients are kept for the descent."""
        losses = np.empty(len(segments), np.float32)
        for gradient in self.gradients:
            gradient.zero_()
        self.kept_bytes = len(segments) * self.differentiate_forced(
            *self.settings, segments.contiguous().numpy(), self.weights, self.sums, losses
        )
        return torch.from_numpy(losses)

    def descend(self, rate: float) -> None:
        """Clip the gradients and take the optimiser's step."""
        for parameter, gradient in zip(self.parameters, self.gradients, strict=True):
            parameter.grad = gradient
        clip(self.parameters, self.largest)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        for parameter in self.parameters:
            parameter.grad = None


def _parts(network: PiecewiseLinearMap) -> list[tuple[Any, tuple[int, ...]]]:
    """The tensors that the compiled code knows, in its order, with the shapes that these have there."""
    features: Any = network.features
    seeds, _, units = network.diagonal.shape
    dim = units if network.start is None else network.start.weight.shape[1]
    first, second = {
        "shallow": lambda: (features.weight, features.bias),
        "dendritic": lambda: (features.slopes, features.thresholds),
        "almost-linear": lambda: (features.least.repeat(seeds, 1, 1), torch.zeros(seeds, 0, units)),
    }[network.form]()
    start = torch.zeros(seeds, dim, 0) if network.start is None else network.start.weight
    beginning = torch.zeros(seeds, 0) if network.start is None else network.start.bias
    return [
        (network.diagonal, (seeds, units)),
        (network.weight, network.weight.shape),
        (network.bias, (seeds, units)),
        (first, (seeds, *first.shape[-2:])),
        (second, (seeds, *second.shape[-2:])),
        (start, start.shape),
        (beginning, (seeds, units - dim)),
    ]
