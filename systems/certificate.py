"""Certificates: what a system is held to, by theory, by published values and by a committed digest of its data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from math import floor, inf, isfinite, log10, nan, pi, sqrt
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float64

from systems.base import Flow, System
from systems.configuration import label
from systems.kuramoto_sivashinsky import KuramotoSivashinsky
from systems.lorenz import Lorenz
from systems.lorenz96 import Lorenz96
from systems.lotka_volterra import LotkaVolterra
from systems.lyapunov import Spectrum, flow_spectrum, leading_exponent, lyapunov_spectrum
from systems.rossler import Rossler
from systems.sampling import Sampling
from systems.spiral import LinearSpiral
from systems.van_der_pol import VanDerPol

TIGHTER = 1e-12  # tolerance of the solution that the reference solution is compared with
LONGEST = Sampling().horizon  # of the forecasts that are scored, in timescales
SAMPLES = 5  # of both solutions, in a timescale
AGREEMENT = 0.05  # difference of two solutions in standard deviations, beyond which the truth is no longer known

Solution = Float64[np.ndarray, "batch time dim"]


@dataclass(frozen=True)
class Check:
    """One line of a certificate: a value is `about` what is expected, within the tolerance, or `at least` as much."""

    name: str
    value: float | str
    expected: float | str
    tolerance: float
    source: str
    kind: Literal["about", "at least"] = "about"

    @property
    def passed(self) -> bool:
        if isinstance(self.value, str) or isinstance(self.expected, str):
            return self.value == self.expected
        if self.kind == "at least":
            return self.value >= self.expected - self.tolerance
        return abs(self.value - self.expected) <= self.tolerance


@dataclass(frozen=True)
class Certificate:
    """What was checked of one system."""

    system: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


@dataclass(frozen=True)
class Chaos:
    """What is known of an attractor, and the runs that measure it; times in timescales."""

    leading: tuple[float, float]  # exponent, and how well a long run agrees with it
    dimension: tuple[float, float] | None  # Kaplan-Yorke
    source: str
    states: int = 100
    warm_up: float = 6.0
    time: float = 6.0


@dataclass(frozen=True)
class Orbit:
    """What is known of a period: that of the upward crossings of `level` by the first state variable."""

    period: float
    start: tuple[float, float]
    source: str
    level: float = 0.0
    settle: int = 0  # timescales before the first crossing counts
    accuracy: float = 1e-5  # relative


SPROTT = "Sprott 2003"
TWO_CODES = "two codes"
CHAOTIC: dict[System, Chaos] = {
    Lorenz(): Chaos((0.9056, 0.005), (2.062, 0.005), SPROTT, states=300, time=5.0),
    Rossler(): Chaos((0.0714, 0.003), (2.013, 0.005), SPROTT, states=150, time=4.0),
    Lorenz96(): Chaos((1.17, 0.05), None, "200 long runs", states=400, time=10.0),
    Lorenz96(sites=40): Chaos((1.68, 0.03), (27.0, 0.5), TWO_CODES, states=30, warm_up=10.0, time=25.0),
    KuramotoSivashinsky(): Chaos((0.047, 0.004), (4.2, 0.15), "Edson 2019", states=24, time=10.0),
}
ORBITS: dict[System, Orbit] = {
    LinearSpiral(): Orbit(2 * pi, (1.0, 0.0), "closed form", accuracy=1e-9),
    LotkaVolterra(): Orbit(2 * pi / sqrt(4.5), (3.0, 1.5001), "linearised", level=3.0, accuracy=1e-6),
    **{
        VanDerPol(mu): Orbit(period, (2.0, 0.0), TWO_CODES, settle=8)
        for mu, period in ((1.0, 6.66329), (5.0, 11.6122), (100.0, 162.837), (1000.0, 1614.401))
    },
}
DIGESTS = {
    "CubicSpiral": "0b32241950d3",
    "DoublePendulum": "1f4a3ed69e88",
    "HenonHeiles": "deb00791bdba",
    "KuramotoSivashinsky": "09b79bab9220",
    "LinearSpiral": "a0a1fd4a0e3e",
    "Lorenz": "80baf25d4f70",
    "Lorenz96": "43e698b189f4",
    "LotkaVolterra": "16a9ba07c14c",
    "Robertson": "3eb8536b3c15",
    "Rossler": "66229b3fcabf",
    "TwoCentre": "b37d85823be6",
    "VanDerPol": "5525b9d0b9f9",
}


def certify(system: System, seed: int = 0) -> Certificate:
    """Hold a system to all that is known of it; what can only be compared with a published value is where there is one.

    The committed digest is that of seed 0. A check that cannot be made, since no finite solution is found, fails.
    """
    checks = [_convergence, _ground_truth, _spectrum, _period, _invariant, _digest]
    return Certificate(label(system), tuple(line for check in checks for line in _lines(check, system, seed)))


def _lines(check: Callable[[System, int], Iterator[Check]], system: System, seed: int) -> Iterator[Check]:
    try:
        yield from check(system, seed)
    except FloatingPointError as error:
        yield Check(check.__name__.strip("_").replace("_", " "), nan, 0.0, 0.0, str(error))


def _states(system: System, count: int, seed: int) -> Float64[np.ndarray, "count dim"]:
    return system.initial_states(count, np.random.default_rng(seed))


@lru_cache(maxsize=1)
def _pair(system: System, seed: int) -> tuple[Float64[np.ndarray, " time"], Solution, Solution]:
    """Times in timescales, the reference solution, and one of a tighter tolerance."""
    horizon = LONGEST * (2 if system.timescale_name == "Lyapunov time" else 1)
    if isinstance(system, KuramotoSivashinsky):
        horizon = 1.0  # its small steps would take minutes beyond
    times = np.linspace(0.0, horizon, 1 + round(SAMPLES * horizon))
    initial = _states(system, 4, seed)
    clock = times * system.timescale
    return times, system.solve(initial, clock), system.solve(initial, clock, TIGHTER)


def _convergence(system: System, seed: int) -> Iterator[Check]:
    """Error of the reference solution within one timescale."""
    _, solution, finer = _pair(system, seed)
    error = abs(solution - finer)[:, : SAMPLES + 1].max() / abs(finer[:, : SAMPLES + 1]).max()
    yield Check("error within one timescale", float(error), 0.0, 1e-8, "tighter run")


def _ground_truth(system: System, seed: int) -> Iterator[Check]:
    """How long the reference solution is the truth: no valid prediction time beyond it means anything."""
    times, solution, finer = _pair(system, seed)
    if times[-1] < LONGEST:
        return
    scale = finer.std(axis=(0, 1)) + np.finfo(float).tiny
    apart = (np.sqrt((((solution - finer) / scale) ** 2).mean(axis=2)) > AGREEMENT).any(axis=0)
    agreed = times[apart.argmax()] if apart.any() else times[-1]
    yield Check("valid ground-truth time", float(agreed), LONGEST, 0.0, "forecasts", "at least")


def _invariant(system: System, seed: int) -> Iterator[Check]:
    """What a conservative system conserves."""
    if conserved := _conserved(system):
        _, solution, _ = _pair(system, seed)
        values = conserved(torch.from_numpy(solution)).numpy()
        drift = abs(values - values[:, :1]).max() / abs(values[:, :1]).max()
        yield Check("drift of the invariant", float(drift), 0.0, 1e-9, "theory")


def _spectrum(system: System, seed: int) -> Iterator[Check]:
    """The Lyapunov spectrum of a chaotic system, against theory and published values."""
    if system.timescale_name != "Lyapunov time" or not isinstance(system, Flow):
        return
    known = CHAOTIC.get(system)
    spectrum = _measured(system, known or Chaos((nan, inf), None, ""), seed)
    exponents = spectrum.exponents
    if known:
        leading, agreement = known.leading
        low, high = spectrum.interval[:, 0]
        tolerance = agreement + (high - low) / 2  # short runs also scatter: half the 95 % interval comes on top
        value = leading_exponent(spectrum) if system.dim == 3 else float(exponents[0])
        yield Check("largest Lyapunov exponent", value, leading, tolerance, known.source)
    if spectrum.interval[0, 0] > 0:
        neutral = float(exponents[abs(exponents).argmin()])
        yield Check("exponent along the flow", neutral, 0.0, 0.08 / system.timescale, "theory")
    if spectrum.divergence is not None:
        total = float(exponents.sum())
        tolerance = 0.002 * abs(exponents).sum()
        yield Check("sum of the exponents", total, spectrum.divergence, tolerance, "Jacobian")
    if known and known.dimension:
        expected, tolerance = known.dimension
        yield Check("Kaplan-Yorke dimension", spectrum.kaplan_yorke, expected, tolerance, known.source)


def _measured(system: Flow, runs: Chaos, seed: int) -> Spectrum:
    states = torch.from_numpy(_states(system, runs.states, seed))
    if isinstance(system, KuramotoSivashinsky):
        return _field_spectrum(system, states, runs)
    return flow_spectrum(system, states, runs.time * system.timescale, warm_up=runs.warm_up * system.timescale)


def _field_spectrum(system: KuramotoSivashinsky, states: torch.Tensor, runs: Chaos) -> Spectrum:
    """Of the leading exponents among fields of zero mean: the mean itself, being conserved, would add another zero."""

    def step(u: torch.Tensor) -> torch.Tensor:
        following = system.propagate(u, 2.0, 0.25)
        return following - following.mean(dim=-1, keepdim=True)

    steps, warm_up = (round(length * system.timescale / 2.0) for length in (runs.time, runs.warm_up))
    return lyapunov_spectrum(step, states, steps, warm_up=warm_up, duration=2.0, leading=8)


def _period(system: System, seed: int) -> Iterator[Check]:
    if orbit := ORBITS.get(system):
        measured = period(system, orbit)
        yield Check("period", measured, orbit.period, orbit.accuracy * orbit.period, orbit.source)


def period(system: System, orbit: Orbit) -> float:
    """Time between the first two upward crossings of the orbit's level, each found by ever finer sampling."""
    start = np.array([orbit.start])
    if orbit.settle:
        start = system.solve(start, np.linspace(0.0, orbit.settle * system.timescale, 20 * orbit.settle + 1))[:, -1]
    times = np.linspace(0.0, 2.3 * system.timescale, 461)
    solution = system.solve(start, times)
    above = solution[0, :, 0] - orbit.level
    before = np.flatnonzero((above[:-1] <= 0) & (above[1:] > 0))[:2]
    if len(before) < 2:
        return inf
    first, second = (times[index] + _crossing(system, solution[:, index], times[1], orbit.level) for index in before)
    return float(second - first)


def _crossing(system: System, state: Float64[np.ndarray, "1 dim"], width: float, level: float) -> float:
    """Time until the first variable crosses the level, which it does within `width`."""
    passed = 0.0
    for _ in range(3):
        times = np.linspace(0.0, width, 33)
        solution = system.solve(state, times)
        index = int((solution[0, :, 0] > level).argmax()) - 1
        passed, width, state = passed + times[index], times[1], solution[:, index]
    last, following = system.solve(state, np.array([0.0, width]))[0, :, 0] - level
    return float(passed - width * last / (following - last))


def _conserved(system: System) -> Callable[[torch.Tensor], torch.Tensor] | None:
    if isinstance(system, LotkaVolterra):
        return partial(_volterra, system)
    return getattr(system, "energy", None)


def _volterra(system: LotkaVolterra, x: torch.Tensor) -> torch.Tensor:
    prey, predators = x.unbind(-1)
    return system.g * prey - system.d * prey.log() + system.b * predators - system.a * predators.log()


def _digest(system: System, seed: int) -> Iterator[Check]:
    committed = DIGESTS.get(label(system))
    if committed and seed == 0:
        yield Check("digest of the first batch", digest(system), committed, 0.0, "committed")


def digest(system: System) -> str:
    """A fingerprint of the first initial states, and of the solution from them, that holds on every machine.

    Initial states are rounded to four digits, so that what chaos amplified on the way to them is lost, and the solution
    from there, over less than a timescale, to ten.
    """
    initial = _rounded(_states(system, 4, 0), 4)
    solution = system.solve(initial, np.arange(16) * (Sampling().step * system.timescale))
    digits = np.rint(solution * 10.0 ** _decimals(solution, 10)).astype("<i8")
    return sha256(digits.tobytes()).hexdigest()[:12]


def _rounded(states: Float64[np.ndarray, "*shape"], digits: int) -> Float64[np.ndarray, "*shape"]:
    return np.round(states, _decimals(states, digits))


def _decimals(states: Any, digits: int) -> int:
    """Decimals that leave this many digits to the largest number."""
    largest = float(abs(states).max())
    return digits - 1 - floor(log10(largest)) if largest > 0 and isfinite(largest) else 0
