"""ONNX operators that move entries without computing: written once, for constants and for indices."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from polyregions.io.onnx_call import FLOW, Call
from polyregions.io.onnx_tensors import MAX_RANK


def identity(call: Call, array: Any) -> Any:
    """Identity."""
    call.only(1)
    return array


def dropout(call: Call, array: Any) -> Any:
    """Dropout, which does nothing in inference."""
    call.only(3)
    training = call.operand(2)
    if training is FLOW or (training is not None and np.any(training)):
        raise call.unsupported("is in training mode, expected inference")
    if call.opset < 7 and not call.attribute("is_test", 0):
        raise call.unsupported("is in training mode (is_test = 0), expected inference")
    return array


def flatten(call: Call, array: Any) -> Any:
    """Flatten to two axes."""
    call.only(1)
    axis = call.attribute("axis", 1)
    if not -array.ndim <= axis <= array.ndim:
        raise call.wrong(f"axis {axis} of a tensor of shape {array.shape}")
    first = prod(array.shape[: axis if axis >= 0 else axis + array.ndim])
    return array.reshape(first, array.size // first)


def reshape(call: Call, array: Any) -> Any:
    """Reshape, where 0 keeps an axis and -1 takes what is left."""
    call.only(2)
    wanted = call.integers(1, "shape")
    sizes = [_kept(call, array, i) if n == 0 else n for i, n in enumerate(wanted)]
    open_axes = [i for i, n in enumerate(sizes) if n == -1]
    known = prod(n for n in sizes if n != -1)
    if len(open_axes) == 1 and known > 0 and array.size % known == 0:
        sizes[open_axes[0]] = array.size // known
    if min(sizes, default=1) < 1 or prod(sizes) != array.size or len(sizes) > MAX_RANK:
        raise call.wrong(f"a tensor of shape {array.shape} cannot take the shape {tuple(wanted)}")
    return array.reshape(sizes)


def transpose(call: Call, array: Any) -> Any:
    """Transpose, reversing the axes by default."""
    call.only(1)
    axes = call.attribute("perm", list(reversed(range(array.ndim))))
    if sorted(axes) != list(range(array.ndim)):
        raise call.wrong(f"perm {axes} is no permutation of the axes of a tensor of shape {array.shape}")
    return array.transpose(axes)


def squeeze(call: Call, array: Any) -> Any:
    """Squeeze axes of size 1, all of them by default."""
    axes = _axes(call, array.ndim)
    if axes is None:
        axes = [i for i, n in enumerate(array.shape) if n == 1]
    if any(array.shape[i] != 1 for i in axes):
        raise call.wrong(f"axes {axes} of a tensor of shape {array.shape} are not all of size 1")
    return array.reshape([n for i, n in enumerate(array.shape) if i not in axes])


def unsqueeze(call: Call, array: Any) -> Any:
    """Unsqueeze: insert axes of size 1."""
    given = _axis_values(call)
    if given is None or array.ndim + len(given) > MAX_RANK:
        raise call.wrong("axes are missing or too many")
    rank = array.ndim + len(given)
    axes = _checked_axes(call, given, rank)
    old = iter(array.shape)
    return array.reshape([1 if i in axes else next(old) for i in range(rank)])


def _kept(call: Call, array: Any, axis: int) -> int:
    if call.attribute("allowzero", 0) or axis >= array.ndim:
        raise call.wrong(f"a size of 0 in axis {axis} of the shape, for a tensor of shape {array.shape}")
    return int(array.shape[axis])


def _axes(call: Call, rank: int) -> list[int] | None:
    given = _axis_values(call)
    return None if given is None else _checked_axes(call, given, rank)


def _axis_values(call: Call) -> list[int] | None:
    """Axes were an attribute before opset 13, and are an input since."""
    if call.opset < 13:
        call.only(1)
        return [int(n) for n in call.attribute("axes", [])] if "axes" in call.attributes else None
    call.only(2)
    if "axes" in call.attributes:
        raise call.wrong("axes is an attribute, expected an input since opset 13")
    return None if call.operand(1) is None else call.integers(1, "axes")


def _checked_axes(call: Call, given: list[int], rank: int) -> list[int]:
    axes = [n + rank if n < 0 else n for n in given]
    if len(set(axes)) != len(axes) or any(not 0 <= n < rank for n in axes):
        raise call.wrong(f"axes {given}, expected different axes of {rank}")
    return axes
