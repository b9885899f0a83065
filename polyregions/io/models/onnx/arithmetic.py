"""ONNX arithmetic entry by entry: sums, differences, products and quotients with constants, minus."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.networks.graph.rounding import exact_product, exact_sum, floats_if_exact, rationals

MAX_RATIONALS: Final = 2**20
"""Most entries of a constant that is computed in rationals."""


def add(call: Call) -> Value:
    """Sum of two tensors."""
    a, b = _aligned(call)
    return sum_of(call, a, b, 1.0)


def sub(call: Call) -> Value:
    """Difference of two tensors."""
    a, b = _aligned(call)
    return sum_of(call, a, b, -1.0)


def sum_(call: Call) -> Value:
    """Sum of any number of tensors."""
    total = call.value(0)
    for i in range(1, len(call.operands)):
        total = sum_of(call, total, call.value(i), 1.0)
    return total


def mean(call: Call) -> Value:
    """Mean of any number of tensors."""
    total = sum_(call)
    n = len(call.operands)
    return scaled(
        call, total, np.array(1.0 / n) if n & (n - 1) == 0 else np.array(Fraction(1, n), dtype=object)
    )


def mul(call: Call) -> Value:
    """Product of two tensors, one of them constant.

    Raises:
        UnsupportedError: both depend on the network's input.
    """
    a, b = _aligned(call)
    if isinstance(a, Data) and isinstance(b, Data):
        raise call.unsupported(
            "multiplies two tensors that depend on the network's input (bilinear), expected a constant"
        )
    if not isinstance(a, Data) and not isinstance(b, Data) and a.dtype == b.dtype == np.int64:
        return _integers(call, a, b, lambda x, y: x * y)
    return scaled(call, b, a) if isinstance(b, Data) else scaled(call, a, b)


def div(call: Call) -> Value:
    """Quotient of a tensor by a constant.

    Raises:
        FormatError: the constant holds a 0.
        UnsupportedError: the divisor depends on the network's input.
    """
    a, b = _aligned(call)
    if isinstance(b, Data):
        raise call.unsupported("divides by a tensor that depends on the network's input, expected a constant")
    if np.any(b == 0):
        raise call.wrong("divides by 0")
    if not isinstance(a, Data) and a.dtype == b.dtype == np.int64:
        return _integers(call, a, b, _truncated)
    return scaled(call, a, reciprocal(call, b))


def neg(call: Call) -> Value:
    """Minus a tensor.

    Raises:
        FormatError: a constant that does not hold numbers.
    """
    call.only(1)
    value = call.value(0)
    if isinstance(value, Data):
        return Data(call.build.scale(value.node, np.full(prod(value.shape), -1.0)), value.shape)
    if value.dtype.kind not in "ifO":
        raise call.wrong(f"of {value.dtype}, expected numbers")
    return -value + 0


def sum_of(call: Call, a: Value, b: Value, sign: float) -> Value:
    """``a + sign * b`` with broadcasting."""
    shape = call.common_shape([a, b])
    if isinstance(a, Data) and isinstance(b, Data):
        left, right = call.broadcast(a, shape), call.broadcast(b, shape)
        return Data(call.build.add(left.node, right.node, sign), shape)
    if isinstance(b, Data):
        minus = b if sign > 0 else scaled(call, b, np.array(-1.0))
        return _shifted(call, minus, a, shape)
    if isinstance(a, Data):
        return _shifted(call, a, b if sign > 0 else -_numbers(call, b), shape)
    if a.dtype == b.dtype == np.int64:
        return _integers(call, a, b, lambda x, y: x + int(sign) * y)
    _check_constant(call, shape)
    left, right = np.broadcast_arrays(_numbers(call, a), _numbers(call, b) * int(sign))
    return exact_sum(left, right)


def scaled(call: Call, value: Value, factors: Any) -> Value:
    """A tensor times a constant, with broadcasting."""
    shape = call.common_shape([value, factors])
    factors = _numbers(call, factors)
    if isinstance(value, Data):
        flat = np.broadcast_to(factors, shape).ravel()
        return Data(call.build.scale(call.broadcast(value, shape).node, flat), shape)
    _check_constant(call, shape)
    return exact_product(*np.broadcast_arrays(_numbers(call, value), factors))


def reciprocal(call: Call, array: Any) -> Any:
    """1 / array: floats where they are exact (powers of two), else rationals.

    Raises:
        UnsupportedError: more than `MAX_RATIONALS` numbers.
    """
    if array.size > MAX_RATIONALS:
        raise call.unsupported(f"divides by {array.size} numbers, expected at most {MAX_RATIONALS}")
    return floats_if_exact(1 / rationals(_numbers(call, array)))


def _shifted(call: Call, data: Data, constant: Any, shape: tuple[int, ...]) -> Data:
    flat = np.broadcast_to(_numbers(call, constant), shape).ravel()
    return Data(call.build.shift(call.broadcast(data, shape).node, flat), shape)


def _numbers(call: Call, array: Any) -> Any:
    if array.dtype.kind not in "fO":
        raise call.wrong(f"acts on {array.dtype}, expected real numbers")
    return array


def _check_constant(call: Call, shape: tuple[int, ...]) -> None:
    if prod(shape) > MAX_RATIONALS:
        raise call.unsupported(
            f"of constants of shape {shape} is too large, expected {MAX_RATIONALS} entries"
        )


def _integers(call: Call, a: Any, b: Any, operator: Callable[[Any, Any], Any]) -> Any:
    """Integers without overflow."""
    _check_constant(call, call.common_shape([a, b]))
    found = np.asarray(operator(a.astype(object), b.astype(object)), dtype=object)
    if any(not -(2**63) <= n < 2**63 for n in found.flat):
        raise call.wrong("an integer beyond 64 bits")
    return found.astype(np.int64)


def _truncated(a: Any, b: Any) -> Any:
    return np.vectorize(lambda x, y: abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1), otypes=[object])(
        a, b
    )


def _aligned(call: Call) -> tuple[Value, Value]:
    """The two operands, the second with axes so that numpy's broadcasting is what the operator means."""
    call.only(2)
    a, b = call.value(0), call.value(1)
    if call.opset >= 7 or a.shape == b.shape:
        return a, b
    if not call.attribute("broadcast", 0):
        raise call.wrong(f"shapes {a.shape} and {b.shape} differ, and broadcast is not set")
    rank = len(b.shape)
    axis = call.attribute("axis", len(a.shape) - rank)
    behind = len(a.shape) - axis - rank
    if (
        axis < 0
        or behind < 0
        or any(n not in (1, m) for n, m in zip(b.shape, a.shape[axis : axis + rank], strict=True))
    ):
        raise call.wrong(f"shape {b.shape} from axis {axis} on does not fit {a.shape}")
    return a, call.moved(b, lambda array: array.reshape(*array.shape, *(1,) * behind))
