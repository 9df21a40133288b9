"""Predictors that draw their forecasts: one path of many, of which each row of a batch has its own."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from learners.base import FREE, Predictor
from learners.streams import stream
from systems import Stochastic, Trajectories


class Noise:
    """Normal numbers for each step of a forecast, which depend on the seed and the number of the step alone.

    So a forecast is the same whether it is asked for at once or step by step, and in any process.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def draw(self, step: int, x: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        """As many as there are numbers in x, in its precision and place."""
        normal = torch.randn(x.shape, generator=stream(self.seed, f"path {step}"), dtype=x.dtype)
        return normal.to(x.device)


def with_clock(x: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch state"]:
    """A state beside which the steps that were taken are counted, in its last channel."""
    return torch.cat([x, torch.zeros_like(x[:, :1])], dim=1)


def draw_path(
    advance: Callable[[Tensor, float, Tensor], Tensor],
    noise: Noise,
    state: Float[Tensor, "batch state"],
    offsets: Sequence[float],
    substeps: int,
) -> tuple[Float[Tensor, "time batch state"], int]:
    """The states at increasing offsets, in sampling steps, and how many steps were taken.

    Args:
        advance: takes states `[batch, dim]` on by so many sampling steps, on the path of these normal numbers.
        noise: gives them.
        state: with a clock.
        offsets: after the state.
        substeps: in each sampling step, at least.
    """
    x = state[:, :-1]
    clock = round(float(state[0, -1]))
    states = []
    first = clock
    for begin, end in pairwise([0.0, *offsets]):
        count = max(1, round((end - begin) * substeps + 0.499))
        for _ in range(count):
            x = advance(x, (end - begin) / count, noise.draw(clock, x))
            clock += 1
        states.append(torch.cat([x, torch.full_like(x[:, :1], clock)], dim=1))
    return torch.stack(states), clock - first


class TruePaths(Predictor):
    """Paths of a stochastic system's own equations."""

    differentiable = False
    stochastic = True
    log = FREE

    def __init__(self, system: Stochastic, step: float, substeps: int, seed: int) -> None:
        self.system = system
        self.step = step
        self.substeps = substeps
        self.noise = Noise(seed)

    @property
    def parameters(self) -> int:
        return 0

    def encode(self, past: Trajectories) -> Float64[Tensor, "batch state"]:
        return with_clock(past.states[:, -1])

    def decode(self, state: Float64[Tensor, "*batch state"]) -> Float64[Tensor, "*batch dim"]:
        return state[..., :-1]

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        def advance(x: Tensor, steps: float, normal: Tensor) -> Tensor:
            h = steps * self.step
            return self.system.step(x, h, h**0.5 * normal)

        return draw_path(advance, self.noise, state, [offset / self.step for offset in offsets], self.substeps)
