"""A differential equation as a layer inside a feed-forward network: Dense - ODE - Dense, as a map of one step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor
from learners.networks.scales import Scales
from learners.networks.stacked import Activation, NetworkKind, StackedLinear, replicas_in, stacked_network
from learners.solvers.rollout import Rollout, StatePredictor, rollout_map
from learners.solvers.steps import EVALUATIONS, STEPS, FixedStep
from learners.streams import stream
from learners.training.loop import Training, train_on_residuals
from learners.training.segments import Segments, segments_of
from learners.validation import positive
from systems import Dataset


@dataclass(frozen=True)
class ODELayer(Learner):
    """x -> x + h W u(1), where u' = f(u) from u(0) = V x + v: a solve on [0, 1] between two dense layers.

    f is a network, and h is the size of the data's own increments. Trained on single steps.

    Rackauckas et al., "DiffEqFlux.jl: a Julia library for neural differential equations", 2019.
    """

    channels: int = 8  # of the state u
    steps: int = 4  # of the solver, on [0, 1]
    solver: FixedStep = "rk4"
    width: int = 32  # hidden units of each layer of f
    depth: int = 1  # hidden layers of f
    activation: Activation = "tanh"
    training: Training = field(default_factory=lambda: Training(updates=5_000))

    network: ClassVar[NetworkKind] = "mlp"
    widths: ClassVar[tuple[int, ...]] = ()
    kernel: ClassVar[int] = 1
    patch: ClassVar[int] = 1
    damping: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        positive(self, "channels", "steps", "width", "depth")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        scales = Scales.of(dataset)
        generators = [stream(seed, "weights") for seed in seeds]
        stack = LayerMap(self, scales.increment.cpu(), generators).to(scales.mean.device)

        def one_step_errors(segments: Segments) -> Float[Tensor, "seed batch channel"]:
            start, end = segments.unbind(2)
            return scales.residuals(stack(start), end)

        data = segments_of(dataset, scales, 2, seeds)
        predictor = partial(StatePredictor, scales=scales, build=self._rollout, together=True)
        return train_on_residuals(stack, one_step_errors, data, self.training, budget, [stack.field], predictor)

    def _rollout(self, network: "LayerMap") -> Rollout:
        replicas = replicas_in(network)

        def step(state: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
            return network(state.unflatten(0, (replicas, -1))).flatten(0, 1)

        return rollout_map(step, evaluations=self.steps * EVALUATIONS[self.solver])


class LayerMap(nn.Module):
    """A dense layer, a solve on [0, 1] and a dense layer give the change to the next state, for every replica."""

    increment: Tensor

    def __init__(self, form: ODELayer, increment: Float[Tensor, " dim"], generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        dim = len(increment)
        self.before = StackedLinear(dim, form.channels, generators)
        field: Any = form  # whose settings of a field are the same for all of its class
        self.field = stacked_network(field, 1, form.channels, form.channels, generators)
        self.after = StackedLinear(form.channels, dim, generators)
        self.solver, self.steps = form.solver, form.steps
        self.register_buffer("increment", increment)

    def forward(self, x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        state = self.before(x)
        for _ in range(self.steps):
            state = STEPS[self.solver](lambda t, u: self.field(u), state, 1 / self.steps)
        return torch.addcmul(x, self.after(state), self.increment)
