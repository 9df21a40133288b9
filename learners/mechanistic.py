"""Known equations with unknown parameters, fitted by least squares together with the states that they start from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import inf
from time import perf_counter

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from learners.base import Budget, CurvePoint, Failure, Learner, Predictor, TrainingLog, Unsuitable
from learners.references import accurate_substeps
from learners.rollout import substeps as rolled
from learners.sensitivities import real_parameters, sensitivities, with_values
from learners.solvers import EVALUATIONS, STEPS
from learners.validation import not_negative, positive
from systems import Dataset, Flow, Trajectories
from systems.calibration import Calibration, Estimate
from systems.configuration import label

Starts = tuple[tuple[str, float], ...]

DAMPING = 1e-3  # of the first step, relative to the curvature of the cost
MOST_DAMPED = 1e12  # where no step is an improvement any more
SETTLED = 1e-9  # relative decrease of the cost at which the fit ends
MOST_SUBSTEPS = 64  # with which a first guess is given a chance to have a finite solution
SOLVER_ERROR = 1e-3  # of the solver in one sampling step, in units of the noise


@dataclass(frozen=True)
class Mechanistic(Learner):
    """The system's own equations; parameters and initial states are fitted to the noisy observations.

    Levenberg's and Marquardt's method on the squared residuals of all samples, of short pieces of the trajectories
    first and of longer ones then, solved by the fourth-order Runge-Kutta method. The same for every seed. One update is
    one step of Levenberg's and Marquardt's.

    Bock, "Recent advances in parameter identification techniques for ODE", 1983; Marquardt, Journal of the Society for
    Industrial and Applied Mathematics 11, 1963.
    """

    start: Starts = ()  # the parameters that are fitted, and from where; none: all, from 1; unknown names are left out
    bounds: tuple[tuple[str, float, float], ...] = ()  # lowest and highest value of a parameter, by name
    window: int = 32  # samples of the pieces that are fitted in the end; 0: whole trajectories
    substeps: int = 0  # Runge-Kutta steps between two samples; 0: as many as keep their error far below the noise
    iterations: int = 60  # steps of the method at the most, for each length of the pieces

    def __post_init__(self) -> None:
        positive(self, "iterations")
        not_negative(self, "window", "substeps")
        if self.window == 1:
            raise ValueError("Mechanistic.window=1 leaves nothing to follow: give at least 2 samples, or 0 for all")
        for name, low, high in self.bounds:
            if not low < high:
                raise ValueError(f"Mechanistic.bounds of {name} must be in increasing order, but are {low} and {high}")

    def fit(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        begun = perf_counter()
        flow, first = known_equations(dataset, self.start)
        values = first
        scale, substeps, iterations = noise_scale(dataset), self.substeps or 1, budget.updates(self.iterations)
        curve, evaluations = [], 0
        for window in self._windows(dataset.train.states.shape[1]):
            while True:
                problem = LeastSquares(flow, pieces(dataset.train, window), scale, substeps)
                found = problem.fit([values, first], self.bounds, iterations)
                values = found.values
                curve += found.residuals
                evaluations += problem.evaluations * len(found.residuals)
                if self.substeps or (needed := self._needed(flow, values, dataset, curve[-1], substeps)) <= substeps:
                    break
                substeps = needed
        problem = LeastSquares(flow, pieces(dataset.train, self.window), scale, substeps)
        calibration = Calibration(estimates(flow, values, problem, dataset), curve[-1])
        seconds = (perf_counter() - begun) / len(seeds)
        points = (CurvePoint(update, loss, loss, seconds, 0.0, 0.0) for update, loss in enumerate(curve, 1))
        failure = Failure("diverged", "the first guess has no finite solution") if curve[-1] == inf else None
        spent = evaluations / len(curve)
        log = TrainingLog(len(curve), seconds, nfe_forward=spent, curve=tuple(points), failure=failure)
        return [FittedEquations(flow, values, dataset.step / substeps, log, calibration)] * len(seeds)

    def _windows(self, samples: int) -> list[int]:
        """Short pieces first: they lead to parameters with which longer ones can be followed."""
        longest = min(self.window or samples, samples)
        return [*takewhile(lambda window: window < longest, (4**power for power in range(1, 20))), longest]

    def _needed(
        self, flow: Flow, values: Mapping[str, Tensor], dataset: Dataset, residual: float, substeps: int
    ) -> int:
        """Steps between two samples that are accurate; where there is no finite solution yet, four times as many."""
        if residual == inf:
            return min(4 * substeps, MOST_SUBSTEPS)
        noise = (observation_noise(dataset) / dataset.std).min()
        return accurate_substeps(with_values(flow, values), dataset, SOLVER_ERROR * float(noise))


def known_equations(dataset: Dataset, start: Starts) -> tuple[Flow, dict[str, Float64[Tensor, ""]]]:
    """The system's equations, and the parameters to fit with their first values. Raises Unsuitable without either."""
    flow = dataset.system
    if not isinstance(flow, Flow) or not dataset.is_complete:
        lacks = f"{label(flow)} has none" if not isinstance(flow, Flow) else "some of them are not observed"
        raise Unsuitable(f"known equations are fitted to all the state variables of a flow, but {lacks}")
    names = real_parameters(flow)
    first = {name: value for name, value in start or [(name, 1.0) for name in names] if name in names}
    if not first:
        given = ", ".join(name for name, _ in start) or "none"
        raise Unsuitable(f"{label(flow)} has the parameters {', '.join(names) or 'none'}, but to be fitted are {given}")
    like = dataset.train.states
    return flow, {name: torch.tensor(value, dtype=like.dtype, device=like.device) for name, value in first.items()}


def pieces(part: Trajectories, window: int) -> Trajectories:
    """Trajectories cut into pieces of `window` samples; what is left over is left out. 0 or too long: not cut."""
    if not 0 < window < part.states.shape[1]:
        return part
    times, states = part.times.unfold(1, window, window), part.states.unfold(1, window, window)
    return Trajectories(times.flatten(0, 1), states.transpose(2, 3).flatten(0, 1))


def noise_scale(dataset: Dataset) -> Float64[Tensor, " dim"]:
    """Standard deviation of the observation noise in each channel; without noise, that of the signal."""
    noise = observation_noise(dataset)
    return noise if (noise > 0).all() else dataset.std


def observation_noise(dataset: Dataset) -> Float64[Tensor, " dim"]:
    return dataset.sampling.noise * dataset.std + dataset.sampling.error


def estimates(
    flow: Flow, values: Mapping[str, Tensor], problem: "LeastSquares", dataset: Dataset
) -> tuple[Estimate, ...]:
    """The fitted parameters beside the true ones, and what the noise allows for data such as those of the problem."""
    true = {name: torch.full_like(value, getattr(flow, name)) for name, value in values.items()}
    floors = problem.least_deviations(true) if observation_noise(dataset).any() else problem.scale.new_zeros(len(true))
    return tuple(
        Estimate(name, float(true[name]), float(values[name]), float(floor))
        for name, floor in zip(values, floors, strict=True)
    )


@dataclass(frozen=True)
class Fit:
    """Where a fit ended, and the mean squared residual after each of its steps."""

    values: dict[str, Tensor]
    residuals: list[float]


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
        step = -torch.linalg.lstsq(matrix, slope[:, None], driver="gelsd").solution.squeeze(-1)
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

    @property
    def evaluations(self) -> int:
        """Of the velocity, in following a piece once."""
        return (self.observed.states.shape[1] - 1) * self.substeps * EVALUATIONS["rk4"]

    def fit(
        self, guesses: Sequence[Mapping[str, Tensor]], bounds: Sequence[tuple[str, float, float]], iterations: int
    ) -> Fit:
        """Parameters, within their bounds, and initial states of least squares, from the best of the guesses."""
        states = self.observed.states[:, 0]
        inside = [within(guess, bounds) for guess in guesses]
        values, current = min(
            ((guess, self.normal(guess, states)) for guess in inside), key=lambda one: one[1].residual
        )
        residuals, damping = [current.residual], DAMPING
        if current.residual == inf:
            return Fit(values, residuals)
        for _ in range(iterations):
            change, moves = current.step(damping)
            moved = {name: value + step for (name, value), step in zip(values.items(), change, strict=True)}
            moved, shifted = within(moved, bounds), states + moves
            trial = self.normal(moved, shifted)
            residuals.append(min(trial.residual, current.residual))
            if not trial.residual < current.residual:
                damping *= 8
                if damping > MOST_DAMPED:
                    break
                continue
            gain = 1 - trial.residual / current.residual
            values, states, current, damping = moved, shifted, trial, damping / 8
            if gain < SETTLED:
                break
        return Fit(values, residuals)

    def normal(self, values: Mapping[str, Tensor], states: Float64[Tensor, "piece dim"]) -> Normal:
        """The normal equations about parameters and initial states; the residual is infinite where they diverge."""
        solved = sensitivities(self.flow, values, states, self.observed.times, self.substeps)
        residuals = ((solved.states - self.observed.states) / self.scale).flatten(1)
        by_parameters = (solved.by_parameters / self.scale).flatten(2)
        by_start = (solved.by_start / self.scale).flatten(2).transpose(0, 1)
        finite = residuals.isfinite().all() and by_parameters.isfinite().all() and by_start.isfinite().all()
        return Normal(
            float(residuals.square().mean()) if finite else inf,
            torch.einsum("pnr,qnr->pq", by_parameters, by_parameters),
            torch.einsum("pnr,ncr->npc", by_parameters, by_start),
            by_start @ by_start.mT,
            torch.einsum("pnr,nr->p", by_parameters, residuals),
            torch.einsum("ncr,nr->nc", by_start, residuals),
        )

    def least_deviations(self, values: Mapping[str, Tensor]) -> Float64[Tensor, " parameter"]:
        """Cramer's and Rao's floor of the standard deviation of each parameter, where the starts are fitted too.

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


def within(values: Mapping[str, Tensor], bounds: Sequence[tuple[str, float, float]]) -> dict[str, Tensor]:
    """The values, put onto the nearest bound where they are beyond it."""
    limits = {name: (low, high) for name, low, high in bounds}
    return {name: value.clamp(*limits.get(name, (-inf, inf))) for name, value in values.items()}


class FittedEquations(Predictor):
    """The known equations with fitted parameters, by the fourth-order Runge-Kutta method in float64."""

    def __init__(
        self, flow: Flow, values: Mapping[str, Tensor], step: float, log: TrainingLog, calibration: Calibration
    ) -> None:
        self.flow, self.values, self.step = with_values(flow, values), values, step
        self.log, self.calibration = log, calibration

    @property
    def parameters(self) -> int:
        return len(self.values)

    def encode(self, past: Trajectories) -> Float[Tensor, "batch dim"]:
        return past.states[:, -1]

    def decode(self, state: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        return state

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        def advance(x: Float[Tensor, "batch dim"], steps: float) -> Float[Tensor, "batch dim"]:
            return STEPS["rk4"](self.flow.velocity, x, steps * self.step)

        return rolled(advance, EVALUATIONS["rk4"])(state, [offset / self.step for offset in offsets])

    def weights(self) -> dict[str, Tensor]:
        return {name: value.reshape(1) for name, value in self.values.items()}
