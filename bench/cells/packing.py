"""Arrays of floating-point numbers in fewer bytes, and yet bit by bit what they were.

Networks forecast in single precision, of which the physical units make double precision: such an array is kept as the
network gave it. Trajectories are smooth, so that differences in time leave the first bytes of numbers much alike.
"""

import zlib
from collections.abc import Mapping
from math import prod

import numpy as np

Arrays = Mapping[str, np.ndarray]

SMALL = 4096  # bytes of an array that is left as it is
STANDARDISED, WHOLE = "standardised", "whole"
KINDS = {STANDARDISED: np.dtype("<f4"), WHOLE: np.dtype("<f8")}


def pack(arrays: Arrays, mean: np.ndarray, scale: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays under names that say how each was packed; `mean` and `scale` are those of channels, `[channel]`."""
    packed: dict[str, np.ndarray] = {}
    for name, values in arrays.items():
        if values.dtype != np.float64 or values.nbytes <= SMALL:
            packed[name] = values
            continue
        how, kept = WHOLE, values
        if values.shape[-1:] == scale.shape:
            with np.errstate(all="ignore"):
                single = ((values - mean) / scale).astype(KINDS[STANDARDISED])
                if _restored(single, mean, scale).tobytes() == values.tobytes():
                    how, kept = STANDARDISED, single
        shape = ",".join(map(str, values.shape))
        packed[f"{name}|{how}|{shape}"] = np.frombuffer(_deflated(kept.astype(KINDS[how])), np.uint8)
    return packed


def unpack(arrays: Arrays, mean: np.ndarray, scale: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays that `pack` has packed, with the same `mean` and `scale`."""
    found: dict[str, np.ndarray] = {}
    for packed, content in arrays.items():
        name, *kept = packed.split("|")
        if not kept:
            found[name] = content
            continue
        values = _inflated(content, KINDS[kept[0]], tuple(map(int, kept[1].split(","))))
        found[name] = _restored(values, mean, scale) if kept[0] == STANDARDISED else values
    return found


def _restored(single: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return single.astype(np.float64) * scale + mean


def _deflated(values: np.ndarray) -> bytes:
    """Differences in time as whole numbers, the first bytes of all of them before the second ones, deflated."""
    whole = np.ascontiguousarray(values).view(f"<u{values.itemsize}")
    moves = np.diff(whole, axis=_time(values.shape), prepend=whole.dtype.type(0))
    return zlib.compress(moves.reshape(-1, 1).view(np.uint8).T.tobytes(), level=1)


def _inflated(content: np.ndarray, kind: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    columns = np.frombuffer(zlib.decompress(content.tobytes()), np.uint8).reshape(kind.itemsize, prod(shape))
    moves = np.ascontiguousarray(columns.T).view(f"<u{kind.itemsize}").reshape(shape)
    return np.cumsum(moves, axis=_time(shape), dtype=moves.dtype).view(kind)


def _time(shape: tuple[int, ...]) -> int:
    """The axis of time, before that of channels."""
    return max(0, len(shape) - 2)
