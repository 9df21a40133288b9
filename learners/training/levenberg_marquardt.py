"""Levenberg's and Marquardt's method: damped least squares, and that of stacks of small networks."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor, nn
from torch.func import functional_call

from learners.training.counting import keeping
from learners.training.segments import Segments

Residuals = Callable[[Segments], Float[Tensor, "seed batch *outputs"]]

FIRST = 1e-2  # damping, relative to the mean curvature
LEAST, MOST = 1e-14, 1e6  # beyond which a step would be Gauss' and Newton's, or none in single precision
EASED, RAISED = 0.5, 4.0  # what an improvement, and the lack of one, makes of the damping
ATTEMPTS = 8  # at an improvement in one update
ENTRIES = 2**21  # of a replica's Jacobian that are held at a time


@dataclass(frozen=True)
class StepDamping:
    """How far the steps of several problems are damped: less after an improvement, more after the lack of one.

    Marquardt, Journal of the Society for Industrial and Applied Mathematics 11, 1963.
    """

    values: Float64[Tensor, " problem"]  # relative to the curvature; changed in place
    eased: float  # factor after an improvement
    raised: float  # factor after none
    least: float = 0.0
    most: float = inf

    def improve(
        self,
        losses: Float[Tensor, " problem"],
        try_step: Callable[[Bool[Tensor, " problem"]], Float[Tensor, " problem"]],
        keep: Callable[[Bool[Tensor, " problem"]], None],
        attempts: int,
    ) -> Int64[Tensor, " problem"]:
        """Try damped steps until every problem has improved, or so many times.

        Args:
            losses: of each problem at present.
            try_step: takes a step for the problems that are chosen; returns all the losses behind it.
            keep: makes the step last for the problems that are chosen, and takes it back for the others.
            attempts: at the most.

        Returns:
            The number of steps that were tried for each problem, until it had improved.
        """
        pending = torch.ones_like(losses, dtype=torch.bool)
        trials = torch.zeros_like(losses, dtype=torch.int64)
        while pending.any() and trials.max() < attempts:
            trials += pending
            improved = pending & (try_step(pending) < losses)
            keep(improved)
            self.values[improved] = (self.values[improved] * self.eased).clamp_min(self.least)
            pending = pending & ~improved
            self.values[pending] = (self.values[pending] * self.raised).clamp_max(self.most)
        return trials


@dataclass(frozen=True)
class Update:
    """What one update of all replicas has been, and what it took."""

    losses: Float[Tensor, " seed"]  # on the minibatch, from before
    trials: Int64[Tensor, " seed"]  # steps that were tried for each replica
    passes: int  # over the minibatch or a part of it
    outputs: int  # residuals of an example, each of which is differentiated
    saved: int  # bytes that are kept at a time: by autograd, of Jacobians, and of the normal equations


class LevenbergMarquardt:
    """Minimises each replica's mean squared residual, with a damping of its own, on the minibatches that it is given.

    Networks and Jacobians are float32, the normal equations float64: rounded entries leave J^T J positive. A replica
    for which no step improves its minibatch stays as it is. Work grows with the square of the number of weights.

    Marquardt, Journal of the Society for Industrial and Applied Mathematics 11, 1963; for networks: Hagan and Menhaj,
    "Training feedforward networks with the Marquardt algorithm", IEEE Transactions on Neural Networks 5, 1994.
    """

    def __init__(self, network: nn.Module, residuals: Residuals) -> None:
        self.minimised = _Minimised(network, residuals)
        self.parameters = list(network.parameters())
        weights = self.parameters[0]
        first = torch.full((len(weights),), FIRST, dtype=torch.float64, device=weights.device)
        self.damping = StepDamping(first, EASED, RAISED, LEAST, MOST)

    def step(self, segments: Segments) -> Update:
        """Improve every replica on a minibatch."""
        normal = self._normal_equations(segments)
        before = [parameter.detach().clone() for parameter in self.parameters]
        sizes = [parameter[0].numel() for parameter in self.parameters]

        def try_step(pending: Bool[Tensor, " seed"]) -> Float[Tensor, " seed"]:
            for kept, parameter in zip(before, self.parameters, strict=True):
                kept.copy_(parameter.detach())
            move = normal.move(self.damping.values)
            move = torch.where((pending & move.isfinite().all(dim=1)).unsqueeze(1), move, 0.0)
            for parameter, part in zip(self.parameters, move.split(sizes, dim=1), strict=True):
                parameter.data += part.view_as(parameter).to(parameter.dtype)
            with torch.no_grad():
                return self.minimised(segments).double().square().flatten(1).mean(dim=1).float()

        def keep(improved: Bool[Tensor, " seed"]) -> None:
            for kept, parameter in zip(before, self.parameters, strict=True):
                parameter.data[~improved] = kept[~improved]

        trials = self.damping.improve(normal.losses, try_step, keep, ATTEMPTS)
        return Update(normal.losses, trials, normal.passes + int(trials.max()), normal.outputs, normal.saved)

    def _normal_equations(self, segments: Segments) -> "_Normal":
        seeds = len(segments)
        weights = sum(parameter[0].numel() for parameter in self.parameters)
        curvature = self.damping.values.new_zeros(seeds, weights, weights)
        slope = curvature.new_zeros(seeds, weights)
        squares = curvature.new_zeros(seeds)
        parts = []
        saved = 0
        for part in segments.split(max(1, ENTRIES // weights), dim=1):
            (jacobian, residuals), kept = keeping(lambda part=part: self._linearised(part), ())
            saved = max(saved, kept + jacobian.nbytes)
            jacobian, residuals = jacobian.double(), residuals.double()
            curvature.baddbmm_(jacobian.mT, jacobian)
            slope -= torch.bmm(jacobian.mT, residuals.unsqueeze(2)).squeeze(2)
            squares += residuals.square().sum(dim=1)
            parts.append(residuals.shape[1])
        outputs = sum(parts) // segments.shape[1]
        return _Normal(curvature, slope, (squares / sum(parts)).float(), len(parts), outputs, saved + curvature.nbytes)

    def _linearised(
        self, segments: Segments
    ) -> tuple[Float[Tensor, "seed residual weight"], Float[Tensor, "seed residual"]]:
        """Derivatives of each residual by each weight, and the residuals; each example has a replica of its own."""
        seeds, batch = segments.shape[:2]
        names = (name for name, _ in self.minimised.named_parameters())
        weights = [each.detach().repeat_interleave(batch, dim=0).requires_grad_() for each in self.parameters]
        apart = segments.flatten(0, 1).unsqueeze(1)
        given = dict(zip(names, weights, strict=True))
        # Tied weights would be given twice to a block that stands in a network twice, and not all taken back.
        residuals = functional_call(self.minimised, given, (apart,), tie_weights=False).flatten(1)
        rows = [
            torch.autograd.grad(one.sum(), weights, retain_graph=True, materialize_grads=True)
            for one in residuals.unbind(1)
        ]
        jacobian = torch.stack([torch.cat([part.flatten(1) for part in row], dim=1) for row in rows], dim=1)
        return jacobian.view(seeds, -1, jacobian.shape[2]), residuals.detach().view(seeds, -1)


@dataclass(frozen=True)
class _Normal:
    """The normal equations of each replica about its present weights."""

    curvature: Float64[Tensor, "seed weight weight"]
    slope: Float64[Tensor, "seed weight"]  # downhill
    losses: Float[Tensor, " seed"]
    passes: int
    outputs: int
    saved: int

    def move(self, damping: Float64[Tensor, " seed"]) -> Float64[Tensor, "seed weight"]:
        """The damped step to the minimum of the linearised problem; not a number where that has none."""
        mean = self.curvature.diagonal(dim1=1, dim2=2).mean(dim=1, keepdim=True)
        damped = self.curvature.clone()
        damped.diagonal(dim1=1, dim2=2).add_(damping.unsqueeze(1) * mean)
        factor, failed = torch.linalg.cholesky_ex(damped)
        move = torch.cholesky_solve(self.slope.unsqueeze(2), factor).squeeze(2)
        return torch.where((failed == 0).unsqueeze(1), move, torch.nan)


class _Minimised(nn.Module):
    """Residuals as a module whose parts are the network, so that it can be asked with other weights."""

    def __init__(self, network: nn.Module, residuals: Residuals) -> None:
        super().__init__()
        self.network, self.residuals = network, residuals

    def forward(self, segments: Segments) -> Tensor:
        return self.residuals(segments)
