"""Random planar spirals, half of which turn clockwise: where a state alone does not tell what comes next."""

from dataclasses import dataclass
from math import pi

import numpy as np
import torch

from systems.base import System
from systems.flows.spiral import LinearSpiral
from systems.protocol import Sampling, stream
from systems.published import Published
from systems.trajectories import Trajectories


@dataclass(frozen=True)
class RandomSpirals(System):
    """Damped rotations from random states, every other one clockwise.

    x' = -damping x -+ y,  y' = +- x - damping y. The sense of rotation is not part of the state: it has to be read off
    several samples. One timescale is one turn.

    After Chen et al., "Neural ordinary differential equations", NeurIPS 2018, section 5.
    """

    damping: float = 0.05

    timescale_name = "period"
    published = (Published("efe1ba8d8979"),)

    @property
    def dim(self) -> int:
        return 2

    @property
    def timescale(self) -> float:
        return 2 * pi

    def observe(self, part: str, sampling: Sampling, seed: int) -> Trajectories:
        count = sampling.size(part)[0]
        rng = stream(seed, part, "initial")
        any_spiral = LinearSpiral()
        centred = sampling.centred(part)
        initial = sampling.starts(count, self.dim, rng) if centred else any_spiral.initial_states(count, rng)
        times = np.broadcast_to(
            sampling.places(part, seed) * (sampling.step * self.timescale), (count, sum(sampling.size(part)[1:]))
        )
        states = np.empty((*times.shape, 2))
        for sense, rotation in enumerate((1.0, -1.0)):
            turning = LinearSpiral(self.damping, rotation)
            states[sense::2] = turning.solve(initial[sense::2], times[sense::2])
        return Trajectories(torch.from_numpy(times.copy()), torch.from_numpy(states))
