"""When compiled code takes over: of reference integrations, to which it gives the same bytes but takes time to load."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor
from torch.autograd import forward_ad

from systems.solvers.adaptive import Start
from systems.solvers.dense_output import Clock, State, Velocity
from systems.solvers.tracing import Program, trace

KERNEL = "systems.solvers.dop853_kernel"
LOADING = 700.0  # rounds of eager steps, which take about as long as the kernel takes to load
NUMBERS = 2000  # of a batch that make a round take twice as long as that of a small one
WIDTH = 32  # trajectories side by side
MOST = 2048  # numbers of their states, so that all of a step stays in the cache
LEAST = 8  # trajectories that take no longer than fewer


@dataclass
class Spent:
    """What this process has integrated eagerly, in rounds of steps of a small batch."""

    rounds: float = 0.0


SPENT = Spent()


@dataclass
class Handover:
    """Of one integration to compiled code.

    It comes where the code is loaded, or as soon as this process has worked for as long as loading takes: short work
    does not pay for it, and long work at most twice. A velocity that is no program stays with torch.
    """

    velocity: Velocity
    program: Program | None = None
    refused: bool = False
    rest: Start | None = None  # what is handed over

    def takes(self, start: Start) -> bool:
        """Whether compiled code is to go on from here; each call counts as a round of steps before."""
        SPENT.rounds += 1 + start.x.size / NUMBERS
        if len(start.x) and not self.refused and (KERNEL in sys.modules or SPENT.rounds > LOADING):
            # Numpy adds up a column of single numbers in an order of its own.
            self.program = checked_program(self.velocity, start.t, start.x) if start.x.shape[1] > 1 else None
            self.refused = self.program is None
            self.rest = None if self.refused else start
        return self.rest is not None

    def integrate(
        self,
        smallest: Clock,
        control: tuple[float, float, float],
        times: Float64[np.ndarray, "all time"],
        states: Float64[np.ndarray, "all time dim"],
    ) -> bool:
        """Fill in the states of the rest at times; False, and not all of them, where a trajectory cannot be followed.

        Args:
            smallest: step of each trajectory.
            control: the tolerance, the share of the step that the last error allows, and how much longer a last one
                may be.
            times: in increasing order.
        """
        from systems.solvers import dop853_kernel  # half a second for numba, and seconds where it is to be compiled

        assert self.rest is not None
        width = max(LEAST, min(WIDTH, MOST // self.rest.x.shape[1], len(self.rest.t)))
        times = np.array(times, order="C")  # writable, as the kernel expects
        return dop853_kernel.integrate(self.program, self.rest, smallest, control, times, states, width)


def checked_program(velocity: Velocity, t: Clock, x: State) -> Program | None:
    """The velocity as a program that gives its bytes at these states; None where it is none, or nothing to run it."""
    if find_spec("numba") is None or (program := trace(velocity, x.shape[1])) is None:
        return None
    eager = velocity(torch.from_numpy(t), torch.from_numpy(x)).numpy()
    return program if program(t, x).tobytes() == eager.tobytes() else None


def is_plain(state: Tensor, *precisions: torch.dtype) -> bool:
    """Whether states are no more than numbers in a CPU's memory, through which nobody asks for derivatives.

    Their precision is one of these, by default single.
    """
    return state.device.type == "cpu" and state.dtype in (precisions or [torch.float32]) and is_untracked(state)


def is_untracked(state: Tensor) -> bool:
    """Whether nobody asks for derivatives through states, which are no more than numbers."""
    return type(state) is Tensor and not torch.is_grad_enabled() and forward_ad.unpack_dual(state).tangent is None
