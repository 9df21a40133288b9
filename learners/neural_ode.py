"""Neural ODE with lookahead: a vector field trained through a solver on short segments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from learners.base import Budget, Learner, Predictor, Unsuitable
from learners.networks.fields import Inputs, VectorField, stacked_field
from learners.networks.scales import Scales, mean_square
from learners.networks.stacked import Activation, NetworkKind
from learners.solvers.integration import Gradient, Integration
from learners.solvers.rollout import StatePredictor
from learners.solvers.steps import Solver
from learners.training.loop import Training, train_on_residuals
from learners.training.segments import Segments, segments_of
from learners.validation import flows_only, not_negative, positive
from systems import Dataset, Flow

APART = 1e-2  # standard deviations to either side, over which derivatives are compared


@dataclass(frozen=True)
class NeuralODE(Learner):
    """Vector field trained on short look-ahead segments.

    dx/dt = f(x; w), integrated by a fixed-step Runge-Kutta scheme from sample to sample, which may come at irregular
    times; or by an adaptive one. Every sample starts a segment. A batch that holds all segments is the full batch.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018.
    """

    lookahead: int = 1  # samples predicted from each start
    width: int = 64  # hidden units (of a convolution: channels) of each layer
    depth: int = 2  # hidden layers
    widths: tuple[int, ...] = ()  # hidden units of the layers one by one, in place of width and depth
    activation: Activation = "silu"
    solver: Solver = "rk4"  # fixed, or adaptive: then seeds are fitted one after the other
    substeps: int = 1  # of a fixed solver, from one sample to the next
    tolerance: float = 1e-4  # of adaptive solvers, relative and absolute, of standardised states
    absolute: float = 0.0  # absolute tolerance, where it is not the same
    gradient: Gradient = "backpropagation"
    network: NetworkKind = "mlp"  # convolution: along the channels, as sites of a ring; matrix: a linear field
    kernel: int = 5  # places that a layer of a convolution sees
    patch: int = 1  # neighbouring sites that are one place of a convolution
    inputs: Inputs = "state"  # what the network sees: the state, or the third power of each of its channels
    scaled: bool = True  # whether states are standardised and errors counted in increments, or all is in physical units
    time: bool = False  # whether the network sees the time, too
    augmented: int = 0  # channels beside the system's, zero at the start of each segment
    damping: float = 0.0  # rate of a learned linear damping at the start of training, per sample; 0: none
    curriculum: float = 0.0  # fraction of the updates over which the lookahead grows to its length
    noise: float = 0.0  # on the starts of training segments, in standard deviations
    jacobian: float = 0.0  # weight of the mismatch of derivatives with the known field's
    training: Training = field(
        default_factory=lambda: Training(updates=5_900, learning_rate=3e-3, clip=1e9, optimiser="soap")
    )

    def __post_init__(self) -> None:
        positive(self, "lookahead", "width", "depth", "tolerance", "substeps", "kernel", "patch")
        object.__setattr__(self, "widths", tuple(self.widths))  # a list could not be told from others by its hash
        if not all(width > 0 for width in self.widths):
            raise ValueError(f"NeuralODE.widths must be positive, but are {self.widths!r}")
        not_negative(self, "augmented", "damping", "curriculum", "noise", "jacobian", "absolute")
        if self.curriculum > 1:
            raise ValueError(f"NeuralODE.curriculum must be a fraction of the updates, but is {self.curriculum!r}")
        if self.substeps > 1 and self._integration.adaptive:
            raise ValueError(
                f'NeuralODE.substeps is for solvers with fixed steps, but solver="{self.solver}" chooses its own: set '
                "substeps=1, or a lower tolerance"
            )
        if self.gradient == "adjoint" and self.solver == "rosenbrock":
            raise ValueError(
                'NeuralODE.gradient="adjoint" is solved by torchdiffeq, and so not with "rosenbrock": choose another '
                'solver, or gradient="backpropagation"'
            )

    @property
    def for_rings(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.network == "convolution"

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        flows_only(self, dataset)
        together = [[seed] for seed in seeds] if self._integration.adaptive else [seeds]
        return [predictor for stack in together for predictor in self._fit_stack(dataset, budget, stack)]

    @property
    def _integration(self) -> Integration:
        return Integration(self.solver, self.tolerance, self.gradient, self.absolute, self.substeps)

    def _fit_stack(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        regular, integration = dataset.is_regular, self._integration
        clock = self.time or not regular
        scales = Scales.of(dataset, self.network == "convolution", self.augmented, clock, physical=not self.scaled)
        stack = stacked_field(self, scales, seeds)

        def errors(segments: Segments) -> Float[Tensor, "seed batch time channel"]:
            start, targets = segments[:, :, 0], segments[:, :, 1:]
            if regular:
                predicted = integration.integrate(stack, start, targets.shape[2])
            else:
                predicted = integration.integrate_irregular(stack, start, scales.intervals(segments))
            return scales.residuals(predicted, targets)

        penalty = partial(self._penalty, jacobian_mismatch(stack, dataset, scales)) if self.jacobian else None
        data = segments_of(dataset, scales, self.lookahead + 1, seeds, self.noise, self.curriculum)
        build = partial(integration.rollout, bound=scales.bound)
        together = not integration.adaptive
        predictor = partial(StatePredictor, scales=scales, build=build, together=together)
        compiler = integration.compiler(stack, scales.unit)
        return train_on_residuals(stack, errors, data, self.training, budget, [stack], predictor, penalty, compiler)

    def _penalty(self, mismatch: Callable[[Tensor], Tensor], segments: Segments) -> Float[Tensor, " seed"]:
        return self.jacobian * mismatch(segments[:, :, 0])


def jacobian_mismatch(stack: VectorField, dataset: Dataset, scales: Scales) -> Callable[[Tensor], Tensor]:
    """The function that gives the mean squared mismatch of J v for each replica, v a unit vector, in increments.

    The directions v are those between states of the batch, so that they lie where the data do; derivatives are central
    differences, those of the known field at time 0. Raises Unsuitable where the system's velocity is not known.

    Park, Yang and Chandramoorthy, "When are dynamical systems learned from time series data statistically accurate?",
    NeurIPS 2024.
    """
    flow, dim, step = dataset.system, scales.dim, scales.step
    if not isinstance(flow, Flow) or not dataset.is_complete:
        raise Unsuitable(
            f"NeuralODE.jacobian needs a system whose velocity is known, and all of its channels, but "
            f"{type(flow).__name__} was observed: set jacobian=0"
        )

    def known(x: Float[Tensor, "seed batch dim"]) -> Float[Tensor, "seed batch dim"]:
        return (step * flow.velocity(0.0, scales.restore(x)) / scales.std).float()

    def mismatch(state: Float[Tensor, "seed batch state"]) -> Float[Tensor, " seed"]:
        x, others = state[..., :dim], state[..., dim:]
        apart = x.roll(x.shape[1] // 2, dims=1) - x
        along = APART * apart / torch.linalg.vector_norm(apart, dim=-1, keepdim=True).clamp(min=1e-12)
        ahead, behind = (torch.cat([x + side * along, others], dim=-1) for side in (1, -1))
        learned = stack(0.0, ahead) - stack(0.0, behind)
        return mean_square(scales.residuals(learned, known(x + along) - known(x - along))) / (2 * APART) ** 2

    return mismatch
