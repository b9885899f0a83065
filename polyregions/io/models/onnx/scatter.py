"""ONNX operators that pick and place entries by constant indices or truth values."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from polyregions._types import Ints
from polyregions.io.models.onnx.arithmetic import scaled
from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.io.models.onnx.rearrange import checked_axes, checked_shape
from polyregions.networks.graph.sparse import from_entries


def where(call: Call) -> Value:
    """Entries of one tensor or the other, by constant truth values.

    Raises:
        FormatError: the condition does not hold truth values.
    """
    call.only(3)
    condition = call.constant(0, "the condition")
    if condition.dtype.kind != "b":
        raise call.wrong(f"the condition is of {condition.dtype}, expected truth values")
    values = [call.value(1), call.value(2)]
    shape = call.common_shape([condition, *values])
    ends = np.cumsum([0, *(prod(v.shape) for v in values)])
    first, second = (
        np.broadcast_to(np.arange(ends[i], ends[i + 1]).reshape(v.shape), shape) for i, v in enumerate(values)
    )
    return call.picked(values, np.where(condition, first, second))


def gather_elements(call: Call, array: Any) -> Any:
    """The entry for each index along one axis."""
    call.only(2)
    return array[_grid(call, array.shape, call.integer_array(1, "indices"))]


def gather_nd(call: Call, array: Any) -> Any:
    """The slice for each row of indices.

    Raises:
        FormatError: batch_dims that do not fit the shapes.
    """
    call.only(2)
    index, n_batch = call.integer_array(1, "indices"), call.attribute("batch_dims", 0)
    if not 0 <= n_batch < min(index.ndim, array.ndim) or index.shape[:n_batch] != array.shape[:n_batch]:
        raise call.wrong(f"batch_dims {n_batch} for shapes {array.shape} and {index.shape}")
    rows = _rows(call, index, array.shape[n_batch:])
    places = tuple(np.moveaxis(rows, -1, 0))
    grid = np.ogrid[tuple(slice(n) for n in index.shape[:n_batch])]
    batch = [b.reshape(*b.shape, *(1,) * (index.ndim - 1 - n_batch)) for b in grid]
    call.check_size((*index.shape[:-1], *array.shape[n_batch + index.shape[-1] :]))
    return array[(*batch, *places)]


def scatter_elements(call: Call) -> Value:
    """A tensor with entries replaced, or added to, along one axis.

    Raises:
        FormatError: updates and indices of different shapes.
    """
    call.only(3)
    index = call.integer_array(1, "indices")
    data, updates = call.value(0), call.value(2)
    if updates.shape != index.shape:
        raise call.wrong(f"updates of shape {updates.shape} for indices of shape {index.shape}")
    places = np.arange(prod(data.shape)).reshape(data.shape)[_grid(call, data.shape, index)]
    return _placed(call, data, updates, places.ravel())


def scatter_nd(call: Call) -> Value:
    """A tensor with slices replaced, or added to.

    Raises:
        FormatError: updates of another shape than what they go to.
    """
    call.only(3)
    data, index, updates = call.value(0), call.integer_array(1, "indices"), call.value(2)
    rows = _rows(call, index, data.shape)
    places = np.arange(prod(data.shape)).reshape(data.shape)[tuple(np.moveaxis(rows, -1, 0))]
    if updates.shape != places.shape:
        raise call.wrong(f"updates of shape {updates.shape}, expected {places.shape}")
    return _placed(call, data, updates, places.ravel())


def trilu(call: Call) -> Value:
    """The upper or lower triangle of matrices, 0 elsewhere.

    Raises:
        FormatError: fewer than two axes.
    """
    call.only(2)
    value, offset = call.value(0), 0 if call.operand(1) is None else call.integers(1, "k")[0]
    if len(value.shape) < 2:
        raise call.wrong(f"of shape {value.shape}, expected matrices")
    offset = max(-sum(value.shape), min(offset, sum(value.shape)))
    keep = np.triu if call.attribute("upper", 1) else np.tril
    if not isinstance(value, Data):
        return keep(value, offset)
    return scaled(call, value, keep(np.ones(value.shape), offset))


def compress(call: Call, array: Any) -> Any:
    """The slices along one axis, or the entries, where a constant is true.

    Raises:
        FormatError: the condition is no list of truth values, or longer than the axis.
    """
    call.only(2)
    condition = call.constant(1, "the condition")
    if "axis" not in call.attributes:
        array, axis = array.ravel(), 0
    else:
        (axis,) = checked_axes(call, [call.attribute("axis", 0)], array.ndim)
    if condition.dtype.kind != "b" or condition.ndim != 1 or len(condition) > array.shape[axis]:
        raise call.wrong(f"a condition of {condition.dtype} {condition.shape} for {array.shape[axis]} slices")
    return np.compress(condition, array, axis=axis)


def non_zero(call: Call) -> Any:
    """The places (rank, n) of the entries that are not 0."""
    call.only(1)
    call.certain(0)
    return np.array(np.nonzero(call.constant(0, "the tensor")), dtype=np.int64)


def one_hot(call: Call) -> Any:
    """A new axis that is `on` at each index and `off` elsewhere.

    Raises:
        FormatError: a depth that is not one number from 1 to 2^20, values that are not two, or an axis out of range.
    """
    call.only(3)
    index, depth, values = call.integer_array(0, "indices"), call.numbers(1), call.constant(2, "values")
    if depth.size != 1 or values.shape != (2,) or not 1 <= depth.ravel()[0] <= 2**20:
        raise call.wrong(f"depth {depth} and values of shape {values.shape}")
    n = int(depth.ravel()[0])
    axis = call.attribute("axis", -1)
    if not -index.ndim - 1 <= axis <= index.ndim:
        raise call.wrong(f"axis {axis} for indices of shape {index.shape}")
    axis %= index.ndim + 1
    call.check_size((*index.shape, n))
    hit = np.expand_dims(np.where(index < 0, index + n, index), axis)
    classes = np.arange(n).reshape(-1, *(1,) * (index.ndim - axis))
    return values[(hit == classes).astype(np.int64)]


def eye_like(call: Call) -> Any:
    """Ones on a diagonal, in the shape of a tensor.

    Raises:
        FormatError: the tensor is no matrix.
    """
    call.only(1)
    shape = call.value(0).shape
    if len(shape) != 2:
        raise call.wrong(f"of shape {shape}, expected a matrix")
    n_rows, n_columns = checked_shape(call, list(shape))
    return np.eye(n_rows, n_columns, max(-n_rows, min(call.attribute("k", 0), n_columns)))


def reverse_sequence(call: Call, array: Any) -> Any:
    """The beginnings of the sequences, of constant lengths, reversed.

    Raises:
        FormatError: axes other than the first two, or lengths that do not fit.
    """
    call.only(2)
    lengths = call.integers(1, "sequence_lens")
    batch, time = call.attribute("batch_axis", 1), call.attribute("time_axis", 0)
    if {batch, time} != {0, 1} or array.ndim < 2 or len(lengths) != array.shape[batch]:
        raise call.wrong(f"{len(lengths)} lengths for a tensor of shape {array.shape}")
    n = array.shape[time]
    if not all(0 <= length <= n for length in lengths):
        raise call.wrong(f"lengths {lengths[:5]} of sequences of {n}")
    steps, ends = np.arange(n)[:, np.newaxis], np.array(lengths)
    read = np.where(steps < ends, ends - 1 - steps, steps)
    sequences = np.arange(len(lengths))
    return array[read, sequences] if time == 0 else array[sequences[:, np.newaxis], read.T]


def _grid(call: Call, shape: tuple[int, ...], index: Any) -> tuple[Any, ...]:
    """For each index along one axis the place of an entry."""
    if index.ndim != len(shape):
        raise call.wrong(f"indices of shape {index.shape} for a tensor of shape {shape}")
    (axis,) = checked_axes(call, [call.attribute("axis", 0)], len(shape))
    n = shape[axis]
    if any(m > size for i, (m, size) in enumerate(zip(index.shape, shape, strict=True)) if i != axis):
        raise call.wrong(f"indices of shape {index.shape} for a tensor of shape {shape}")
    if np.any((index < -n) | (index >= n)):
        raise call.wrong(f"indices outside an axis of size {n}")
    grid: list[Any] = list(np.ogrid[tuple(slice(m) for m in index.shape)])
    grid[axis] = index % n
    return tuple(grid)


def _rows(call: Call, index: Any, shape: tuple[int, ...]) -> Any:
    """Rows of indices of the first axes, counted from the beginning."""
    if index.ndim < 1 or not 1 <= index.shape[-1] <= len(shape):
        raise call.wrong(f"indices of shape {index.shape} for a tensor of shape {shape}")
    sizes = np.array(shape[: index.shape[-1]])
    if np.any((index < -sizes) | (index >= sizes)):
        raise call.wrong(f"indices outside axes of sizes {tuple(shape[: index.shape[-1]])}")
    return index % sizes


def _placed(call: Call, data: Value, updates: Value, places: Ints) -> Value:
    """A tensor with updates put at, or added to, flat places."""
    how = call.attribute("reduction", "none")
    if how == "add":
        return _added(call, call.as_data(data), call.as_data(updates), places)
    if how != "none":
        raise call.unsupported(f"reduction {how!r}, expected none or add")
    if len(np.unique(places)) < len(places):
        raise call.unsupported("writes an entry twice, and which value stays is not defined")
    index = np.arange(prod(data.shape))
    index[places] = len(index) + np.arange(len(places))
    return call.picked([data, updates], index.reshape(data.shape))


def _added(call: Call, data: Data, updates: Data, places: Ints) -> Data:
    n, m = prod(data.shape), len(places)
    rows = np.concatenate([np.arange(n), places])
    affine = from_entries(rows, np.arange(n + m), np.ones(n + m), np.zeros(n), n + m)
    return Data(call.build.affine(call.build.join([data.node, updates.node]), affine), data.shape)
