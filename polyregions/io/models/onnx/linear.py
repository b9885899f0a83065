"""ONNX operators that mix the entries of the data: Gemm, MatMul, sums and means along axes, BatchNormalization."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt, prod
from typing import Any

import numpy as np

from polyregions.io.models.onnx.arithmetic import scaled, sum_of
from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.io.models.onnx.rearrange import checked_axes, reduced_axes
from polyregions.networks.graph.rounding import exact_product, floats_if_exact, rationals
from polyregions.networks.graph.sparse import from_entries

MAX_CONSTANT_WORK = 2**20
"""Most exact multiplications in a product of two constants."""


def gemm(call: Call) -> Value:
    """``alpha A' B' + beta C``.

    Raises:
        FormatError: C does not fit the product.
    """
    call.only(3)
    a, b = (_as_matrix(call, call.value(i, "AB"[i]), i) for i in (0, 1))
    leading = a.shape[:1]
    if call.opset < 7 and len(call.value(0).shape) > 2:
        leading = call.value(0).shape[:-1]
    alpha, beta = call.attribute("alpha", 1.0), call.attribute("beta", 1.0)
    if not isinstance(b, Data):
        b = exact_product(call.real(b, "B"), np.array(alpha))
    elif not isinstance(a, Data):
        a = exact_product(call.real(a, "A"), np.array(alpha))
    found = product(call, a, b)
    if call.operand(2) is not None:
        bias = scaled(call, call.value(2), np.array(beta))
        may_broadcast = call.opset >= 7 or call.attribute("broadcast", 0)
        fits = call.common_shape([bias, found]) == found.shape
        if not fits or (not may_broadcast and prod(bias.shape) != prod(found.shape)):
            raise call.wrong(f"C has shape {bias.shape}, expected one that fits {found.shape}")
        found = sum_of(call, found, bias, 1.0)
    return call.moved(found, lambda array: array.reshape(*leading, -1))


def matmul(call: Call) -> Value:
    """Product of two tensors in the sense of numpy, one of them constant."""
    call.only(2)
    return product(call, call.value(0), call.value(1))


def product(call: Call, a: Value, b: Value) -> Value:
    """The product of matrices, or stacks of matrices, of which one at most depends on the input.

    Raises:
        FormatError: a factor without axes.
        UnsupportedError: both depend on the network's input.
    """
    if not a.shape or not b.shape:
        raise call.wrong("a factor without axes")
    left = a.shape if len(a.shape) > 1 else (1, *a.shape)
    right = b.shape if len(b.shape) > 1 else (*b.shape, 1)
    shape = _product_shape(call, left, right)
    final = _without_added_axes(shape, a.shape, b.shape)
    if isinstance(a, Data) and isinstance(b, Data):
        raise call.unsupported(
            "multiplies two tensors that depend on the network's input (bilinear), expected a constant"
        )
    if not isinstance(a, Data) and not isinstance(b, Data):
        return _product_of_constants(call, a.reshape(left), b.reshape(right)).reshape(final)
    call.check_products(prod(shape) * left[-1])
    outputs = np.arange(prod(shape)).reshape(*shape[:-1], 1, shape[-1])
    if isinstance(a, Data):
        node, n_inputs = a.node, prod(left)
        inputs = np.arange(n_inputs).reshape(*left, 1)
        factors = call.real(b, "the constant").reshape(*right[:-2], 1, *right[-2:])
    else:
        node, n_inputs = b.node, prod(right)
        inputs = np.arange(n_inputs).reshape(*right[:-2], 1, *right[-2:])
        factors = call.real(a, "the constant").reshape(*left, 1)
    rows, columns, values = (array.ravel() for array in np.broadcast_arrays(outputs, inputs, factors))
    affine = from_entries(rows, columns, values, np.zeros(prod(shape)), n_inputs)
    return Data(call.build.affine(node, affine), final)


def reduce_sum(call: Call) -> Value:
    """Sum along axes."""
    return _reduced(call, False)


def reduce_mean(call: Call) -> Value:
    """Mean along axes."""
    return _reduced(call, True)


def cum_sum(call: Call) -> Value:
    """Sums of the entries so far along one axis.

    Raises:
        FormatError: more than one axis, or none.
    """
    call.only(2)
    value, given = call.value(0), call.integers(1, "axis")
    if len(given) != 1:
        raise call.wrong(f"axis {given}, expected one")
    (axis,) = checked_axes(call, given, len(value.shape))
    n = value.shape[axis]
    call.check_products(n * n)
    so_far = np.triu(np.ones((n, n)), 1 if call.attribute("exclusive", 0) else 0)
    if call.attribute("reverse", 0):
        so_far = so_far.T
    last = call.moved(value, lambda array: np.swapaxes(array, axis, -1))
    return call.moved(product(call, last, so_far), lambda array: np.swapaxes(array, axis, -1))


def batch_normalization(call: Call) -> Value:
    """``scale (x - mean) / sqrt(var + epsilon) + B`` for each channel.

    A square root that is irrational has no exact value: the factor is then the nearest float64 of
    ``scale / sqrt(var + epsilon)``, and a notice says so. Everything else is exact.

    Raises:
        FormatError: constants that are not one for each channel, or var + epsilon that is not positive.
    """
    call.only(5)
    _check_inference(call)
    shape = call.value(0).shape
    scale, bias, average, variance = (
        call.reals(i, what) for i, what in enumerate(("scale", "B", "mean", "var"), start=1)
    )
    n_channels = shape[1] if len(shape) > 1 else shape[0] if shape else 0
    if any(array.shape != (n_channels,) for array in (scale, bias, average, variance)):
        raise call.wrong(f"constants of shape {scale.shape} for data of shape {shape}")
    epsilon = Fraction(call.attribute("epsilon", float(np.float32(1e-5))))
    squares = [Fraction(v) + epsilon for v in variance]
    if min(squares, default=Fraction(1)) <= 0:
        raise call.wrong(f"var + epsilon is {min(squares)}, expected a positive number")
    pairs = [_over_root(Fraction(s), square) for s, square in zip(scale, squares, strict=True)]
    if not all(is_exact for _, is_exact in pairs):
        call.build.notices.append(
            f"{call.node.where}: square roots are irrational, so factors are the nearest float64 numbers"
        )
    factors = floats_if_exact(np.array([factor for factor, _ in pairs], dtype=object))
    axes = (n_channels, *(1,) * max(len(shape) - 2, 0))
    centred = sum_of(call, call.value(0), average.reshape(axes), -1.0)
    return sum_of(call, scaled(call, centred, factors.reshape(axes)), bias.reshape(axes), 1.0)


def _check_inference(call: Call) -> None:
    """Training is asked for by an attribute since opset 14; before, by the outputs for batch statistics."""
    n_outputs = len(call.node.outputs)
    if n_outputs > 1:
        raise call.unsupported(
            f"has {n_outputs} outputs, so it is in training mode (its results depend on the whole batch), "
            "expected one output"
        )
    if call.attribute("training_mode", 0) or (call.opset < 7 and not call.attribute("is_test", 0)):
        raise call.unsupported(
            "is in training mode (its results depend on the whole batch), expected inference"
        )
    if not call.attribute("spatial", 1):
        raise call.unsupported("has numbers for each pixel (spatial = 0), expected numbers for each channel")


def _over_root(scale: Fraction, square: Fraction) -> tuple[Fraction, bool]:
    """``scale / sqrt(square)`` and whether that is exact; if not, it is the nearest float64."""
    top, bottom = isqrt(square.denominator), isqrt(square.numerator)
    if top * top == square.denominator and bottom * bottom == square.numerator:
        return scale * Fraction(top, bottom), True
    ratio = scale * scale / square  # its root is wanted
    shift = 2 * max(0, 200 - (ratio.numerator.bit_length() - ratio.denominator.bit_length()) // 2)
    root = isqrt((ratio.numerator << shift) // ratio.denominator) if scale else 0
    nearest = float(Fraction(2 * root + 1, 2 << (shift // 2))) if scale else 0.0  # 200 bits, not a tie
    return Fraction(nearest if scale > 0 else -nearest), False


def _reduced(call: Call, is_mean: bool) -> Value:
    """Sum or mean along axes."""
    value = call.value(0)
    axes, shape = reduced_axes(call, value.shape)
    kept = [i for i in range(len(value.shape)) if i not in axes]
    count = prod(value.shape[i] for i in axes)
    factor = Fraction(1, count if is_mean else 1)
    grouped = call.moved(
        value, lambda a: a.transpose([*kept, *axes]).reshape(prod(value.shape[i] for i in kept), count)
    )
    total = product(call, grouped, floats_if_exact(np.full((count, 1), factor, dtype=object)))
    return call.moved(total, lambda a: a.reshape(shape))


def _as_matrix(call: Call, value: Value, i: int) -> Value:
    if i == 0 and call.opset < 7 and len(value.shape) > 2 and prod(value.shape[:-1]) == 1:
        value = call.moved(value, lambda array: array.reshape(1, -1))  # old exporters hand over images
    if len(value.shape) != 2:
        raise call.wrong(f"{'AB'[i]} has shape {value.shape}, expected two axes")
    return call.moved(value, np.transpose) if call.attribute("transA" if i == 0 else "transB", 0) else value


def _product_shape(call: Call, left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    if left[-1] != right[-2]:
        raise call.wrong(f"shapes {left} and {right} cannot be multiplied")
    try:
        stack = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise call.wrong(f"shapes {left} and {right} do not fit each other") from None
    return (*stack, left[-2], right[-1])


def _without_added_axes(
    shape: tuple[int, ...], left: tuple[int, ...], right: tuple[int, ...]
) -> tuple[int, ...]:
    rows = () if len(left) == 1 else shape[-2:-1]
    columns = () if len(right) == 1 else shape[-1:]
    return (*shape[:-2], *rows, *columns)


def _product_of_constants(call: Call, a: Any, b: Any) -> Any:
    """In rationals: no float32 rounding enters."""
    if prod(_product_shape(call, a.shape, b.shape)) * a.shape[-1] > MAX_CONSTANT_WORK:
        raise call.unsupported(f"of constants of shapes {a.shape} and {b.shape} is too large")
    left, right = rationals(call.real(a, "a factor")), rationals(call.real(b, "a factor"))
    return floats_if_exact(np.matmul(left, right))
