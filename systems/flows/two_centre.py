"""The two-centre field: two linear spirals, each of which rules one half of the plane."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from systems.base import Flow, NameWhere
from systems.published import LINEARISED, Orbit, Published

REST = -1.879313152  # first coordinate of the point of rest, the other being 0
TURN = 13.9028  # about it, from the Jacobian there; both at the default parameters


@dataclass(frozen=True)
class TwoCentre(Flow):
    """A stable spiral about c on its side of the plane, an unstable one about -c on the other; all come to rest.

    x' = s A (x - c) + (1 - s) B (x + c), where s = sigmoid(x . c), c = (centre, 0), and A and B are growth times the
    identity plus rotation times a quarter turn. One timescale is a turn about the point of rest at the default
    parameters; at others it is as long, but no turn.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018 (the example of a re-implementation).
    """

    centre: float = -1.0
    growth_a: float = -0.1
    rotation_a: float = 0.5
    growth_b: float = 0.2
    rotation_b: float = -1.0

    timescale_name = NameWhere("period", lambda system: system == TwoCentre())
    published = (Published("a1cc4ed38fa7", orbit=Orbit(TURN, (REST + 1e-3, 0.0), LINEARISED, level=REST)),)

    @property
    def dim(self) -> int:
        return 2

    @property
    def timescale(self) -> float:
        return TURN

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        """States anywhere about both centres."""
        return rng.uniform(-2.0, 2.0, (count, 2))

    def velocity(self, t: float | Tensor, x: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        u, v = x.unbind(-1)
        near = torch.sigmoid(self.centre * u)
        from_a = u - self.centre
        from_b = u + self.centre
        a = torch.stack(
            [self.growth_a * from_a - self.rotation_a * v, self.rotation_a * from_a + self.growth_a * v], -1
        )
        b = torch.stack(
            [self.growth_b * from_b - self.rotation_b * v, self.rotation_b * from_b + self.growth_b * v], -1
        )
        return near[..., None] * a + (1 - near)[..., None] * b
