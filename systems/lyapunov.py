"""Lyapunov spectra: how fast nearby states of any map or flow part, by QR on the tangent map."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice

import numpy as np
import torch
from jaxtyping import Float, Float64
from scipy.stats import t as student
from torch import Tensor

from systems.base import Flow
from systems.solvers.dop853 import STATISTICS_TOLERANCE
from systems.solvers.fixed import classical_rk4
from systems.tangents import Push, StateFunction, along_imaginary, push_forward

CONFIDENCE = 0.95
STEP_ERROR = 3e-5  # of one Runge-Kutta step, root mean square, in standard deviations of the state: see `step_size`
FAITHFUL = 1.0  # of a step times the fastest rate, up to which the Runge-Kutta scheme decays at it, within 2 %
POWERS = 10  # of a Jacobian, from which its largest eigenvalue is taken, after as many to find the direction
AHEAD = 16  # times after the start at which the step is checked, too
STEPS_A_QR = 8  # Runge-Kutta steps between two orthonormalisations
LONGER = 2  # times that a spectrum which has not converged is measured again, each time for twice as long


@dataclass(frozen=True)
class Spectrum:
    """Lyapunov exponents per unit of time, largest first, as means over trajectories."""

    per_trajectory: Float64[np.ndarray, "batch exponents"]
    complete: bool  # whether there is one exponent for each dimension of the state
    divergence: float | None = None  # time mean of the growth of volumes, which the sum has to equal
    drift: Float64[np.ndarray, "batch exponents"] | None = None  # from the first half of the time to the second

    @property
    def exponents(self) -> Float64[np.ndarray, " exponents"]:
        return self.per_trajectory.mean(axis=0)

    @property
    def interval(self) -> Float64[np.ndarray, "2 exponents"]:
        """Confidence interval (95 %) of each exponent's mean over trajectories; infinite for a single one.

        It is wider by what drifts for certain: an exponent that has not converged is off by about as much.
        """
        reach = margin(self.per_trajectory, 1 - CONFIDENCE) + self.certain_drift
        return np.stack([self.exponents - reach, self.exponents + reach])

    @property
    def certain_drift(self) -> Float64[np.ndarray, " exponents"]:
        """By how much the two halves of the time differ beyond chance, 95 % for all exponents together.

        0 where they agree: the tangent vectors have found their directions, and the trajectories their attractor.
        """
        if self.drift is None or len(self.drift) == 1:
            return np.zeros_like(self.exponents)
        chance = margin(self.drift, (1 - CONFIDENCE) / self.drift.shape[1])
        return np.maximum(abs(self.drift.mean(axis=0)) - chance, 0.0)

    @property
    def kaplan_yorke(self) -> float:
        """Kaplan-Yorke dimension; NaN where more exponents are needed than were computed."""
        return kaplan_yorke(self.exponents, self.complete)

    def per(self, duration: float) -> "Spectrum":
        """The exponents per `duration`, such as a system's timescale, instead of per unit of time."""
        divergence = None if self.divergence is None else self.divergence * duration
        drift = None if self.drift is None else self.drift * duration
        return replace(self, per_trajectory=self.per_trajectory * duration, divergence=divergence, drift=drift)


def margin(values: Float64[np.ndarray, "batch exponents"], level: float) -> Float64[np.ndarray, " exponents"]:
    """Half of the width of Student's interval, at a level such as 0.05, of the mean over trajectories.

    Infinite for a single one.
    """
    count = len(values)
    if count == 1:
        return np.full(values.shape[1], np.inf)
    return student.ppf(1 - level / 2, count - 1) * values.std(axis=0, ddof=1) / np.sqrt(count)


def kaplan_yorke(exponents: Float64[np.ndarray, " exponents"], complete: bool = True) -> float:
    """Dimension of the attractor with this spectrum: j + (l_1 + ... + l_j) / |l_{j+1}| for the last sum >= 0.

    0 where all exponents are negative, their number where their sum is not; NaN in the latter case if the spectrum is
    not `complete`.

    Kaplan and Yorke, "Chaotic behavior of multidimensional difference equations", Springer LNM 730, 1979.
    """
    ordered = np.sort(exponents)[::-1]
    sums = np.cumsum(ordered)
    if sums[-1] >= 0:
        return float(len(sums)) if complete else np.nan
    whole = int((sums < 0).argmax())
    return whole + float(sums[whole - 1] / abs(ordered[whole])) if whole else 0.0


def leading_exponent(spectrum: Spectrum) -> float:
    """The leading exponent of a chaotic flow, with about half of the sampling error of its mean over trajectories.

    What its finite-time values share with those of the exponent along the flow, which is known to be 0, is taken out by
    regression: the method of control variates.
    """
    leading, others = spectrum.per_trajectory[:, 0], spectrum.per_trajectory[:, 1:]
    neutral = others[:, abs(others.mean(axis=0)).argmin()]
    slope = np.cov(leading, neutral)[0, 1] / neutral.var(ddof=1)
    return float(leading.mean() - slope * neutral.mean())


def lyapunov_spectrum(
    step: StateFunction,
    states: Float[Tensor, "batch *state"],
    steps: int,
    *,
    warm_up: int = 0,
    duration: float = 1.0,
    leading: int | None = None,
    trace: StateFunction | None = None,
    push: Push | None = None,
    converged: Callable[[Spectrum], bool] | None = None,
) -> Spectrum:
    """The spectrum of a map of a batch of states, each of any shape, in the precision of `states`.

    Many short runs in place of a long one: tangent vectors are carried along by forward-mode differentiation and
    orthonormalised after each step. `warm_up` steps come before the `steps` that count, and must be enough for the
    vectors to find their directions. One step takes `duration`; only the `leading` exponents are computed if that is
    given. `trace` gives the growth of volumes at each state, of a flow the trace of its Jacobian; `push` is how
    derivatives are taken. While a spectrum has not `converged`, all before counts as warm-up, and twice as many steps
    are measured, at most two times.
    A direction that the map destroys counts as shrinking by the smallest number of the precision. Raises
    FloatingPointError where a trajectory leaves the finite numbers, and ValueError where the numbers asked for make no
    sense.

    Benettin et al., Meccanica 15, 1980; Shimada and Nagashima, Progress of Theoretical Physics 61, 1979.
    """
    size = states[0].numel()
    vectors = size if leading is None else leading
    if not 1 <= vectors <= size or steps < 1 or warm_up < 0:
        raise ValueError(
            f"a spectrum needs 1 <= leading <= {size} (the size of a state), steps >= 1 and warm_up >= 0, "
            f"but has leading={vectors}, steps={steps}, warm_up={warm_up}"
        )
    stretches = _stretches(step, states, vectors, push or push_forward)
    if warm_up:
        states, _ = next(islice(stretches, warm_up - 1, None))
    again = LONGER
    while True:
        growth = torch.zeros((2, len(states), vectors), dtype=torch.float64, device=states.device)  # in both halves
        traces = [trace(states).mean().item()] if trace else []
        for index, (states, stretch) in enumerate(islice(stretches, steps)):
            growth[int(2 * index >= steps)] += stretch.double().clamp_min(torch.finfo(stretch.dtype).tiny).log()
            traces += [trace(states).mean().item()] if trace else []
        first, second = growth.cpu().numpy()
        rates = (first + second) / (steps * duration)
        order = np.argsort(-rates.mean(axis=0))
        drift = (second / (steps // 2) - first / (steps - steps // 2))[:, order] / duration if steps > 1 else None
        divergence = float(np.trapezoid(traces) / steps) if trace else None
        found = Spectrum(rates[:, order], vectors == size, divergence, drift)
        if again == 0 or converged is None or converged(found):
            return found
        again -= 1
        steps = 2 * steps


def _stretches(
    step: StateFunction, states: Float[Tensor, "batch *state"], vectors: int, push: Push
) -> Iterator[tuple[Float[Tensor, "batch *state"], Float[Tensor, "batch vectors"]]]:
    """The states after each step, and by how much it has stretched each of so many orthonormal vectors."""
    size = states[0].numel()
    draws = torch.randn((len(states), size, vectors), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    frame = torch.linalg.qr(draws).Q.to(states)
    for index in count(1):
        # Each state is repeated for each of its vectors, so that `step` is called as it always is, with one batch.
        tangents = frame.mT.reshape(-1, *states.shape[1:])
        following, pushed = push(step, states.repeat_interleave(vectors, dim=0), tangents)
        frame, triangle = torch.linalg.qr(pushed.reshape(-1, vectors, size).mT)
        states = following[::vectors].clone()
        stretch = triangle.diagonal(dim1=1, dim2=2).abs()
        if not (torch.isfinite(states).all() and torch.isfinite(stretch).all()):
            raise FloatingPointError(f"a trajectory or its tangent left the finite numbers in step {index}")
        yield states, stretch


def flow_spectrum(
    flow: Flow,
    states: Float64[Tensor, "batch dim"],
    time: float,
    *,
    warm_up: float,
    step: float | None = None,
    leading: int | None = None,
) -> Spectrum:
    """The spectrum of an autonomous flow over `time` after `warm_up`, both rounded up to whole steps of the scheme.

    Integrated by the classical Runge-Kutta scheme with a fixed `step`, by default that of `step_size`, both where the
    runs begin and where they lead.
    """
    h = min(step_size(flow, part) for part in (states, _ahead(flow, states))) if step is None else step
    push = along_imaginary if is_analytic(flow, states) else push_forward

    def several_steps(x: Tensor) -> Tensor:
        for _ in range(STEPS_A_QR):
            x = classical_rk4(flow.velocity, x, h)
        return x

    duration = STEPS_A_QR * h
    count, discarded = (int(np.ceil(length / duration - 1e-9)) for length in (time, warm_up))
    return lyapunov_spectrum(
        several_steps,
        states,
        count,
        warm_up=discarded,
        duration=duration,
        leading=leading,
        trace=lambda x: divergence(flow, x, push),
        push=push,
    )


def step_size(flow: Flow, states: Float64[Tensor, "batch dim"]) -> float:
    """The largest of timescale / 32, / 64, ... that changes typical states too little, when halved, to matter.

    Halving it once more moves the exponents of the chaotic systems by less than a fifth of their tolerances. It is one
    at which the scheme decays as fast as the flow, too: where what decays fast has decayed, errors do not tell, and
    small distances shrink all the same.
    """
    spread = states.std(dim=0)
    size = states.abs().mean(dim=0)
    scale = torch.where(spread > 0, spread, size) + torch.finfo(states.dtype).tiny  # of each channel, in its own unit
    fastest = _fastest_rate(flow, states)
    h = flow.timescale / 32
    for _ in range(20):
        halved = classical_rk4(flow.velocity, classical_rk4(flow.velocity, states, h / 2), h / 2)
        error = (classical_rk4(flow.velocity, states, h) - halved) / scale
        if error.square().mean().sqrt() <= STEP_ERROR and h * fastest <= FAITHFUL:
            return h
        h /= 2
    raise FloatingPointError(f"{flow} needs explicit steps below {h:g}: it is too stiff for this spectrum")


def _fastest_rate(flow: Flow, states: Float64[Tensor, "batch dim"]) -> float:
    """The largest absolute eigenvalue of the Jacobians of the velocity at these states, by power iteration."""
    tangents = torch.randn(states.shape, dtype=states.dtype, generator=torch.Generator().manual_seed(0))
    growth = torch.zeros(len(states), dtype=states.dtype)
    for iteration in range(-POWERS, POWERS):
        tangents = push_forward(lambda x: flow.velocity(0.0, x), states, tangents)[1]
        size = tangents.norm(dim=1, keepdim=True).clamp_min(torch.finfo(states.dtype).tiny)
        tangents = tangents / size
        growth += size[:, 0].log() if iteration >= 0 else 0.0
    return float((growth / POWERS).exp().max())


def _ahead(flow: Flow, states: Float64[Tensor, "batch dim"]) -> Float64[Tensor, "later dim"]:
    """States of the trajectories in the next ten timescales, some of which may be faster than all at the start.

    Their distance is the golden section of a timescale, so that they fall on all phases of a cycle.
    """
    times = flow.timescale * (np.sqrt(5) - 1) / 2 * np.arange(AHEAD + 1)
    return torch.from_numpy(flow.solve(states.numpy(), times, STATISTICS_TOLERANCE)[:, 1:].reshape(-1, flow.dim))


def divergence(flow: Flow, states: Float[Tensor, "batch dim"], push: Push | None = None) -> Float[Tensor, " batch"]:
    """Trace of the Jacobian of the velocity at each state."""
    size = states.shape[1]
    axes = torch.eye(size, dtype=states.dtype, device=states.device).repeat(len(states), 1)
    push = push or push_forward
    _, columns = push(lambda x: flow.velocity(0.0, x), states.repeat_interleave(size, dim=0), axes)
    return (columns * axes).sum(dim=1).reshape(len(states), size).sum(dim=1)


def log_volume(step: StateFunction, states: Float[Tensor, "batch dim"]) -> Float[Tensor, " batch"]:
    """Logarithm of the factor by which a step of a map stretches volumes at each state."""
    size = states.shape[1]
    axes = torch.eye(size, dtype=states.dtype, device=states.device).repeat(len(states), 1)
    _, columns = push_forward(step, states.repeat_interleave(size, dim=0), axes)
    return torch.linalg.slogdet(columns.reshape(-1, size, size)).logabsdet


def is_analytic(flow: Flow, states: Float[Tensor, "batch dim"]) -> bool:
    """Whether a velocity takes complex states and has its derivative along an imaginary direction."""
    few = states[:4]
    tangents = torch.ones_like(few)
    exact = push_forward(lambda x: flow.velocity(0.0, x), few, tangents)[1]
    try:
        imaginary = along_imaginary(lambda x: flow.velocity(0.0, x), few, tangents)[1]
    except (RuntimeError, TypeError, NotImplementedError):
        return False
    return torch.allclose(imaginary, exact, rtol=1e-9, atol=1e-9 * float(exact.abs().max()))
