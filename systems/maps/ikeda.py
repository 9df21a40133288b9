"""The Ikeda map: light in a ring cavity."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.base import KnownExponent, Map
from systems.published import SPROTT, Attractor, Published


@dataclass(frozen=True)
class IkedaMap(KnownExponent, Map):
    """A complex field that turns by an angle of its own strength; the plane (x, y) of its real and imaginary part.

    x -> 1 + u (x cos t - y sin t),  y -> u (x sin t + y cos t),  t = phase - detuning / (1 + x^2 + y^2).
    One timescale is the Lyapunov time at the default parameters; at others it is as long, but no Lyapunov time.

    Ikeda, "Multiple-valued stationary state and its instability of the transmitted light by a ring cavity system",
    Optics Communications 30, 1979; Hammel, Jones and Moloney, Journal of the Optical Society of America B 2, 1985.
    """

    u: float = 0.9
    phase: float = 0.4
    detuning: float = 6.0

    largest_exponent = 0.5076
    published = (
        Published(
            "27dff7ccf997",
            attractor=Attractor((largest_exponent, 0.003, SPROTT), (1.70666, 0.005, SPROTT), states=400, time=100.0),
        ),
    )

    @property
    def dim(self) -> int:
        return 2

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        """Weak fields, which come to the attractor: strong ones come to rest elsewhere."""
        return self.solve(rng.uniform(-0.1, 0.1, (count, 2)), np.array([0.0, 100.0]))[:, -1]

    def step(self, x: Inexact[Tensor, "*batch 2"]) -> Inexact[Tensor, "*batch 2"]:
        real, imaginary = x.unbind(-1)
        angle = self.phase - self.detuning / (1 + real * real + imaginary * imaginary)
        cosine, sine = torch.cos(angle), torch.sin(angle)
        turned = torch.stack([real * cosine - imaginary * sine, real * sine + imaginary * cosine], dim=-1)
        return self.u * turned + torch.tensor([1.0, 0.0], dtype=x.dtype, device=x.device)
