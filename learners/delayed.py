"""Any learner on delay coordinates: what a few channels hide now, their past may tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from learners.base import Budget, Learner, Predictor
from learners.training.segments import regular_only
from learners.validation import positive
from systems import Dataset, Trajectories
from systems.protocol import PARTS


@dataclass(frozen=True)
class Delayed(Learner):
    """A learner whose state is the present sample and some before it, each a channel of its own.

    Takens, "Detecting strange attractors in turbulence", Lecture Notes in Mathematics 898, 1981; Sauer, Yorke and
    Casdagli, "Embedology", Journal of Statistical Physics 65, 1991.
    """

    learner: Learner
    delays: int = 2  # samples before the present one
    stride: int = 6  # samples from one of them to the next

    def __post_init__(self) -> None:
        positive(self, "delays", "stride")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        regular_only(dataset)
        lost = self.delays * self.stride
        sampling = dataset.sampling
        shortest = min(part.states.shape[1] for part in (dataset.train, dataset.valid))
        if lost >= sampling.context or lost > shortest - 3:
            raise ValueError(
                f"Delayed.delays={self.delays} with stride={self.stride} needs more than {lost} samples before a "
                f"forecast, but Sampling has context={sampling.context}, and the shortest trajectory to learn from has "
                f"samples={shortest}: lower the delays, or raise these"
            )
        shorter = replace(sampling, samples=sampling.samples - lost, context=sampling.context - lost)
        parts = {name: self.embed(getattr(dataset, name)) for name in PARTS}
        inner = self.learner.fit_replicas(replace(dataset, sampling=shorter, **parts), budget, seeds)
        return [DelayedPredictor(self, predictor, dataset.dim) for predictor in inner]

    def embed(self, part: Trajectories) -> Trajectories:
        """Each sample that has enough of them before it, in one state with these; its own channels come first."""
        lost = self.delays * self.stride
        samples = part.states.shape[1]
        shifted = [part.states[:, lost - lag : samples - lag] for lag in range(0, lost + 1, self.stride)]
        return Trajectories(part.times[:, lost:], torch.cat(shifted, dim=-1))


class DelayedPredictor(Predictor):
    """A model of delay coordinates, of which the present sample is the forecast."""

    def __init__(self, form: Delayed, inner: Predictor, dim: int) -> None:
        self.form, self.inner, self.dim = form, inner, dim
        self.log, self.calibration, self.equations = inner.log, inner.calibration, inner.equations
        self.parameters_at = inner.parameters_at
        self.differentiable, self.stochastic = inner.differentiable, inner.stochastic
        self.least_past = inner.least_past + form.delays * form.stride

    @property
    def parameters(self) -> int:
        return self.inner.parameters

    def encode(self, past: Trajectories) -> Tensor:
        return self.inner.encode(self.form.embed(past))

    def decode(self, state: Float[Tensor, "*batch state"]) -> Float[Tensor, "*batch dim"]:
        return self.inner.decode(state)[..., : self.dim]

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        return self.inner.rollout(state, offsets)

    def advance(self, state: Tensor, dt: float) -> tuple[Tensor, int]:
        return self.inner.advance(state, dt)

    def ensemble(self, others: Sequence[Predictor]) -> Predictor | None:
        together = self.inner.ensemble([other.inner for other in others if isinstance(other, DelayedPredictor)])
        return together and DelayedPredictor(self.form, together, self.dim)

    def weights(self) -> dict[str, Tensor]:
        return self.inner.weights()

    def constants(self) -> dict[str, Tensor]:
        return self.inner.constants()
