"""Reference integration up to events, where states jump or velocities change: scipy's DOP853 and its roots."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.integrate import DOP853
from scipy.optimize import brentq

State = Float64[np.ndarray, " dim"]

LOOKS = 9  # at the event function within a step, so that a short visit beyond it is seen
CLOSEST = 1e-10  # events of one trajectory, relative to its time, before they are said to accumulate
FINEST = 1e-13  # tolerance that scipy takes


@dataclass(frozen=True)
class Pieces:
    """A flow in pieces, of one state: its velocity on either side (1 or -1) of an event, and what happens there."""

    velocity: Callable[[int, State], State]  # on a side, smoothly continued beyond the event
    event: Callable[[np.ndarray], np.ndarray]  # of states `[*batch, dim]`, positive on side 1
    reset: Callable[[State], State]
    through: bool  # whether the state goes on on the other side, or is thrown back


def follow(
    pieces: Pieces, start: State, times: Float64[np.ndarray, " time"], tolerance: float
) -> Float64[np.ndarray, "time dim"]:
    """The states at increasing times, from that at the first of them.

    Raises FloatingPointError where the solution leaves the finite numbers, or events follow each other without end.
    """
    side = 1 if not pieces.through or pieces.event(start) >= 0 else -1
    states = np.empty((len(times), len(start)))
    states[0] = start
    done = 1
    now = float(times[0])
    x = start
    first = None
    while done < len(times):
        before = now
        solver = DOP853(
            lambda t, x, side=side: pieces.velocity(side, x), now, x, times[-1], rtol=tolerance, atol=tolerance,
            first_step=first,
        )  # fmt: skip
        event = first = None
        while event is None and done < len(times):
            trouble = solver.step()
            old = float(solver.t_old or now)
            if trouble or not np.isfinite(solver.y).all():
                raise FloatingPointError(f"no finite solution beyond t={solver.t:g} from state {start.tolist()}")
            path = solver.dense_output()
            if (bracket := _bracket(pieces, side, path, old, solver.t)) is not None:
                find: Any = brentq
                root = find(lambda t, path=path: pieces.event(path(t)), *bracket, xtol=1e-15, rtol=1e-15)
                event = float(root)
                x = pieces.reset(path(float(root)))
            elif side * pieces.event(solver.y) < 0:
                first = (solver.t - old) / 10  # left the event and came back within a step: a shorter one
                break
            reached = int(np.searchsorted(times, solver.t if event is None else event, side="right"))
            if reached > done:
                states[done:reached] = path(times[done:reached]).T
                done = reached
        if event is not None:
            now = event
            side = -side if pieces.through else side
        if (event is not None or first is not None) and (first or now - before) < CLOSEST * (1 + abs(now)):
            raise FloatingPointError(f"events accumulate at t={now:g}: there is no solution beyond")
    return states


def _bracket(
    pieces: Pieces, side: int, path: Callable[..., np.ndarray], begin: float, end: float
) -> tuple[float, float] | None:
    """Two times of a step between which the event function leaves its side, None where it does not."""
    looks = np.linspace(begin, end, LOOKS)
    values = side * pieces.event(path(looks).T)
    leaves = np.flatnonzero((values[:-1] > 0) & (values[1:] <= 0))
    return (float(looks[leaves[0]]), float(looks[leaves[0] + 1])) if len(leaves) else None
