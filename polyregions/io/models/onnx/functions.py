"""ONNX operators that are not piecewise linear, of constants: the result is a constant.

What is rational is exact. What is irrational is the nearest float64, and a notice says so.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor, isqrt, prod
from typing import Any, Final, TypeAlias

import flint
import numpy as np

from polyregions.io.models.onnx.arithmetic import MAX_RATIONALS
from polyregions.io.models.onnx.call import Call
from polyregions.io.models.onnx.rearrange import reduced_axes
from polyregions.networks.graph.rounding import floats_if_exact, fractions_of, object_array, rationals

MAX_FUNCTION_VALUES: Final = 2**16
"""Most values of functions such as exp that are computed, each to more than float64 precision."""

MAX_EXPONENT: Final = 64
"""Largest exponent of a power that is computed exactly."""

PRECISIONS: Final = (128, 512, 2048)
"""Bits in which an irrational value is enclosed, until it has one nearest float64."""

MAX_SIZE_BITS: Final = 1100
"""Values of more bits are beyond float64, and are not written out."""

Arb: TypeAlias = Any

FUNCTIONS: Final[dict[str, Callable[[Arb], Arb]]] = {
    "Acos": lambda x: x.acos(),
    "Acosh": lambda x: x.acosh(),
    "Asin": lambda x: x.asin(),
    "Asinh": lambda x: x.asinh(),
    "Atan": lambda x: x.atan(),
    "Atanh": lambda x: x.atanh(),
    "Cos": lambda x: x.cos(),
    "Cosh": lambda x: x.cosh(),
    "Erf": lambda x: x.erf(),
    "Exp": lambda x: x.exp(),
    "Log": lambda x: x.log(),
    "Sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "Sin": lambda x: x.sin(),
    "Sinh": lambda x: x.sinh(),
    "Softplus": lambda x: x.exp().log1p(),
    "Sqrt": lambda x: x.sqrt(),
    "Tan": lambda x: x.tan(),
    "Tanh": lambda x: x.tanh(),
}
"""Functions of one real number."""


def function(call: Call) -> Any:
    """A function of `FUNCTIONS`, entry by entry."""
    call.only(1)
    values = [_value(call, call.node.op, x) for x in _rationals(call, 0, MAX_FUNCTION_VALUES)]
    return _array(call, values, call.value(0).shape)


def power(call: Call) -> Any:
    """``x ** y``, exact for small whole exponents."""
    call.only(2)
    shape = call.common_shape([call.value(0), call.value(1)])
    base, exponent = (np.broadcast_to(rationals(call.numbers(i)), shape) for i in (0, 1))
    _check_size(call, shape, MAX_FUNCTION_VALUES)
    values = [
        _power(call, x, y)
        for x, y in zip(fractions_of(base.ravel()), fractions_of(exponent.ravel()), strict=True)
    ]
    return _as_given(call, _array(call, values, shape))


def reciprocal(call: Call) -> Any:
    """``1 / x``.

    Raises:
        FormatError: a number is 0.
    """
    call.only(1)
    values = _rationals(call, 0, MAX_RATIONALS)
    if 0 in values:
        raise call.wrong("divides by 0")
    return _exact([1 / x for x in values], call.value(0).shape)


def jumping(rule: Callable[[Fraction], int]) -> Callable[[Call], Any]:
    """An operator whose results are whole numbers, of real numbers that are certain."""

    def operator(call: Call) -> Any:
        call.only(1)
        call.certain(0)
        return _as_given(
            call, _exact([Fraction(rule(x)) for x in _rationals(call, 0, MAX_RATIONALS)], call.value(0).shape)
        )

    return operator


def sign(x: Fraction) -> int:
    """-1, 0 or 1."""
    return (x > 0) - (x < 0)


ROUNDINGS: Final[dict[str, Callable[[Fraction], int]]] = {
    "Ceil": ceil,
    "Floor": floor,
    "Round": round,
    "Sign": sign,
}
"""Roundings to whole numbers, ties to the even one."""


def mod(call: Call) -> Any:
    """The remainder: of the sign of the divisor, or with fmod of that of the dividend.

    Raises:
        FormatError: a divisor is 0.
    """
    call.only(2)
    call.certain(0)
    call.certain(1)
    shape = call.common_shape([call.value(0), call.value(1)])
    _check_size(call, shape, MAX_RATIONALS)
    a, b = (fractions_of(np.broadcast_to(rationals(call.numbers(i)), shape).ravel()) for i in (0, 1))
    if 0 in b:
        raise call.wrong("divides by 0")
    truncates = call.attribute("fmod", 0)
    values = [x - y * (int(x / y) if truncates else floor(x / y)) for x, y in zip(a, b, strict=True)]
    return _as_given(call, _exact(values, shape))


def compared(rule: Callable[[Any, Any], Any]) -> Callable[[Call], Any]:
    """A comparison of numbers that are certain, or an operator on truth values."""

    def operator(call: Call) -> Any:
        call.only(2)
        call.certain(0)
        call.certain(1)
        a, b = call.value(0), call.value(1)
        _check_size(call, call.common_shape([a, b]), MAX_RATIONALS)
        return np.asarray(rule(a, b)).astype(bool)

    return operator


COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Equal": np.equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
}

LOGICAL: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "And": np.logical_and,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
}


def not_(call: Call) -> Any:
    """The other truth value."""
    call.only(1)
    return ~_truth(call, 0)


def logical(rule: Callable[[Any, Any], Any]) -> Callable[[Call], Any]:
    """An operator on truth values."""

    def operator(call: Call) -> Any:
        call.only(2)
        call.common_shape([call.value(0), call.value(1)])
        return rule(_truth(call, 0), _truth(call, 1))

    return operator


def range_(call: Call) -> Any:
    """``start, start + delta, ...`` in front of the limit, each of them exact.

    Raises:
        FormatError: a bound or step that is not one number, or a step of 0.
    """
    call.only(3)
    numbers = [call.numbers(i) for i in range(3)]
    if any(array.size != 1 for array in numbers):
        raise call.wrong(f"bounds of shapes {[a.shape for a in numbers]}, expected numbers")
    start, limit, delta = (Fraction(array.ravel().tolist()[0]) for array in numbers)
    if delta == 0:
        raise call.wrong("a step of 0")
    for i in range(3):
        call.certain(i)
    n = max(ceil((limit - start) / delta), 0)
    call.check_size((n,))
    return _as_given(call, _exact([start + i * delta for i in range(n)], (n,)))


def dequantize(call: Call) -> Any:
    """``(x - zero point) * scale`` for the whole tensor, along an axis, or in blocks."""
    call.only(3)
    x, scale = call.integer_array(0, "x"), call.reals(1, "x_scale")
    zero = np.zeros((), dtype=np.int64) if call.operand(2) is None else call.integer_array(2, "x_zero_point")
    _check_size(call, x.shape, MAX_RATIONALS)
    scale, zero = (_quantized(call, array, x.shape) for array in (scale, zero))
    return floats_if_exact(rationals(x - zero) * rationals(scale))


def reduced(rule: Callable[[Call, list[Fraction]], Any]) -> Callable[[Call], Any]:
    """A function of all entries along axes."""

    def operator(call: Call) -> Any:
        value = call.value(0)
        axes, shape = reduced_axes(call, value.shape)
        kept = [i for i in range(value.ndim) if i not in axes]
        n = prod(value.shape[i] for i in axes)
        entries = rationals(call.numbers(0)).transpose([*kept, *axes]).reshape(-1, n)
        _check_size(call, value.shape, MAX_RATIONALS)
        return _as_given(call, _array(call, [rule(call, row) for row in entries.tolist()], shape))

    return operator


def root_of_squares(call: Call, entries: list[Fraction]) -> Any:
    """The Euclidean norm."""
    return _value(call, "Sqrt", _sum_of_squares(entries))


def log_of_sum(call: Call, entries: list[Fraction]) -> Any:
    """The logarithm of the sum."""
    return _value(call, "Log", sum(entries, Fraction(0)))


REDUCTIONS: Final[dict[str, Callable[[Call, list[Fraction]], Any]]] = {
    "ReduceL2": root_of_squares,
    "ReduceLogSum": log_of_sum,
    "ReduceProd": lambda _, entries: prod(entries, start=Fraction(1)),
    "ReduceSumSquare": lambda _, entries: _sum_of_squares(entries),
}
"""Reductions along axes."""


def _sum_of_squares(entries: list[Fraction]) -> Fraction:
    return sum((x * x for x in entries), Fraction(0))


def _quantized(call: Call, array: Any, shape: tuple[int, ...]) -> Any:
    """Scales or zero points in the shape of the tensor."""
    if array.size == 1:
        return np.broadcast_to(array.reshape(()), shape)
    axis, block = call.attribute("axis", 1), call.attribute("block_size", 0)
    if not -len(shape) <= axis < len(shape):
        raise call.wrong(f"axis {axis} of a tensor of shape {shape}")
    axis %= len(shape)
    if array.ndim == 1 and not block and array.shape == (shape[axis],):
        return np.broadcast_to(array.reshape(-1, *(1,) * (len(shape) - axis - 1)), shape)
    blocks = -(-shape[axis] // block) if block > 0 else 0
    if array.shape != (*shape[:axis], blocks, *shape[axis + 1 :]):
        raise call.wrong(f"scales or zero points of shape {array.shape} for a tensor of shape {shape}")
    return np.repeat(array, block, axis=axis)[(*(slice(None),) * axis, slice(shape[axis]))]


def _truth(call: Call, i: int) -> Any:
    array = call.value(i)
    if array.dtype.kind != "b":
        raise call.wrong(f"of {array.dtype}, expected truth values")
    return array


def _rationals(call: Call, i: int, limit: int) -> list[Fraction]:
    array = call.numbers(i)
    _check_size(call, array.shape, limit)
    return fractions_of(array.ravel())


def _check_size(call: Call, shape: tuple[int, ...], limit: int) -> None:
    if prod(shape) > limit:
        raise call.unsupported(f"of constants of shape {shape} is too large, expected {limit} entries")


def _exact(values: list[Fraction], shape: tuple[int, ...]) -> Any:
    return floats_if_exact(object_array(values)).reshape(shape)


def _array(call: Call, values: list[Any], shape: tuple[int, ...]) -> Any:
    """Exact values, and irrational ones (floats) with a notice."""
    if any(isinstance(v, float) for v in values):
        call.build.notices.append(
            f"{call.node.where}: values are irrational, so they are the nearest float64 numbers"
        )
    return _exact([Fraction(v) for v in values], shape)


def _as_given(call: Call, array: Any) -> Any:
    """Integers, where the first operand is of integers."""
    return call.whole(array) if call.value(0).dtype.kind == "i" else array


def _power(call: Call, x: Fraction, y: Fraction) -> Any:
    if y.denominator == 1 and abs(y) <= MAX_EXPONENT and (x != 0 or y >= 0):
        return x**y.numerator
    if y == Fraction(1, 2):
        return _value(call, "Sqrt", x)
    if x <= 0:
        raise call.unsupported(f"{float(x)} to the power {float(y)}")
    return _nearest(call, lambda: _arb(x) ** _arb(y))


def _value(call: Call, op: str, x: Fraction) -> Any:
    """A function's value: a fraction where it is a root that is rational, else the nearest float64."""
    if op == "Sqrt" and x >= 0:
        top, bottom = isqrt(x.numerator), isqrt(x.denominator)
        if top * top == x.numerator and bottom * bottom == x.denominator:
            return Fraction(top, bottom)
    return _nearest(call, lambda: FUNCTIONS[op](_arb(x)))


def _nearest(call: Call, enclosure: Callable[[], Arb]) -> Any:
    """The float64 nearest to an irrational value; a value that is exact is a fraction."""
    for bits in PRECISIONS:
        with flint.ctx.workprec(bits):
            found = enclosure()
            if not found.is_finite():
                raise call.wrong("a value that is no finite number")
            ends = found.lower(), found.upper()
        try:
            low, high = (_fraction(end) for end in ends)
            nearest = {float(low), float(high)}
        except OverflowError:
            raise call.wrong("a value beyond the range of float64") from None
        if found.is_exact() and (low != 0 or found.is_zero()):
            return low
        if len(nearest) == 1:
            return nearest.pop()
    return float((low + high) / 2)


def _arb(x: Fraction) -> Arb:
    return flint.arb(flint.fmpq(x.numerator, x.denominator))


def _fraction(point: Arb) -> Fraction:
    """A bound as a fraction; 0 where it is far below the smallest float64."""
    mantissa, exponent = (int(n) for n in point.man_exp())
    size = exponent + mantissa.bit_length()
    if size > MAX_SIZE_BITS:
        raise OverflowError
    return Fraction(mantissa) * Fraction(2) ** exponent if size > -2 * MAX_SIZE_BITS else Fraction(0)
