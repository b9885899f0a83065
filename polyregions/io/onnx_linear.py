"""ONNX operators that are affine in the data: Gemm, MatMul, Add, Sub."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from polyregions.io.chain import Dense, Offset, check_entries
from polyregions.io.files import network_errors_are_format_errors
from polyregions.io.onnx_call import Call, Flow, rationals
from polyregions.network import affine_layer


def gemm(call: Call, flow: Flow) -> None:
    """``alpha A' B' + beta C`` where A is the data."""
    call.only(3)
    if call.flow_position() != 0:
        raise call.unsupported("the data is not its first input")
    matrix = call.reals(1, "B")
    weight = _scaled(matrix.T if call.attribute("transB", 0) else matrix, call.attribute("alpha", 1.0))
    leading = _data_as_matrix(call, flow)
    if weight.ndim != 2 or weight.shape[0] != flow.shape[1]:
        raise call.wrong(f"A of shape {flow.shape} and B of shape {weight.shape} cannot be multiplied")
    shape = (flow.shape[0], weight.shape[1])
    bias = _gemm_bias(call, shape)
    if shape[0] == 1:
        _apply_dense(call, flow, weight.T, bias.ravel(), (*leading, shape[1]))
    else:
        multiply(call, flow, weight, data_first=True)
        _add_constant(call, flow, bias)


def matmul(call: Call, flow: Flow) -> None:
    """Product of the data with a constant on either side, in the sense of numpy."""
    call.only(2)
    data_first = call.flow_position() == 0
    multiply(call, flow, call.reals(1 if data_first else 0, "the constant"), data_first)


def add(call: Call, flow: Flow) -> None:
    """Sum of the data and a constant."""
    call.only(2)
    position = call.flow_position()
    constant = call.reals(1 - (position or 0), "the constant")
    _add_constant(call, flow, _aligned(call, flow.shape, constant, position == 0))


def sub(call: Call, flow: Flow) -> None:
    """Data minus a constant, or a constant minus the data."""
    call.only(2)
    position = call.flow_position()
    constant = _aligned(call, flow.shape, call.reals(1 - (position or 0), "the constant"), position == 0)
    if position == 0:
        _add_constant(call, flow, -constant)
    else:
        flow.apply(Offset(-1.0, np.zeros(flow.chain.width)), flow.shape)
        _add_constant(call, flow, constant)


def multiply(call: Call, flow: Flow, constant: Any, data_first: bool) -> None:
    """Let a matrix product act on the data."""
    if constant.ndim == 0 or not flow.shape:
        raise call.wrong("a factor without axes")
    if constant.ndim == 2 and data_first and flow.chain.width == flow.shape[-1] == constant.shape[0]:
        weight, shape = constant.T, (*flow.shape[:-1], constant.shape[1])
    elif constant.ndim == 2 and not data_first and flow.shape == (constant.shape[1],):
        weight, shape = constant, (constant.shape[0],)
    else:
        weight, shape = _product_matrix(call, flow.shape, constant, data_first)
    _apply_dense(call, flow, weight, np.zeros(len(weight)), shape)


def product_shape(call: Call, left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of a product of matrices or stacks of matrices, both with at least two axes."""
    if left[-1] != right[-2]:
        raise call.wrong(f"shapes {left} and {right} cannot be multiplied")
    return (*broadcast_shape(call, left[:-2], right[:-2]), left[-2], right[-1])


def broadcast_shape(call: Call, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """Common shape of two tensors by numpy's rules."""
    try:
        return tuple(np.broadcast_shapes(a, b))
    except ValueError:
        raise call.wrong(f"shapes {a} and {b} do not fit each other") from None


def _data_as_matrix(call: Call, flow: Flow) -> tuple[int, ...]:
    """Give the data two axes, transposed if asked; return the axes before the last of the result."""
    shape = flow.shape
    if call.opset < 7 and len(shape) > 2 and prod(shape[:-1]) == 1:  # old exporters hand over images
        flow.rearrange(lambda array: array.reshape(1, -1))
        return shape[:-1]
    if len(shape) != 2:
        raise call.wrong(f"A has shape {shape}, expected two axes")
    if call.attribute("transA", 0):
        flow.rearrange(np.transpose)
    return flow.shape[:1]


def _gemm_bias(call: Call, shape: tuple[int, int]) -> Any:
    if call.operand(2) is None:
        return np.zeros(shape)
    bias = _scaled(call.reals(2, "C"), call.attribute("beta", 1.0))
    call.check_size(shape)
    may_broadcast = call.opset >= 7 or call.attribute("broadcast", 0)
    if broadcast_shape(call, bias.shape, shape) != shape or (not may_broadcast and bias.size != prod(shape)):
        raise call.wrong(f"C has shape {bias.shape}, expected one that fits {shape}")
    return np.broadcast_to(bias, shape)


def _scaled(array: Any, factor: float) -> Any:
    """factor * array, as rationals where float64 would round."""
    if factor == 1.0:
        return array
    if array.dtype != object and _is_float32(array) and _is_float32(np.float64(factor)):
        return array * factor  # 24 bits times 24 bits fit into 53
    return rationals(array) * Fraction(factor)


def _is_float32(array: Any) -> bool:
    with np.errstate(over="ignore"):
        return bool(np.all(array.astype(np.float32) == array))


def _apply_dense(call: Call, flow: Flow, weight: Any, bias: Any, shape: tuple[int, ...]) -> None:
    with network_errors_are_format_errors():
        layer = affine_layer((weight + 0, bias + 0), call.node.where)  # + 0 turns -0.0 into 0.0
    flow.apply(Dense(layer), shape)


def _product_matrix(
    call: Call, shape: tuple[int, ...], constant: Any, data_first: bool
) -> tuple[Any, tuple[int, ...]]:
    """The matrix of a product on the flattened data, and the shape of the result.

    The product of each unit vector with the constant is a column. Each entry is a sum with at most
    one term that is not zero, so nothing is rounded.
    """
    matrices = _as_matrices(shape, data_first), _as_matrices(constant.shape, not data_first)
    left, right = matrices if data_first else matrices[::-1]
    full = product_shape(call, left, right)
    n_inputs, n_outputs = prod(shape), prod(full)
    check_entries(max(n_inputs, n_outputs), n_inputs, call.node.where)
    units = np.eye(n_inputs, dtype=constant.dtype)
    rank = max(len(left), len(right))
    own = matrices[0]
    basis = units.reshape(n_inputs, *(1,) * (rank - len(own)), *own)
    factor = constant.reshape(matrices[1])
    columns = np.matmul(basis, factor) if data_first else np.matmul(factor, basis)
    result_shape = _without_added_axes(full, shape, constant.shape, data_first)
    return columns.reshape(n_inputs, n_outputs).T, result_shape


def _as_matrices(shape: tuple[int, ...], is_left: bool) -> tuple[int, ...]:
    """A vector counts as one row on the left, and as one column on the right."""
    if len(shape) > 1:
        return shape
    return (1, *shape) if is_left else (*shape, 1)


def _without_added_axes(
    full: tuple[int, ...], data: tuple[int, ...], constant: tuple[int, ...], data_first: bool
) -> tuple[int, ...]:
    left, right = (data, constant) if data_first else (constant, data)
    rows = () if len(left) == 1 else full[-2:-1]
    columns = () if len(right) == 1 else full[-1:]
    return (*full[:-2], *rows, *columns)


def _aligned(call: Call, shape: tuple[int, ...], constant: Any, data_first: bool) -> Any:
    """The constant with axes so that numpy's broadcasting is what the operator means."""
    if call.opset >= 7 or constant.shape == shape:
        return constant
    if not (data_first and call.attribute("broadcast", 0)):
        raise call.wrong(f"shapes {shape} and {constant.shape} differ, and broadcast is not set")
    axis = call.attribute("axis", len(shape) - constant.ndim)
    behind = len(shape) - axis - constant.ndim
    aligned = constant.reshape(*constant.shape, *(1,) * max(behind, 0))
    if behind < 0 or axis < 0 or broadcast_shape(call, shape, aligned.shape) != shape:
        raise call.wrong(f"shape {constant.shape} from axis {axis} on does not fit {shape}")
    return aligned


def _add_constant(call: Call, flow: Flow, constant: Any) -> None:
    """Data plus constant; the data is repeated where the constant has more axes."""
    shape = broadcast_shape(call, flow.shape, constant.shape)
    call.check_size(shape)
    if shape != flow.shape:
        flow.rearrange(lambda array: np.broadcast_to(array, shape))
    offsets = np.broadcast_to(constant, shape).ravel()
    if offsets.dtype != object:
        flow.add(offsets)
        return
    check_entries(len(offsets), len(offsets), call.node.where)
    _apply_dense(call, flow, np.eye(len(offsets), dtype=object), offsets, shape)
