"""Exponential time differencing of fourth order: stiff linear terms solved exactly, the others as by Runge-Kutta."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

Modes = Complex[Tensor, "*batch modes"]

POINTS = 32  # of the contour, on its upper half; the lower is its mirror image


@dataclass(frozen=True)
class ETDRK4:
    """The coefficients of one step of dv/dt = linear v + factor nonlinear(v), mode by mode.

    Those of the nonlinear term are means over a circle about `step * linear`, since their closed forms cancel
    where that product is small.

    Cox and Matthews, Journal of Computational Physics 176, 2002;
    Kassam and Trefethen, "Fourth-order time-stepping for stiff PDEs", SIAM Journal on Scientific Computing 26, 2005.
    """

    half: Float[Tensor, "*batch modes"]  # exp(step linear / 2)
    whole: Float[Tensor, "*batch modes"]  # exp(step linear)
    stage: Complex[Tensor, "*batch modes"]
    first: Complex[Tensor, "*batch modes"]
    middle: Complex[Tensor, "*batch modes"]
    last: Complex[Tensor, "*batch modes"]

    @classmethod
    def coefficients(
        cls, linear: Float[Tensor, " modes"], factor: Complex[Tensor, " modes"], step: float | Tensor
    ) -> "ETDRK4":
        """For one step of all states, or one of each, `[batch, 1]`."""
        angles = torch.pi * (torch.arange(POINTS, dtype=linear.dtype, device=linear.device) + 0.5) / POINTS
        scaled = step * linear
        z = scaled[..., None] + torch.polar(torch.ones_like(angles), angles)
        growth = torch.exp(z)

        def mean(values: Tensor) -> Tensor:
            return step * values.mean(dim=-1).real * factor

        return cls(
            half=torch.exp(scaled / 2),
            whole=torch.exp(scaled),
            stage=mean((torch.exp(z / 2) - 1) / z),
            first=mean((-4 - z + growth * (4 - 3 * z + z**2)) / z**3),
            middle=mean(2 * (2 + z + growth * (z - 2)) / z**3),
            last=mean((-4 - 3 * z - z**2 + growth * (4 - z)) / z**3),
        )

    def advance(self, modes: Modes, nonlinear: Callable[[Modes], Modes]) -> Modes:
        """The modes one step later."""
        carried = self.half * modes
        slope = nonlinear(modes)
        a = carried + self.stage * slope
        slope_a = nonlinear(a)
        slope_b = nonlinear(carried + self.stage * slope_a)
        slope_c = nonlinear(self.half * a + self.stage * (2 * slope_b - slope))
        return self.whole * modes + self.first * slope + self.middle * (slope_a + slope_b) + self.last * slope_c
