"""Neural stochastic differential equation: a drift and a diffusion, trained on the distribution of short paths."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.base import Budget, Learner, Predictor, Unsuitable
from learners.drawn_paths import Noise, draw_path, with_clock
from learners.networks.scales import Scales
from learners.networks.stacked import Activation, StackedMLP, replicas_in
from learners.solvers.rollout import NetworkPredictor, Rollout
from learners.streams import stream
from learners.training.loop import Training, train
from learners.training.segments import Segments, segments_of
from learners.validation import positive
from learners.validation_forecasts import ValidationForecasts, energy_score
from systems import Dataset, Trajectories
from systems.extras import optional

EVALUATIONS = 3  # of the drift in a step: two of Heun's method, and one by which torchsde looks at shapes
MEMBERS = 8  # forecasts of each validation state by which weights are chosen


@dataclass(frozen=True)
class NeuralSDE(Learner):
    """Drift and diffusion of each channel by two perceptrons, integrated from sample to sample by torchsde.

    dx = f(x; w) dt + g(x; w) dW in Stratonovich's sense, by Heun's method. From each start some paths are drawn, of
    which the energy score, E|X - y| - E|X - X'| / 2, is lowest where their distribution is that of the data. Forecasts
    are paths, too. Needs the extra `sde`.

    Li et al., "Scalable gradients for stochastic differential equations", AISTATS 2020; Gneiting and Raftery, "Strictly
    proper scoring rules, prediction, and estimation", Journal of the American Statistical Association 102, 2007.
    """

    lookahead: int = 1  # samples predicted from each start
    paths: int = 4  # that are drawn from each start, at least 2
    substeps: int = 1  # of the solver in a sampling step
    width: int = 64  # hidden units of each layer of the drift; the diffusion has half as many
    depth: int = 2  # hidden layers
    activation: Activation = "silu"
    training: Training = field(default_factory=lambda: Training(updates=3_000))

    def __post_init__(self) -> None:
        positive(self, "lookahead", "substeps", "width", "depth")
        if self.paths < 2:
            raise ValueError(f"NeuralSDE.paths must be at least 2, which differ by chance, but is {self.paths!r}")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        try:
            optional("torchsde", "sde", "NeuralSDE")
        except ModuleNotFoundError as error:
            raise Unsuitable(str(error)) from error
        scales = Scales.of(dataset)
        stack = StochasticField(self, scales.increment.cpu(), seeds).to(scales.mean.device)
        generators = [stream(seed, "paths") for seed in seeds]

        def score(segments: Segments) -> Float[Tensor, " seed"]:
            start, targets = segments[:, :, 0], segments[:, :, 1:]
            x = start.repeat(1, self.paths, 1).flatten(0, 1)
            paths = []
            for _ in range(targets.shape[2]):
                for _ in range(self.substeps):
                    x = heun(stack, x, 1 / self.substeps, draw_together(generators, x))
                paths.append(x.unflatten(0, (len(seeds), self.paths, -1)))
            members = torch.stack(paths, dim=3).transpose(0, 1)
            return energy_score(members / scales.increment, targets / scales.increment).flatten(1).mean(dim=1)

        data = segments_of(dataset, scales, self.lookahead + 1, seeds)
        data = replace(data, forecasts=ValidationForecasts(dataset, MEMBERS))
        predictor = partial(PathPredictor, scales=scales, substeps=self.substeps)
        found = train(stack, score, data, self.training, budget, [stack.drift], predictor)
        for one, seed in zip(found, seeds, strict=True):
            assert isinstance(one, PathPredictor)
            one.noise = Noise(seed)
        return found


class StochasticField(nn.Module):
    """Drift and diffusion of every replica, in standardised states and sampling steps, as torchsde asks for them."""

    noise_type: ClassVar[str] = "diagonal"
    sde_type: ClassVar[str] = "stratonovich"
    increment: Tensor

    def __init__(self, form: NeuralSDE, increment: Float[Tensor, " dim"], seeds: Sequence[int]) -> None:
        super().__init__()
        dim = len(increment)
        generators = [stream(seed, "weights") for seed in seeds]
        widths = [form.width] * form.depth, [max(1, form.width // 2)] * form.depth
        self.drift, self.diffusion = (StackedMLP([dim, *hidden, dim], form.activation, generators) for hidden in widths)
        self.register_buffer("increment", increment)

    def f(self, t: Any, x: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        """Drift."""
        return self._of(self.drift, x) * self.increment

    def g(self, t: Any, x: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        """Diffusion, which is positive."""
        return nn.functional.softplus(self._of(self.diffusion, x)) * self.increment

    def _of(self, network: StackedMLP, x: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        return network(x.unflatten(0, (replicas_in(self), -1))).flatten(0, 1)


class Increment:
    """The growth of a Brownian motion over the one step that is taken, as torchsde asks for it."""

    levy_area_approximation = "none"

    def __init__(self, growth: Float[Tensor, "batch dim"]) -> None:
        self.growth = growth
        self.shape = growth.shape

    def __call__(self, *interval: Any) -> Float[Tensor, "batch dim"]:
        return self.growth


def heun(
    field: StochasticField, x: Float[Tensor, "batch dim"], h: float, normal: Float[Tensor, "batch dim"]
) -> Float[Tensor, "batch dim"]:
    """The states h sampling steps later, on the paths of these normal numbers; differentiable."""
    torchsde: Any = optional("torchsde", "sde", "NeuralSDE")
    return torchsde.sdeint(field, x, [0.0, h], bm=Increment(h**0.5 * normal), method="heun", dt=h)[1]


def draw_together(generators: Sequence[torch.Generator], x: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
    """Normal numbers of which each seed has as many, one after the other, from a generator of its own."""
    shape = len(x) // len(generators), x.shape[1]
    return torch.cat([torch.randn(shape, generator=one) for one in generators]).to(x.device)


class PathPredictor(NetworkPredictor):
    """A fitted stochastic field; its state is the standardised one of the system, and a count of the steps taken."""

    differentiable = False
    stochastic = True

    def __init__(self, field: StochasticField, scales: Scales, substeps: int) -> None:
        self.noise = Noise(0)  # until the seed is known
        super().__init__(field, scales, partial(self._paths, substeps=substeps), together=False)

    def encode(self, past: Trajectories) -> Float[Tensor, "batch state"]:
        return with_clock(self.scales.standardise(past.states[:, -1]))

    def decode(self, state: Float[Tensor, "*batch state"]) -> Float[Tensor, "*batch dim"]:
        return self.scales.restore(state)

    def _paths(self, field: StochasticField, substeps: int) -> Rollout:
        def propagate(state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
            states, steps = draw_path(partial(heun, field), self.noise, state, offsets, substeps)
            return states, steps * EVALUATIONS

        return propagate
