"""Velocities as programs of correctly rounded operations on single numbers, found by tracing them once."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]

# All that is done to numbers. IEEE 754 says the last bit of each, so that any program gives the bytes that torch gives;
# of sines, exponentials, sums along an axis and torch's roots it does not.
OPERATIONS = (np.add, np.subtract, np.multiply, np.divide, np.negative, np.abs)
ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE, ABSOLUTE = range(len(OPERATIONS))

# By the names that torch's functions and the methods of its tensors have.
_BINARY = {
    "add": ADD, "__radd__": ADD, "sub": SUBTRACT, "mul": MULTIPLY, "__rmul__": MULTIPLY, "div": DIVIDE,
    "__truediv__": DIVIDE,
}  # fmt: skip
_UNARY = dict.fromkeys(("neg", "__neg__"), NEGATE) | dict.fromkeys(("abs", "__abs__"), ABSOLUTE)
_MOVES = {  # that only choose and order numbers
    *("__getitem__", "broadcast_to", "cat", "chunk", "clone", "contiguous", "detach", "diagonal", "expand", "flatten"),
    *("flip", "hstack", "index_select", "movedim", "narrow", "permute", "repeat", "reshape", "roll", "select", "split"),
    *("squeeze", "stack", "swapaxes", "t", "tile", "transpose", "unbind", "unflatten", "unsqueeze", "view"),
}
_FILLED = {"full_like", "new_full", "new_ones", "new_zeros", "ones_like", "zeros_like"}
_ASKED = {"__get__", "__len__", "dim", "is_complex", "is_floating_point", "ndimension", "nelement", "numel", "size"}
_ROWS = 2  # states that are traced at once, to see that each has a velocity of its own

Operation = tuple[int, int, int]  # an operation on two numbers; a unary one has the first twice


class TraceError(Exception):
    """A velocity that does more than the operations on the numbers of one state: it is left to torch."""


class Program(NamedTuple):
    """The velocity of one state. Its registers are: the state, the time, the constants, and results."""

    constants: Float64[np.ndarray, " constants"]
    lines: Int64[np.ndarray, "lines 4"]  # operation, left, right, result: no result lies where an operand does
    outputs: Int64[np.ndarray, " dim"]
    registers: int

    def __call__(
        self, t: Float64[np.ndarray, " batch"], x: Float64[np.ndarray, "batch dim"]
    ) -> Float64[np.ndarray, "batch dim"]:
        """The velocities of a batch, by numpy."""
        values = np.empty((self.registers, len(x)))
        dim = x.shape[1]
        first = x.shape[1] + 1
        values[:dim] = x.T
        values[dim] = t
        values[first : first + len(self.constants)] = self.constants[:, None]
        for operation, left, right, result in self.lines.tolist():
            function = OPERATIONS[operation]
            operands = (values[left], values[right])[: function.nin]
            function(*operands, out=values[result])
        return values[self.outputs].T


def trace(velocity: Velocity, dim: int) -> Program | None:
    """The program of a velocity of states of so many numbers; None where it cannot be one."""
    record = _Record()
    places = torch.arange(_ROWS * (dim + 1)).reshape(_ROWS, dim + 1)
    record.count = places.numel()
    try:
        with torch.inference_mode(mode=False), torch.no_grad():
            result = velocity(_Traced.made(places[:, dim], record), _Traced.made(places[:, :dim], record))
            found = record.places(result).expand(_ROWS, dim)
        first, second = (record.program(ends.tolist(), row * (dim + 1), dim) for row, ends in enumerate(found))
    except Exception:  # of any kind: the velocity met what it did not expect
        return None
    alike = all(np.array_equal(*pair) for pair in zip(first, second, strict=True))
    return first if alike else None


class _Record:
    """What has been done to numbers, each of which has a place: first those of all states, then what follows."""

    def __init__(self) -> None:
        self.count = 0
        self.constants: dict[int, float] = {}
        self.definitions: dict[int, Operation] = {}
        self._known: dict[Any, int] = {}

    def places(self, value: Any) -> Tensor:
        """The places of a tensor's numbers, whole numbers of its shape; constants get theirs here."""
        if isinstance(value, _Traced):
            return value.places
        constant = value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
        if constant.is_complex() or constant.device.type != "cpu":
            raise TraceError(constant.dtype, constant.device)
        numbers = constant.double().flatten().tolist()
        return torch.tensor([self._constant(number) for number in numbers]).reshape(constant.shape)

    def apply(self, operation: int, *operands: Any) -> "_Traced":
        """An operation on tensors or numbers, element by element."""
        left, right = torch.broadcast_tensors(*map(self.places, (operands[0], operands[-1])))
        pairs = zip(left.flatten().tolist(), right.flatten().tolist(), strict=True)
        results = [self._define((operation, *pair)) for pair in pairs]
        return _Traced.made(torch.tensor(results).reshape(left.shape), self)

    def program(self, ends: list[int], begin: int, dim: int) -> Program:
        """What leads to the places `ends`, from those of one state and its time, which start at `begin`."""
        order = list(self._needed(ends))
        constants = [place for place in order if place in self.constants]
        lines = [place for place in order if place in self.definitions]
        if strangers := {*order} - {*constants, *lines, *range(begin, begin + dim + 1)}:
            raise TraceError(f"it needs the numbers {strangers} of another state")
        register = {begin + place: place for place in range(dim + 1)}
        register |= {place: dim + 1 + index for index, place in enumerate(constants)}
        last = {operand: line for line, place in enumerate(lines) for operand in self.definitions[place][1:]}
        last |= dict.fromkeys(ends, len(lines))
        free: list[int] = []
        registers = len(constants) + dim + 1
        written = []
        for line, place in enumerate(lines):
            operation, *operands = self.definitions[place]
            if not free:
                free.append(registers)
                registers += 1
            register[place] = free.pop()
            written.append([operation, *(register[operand] for operand in operands), register[place]])
            free += [register[one] for one in dict.fromkeys(operands) if one in self.definitions and last[one] == line]
        return Program(
            np.array([self.constants[place] for place in constants]),
            np.array(written, dtype=np.int64).reshape(-1, 4),
            np.array([register[end] for end in ends], dtype=np.int64),
            registers,
        )

    def _needed(self, ends: list[int]) -> Iterator[int]:
        """All places that the ends follow from, each after those that it follows from."""
        waiting = [(end, False) for end in reversed(ends)]
        seen = set()
        while waiting:
            place, ready = waiting.pop()
            if ready:
                yield place
            elif place not in seen:
                seen.add(place)
                operands = self.definitions[place][1:] if place in self.definitions else ()
                waiting += [(place, True), *((operand, False) for operand in reversed(operands))]

    def _constant(self, number: float) -> int:
        place = self._placed(number.hex())
        self.constants[place] = number
        return place

    def _define(self, definition: Operation) -> int:
        place = self._placed(definition)
        self.definitions[place] = definition
        return place

    def _placed(self, key: Any) -> int:
        place = self._known.setdefault(key, self.count)
        self.count += place == self.count
        return place


class _Traced(Tensor):
    """A tensor of numbers of which only the places are known; it holds NaN, so that no constant comes of it unseen."""

    places: Tensor
    record: _Record

    @staticmethod
    def made(places: Tensor, record: _Record) -> "_Traced":
        """From the places of its numbers."""
        traced = torch.full(places.shape, torch.nan, dtype=torch.float64).as_subclass(_Traced)
        traced.places, traced.record = places, record
        return traced

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch._C.DisableTorchFunctionSubclass():
            return _follow(func, func.__name__, kwargs or {}, *args)


def _follow(function: Any, name: str, options: dict[str, Any], first: Any, *others: Any) -> Any:
    """What one of torch's functions does to places."""
    several = isinstance(first, (list, tuple))
    record = next(one.record for one in (*(first if several else [first]), *others) if isinstance(one, _Traced))
    if name in _MOVES:
        moved = [record.places(one) for one in first] if several else record.places(first)
        found = function(moved, *others, **options)
        made = [_Traced.made(one, record) for one in (found if isinstance(found, (list, tuple)) else [found])]
        return made if isinstance(found, (list, tuple)) else made[0]
    if name in _FILLED:
        return function(first, *others, **options).as_subclass(Tensor)
    if name in _ASKED:
        found = function(first, *others, **options)  # of a view, such as the transpose, there are places
        return _Traced.made(function(record.places(first)), record) if isinstance(found, Tensor) else found
    if name == "to" and all(
        each is torch.float64 or isinstance(each, _Traced) for each in (*others, *options.values())
    ):
        return first if isinstance(first, _Traced) else first.to("cpu", torch.float64)
    if options:  # a factor of what is added, or how a quotient is rounded
        raise TraceError(function)
    if name in _BINARY and len(others) == 1:
        return record.apply(_BINARY[name], first, *others)
    if name in _UNARY:
        return record.apply(_UNARY[name], first)
    if name in ("rsub", "__rsub__") and len(others) == 1:
        return record.apply(SUBTRACT, others[0], first)
    if name in ("reciprocal", "__rtruediv__", "__rdiv__"):  # where torch multiplies by the reciprocal
        inverse = record.apply(DIVIDE, 1.0, first)
        return record.apply(MULTIPLY, inverse, *others) if others else inverse
    if name == "square" or (name in ("pow", "__pow__") and others[0] in (2, 3)):
        square = record.apply(MULTIPLY, first, first)
        return record.apply(MULTIPLY, square, first) if others == (3,) else square
    raise TraceError(function)
