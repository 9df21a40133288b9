"""Random planar spirals, half of which turn clockwise: where a state alone does not tell what comes next."""

from collections.abc import Iterator
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
    several samples. One timescale is one turn at speed 1, which is that of all unless there is variety.

    After Chen et al., "Neural ordinary differential equations", NeurIPS 2018, section 5.
    """

    damping: float = 0.05
    variety: float = 0.0  # dampings and speeds of trajectories differ from these by as large a share, below 1, at most

    def __post_init__(self) -> None:
        if not 0 <= self.variety < 1:
            raise ValueError(f"RandomSpirals.variety is a share below 1, but is {self.variety!r}")

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
        for places, spiral in self._spirals(part, count, seed):
            states[places] = spiral.solve(initial[places], times[places])
        return Trajectories(torch.from_numpy(times.copy()), torch.from_numpy(states))

    def _spirals(self, part: str, count: int, seed: int) -> Iterator[tuple[slice, LinearSpiral]]:
        """The spirals, and which trajectories are on each: every other one, or with variety a single one."""
        senses = (1.0, -1.0)
        if not self.variety:
            yield from (
                (slice(first, None, 2), LinearSpiral(self.damping, sense)) for first, sense in enumerate(senses)
            )
            return
        shares = 1 + self.variety * stream(seed, part, "spirals").uniform(-1, 1, (count, 2))
        for place, (damping, speed) in enumerate(shares.tolist()):
            yield slice(place, place + 1), LinearSpiral(self.damping * damping, senses[place % 2] * speed)
