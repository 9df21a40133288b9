"""The Kuramoto-Sivashinsky equation: spatiotemporal chaos of a flame front, on a periodic grid."""

from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.util import find_spec
from math import ceil, pi

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import Flow, NameWhere, Solution, SpectrumMap, States, Times, require_positive
from systems.published import Attractor, Published
from systems.solvers.dop853 import TOLERANCE
from systems.solvers.etdrk4 import ETDRK4, Modes
from systems.solvers.handover import is_plain

# By length. That of 22 agrees with Edson, Bunder, Mattner and Roberts, ANZIAM Journal 61, 2019; others are measured.
LARGEST_EXPONENT = {22.0: 0.0474, 100.0: 0.094, 200.0: 0.095}

EDSON = "Edson 2019"

LARGEST_STEP = 0.008  # at the standard tolerance: errors within one Lyapunov time stay below 1e-8 at 22 and 200
TRANSIENT_STEP = 0.1  # where only the attractor matters, not the way to it
MOST_COMPILED = 48  # modes, beyond which transforms cost less than sums of products
HAS_NUMBA = find_spec("numba") is not None


@dataclass(frozen=True)
class KuramotoSivashinsky(Flow):
    """A field u(x, t) on a ring, seen at equally spaced points; long waves grow, short ones are damped.

    u_t = -u u_x - u_xx - u_xxxx on [0, length), of zero mean. Derivatives are taken on Fourier modes; the product
    is freed of aliases by the 2/3 rule. One timescale is the Lyapunov time at lengths 22, 100 and 200; at others it
    is as long as at the nearest of these, but no Lyapunov time.

    Kuramoto and Tsuzuki, Progress of Theoretical Physics 55, 1976; Sivashinsky, Acta Astronautica 4, 1977.
    """

    length: float = 22.0
    grid: int = 64

    timescale_name = NameWhere("Lyapunov time", lambda system: system.length in LARGEST_EXPONENT)
    published = (
        Published("09b79bab9220", attractor=Attractor((0.047, 0.004, EDSON), (4.2, 0.15, EDSON), states=24, time=10.0)),
    )
    ring = True
    costly = True

    def __post_init__(self) -> None:
        require_positive(self, "length")
        if isinstance(self.length, (int, float)):
            least = 3 * ceil(self.length / pi) + 1  # half of the modes that are left are damped
            if self.grid < least:
                raise ValueError(
                    f"KuramotoSivashinsky of length={self.length} needs grid >= {least}, but grid={self.grid}: "
                    "too few of the modes that end the growth of long waves are resolved"
                )

    @property
    def dim(self) -> int:
        return self.grid

    @property
    def timescale(self) -> float:
        return 1.0 / LARGEST_EXPONENT[min(LARGEST_EXPONENT, key=lambda length: abs(length - self.length))]

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """Random waves of unit size, longer than most that grow, brought to the attractor."""
        modes = np.zeros((count, self.grid // 2 + 1), dtype=np.complex128)
        waves = 1 + int(self.length / (4 * pi))
        modes[:, 1 : 1 + waves] = rng.normal(size=(count, waves, 2)) @ [1, 1j] * (self.grid / np.sqrt(2 * waves))
        start = torch.from_numpy(np.fft.irfft(modes, self.grid))
        with torch.no_grad():
            return self.propagate(start, 10 * self.timescale, TRANSIENT_STEP).numpy()

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        linear, factor = self._terms(x)
        modes = torch.fft.rfft(x)
        product = factor * self._square(modes[..., : len(factor)])
        unresolved = torch.zeros_like(modes[..., len(factor) :])
        return torch.fft.irfft(linear * modes + torch.cat([product, unresolved], dim=-1), self.grid)

    def solve(self, initial: States, times: Times, tolerance: float = TOLERANCE) -> Solution:
        """By equal steps of ETDRK4 from sample to sample, the larger the looser the tolerance."""
        largest = min(0.25, LARGEST_STEP * (tolerance / TOLERANCE) ** 0.2)  # one step errs by step^5
        x = torch.from_numpy(np.array(initial, dtype=np.float64))
        states = torch.empty(len(x), times.shape[-1], self.dim, dtype=torch.float64)
        states[:, 0] = x
        scheme = lru_cache(partial(self._scheme, x, largest=largest))  # equal intervals share their coefficients
        with torch.no_grad():
            modes = torch.fft.rfft(x)
            for sample, interval in enumerate(np.diff(times).T, start=1):
                shared = float(f"{interval:.13g}") if times.ndim == 1 else torch.from_numpy(interval)[:, None]
                modes = self._advance(modes, *scheme(shared))
                states[:, sample] = torch.fft.irfft(modes, self.grid)
        if not torch.isfinite(states).all():
            raise FloatingPointError(
                f"no finite solution of {self} up to t={times.max():g}: they start too large for its steps"
            )
        return states.numpy()

    def propagate(
        self, x: Float[Tensor, "*batch dim"], interval: float, largest_step: float = 0.05
    ) -> Float[Tensor, "*batch dim"]:
        """The states one interval later by equal steps of ETDRK4; differentiable, in the precision and place of `x`."""
        modes = self._advance(torch.fft.rfft(x), *self._scheme(x, interval, largest_step))
        return torch.fft.irfft(modes, self.grid)

    def accurate_steps(self, x: Float[Tensor, "*batch dim"], interval: float, count: int) -> Tensor:
        """By steps of ETDRK4, with the mean removed: it is conserved, and would add a zero exponent to the spectrum."""
        after = self.propagate(x, interval, interval / count)
        return after - after.mean(dim=-1, keepdim=True)

    @property
    def spectrum_map(self) -> SpectrumMap:
        return SpectrumMap(lambda u: self.accurate_steps(u, 2.0, 8), duration=2.0, leading=8)

    def _terms(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Growth rates of all modes, and the factor of the squared field's resolved ones: -u u_x = -(u^2)_x / 2."""
        numbers = torch.arange(self.grid // 2 + 1, dtype=like.dtype, device=like.device)
        wave = numbers * (2 * pi / self.length)
        resolved = 1 + (self.grid - 1) // 3
        return wave**2 - wave**4, -0.5j * wave[:resolved]

    def _square(self, modes: Modes) -> Modes:
        """Modes of the squared field; only resolved ones go in and come out, so that their products cannot alias."""
        return torch.fft.rfft(torch.fft.irfft(modes, self.grid).square())[..., : modes.shape[-1]]

    def _scheme(self, like: Tensor, interval: float | Tensor, largest: float) -> tuple[ETDRK4, int, Tensor]:
        """How the resolved modes cross an interval, in how many steps, and the decay of the others, which is linear.

        The interval is one for all states, or one for each, `[batch, 1]`.
        """
        count = max(1, ceil(float(torch.as_tensor(interval).max()) / largest * (1 - 1e-9)))
        linear, factor = self._terms(like)
        resolved = len(factor)
        scheme = ETDRK4.coefficients(linear[:resolved], factor, interval / count)
        return scheme, count, torch.exp(interval * linear[resolved:])

    def _advance(self, modes: Modes, scheme: ETDRK4, count: int, decay: Tensor) -> Modes:
        resolved, others = modes.split([modes.shape[-1] - decay.shape[-1], decay.shape[-1]], dim=-1)
        if resolved.shape[-1] <= MOST_COMPILED and HAS_NUMBA and is_plain(modes, torch.complex64, torch.complex128):
            from systems.solvers import etdrk4_kernel  # half a second for numba, and seconds where it is to be compiled

            resolved = etdrk4_kernel.steps(resolved, scheme, count, self.grid)
        else:
            for _ in range(count):
                resolved = scheme.advance(resolved, self._square)
        return torch.cat([resolved, decay * others], dim=-1)
