"""Damped least squares for the parameters of equations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from learners.equations.sensitivities import sensitivities
from learners.solvers.steps import EVALUATIONS
from learners.training.levenberg_marquardt import StepDamping
from systems import Flow, Trajectories

DAMPING = 1e-3  # of the first step, relative to the curvature of the cost
RAISED = 8.0  # what the lack of an improvement makes of the damping; an improvement makes the inverse
MOST_DAMPED = 1e12  # where no step is an improvement any more
SETTLED = 1e-9  # relative decrease of the cost at which the fit ends


@dataclass(frozen=True)
class LeastSquaresFit:
    """Where a fit ended, the mean squared residual after each of its steps, and how often pieces were followed."""

    values: dict[str, Tensor]
    residuals: list[float]
    passes: int


@dataclass(frozen=True)
class Normal:
    """The normal equations of one linearisation: curvature and slope by parameters, starts, and both."""

    residual: float  # mean square
    parameters: Float64[Tensor, "parameter parameter"]
    mixed: Float64[Tensor, "piece parameter channel"]
    starts: Float64[Tensor, "piece channel channel"]
    slope: Float64[Tensor, " parameter"]
    start_slopes: Float64[Tensor, "piece channel"]

    def step(self, damping: float) -> tuple[Float64[Tensor, " parameter"], Float64[Tensor, "piece channel"]]:
        """The damped step of parameters and starts; each piece's start is eliminated first."""
        starts = self.starts + damping * torch.diag_embed(self.starts.diagonal(dim1=-2, dim2=-1))
        whole = self.parameters + damping * self.parameters.diagonal().diag()
        reduced = self.mixed @ torch.linalg.inv(starts)
        slope = self.slope - (reduced @ self.start_slopes[..., None]).sum(0).squeeze(-1)
        matrix = whole - (reduced @ self.mixed.mT).sum(0)
        # On the CPU: the driver that bears parameters of no influence is not there on GPUs.
        solution = torch.linalg.lstsq(matrix.cpu(), slope[:, None].cpu(), driver="gelsd").solution
        step = -solution.squeeze(-1).to(slope.device)
        inner = self.start_slopes[..., None] + self.mixed.mT @ step[:, None]
        return step, -torch.linalg.solve(starts, inner).squeeze(-1)

    @property
    def information(self) -> Float64[Tensor, "parameter parameter"]:
        """Fisher's, of the parameters where the starts are unknown too, for residuals of unit variance."""
        return self.parameters - (self.mixed @ torch.linalg.inv(self.starts) @ self.mixed.mT).sum(0)


@dataclass(frozen=True)
class LeastSquares:
    """Residuals of a flow's solutions on observed trajectories, in units of a scale of each channel."""

    flow: Flow
    observed: Trajectories
    scale: Float64[Tensor, " dim"]
    substeps: int
    exact: Bool[Tensor, " piece"] | None = None  # pieces whose first state is known and stays as it is; None: no piece

    @property
    def evaluations(self) -> int:
        """Of the velocity, in following a piece once."""
        return (self.observed.states.shape[1] - 1) * self.substeps * EVALUATIONS["rk4"]

    def fit(
        self,
        guesses: Sequence[Mapping[str, Tensor]],
        bounds: Sequence[tuple[str, float, float]],
        iterations: int,
        watch: Callable[[int, Mapping[str, Tensor]], None] = lambda steps, values: None,
    ) -> LeastSquaresFit:
        """Parameters, within their bounds, and initial states of least squares, from the best of the guesses.

        `watch` sees the parameters before each step, and the number of steps so far.
        """
        states = self.observed.states[:, 0]
        current = min(
            (self._point(guess, states, bounds) for guess in guesses), key=lambda point: point.normal.residual
        )
        damping = StepDamping(torch.full((1,), DAMPING, dtype=torch.float64), eased=1 / RAISED, raised=RAISED)
        residuals = [current.normal.residual]
        tried = current

        def try_step(_: Tensor) -> Tensor:
            nonlocal tried
            change, moves = current.normal.step(float(damping.values))
            moved = {name: value + step for (name, value), step in zip(current.values.items(), change, strict=True)}
            tried = self._point(moved, current.states + moves, bounds)
            return torch.tensor([tried.normal.residual], dtype=torch.float64)

        def keep(improved: Tensor) -> None:
            nonlocal current
            current = tried if improved else current

        while residuals[0] < inf and len(residuals) <= iterations:
            watch(len(residuals) - 1, current.values)
            before = current.normal.residual
            damping.improve(torch.tensor([before], dtype=torch.float64), try_step, keep, attempts=1)
            after = current.normal.residual
            residuals.append(after)
            if damping.values > MOST_DAMPED or (after < before and 1 - after / before < SETTLED):
                break
        return LeastSquaresFit(current.values, residuals, len(guesses) + len(residuals) - 1)

    def _point(
        self,
        values: Mapping[str, Tensor],
        states: Float64[Tensor, "piece dim"],
        bounds: Sequence[tuple[str, float, float]],
    ) -> "_Point":
        """Parameters, each put onto the nearest bound where it is beyond it, and the normal equations about them."""
        limits = {name: (low, high) for name, low, high in bounds}
        inside = {name: value.clamp(*limits.get(name, (-inf, inf))) for name, value in values.items()}
        return _Point(inside, states, self.normal(inside, states))

    def normal(self, values: Mapping[str, Tensor], states: Float64[Tensor, "piece dim"]) -> Normal:
        """The normal equations about parameters and initial states; the residual is infinite where they diverge."""
        solved = sensitivities(self.flow, values, states, self.observed.times, self.substeps)
        residuals = ((solved.states - self.observed.states) / self.scale).flatten(1)
        by_parameters = (solved.by_parameters / self.scale).flatten(2)
        by_start = (solved.by_start / self.scale).flatten(2).transpose(0, 1)
        stays = torch.zeros_like(by_start[..., 0])
        if self.exact is not None:
            by_start = by_start.masked_fill(self.exact[:, None, None], 0.0)
            stays = self.exact[:, None].expand_as(stays).to(stays.dtype)
        finite = residuals.isfinite().all() and by_parameters.isfinite().all() and by_start.isfinite().all()
        return Normal(
            float(residuals.square().mean()) if finite else inf,
            torch.einsum("pnr,qnr->pq", by_parameters, by_parameters),
            torch.einsum("pnr,ncr->npc", by_parameters, by_start),
            by_start @ by_start.mT + torch.diag_embed(stays),  # which is never singular
            torch.einsum("pnr,nr->p", by_parameters, residuals),
            torch.einsum("ncr,nr->nc", by_start, residuals),
        )

    def least_deviations(self, values: Mapping[str, Tensor]) -> Float64[Tensor, " parameter"]:
        """Cramer's and Rao's floor of the standard deviation of each parameter, where starts are fitted unless exact.

        The inverse root of Fisher's information of the equations linearised about these values, for residuals of unit
        variance; infinite where the data do not tell the parameters apart. Starts are where the data begin.
        """
        information = self.normal(values, self.fitted_starts(values)).information
        inverse, failed = torch.linalg.inv_ex(information)
        variances = inverse.diagonal()
        known = (variances > 0) & (failed == 0)
        return torch.where(known, variances.clamp(min=0).sqrt(), torch.inf)

    def fitted_starts(self, values: Mapping[str, Tensor]) -> Float64[Tensor, "piece dim"]:
        """The observed first states, moved once to where given parameters suit the other samples best."""
        observed = self.observed.states[:, 0]
        normal = self.normal(values, observed)
        move = torch.linalg.solve(normal.starts, normal.start_slopes[..., None]).squeeze(-1)
        return torch.where(move.isfinite(), observed - move, observed)


@dataclass(frozen=True)
class _Point:
    """Parameters and initial states, and the normal equations about them."""

    values: dict[str, Tensor]
    states: Float64[Tensor, "piece dim"]
    normal: Normal
