"""Long runs in space, small enough to lie inside the page, which turns them."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.colors import to_hex

from results.figures.style import Style

POINTS = 2500  # of each run, at most
ROOM = 0.25  # around the truth that runs are followed into, as a fraction of its extent
LEVELS = 32_000  # to which a coordinate within that room is rounded
GONE = -32_768  # where a run is outside of it, or not finite

Path = Float[np.ndarray, "time dim"]


def orbits(truth: Path, learned: Mapping[str, Path | str], styles: Mapping[str, Style]) -> dict[str, Any] | None:
    """The first three channels of the truth and of every learner that has a run, JSON-ready; None for fewer channels.

    `points` is base64 of little-endian int16 `[run, sample, 3]`, the truth first; `names` and `colours` are those of
    the others.
    """
    if truth.shape[1] < 3:
        return None
    low, high = truth[:, :3].min(axis=0), truth[:, :3].max(axis=0)
    middle, reach = (low + high) / 2, np.maximum((high - low) * (0.5 + ROOM), 1e-12)
    runs = {learner: path for learner, path in learned.items() if not isinstance(path, str)}
    levels = [_levels(path[:POINTS, :3], middle, reach) for path in (truth, *runs.values())]
    return {
        "names": list(runs),
        "colours": [to_hex(styles[learner].colour) for learner in runs],
        "samples": len(levels[0]),
        "points": base64.b64encode(np.stack(levels).astype("<i2").tobytes()).decode(),
    }


def _levels(path: Path, middle: np.ndarray, reach: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        placed = (path.astype(np.float64) - middle) / reach
        inside = (np.abs(placed) <= 1).all(axis=1, keepdims=True)  # false where not a number
    return np.where(inside, np.round(np.where(inside, placed, 0.0) * LEVELS), GONE)
