"""Known equations with unknown parameters, fitted by least squares together with the states that they start from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from time import perf_counter

import torch
from jaxtyping import Float64
from torch import Tensor, nn

from learners.base import Budget, CurvePoint, Failure, Learner, Predictor, TrainingLog, Unsuitable
from learners.equations.least_squares import LeastSquares
from learners.equations.sensitivities import real_parameters, with_values
from learners.solvers.accurate import accurate_substeps, fitted_equations
from learners.training.callbacks import TrainingState, call_back
from learners.validation import not_negative, positive
from systems import Dataset, Flow, Trajectories
from systems.calibration import Calibration, EstimatedParameter
from systems.configuration import label

Starts = tuple[tuple[str, float], ...]

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
    substeps: int = 0  # Runge-Kutta steps between two samples in the fit; 0: so many that they err far below the noise
    iterations: int = 60  # steps of the method at the most, for each length of the pieces

    def __post_init__(self) -> None:
        positive(self, "iterations")
        not_negative(self, "window", "substeps")
        if self.window == 1:
            raise ValueError("Mechanistic.window=1 leaves nothing to follow: give at least 2 samples, or 0 for all")
        for name, low, high in self.bounds:
            if not low < high:
                raise ValueError(f"Mechanistic.bounds of {name} must be in increasing order, but are {low} and {high}")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        begun = perf_counter()
        flow, first = equations_and_guess(dataset, self.start)
        values = first
        scale = noise_scale(dataset)
        substeps = self.substeps or 1
        iterations = budget.updates(self.iterations)
        curve = []
        evaluations = 0
        seen = 0
        samples = dataset.train.states.shape[1]
        longest = min(self.window or samples, samples)
        # Short pieces first: they lead to parameters with which longer ones can be followed.
        windows = (*(4**power for power in range(1, 20) if 4**power < longest), longest)

        def watch(steps: int, values: Mapping[str, Tensor]) -> None:
            network = nn.ParameterDict({name: value.reshape(1) for name, value in values.items()})
            call_back(TrainingState(len(curve) + steps, len(windows) * iterations, network, list(network.values())))

        for window in windows:
            while True:
                problem = least_squares(flow, dataset, window, scale, substeps)
                found = problem.fit([values, first], self.bounds, iterations, watch)
                values = found.values
                curve += found.residuals
                evaluations += problem.evaluations * found.passes
                seen += problem.observed.states[..., 0].numel() * found.passes
                if self.substeps or (needed := self._needed(flow, values, dataset, curve[-1], substeps)) <= substeps:
                    break
                substeps = needed
        problem = least_squares(flow, dataset, self.window, scale, substeps)
        calibration = Calibration(estimates(flow, values, problem, dataset), curve[-1])
        seconds = (perf_counter() - begun) / len(seeds)
        failure = Failure("diverged", "the first guess has no finite solution") if curve[-1] == inf else None
        forward = evaluations / len(curve)
        spent = forward, 2 * (len(values) + dataset.dim) * forward  # these for central differences
        points = (CurvePoint(update, loss, loss, seconds, *spent) for update, loss in enumerate(curve, 1))
        log = TrainingLog(
            len(curve), seconds, *spent, samples=seen, together=len(seeds), curve=tuple(points), failure=failure
        )
        return [calibrated(flow, values, dataset, log, calibration)] * len(seeds)

    def _needed(
        self, flow: Flow, values: Mapping[str, Tensor], dataset: Dataset, residual: float, substeps: int
    ) -> int:
        """Steps between two samples that are accurate; where there is no finite solution yet, four times as many."""
        if residual == inf:
            return min(4 * substeps, MOST_SUBSTEPS)
        noise = (observation_noise(dataset) / dataset.std).min()
        return accurate_substeps(with_values(flow, values), dataset, SOLVER_ERROR * float(noise))


def equations_and_guess(dataset: Dataset, start: Starts) -> tuple[Flow, dict[str, Float64[Tensor, ""]]]:
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


def least_squares(
    flow: Flow, dataset: Dataset, window: int, scale: Float64[Tensor, " dim"], substeps: int
) -> LeastSquares:
    """The fit to pieces of the training trajectories, whose starts are known where a trajectory is exact at its own."""
    cut = pieces(dataset.train, window)
    exact = None
    if dataset.sampling.exact_start:
        exact = torch.arange(len(cut), device=cut.states.device) % (len(cut) // len(dataset.train)) == 0
    return LeastSquares(flow, cut, scale, substeps, exact)


def noise_scale(dataset: Dataset) -> Float64[Tensor, " dim"]:
    """Standard deviation of the observation noise in each channel; without noise, that of the signal."""
    noise = observation_noise(dataset)
    return noise if (noise > 0).all() else dataset.std


def observation_noise(dataset: Dataset) -> Float64[Tensor, " dim"]:
    """Standard deviation of the observation noise, `noise` times that of the signal, which the data hide, plus `error`.

    The variance of the data is that of both: std^2 = signal^2 + (noise signal + error)^2.
    """
    noise, error = dataset.sampling.noise, dataset.sampling.error
    variance = dataset.std**2 * (1 + noise**2) - error**2
    signal = (variance.clamp_min(0.0).sqrt() - noise * error) / (1 + noise**2)
    return noise * signal.clamp_min(0.0) + error


def estimates(
    flow: Flow, values: Mapping[str, Tensor], problem: "LeastSquares", dataset: Dataset
) -> tuple[EstimatedParameter, ...]:
    """The fitted parameters beside the true ones, and what the noise allows for data such as those of the problem."""
    true = {name: torch.full_like(value, getattr(flow, name)) for name, value in values.items()}
    floors = problem.least_deviations(true) if observation_noise(dataset).any() else problem.scale.new_zeros(len(true))
    return tuple(
        EstimatedParameter(name, float(true[name]), float(values[name]), float(floor))
        for name, floor in zip(values, floors, strict=True)
    )


def calibrated(
    flow: Flow, values: Mapping[str, Tensor], dataset: Dataset, log: TrainingLog, calibration: Calibration
) -> Predictor:
    """The known equations with fitted parameters."""
    weights = {name: value.reshape(1) for name, value in values.items()}
    predictor = fitted_equations(with_values(flow, values).velocity, dataset, weights, len(weights))
    predictor.log, predictor.calibration, predictor.parameters_at = log, calibration, _as_they_are
    return predictor


def _as_they_are(weights: Mapping[str, Tensor]) -> dict[str, float]:
    """The parameters that are learned: each is a weight."""
    return {name: float(value) for name, value in weights.items()}
