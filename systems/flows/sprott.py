"""Sprott's simple flows: chaos with five terms and two products, or six and one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.base import Flow
from systems.flows.chaotic import along_attractor
from systems.published import SPROTT_1994, Attractor, Published

Case = Literal["B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S"]


class Known(NamedTuple):
    """What is known of a case."""

    published: float  # largest exponent, to three decimals
    measured: float  # the same, which sets the timescale
    digest: str
    start: tuple[float, float, float]  # on the attractor
    velocity: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
    step: float | None = None  # of the exponents' integration, in timescales, where the usual one is too long


CASES: dict[str, Known] = {
    "B": Known(0.210, 0.2102, "e28acdb00ed8", (-0.17, -0.15, 1.5), lambda x, y, z: (y * z, x - y, 1 - x * y)),
    "C": Known(0.163, 0.1627, "9ce50cda2a5b", (-0.37, -0.45, 0.72), lambda x, y, z: (y * z, x - y, 1 - x * x)),
    "D": Known(0.103, 0.1026, "d325532c63f2", (-1.38, -1.0, 3.11), lambda x, y, z: (-y, x + z, x * z + 3 * y * y)),
    "E": Known(0.078, 0.0775, "a1ce918b455f", (0.49, 0.12, 2.8), lambda x, y, z: (y * z, x * x - y, 1 - 4 * x)),
    "F": Known(0.117, 0.1171, "5480f406b097", (-0.31, -0.9, 0.57), lambda x, y, z: (y + z, 0.5 * y - x, x * x - z)),
    "G": Known(0.034, 0.0341, "3f4e6c9ad526", (-0.13, -0.29, -0.15), lambda x, y, z: (0.4 * x + z, x * z - y, y - x)),
    "H": Known(0.117, 0.1176, "dd46cb8cd6e3", (-0.72, 0.05, -0.45), lambda x, y, z: (z * z - y, x + 0.5 * y, x - z)),
    "I": Known(0.012, 0.01245, "47250fde0d24", (0.1, -0.2, 0.18), lambda x, y, z: (-0.2 * y, x + z, x + y * y - z)),
    "J": Known(0.076, 0.0755, "04914482d7b3", (-5.5, -1.65, -1.35), lambda x, y, z: (2 * z, z - 2 * y, y - x + y * y)),
    "K": Known(0.038, 0.0375, "864db249b36d", (0.95, 1.11, 2.64), lambda x, y, z: (x * y - z, x - y, x + 0.3 * z)),
    "L": Known(
        0.061, 0.061, "89b53cf9b2aa", (2.77, 19.1, -3.14), lambda x, y, z: (y + 3.9 * z, 0.9 * x * x - y, 1 - x)
    ),
    "M": Known(
        0.044,
        0.0434,
        "9e39960ca514",
        (0.69, -1.46, -2.93),
        lambda x, y, z: (-z, -x * x - y, 1.7 + 1.7 * x + y),
        1 / 512,
    ),
    "N": Known(0.076, 0.0755, "16a7e530115e", (-16.04, 1.87, 2.52), lambda x, y, z: (-2 * y, x + z * z, 1 + y - 2 * z)),
    "O": Known(0.049, 0.0488, "ca4d7a214500", (-0.43, 0.13, -0.88), lambda x, y, z: (y, x - z, x + x * z + 2.7 * y)),
    "P": Known(0.087, 0.0875, "ca94fd864eca", (0.19, -0.02, 0.3), lambda x, y, z: (2.7 * y + z, y * y - x, x + y)),
    "Q": Known(
        0.109, 0.1085, "be82055ba606", (-5.45, -2.81, -2.46), lambda x, y, z: (-z, x - y, 3.1 * x + y * y + 0.5 * z)
    ),
    "R": Known(
        0.062, 0.0622, "0c5d4a748e1d", (-2.77, -1.78, -1.09), lambda x, y, z: (0.9 - y, 0.4 + z, x * y - z), 1 / 256
    ),
    "S": Known(0.188, 0.188, "201c589873fe", (-4.26, 0.4, -0.18), lambda x, y, z: (-x - 4 * y, x + z * z, 1 + x)),
}


@dataclass(frozen=True)
class Sprott(Flow):
    """The algebraically simplest chaotic flows that a search by computer found, by the letters they have there.

    For example x' = y z, y' = x - y, z' = 1 - x y in case B; `CASES` has them all. Case A is `NoseHoover`. One
    timescale is the Lyapunov time.

    Sprott, "Some simple chaotic flows", Physical Review E 50, 1994.
    """

    case: Case = "B"

    timescale_name = "Lyapunov time"
    published = tuple(
        Published(
            known.digest,
            Attractor(
                (known.published, 0.0005 + 0.01 * known.published, SPROTT_1994), states=1000, time=30.0, step=known.step
            ),
            at={"case": case},
        )
        for case, known in CASES.items()
    )

    def __post_init__(self) -> None:
        if self.case not in CASES:
            raise ValueError(f"Sprott.case must be one of {', '.join(CASES)}, but is {self.case!r}")

    @property
    def dim(self) -> int:
        return 3

    @property
    def timescale(self) -> float:
        return 1.0 / CASES[self.case].measured

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count 3"]:
        return along_attractor(self, CASES[self.case].start, count, rng)

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch 3"]) -> Inexact[Tensor, "*batch 3"]:
        return torch.stack(CASES[self.case].velocity(*x.unbind(-1)), dim=-1)
