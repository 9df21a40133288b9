"""Products and activations of blocks of rows, in compiled code whose sums stay in the registers of one core.

Arrays are flat float32; functions take each with an offset, and with the distance between its rows.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from systems.solvers.compiling import WITHIN

OPTIONS: Any = {"fastmath": {"reassoc", "contract", "nsz", "arcp"}, "error_model": "numpy"}  # NaN and inf keep theirs
ROWS, LANES = 4, 16  # of the tiles that a product consists of
VECTOR = ir.VectorType(ir.FloatType(), LANES)
INDEX = ir.IntType(64)
F = np.float32
ZERO, HALF, ONE = F(0), F(0.5), F(1)


def compiled(function: Callable[..., Any]) -> Any:
    """A function that compiled ones call. What type checkers have wrapped it with, as tests do, is taken off."""
    return njit(**OPTIONS, **WITHIN)(inspect.unwrap(function))


def inlined(function: Callable[..., Any]) -> Any:
    """A small function that compiled ones take over as text, which takes less time to compile."""
    return njit(**OPTIONS, **WITHIN, inline="always")(inspect.unwrap(function))


def _tile(start: str) -> Any:
    """Four rows of 16 columns: C = A B ("set"), C += A B ("add") or, element by element, C *= A B ("multiply")."""

    @intrinsic
    def tile(typing, c, c_at, c_row, a, a_at, a_row, a_column, b, b_at, b_row, depth):
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            c, c_at, c_row, a, a_at, a_row, a_column, b, b_at, b_row, depth = arguments
            c, a, b = (
                context.make_array(signature.args[place])(context, builder, arguments[place]).data
                for place in (0, 3, 7)
            )
            nothing = VECTOR(ir.Undefined)
            first = ir.IntType(32)(0)
            everywhere = ir.VectorType(ir.IntType(32), LANES)([0] * LANES)

            def vector(data: Any, at: Any, row: Any, count: Any) -> Any:
                place = builder.add(at, builder.mul(row, count))
                return builder.bitcast(builder.gep(data, [place]), VECTOR.as_pointer())

            places = [vector(c, c_at, c_row, INDEX(row)) for row in range(ROWS)]
            starts = [builder.add(a_at, builder.mul(a_row, INDEX(row))) for row in range(ROWS)]
            sums = [cgutils.alloca_once(builder, VECTOR) for _ in range(ROWS)]
            for total, place in zip(sums, places, strict=True):
                builder.store(builder.load(place, align=4) if start == "add" else VECTOR(None), total)
            with cgutils.for_range(builder, depth) as loop:
                right = builder.load(vector(b, b_at, b_row, loop.index), align=4)
                column = builder.mul(loop.index, a_column)
                for total, begin in zip(sums, starts, strict=True):
                    one = builder.load(builder.gep(a, [builder.add(begin, column)]))
                    left = builder.shuffle_vector(builder.insert_element(nothing, one, first), nothing, everywhere)
                    product = builder.fmul(left, right, flags=("contract",))
                    builder.store(builder.fadd(builder.load(total), product, flags=("contract",)), total)
            for total, place in zip(sums, places, strict=True):
                value = builder.load(total)
                if start == "multiply":
                    value = builder.fmul(value, builder.load(place, align=4))
                builder.store(value, place, align=4)
            return context.get_dummy_value()

        return types.void(c, c_at, c_row, a, a_at, a_row, a_column, b, b_at, b_row, depth), generate

    return tile


def _product(start: str) -> Any:
    """A product of whole tiles, rows and columns, in which A may lie transposed."""
    tile = _tile(start)

    @compiled
    def product(c, c_at, c_row, a, a_at, a_row, a_column, b, b_at, b_row, rows, depth, columns):
        for j in range(0, columns, LANES):  # so that columns of B stay in the innermost cache
            for i in range(0, rows, ROWS):
                tile(c, c_at + i * c_row + j, c_row, a, a_at + i * a_row, a_row, a_column, b, b_at + j, b_row, depth)

    return product


product, add_product, multiply_by_product = (_product(start) for start in ("set", "add", "multiply"))


def _widening(multiply: bool) -> Any:
    """C = A B or, element by element, C *= A B, where A has four columns."""

    @compiled
    def product(c, c_at, c_row, a, a_at, b, b_at, b_row, rows, columns):
        first, second = b[b_at:], b[b_at + b_row :]
        third, fourth = b[b_at + 2 * b_row :], b[b_at + 3 * b_row :]
        for i in range(rows):
            w, x, y, z = a[a_at + 4 * i], a[a_at + 4 * i + 1], a[a_at + 4 * i + 2], a[a_at + 4 * i + 3]
            out = c[c_at + i * c_row : c_at + i * c_row + columns]
            for j in range(columns):
                value = w * first[j] + x * second[j] + y * third[j] + z * fourth[j]
                out[j] = out[j] * value if multiply else value

    return product


widening_product, multiply_by_widening_product = _widening(False), _widening(True)


@compiled
def narrowing_product(c, c_at, a, a_at, a_row, b, b_at, b_row, rows, depth):
    """C = A B^T, of three columns, of which C has four."""
    first, second, third = b[b_at:], b[b_at + b_row :], b[b_at + 2 * b_row :]
    for i in range(rows):
        left = a[a_at + i * a_row : a_at + i * a_row + depth]
        x, y, z = ZERO, ZERO, ZERO
        for k in range(depth):
            x += left[k] * first[k]
            y += left[k] * second[k]
            z += left[k] * third[k]
        c[c_at + 4 * i], c[c_at + 4 * i + 1], c[c_at + 4 * i + 2] = x, y, z


@inlined
def _exp(x):
    """To an ulp or two: a power of two times the polynomial of Cephes."""
    x = F(88) if x > F(88) else x
    x = F(-87) if x < F(-87) else x
    n = np.floor(x * F(1.44269504) + HALF)
    r = (x - n * F(0.693359375)) + n * F(2.12194440e-4)
    p = F(1.9875691500e-4)
    p = p * r + F(1.3981999507e-3)
    p = p * r + F(8.3334519073e-3)
    p = p * r + F(4.1665795894e-2)
    p = p * r + F(1.6666665459e-1)
    p = p * r + F(5.0000001201e-1)
    return (p * r * r + r + ONE) * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)


@inlined
def sigmoid(z):
    return ONE / (ONE + _exp(-z))


@inlined
def _silu(z):
    s = sigmoid(z)
    return z * s, s + z * s * (ONE - s)


@inlined
def _tanh(z):
    t = _exp(F(-2) * abs(z))
    y = (ONE - t) / (ONE + t)
    y = -y if z < ZERO else y
    return y, ONE - y * y


@inlined
def tangent(z):
    """Hyperbolic."""
    y, _ = _tanh(z)
    return y


@inlined
def _relu(z):
    slope = F(z > ZERO)
    return z * slope, slope


@inlined
def _leaky_relu(z):
    slope = ONE if z > ZERO else F(0.01)
    return z * slope, slope


@inlined
def _elu(z):
    slope = _exp(z if z < ZERO else ZERO)
    return z * F(z > ZERO) + (slope - ONE), slope


@inlined
def _gelu(z):
    """Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26."""
    t = ONE / (ONE + F(0.3275911 * 0.5**0.5) * abs(z))
    bell = _exp(-HALF * z * z)
    p = F(1.061405429)
    p = p * t - F(1.453152027)
    p = p * t + F(1.421413741)
    p = p * t - F(0.284496736)
    p = p * t + F(0.254829592)
    tail = HALF * p * t * bell
    area = tail if z < ZERO else ONE - tail
    return z * area, area + z * bell * F(0.39894228)


def _of_rows(function: Any) -> Any:
    @compiled
    def activate(values, slopes, at, row, rows, width):
        for i in range(rows):
            value, slope = values[at + i * row : at + i * row + width], slopes[at + i * row : at + i * row + width]
            for j in range(width):
                value[j], slope[j] = function(value[j])

    return activate


ACTIVATIONS = ("silu", "tanh", "relu", "elu", "gelu", "leaky_relu")
_silus, _tanhs, _relus, _elus, _gelus, _leaky_relus = (
    _of_rows(function) for function in (_silu, _tanh, _relu, _elu, _gelu, _leaky_relu)
)


@compiled
def activate(which, values, slopes, at, row, rows, width):
    """Put activations in the place of what goes into them, and their derivatives into `slopes`."""
    if which == 0:
        _silus(values, slopes, at, row, rows, width)
    elif which == 1:
        _tanhs(values, slopes, at, row, rows, width)
    elif which == 2:
        _relus(values, slopes, at, row, rows, width)
    elif which == 3:
        _elus(values, slopes, at, row, rows, width)
    elif which == 4:
        _gelus(values, slopes, at, row, rows, width)
    else:
        _leaky_relus(values, slopes, at, row, rows, width)


@compiled
def transpose(out, to, a, at, rows, columns):
    """out = A^T, of a matrix that begins at a place, as the other does, and lies one row behind the other."""
    for i in range(rows):
        for j in range(columns):
            out[to + j * rows + i] = a[at + i * columns + j]


@compiled
def combine(out, at, coefficients, row, terms, size):
    """A row of coefficients times terms of one size, of which `out` may be the last; zeros are left out."""
    last = coefficients.shape[1] - 1
    total = out[at : at + size]
    term = terms[last * size : (last + 1) * size]
    for i in range(size):
        total[i] = coefficients[row, last] * term[i]
    for place in range(last):
        coefficient = coefficients[row, place]
        if coefficient != ZERO:
            term = terms[place * size : (place + 1) * size]
            for i in range(size):
                total[i] += coefficient * term[i]
