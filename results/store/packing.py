"""Arrays of floating-point numbers in fewer bytes, and yet bit by bit what they were.

Networks forecast in single precision, of which the physical units make double precision: such an array is kept as the
network gave it. Trajectories are smooth, so that their differences in time leave the first bytes of numbers much alike.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

Arrays = Mapping[str, np.ndarray]

NO_UNITS = np.empty(0)
SMALL = 4096  # bytes of an array that is left as it is
STANDARDISED, AS_IS = "standardised", "as it is"
SINGLE, DOUBLE = np.dtype("<f4"), np.dtype("<f8")
FAST = 2  # level of deflation: of such bytes the usual one saves 2 % more, and takes twice the time
ORDERS = (1, 3)  # of differences in time: of rough trajectories, and of smooth ones
ROWS, SAMPLES = 4, 1024  # of an array, by which the better order is found


def write_arrays(
    file: Path | IO[bytes], arrays: Arrays, mean: np.ndarray = NO_UNITS, scale: np.ndarray = NO_UNITS
) -> None:
    """Write an archive of packed arrays; mean and scale of channels as `pack` takes them."""
    np.savez(file, **pack(arrays, mean, scale))  # type: ignore[arg-type]


def read_arrays(
    file: Path | IO[bytes], mean: np.ndarray = NO_UNITS, scale: np.ndarray = NO_UNITS
) -> dict[str, np.ndarray]:
    """The arrays of an archive, packed or not. Raises what numpy does of one that is damaged, and never unpickles."""
    with np.load(file, allow_pickle=False) as archive:
        return unpack(dict(archive), mean, scale)


def pack(arrays: Arrays, mean: np.ndarray = NO_UNITS, scale: np.ndarray = NO_UNITS) -> dict[str, np.ndarray]:
    """The arrays under names that say how each was packed; `mean` and `scale` are those of channels, `[channel]`."""
    packed: dict[str, np.ndarray] = {}
    for name, values in arrays.items():
        if values.dtype not in (SINGLE, DOUBLE) or values.nbytes <= SMALL:
            packed[name] = values
            continue
        how, kept = AS_IS, values
        if values.dtype == DOUBLE and values.shape[-1:] == scale.shape:
            with np.errstate(all="ignore"):
                single = ((values - mean) / scale).astype(SINGLE)
                if _restored(single, mean, scale).tobytes() == values.tobytes():
                    how, kept = STANDARDISED, single
        sample = kept[:ROWS, ..., :SAMPLES, :] if kept.ndim > 2 else kept[:SAMPLES]
        order = min(ORDERS, key=lambda order: len(_deflated(sample, order)))
        shape = ",".join(map(str, kept.shape))
        packed[f"{name}|{how}|{kept.dtype.itemsize}|{order}|{shape}"] = np.frombuffer(_deflated(kept, order), np.uint8)
    return packed


def unpack(arrays: Arrays, mean: np.ndarray = NO_UNITS, scale: np.ndarray = NO_UNITS) -> dict[str, np.ndarray]:
    """The arrays that `pack` has packed, with the same `mean` and `scale`, and those that never were."""
    found: dict[str, np.ndarray] = {}
    for packed, content in arrays.items():
        name, *kept = packed.split("|")
        if not kept:
            found[name] = content
            continue
        how, size, order, shape = kept
        values = _inflated(content, int(size), int(order), tuple(map(int, shape.split(","))))
        found[name] = _restored(values, mean, scale) if how == STANDARDISED else values
    return found


def _restored(single: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return single.astype(np.float64) * scale + mean


def _deflated(values: np.ndarray, order: int) -> bytes:
    """Differences in time as whole numbers, the first bytes of all of them before the second ones, deflated."""
    moves = np.ascontiguousarray(values).view(f"<u{values.itemsize}")
    for _ in range(order):
        moves = np.diff(moves, axis=_time(values.shape), prepend=moves.dtype.type(0))
    signed = moves.view(f"<i{values.itemsize}")
    moves = (signed << 1 ^ signed >> 8 * values.itemsize - 1).view(moves.dtype)  # the sign last: small is small
    packer = zlib.compressobj(FAST, strategy=zlib.Z_FILTERED)
    return packer.compress(moves.reshape(-1, 1).view(np.uint8).T.tobytes()) + packer.flush()


def _inflated(content: np.ndarray, size: int, order: int, shape: tuple[int, ...]) -> np.ndarray:
    columns = np.frombuffer(zlib.decompress(content.tobytes()), np.uint8).reshape(size, -1)
    moves = np.ascontiguousarray(columns.T).view(f"<u{size}").reshape(shape)
    moves = moves >> 1 ^ -(moves & 1)
    for _ in range(order):
        moves = np.cumsum(moves, axis=_time(shape), dtype=moves.dtype)
    return moves.view(f"<f{size}")


def _time(shape: tuple[int, ...]) -> int:
    """The axis of time, before that of channels."""
    return max(0, len(shape) - 2)
