"""The damped Duffing oscillator: two wells, of which a learner is shown one."""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.base import Flow, require_positive
from systems.published import LINEARISED, Orbit, Published

REACH = 4.0  # of initial states, in either coordinate
CENTRE = sqrt(10.0)  # of the right-hand well, at the default parameters
PERIOD = 2 * pi / sqrt(2 - 1 / 16)  # of small oscillations there


@dataclass(frozen=True)
class BistableDuffing(Flow):
    """Oscillator that comes to rest in one of two wells: does a model that was shown one of them know the other?

    x' = v,  v' = stiffness x - cubic x^3 - damping v. Trajectories for training and validation end in the right-hand
    well, those that are forecast in the left-hand one. One timescale is the period of small oscillations in a well.

    Goring, Hess, Brenner, Monfared and Durstewitz, "Out-of-domain generalization in dynamical systems reconstruction",
    ICML 2024 (their example).
    """

    stiffness: float = 1.0
    cubic: float = 0.1
    damping: float = 0.5

    timescale_name = "period"
    published = (Published("4b345efc4bf0", orbit=Orbit(PERIOD, (CENTRE + 1e-4, 0.0), LINEARISED, level=CENTRE)),)

    def __post_init__(self) -> None:
        require_positive(self, "stiffness", "cubic", "damping", otherwise="nothing comes to rest in one of two wells")
        if isinstance(self.damping, float) and self.damping**2 >= 8 * self.stiffness:
            raise ValueError(
                f"BistableDuffing needs damping^2 < 8 stiffness, but damping={self.damping}: it does not oscillate"
            )

    @property
    def dim(self) -> int:
        return 2

    @property
    def timescale(self) -> float:
        return 2 * pi / sqrt(2 * self.stiffness - self.damping**2 / 4)

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        """States anywhere about both wells."""
        return rng.uniform(-REACH, REACH, (count, 2))

    def starts(self, part: str, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 2"]:
        """States that come to rest on the right where they are trained on, and on the left where they are forecast.

        The equations do not change where both signs do, so that each state or its opposite is one of those.
        """
        states = self.initial_states(count, rng)
        rest = self.solve(states, np.array([0.0, 20 * self.timescale]))[:, -1, :1]
        return states * np.sign(rest) * (-1.0 if part in ("test", "climate") else 1.0)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 2"]) -> Inexact[Tensor, "*batch 2"]:
        place, speed = x.unbind(-1)
        force = self.stiffness * place - self.cubic * place * place * place
        return torch.stack([speed, force - self.damping * speed], dim=-1)
