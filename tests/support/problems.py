"""Flows whose solutions are known in closed form, and every system that the package exports."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from inspect import isabstract
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

import systems
from systems import Chen, Dysts, Flow, Simulated, Sprott
from systems.flows.chaotic import Chaotic
from tests.support.cases import few

EXTRA: list[Simulated] = [Dysts("Halvorsen")] if find_spec("dysts") else []

States = Float64[np.ndarray, "batch dim"]
Times = Float64[np.ndarray, " time"]
Solution = Float64[np.ndarray, "batch time dim"]


def every_system() -> list[Simulated]:
    """Each concrete simulated system in `systems.__all__`, at its default parameters."""
    exported = [getattr(systems, name) for name in systems.__all__]
    kinds = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, Simulated)]
    return [kind() for kind in kinds if not isabstract(kind) and kind is not Dysts] + EXTRA


def every_flow() -> list[Flow]:
    """Those of the exported systems that have a velocity."""
    return [system for system in every_system() if isinstance(system, Flow)]


def one_of_a_kind(systems: Sequence[Simulated], *long: type) -> list[Any]:
    """Systems as cases of a test: quick runs take no `long` ones, and one of those that only equations tell apart."""
    alike = [isinstance(one, Chaotic | Sprott) and not isinstance(one, Chen) for one in systems]
    return few(systems, *(n for n, one in enumerate(systems) if not alike[n] and not isinstance(one, long)))


@dataclass(frozen=True)
class Problem(Flow):
    """A flow with a known solution, from two fixed initial states."""

    timescale_name = "period"
    start = ((1.0, 0.5), (-0.25, 2.0))

    @property
    def dim(self) -> int:
        return len(self.start[0])

    @property
    def timescale(self) -> float:
        return 1.0

    def initial_states(self, count: int, rng: np.random.Generator) -> States:
        return np.array(self.start)[:count]

    @abstractmethod
    def exact(self, initial: States, times: Times) -> Solution:
        """The solution that starts from `initial` at the first of `times`."""


@dataclass(frozen=True)
class HarmonicOscillator(Problem):
    """x' = v, v' = -omega^2 x."""

    omega: float = 3.0

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        place, speed = x.unbind(-1)
        return torch.stack([speed, -(self.omega**2) * place], dim=-1)

    def exact(self, initial: States, times: Times) -> Solution:
        angle = self.omega * (times - times[0])
        place, speed = initial[:, :1], initial[:, 1:]
        x = place * np.cos(angle) + speed / self.omega * np.sin(angle)
        v = speed * np.cos(angle) - self.omega * place * np.sin(angle)
        return np.stack([x, v], axis=-1)


@dataclass(frozen=True)
class LogisticGrowth(Problem):
    """x' = rate x (1 - x)."""

    rate: float = 2.0
    start = ((0.01,), (1.7,))

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        return self.rate * x * (1 - x)

    def exact(self, initial: States, times: Times) -> Solution:
        growth = np.exp(self.rate * (times - times[0]))[:, None]
        first = initial[:, None]
        return first * growth / (1 + first * (growth - 1))


@dataclass(frozen=True)
class StiffRelaxation(Problem):
    """x' = -fast (x - y), y' = -y: x falls onto y `fast` times sooner than y decays."""

    fast: float = 300.0

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        u, v = x.unbind(-1)
        return torch.stack([-self.fast * (u - v), -v], dim=-1)

    def exact(self, initial: States, times: Times) -> Solution:
        time = times - times[0]
        x, y = initial[:, :1], initial[:, 1:]
        slaved = self.fast / (self.fast - 1) * y
        slow, fast = np.exp(-time), np.exp(-self.fast * time)
        return np.stack([(x - slaved) * fast + slaved * slow, y * slow], axis=-1)


@dataclass(frozen=True)
class Forced(Problem):
    """x' = -x + cos t: a velocity that depends on time."""

    start = ((1.0,), (-2.0,))

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        return torch.cos(torch.as_tensor(t, dtype=x.dtype))[..., None] - x

    def exact(self, initial: States, times: Times) -> Solution:
        follows = (np.cos(times) + np.sin(times)) / 2
        return (follows + (initial - follows[0]) * np.exp(times[0] - times))[:, :, None]


@dataclass(frozen=True)
class Explosion(Problem):
    """x' = x^2 leaves the finite numbers at t = 1 / x(0)."""

    start = ((0.5,), (1.0,))

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 1"]:
        return x * x

    def exact(self, initial: States, times: Times) -> Solution:
        return (initial / (1 - initial * (times - times[0])))[:, :, None]


PROBLEMS: list[Problem] = [HarmonicOscillator(), LogisticGrowth(), StiffRelaxation(), Forced()]


@dataclass(frozen=True)
class ShearedCycle(Flow):
    """A limit cycle of radius 1 that is reached slowly, and turns the faster the farther out.

    r' = contraction r (1 - r^2) / 2,  angle' = 2 pi / 24 + shear (r - 1): the exponents are 0 and -contraction.
    """

    contraction: float = 0.118
    shear: float = 2.0

    timescale_name = "period"

    @property
    def dim(self) -> int:
        return 2

    @property
    def timescale(self) -> float:
        return 1.0

    def initial_states(self, count: int, rng: np.random.Generator) -> States:
        angle = rng.uniform(0, 2 * np.pi, count)
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        u, v = x.unbind(-1)
        radius = (u * u + v * v).sqrt()
        growth, turn = self.contraction * (1 - radius**2) / 2, 2 * np.pi / 24 + self.shear * (radius - 1)
        return torch.stack([growth * u - turn * v, turn * u + growth * v], dim=-1)
