"""Certificates: what a system is held to, by theory, by published values and by a committed digest of its data."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from math import floor, inf, isfinite, log10, nan
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float64

from systems.base import Flow, Map, Simulated, Solution, States, System
from systems.certificates.strong_order import SCHEMES, strong_order, theoretical_order
from systems.configuration import label
from systems.ground_truth import disagreement
from systems.html import html_table
from systems.lyapunov import Spectrum, flow_spectrum, leading_exponent, log_volume, lyapunov_spectrum
from systems.protocol import Sampling
from systems.published import Attractor, Orbit, known_of
from systems.stochastic import Stochastic

TIGHTER = 1e-12  # tolerance of the solution that the reference solution is compared with
LONGEST = Sampling().horizon  # of the forecasts that are scored, in timescales
SAMPLES = 5  # of both solutions, in a timescale
UNIT = 0.02  # relative error that the timescale of a chaotic system may have


@dataclass(frozen=True)
class Check:
    """One line of a certificate: a value is `about` what is expected, within the tolerance, or `at least` as much."""

    name: str
    value: float | str
    expected: float | str
    tolerance: float
    source: str
    kind: Literal["about", "at least"] = "about"
    margin: float = 0.0  # half of the confidence interval (95 %) of the value, where it was measured on a sample

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

    def __repr__(self) -> str:
        failed = [check.name for check in self.checks if not check.passed]
        ending = f"failed: {', '.join(failed)}" if failed else "all passed"
        return f"Certificate({self.system}, {len(self.checks)} checks, {ending})"

    def _repr_html_(self) -> str:
        rows = [
            (check.name, check.value, check.expected, check.source, "pass" if check.passed else "FAIL")
            for check in self.checks
        ]
        return html_table(repr(self), ("check", "value", "expected", "source", ""), rows)

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def certify(system: System, seed: int = 0) -> Certificate:
    """Hold a system to all that is known of it; what can only be compared with a published value is where there is one.

    The committed digest is that of seed 0. A check that cannot be made, since no finite solution is found, fails. A
    system that is only observed has no other check.
    """
    if isinstance(system, Stochastic):
        return Certificate(label(system), (*_strong_orders(system, seed), *_digest(system, seed)))
    if not isinstance(system, Simulated):
        return Certificate(label(system), tuple(_digest(system, seed)))
    checks = [_convergence, _ground_truth, _spectrum, _period, _invariant, _digest]
    lines: list[Check] = []
    for check in checks:
        try:
            lines += check(system, seed)
        except FloatingPointError as error:
            lines.append(Check(check.__name__.strip("_").replace("_", " "), nan, 0.0, 0.0, str(error)))
    return Certificate(label(system), tuple(lines))


def certified(kind: type[System]) -> list[System]:
    """The system of a class at its default parameters, then those at others of which something is known."""
    return list(dict.fromkeys([kind(), *(kind(**known.at) for known in kind.published)]))


def _states(system: Simulated, count: int, seed: int) -> States:
    return system.initial_states(count, np.random.default_rng(seed))


@lru_cache(maxsize=1)
def _pair(system: Simulated, seed: int) -> tuple[Float64[np.ndarray, " time"], Solution, Solution]:
    """Times in timescales, the reference solution, and one of a tighter tolerance."""
    horizon = LONGEST * (2 if system.timescale_name == "Lyapunov time" and not system.costly else 1)
    step = system.adapt(Sampling(step=1 / SAMPLES), seed).step
    times = step * np.arange(1 + round(horizon / step))
    initial = _states(system, 4, seed)
    clock = times * system.timescale
    return times, system.solve(initial, clock), system.solve(initial, clock, TIGHTER)


def _convergence(system: Simulated, seed: int) -> Iterator[Check]:
    """Error of the reference solution within one timescale."""
    times, solution, finer = _pair(system, seed)
    early = times < 1 + 1e-9
    error = abs(solution - finer)[:, early].max() / abs(finer[:, early]).max()
    yield Check("error within one timescale", float(error), 0.0, 1e-8, "tighter run")


def _ground_truth(system: Simulated, seed: int) -> Iterator[Check]:
    """How long the reference solution is the truth: no valid prediction time beyond it means anything."""
    times, solution, finer = _pair(system, seed)
    scale = finer.std(axis=(0, 1)) + np.finfo(float).tiny
    lost = disagreement((solution - finer) / scale)
    agreed = times[-1 if lost is None else max(lost - 1, 0)]
    yield Check("valid ground-truth time", float(agreed), LONGEST, 0.0, "forecasts", "at least")


def _invariant(system: Simulated, seed: int) -> Iterator[Check]:
    """What a conservative system conserves."""
    if (conserved := system.invariant(torch.from_numpy(_pair(system, seed)[1]))) is not None:
        values = conserved.numpy()
        drift = abs(values - values[:, :1]).max() / abs(values[:, :1]).max()
        yield Check("drift of the invariant", float(drift), 0.0, 1e-9, "theory")


def _spectrum(system: Simulated, seed: int) -> Iterator[Check]:
    """The Lyapunov spectrum of a chaotic system, against theory, its timescale and published values."""
    chaotic = "Lyapunov time" in (system.timescale_name, type(system).timescale_name)
    if not chaotic or not isinstance(system, Flow | Map) or not system.one_attractor:
        return
    known = known_of(system).attractor
    spectrum = _measured(system, known or Attractor((nan, inf, "")), seed)
    exponents = spectrum.exponents
    margins = spectrum.interval[1] - spectrum.exponents
    value = leading_exponent(spectrum) if known and system.dim == 3 else float(exponents[0])
    chance = float(margins[0])
    if known:
        yield Check("largest Lyapunov exponent", value, *known.leading, margin=chance)
    if known and known.second:
        yield Check("second Lyapunov exponent", float(exponents[1]), *known.second, margin=float(margins[1]))
    if system.timescale_name == "Lyapunov time":
        turn, chance = value * system.timescale, chance * system.timescale
        yield Check("timescale x exponent", turn, 1.0, UNIT + chance, "Lyapunov time", margin=chance)
    if spectrum.interval[0, 0] > 0 and isinstance(system, Flow):
        neutral = abs(exponents).argmin()
        tolerance = 0.08 / system.timescale
        margin = float(margins[neutral])
        yield Check("exponent along the flow", float(exponents[neutral]), 0.0, tolerance, "theory", margin=margin)
    if spectrum.divergence is not None:
        total = float(exponents.sum())
        tolerance = 0.002 * float(abs(exponents).sum())
        yield Check("sum of the exponents", total, spectrum.divergence, tolerance, "Jacobian")
    if known and known.dimension:
        yield Check("Kaplan-Yorke dimension", spectrum.kaplan_yorke, *known.dimension)


def _measured(system: Flow | Map, runs: Attractor, seed: int) -> Spectrum:
    states = torch.from_numpy(_states(system, runs.states, seed))
    time, warm_up = runs.time * system.timescale, runs.warm_up * system.timescale
    if isinstance(system, Map):
        volume = partial(log_volume, system.step)
        return lyapunov_spectrum(system.step, states, round(time), warm_up=round(warm_up), trace=volume)
    if (given := system.spectrum_map) is None:
        step = runs.step and runs.step * system.timescale
        return flow_spectrum(system, states, time, warm_up=warm_up, step=step)
    return lyapunov_spectrum(
        given.step,
        states,
        round(time / given.duration),
        warm_up=round(warm_up / given.duration),
        duration=given.duration,
        leading=given.leading,
    )


def _period(system: Simulated, seed: int) -> Iterator[Check]:
    if orbit := known_of(system).orbit:
        measured = period(system, orbit)
        yield Check("period", measured, orbit.period, orbit.accuracy * orbit.period, orbit.source)


def period(system: Simulated, orbit: Orbit) -> float:
    """Time between the first two upward crossings of the orbit's level, each found by ever finer sampling."""
    start = np.array([orbit.start])
    channel = orbit.channel
    if orbit.settle:
        course = np.linspace(0.0, orbit.settle * system.timescale, 20 * orbit.settle + 1)
        start = system.solve(start, course, TIGHTER)[:, -1]
    times = np.linspace(0.0, 2.3 * system.timescale, 461)
    solution = system.solve(start, times, TIGHTER)
    above = solution[0, :, channel] - orbit.level
    before = np.flatnonzero((above[:-1] <= 0) & (above[1:] > 0))[:2]
    if len(before) < 2:
        return inf
    first, second = (times[index] + _crossing(system, solution[:, index], times[1], orbit) for index in before)
    return float(second - first)


def _crossing(system: Simulated, state: Float64[np.ndarray, "1 dim"], width: float, orbit: Orbit) -> float:
    """Time until the variable crosses the level, which it does within `width`."""
    passed = 0.0
    for _ in range(3):
        times = np.linspace(0.0, width, 33)
        solution = system.solve(state, times, TIGHTER)
        index = int((solution[0, :, orbit.channel] > orbit.level).argmax()) - 1
        passed = passed + times[index]
        width = times[1]
        state = solution[:, index]
    last, following = system.solve(state, np.array([0.0, width]), TIGHTER)[0, :, orbit.channel] - orbit.level
    return float(passed - width * last / (following - last))


def _strong_orders(system: Stochastic, seed: int) -> Iterator[Check]:
    """How numerical paths approach the true one, which tells the drift from the diffusion, and the closed form."""
    for scheme in SCHEMES:
        expected = theoretical_order(system, scheme)
        yield Check(f"order of {scheme}", strong_order(system, scheme, seed), expected, 0.1, "theory")


def _digest(system: System, seed: int) -> Iterator[Check]:
    if (committed := known_of(system).digest) and seed == 0:
        yield Check("digest of the first batch", digest(system), committed, 0.0, "committed")


def digest(system: System) -> str:
    """A fingerprint of the first initial states, and of the solution from them, that holds on every machine.

    Initial states are rounded to four digits, so that what chaos amplified on the way to them is lost, and the solution
    from there, over less than a timescale, to ten.
    """
    if isinstance(system, Simulated):
        initial = _states(system, 4, 0)
        initial = np.round(initial, _decimals(initial, 4))
        step = system.adapt(Sampling(), 0).step
        solution = system.solve(initial, np.arange(16) * (step * system.timescale))
    else:
        solution = system.observe("train", Sampling(trajectories=4, samples=16), 0).states.numpy()
    digits = np.rint(solution * 10.0 ** _decimals(solution, 10)).astype("<i8")
    return sha256(digits.tobytes()).hexdigest()[:12]


def _decimals(states: Any, digits: int) -> int:
    """Decimals that leave this many digits to the largest number."""
    largest = float(abs(states).max())
    return digits - 1 - floor(log10(largest)) if largest > 0 and isfinite(largest) else 0
