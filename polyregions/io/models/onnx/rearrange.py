"""ONNX operators that move entries without computing: written once, for constants and for indices."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from polyregions.io.models.onnx.call import MAX_SIZE, Call, Data, Value
from polyregions.io.models.onnx.tensors import MAX_RANK
from polyregions.networks.graph.sparse import from_entries


def identity(call: Call, array: Any) -> Any:
    """Identity."""
    call.only(1)
    return array


def dropout(call: Call, array: Any) -> Any:
    """Dropout, which does nothing in inference.

    Raises:
        UnsupportedError: training mode.
    """
    call.only(3)
    training = call.operand(2)
    if isinstance(training, Data) or (training is not None and np.any(training) and _drops(call)):
        raise call.unsupported("is in training mode, expected inference")
    if call.opset < 7 and not call.attribute("is_test", 0):
        raise call.unsupported("is in training mode (is_test = 0), expected inference")
    return array


def _drops(call: Call) -> bool:
    """Whether the ratio is anything else than 0."""
    return call.operand(1) is None or isinstance(call.operand(1), Data) or bool(np.any(call.operand(1)))


def flatten(call: Call, array: Any) -> Any:
    """Flatten to two axes.

    Raises:
        FormatError: an axis out of range.
    """
    call.only(1)
    axis = call.attribute("axis", 1)
    if not -array.ndim <= axis <= array.ndim:
        raise call.wrong(f"axis {axis} of a tensor of shape {array.shape}")
    first = prod(array.shape[: axis if axis >= 0 else axis + array.ndim])
    return array.reshape(first, array.size // first)


def reshape(call: Call, array: Any) -> Any:
    """Reshape, where 0 keeps an axis and -1 takes what is left.

    Raises:
        FormatError: the tensor cannot take the shape.
    """
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
    """Transpose, reversing the axes by default.

    Raises:
        FormatError: perm is no permutation of the axes.
    """
    call.only(1)
    axes = call.attribute("perm", list(reversed(range(array.ndim))))
    if sorted(axes) != list(range(array.ndim)):
        raise call.wrong(f"perm {axes} is no permutation of the axes of a tensor of shape {array.shape}")
    return array.transpose(axes)


def squeeze(call: Call, array: Any) -> Any:
    """Squeeze axes of size 1, all of them by default.

    Raises:
        FormatError: an axis is of another size.
    """
    axes = _axes(call, array.ndim)
    if axes is None:
        axes = [i for i, n in enumerate(array.shape) if n == 1]
    if any(array.shape[i] != 1 for i in axes):
        raise call.wrong(f"axes {axes} of a tensor of shape {array.shape} are not all of size 1")
    return array.reshape([n for i, n in enumerate(array.shape) if i not in axes])


def unsqueeze(call: Call, array: Any) -> Any:
    """Unsqueeze: insert axes of size 1.

    Raises:
        FormatError: no axes are given, or too many.
    """
    given = _axis_values(call)
    if given is None or array.ndim + len(given) > MAX_RANK:
        raise call.wrong("axes are missing or too many")
    rank = array.ndim + len(given)
    axes = checked_axes(call, given, rank)
    old = iter(array.shape)
    return array.reshape([1 if i in axes else next(old) for i in range(rank)])


def slice_(call: Call, array: Any) -> Any:
    """Slice, whose bounds were attributes before opset 10, and are inputs since.

    Raises:
        FormatError: starts, ends, axes and steps of different lengths, or a step of 0.
    """
    if call.opset < 10:
        call.only(1)
        starts, ends = call.attribute("starts", []), call.attribute("ends", [])
        axes, steps = call.attribute("axes", list(range(len(starts)))), [1] * len(starts)
    else:
        call.only(5)
        starts, ends = call.integers(1, "starts"), call.integers(2, "ends")
        axes = list(range(len(starts))) if call.operand(3) is None else call.integers(3, "axes")
        steps = [1] * len(starts) if call.operand(4) is None else call.integers(4, "steps")
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise call.wrong(f"starts {starts}, ends {ends}, axes {axes} and steps {steps}")
    index = [slice(None)] * array.ndim
    for axis, start, end, step in zip(checked_axes(call, axes, array.ndim), starts, ends, steps, strict=True):
        index[axis] = _bounded_slice(start, end, step, array.shape[axis])
    return array[tuple(index)]


def gather(call: Call, array: Any) -> Any:
    """Gather along one axis by constant indices.

    Raises:
        FormatError: an index outside the axis.
    """
    call.only(2)
    index = call.integer_array(1, "indices")
    (axis,) = checked_axes(call, [call.attribute("axis", 0)], array.ndim)
    n = array.shape[axis]
    if np.any((index < -n) | (index >= n)):
        raise call.wrong(f"indices outside an axis of size {n}")
    call.check_size((*array.shape[:axis], *index.shape, *array.shape[axis + 1 :]))
    return np.take(array, index, axis=axis)


def expand(call: Call, array: Any) -> Any:
    """Expand by numpy's rules in both directions.

    Raises:
        FormatError: the shapes do not fit each other.
    """
    call.only(2)
    shape = checked_shape(call, call.integers(1, "shape"))
    try:
        common = np.broadcast_shapes(array.shape, shape)
    except ValueError:
        raise call.wrong(f"shapes {array.shape} and {shape} do not fit each other") from None
    call.check_size(common)
    return np.broadcast_to(array, common)


def tile(call: Call, array: Any) -> Any:
    """Repeat the whole tensor along each axis.

    Raises:
        FormatError: not one number of repeats >= 1 for each axis.
    """
    call.only(2)
    repeats = call.integers(1, "repeats")
    if len(repeats) != array.ndim or min(repeats, default=1) < 1:
        raise call.wrong(f"repeats {repeats} of a tensor of shape {array.shape}")
    call.check_size(tuple(n * r for n, r in zip(array.shape, repeats, strict=True)))
    return np.tile(array, repeats)


def depth_to_space(call: Call, array: Any) -> Any:
    """Blocks of channels become blocks of pixels.

    Raises:
        FormatError: not four axes, a blocksize that does not fit, or an unknown mode.
    """
    call.only(1)
    size, mode = call.attribute("blocksize", 0), call.attribute("mode", "DCR")
    if array.ndim != 4 or size < 1 or array.shape[1] % (size * size) or mode not in ("DCR", "CRD"):
        raise call.wrong(f"blocksize {size} and mode {mode!r} of a tensor of shape {array.shape}")
    n, c, h, w = array.shape
    c //= size * size
    if mode == "DCR":
        return (
            array.reshape(n, size, size, c, h, w)
            .transpose(0, 3, 4, 1, 5, 2)
            .reshape(n, c, h * size, w * size)
        )
    return array.reshape(n, c, size, size, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c, h * size, w * size)


def space_to_depth(call: Call, array: Any) -> Any:
    """Blocks of pixels become channels.

    Raises:
        FormatError: not four axes, a blocksize that does not fit, or an unknown mode.
    """
    call.only(1)
    size, mode = call.attribute("blocksize", 0), call.attribute("mode", "DCR")
    if array.ndim != 4 or size < 1 or array.shape[2] % size or array.shape[3] % size:
        raise call.wrong(f"blocksize {size} of a tensor of shape {array.shape}")
    if mode not in ("DCR", "CRD"):
        raise call.wrong(f"mode {mode!r}")
    n, c, h, w = array.shape
    blocks = array.reshape(n, c, h // size, size, w // size, size)
    axes = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    return blocks.transpose(axes).reshape(n, c * size * size, h // size, w // size)


def split(call: Call) -> list[Value]:
    """Split along one axis into as many parts as the node has outputs.

    Raises:
        FormatError: the axis does not fall into parts of these sizes, or not into equal ones where it has to.
    """
    call.only(2)
    value, n_parts = call.value(0), len(call.node.proto.output)
    (axis,) = checked_axes(call, [call.attribute("axis", 0)], len(value.shape))
    n = value.shape[axis]
    if "split" in call.attributes:
        sizes = call.attribute("split", [])
    elif call.operand(1) is not None:
        sizes = call.integers(1, "split")
    else:
        share = -(-n // n_parts)
        sizes = [min(share, n - i * share) for i in range(n_parts)]
        if call.opset < 18 and n % n_parts:
            raise call.wrong(f"{n} entries in {n_parts} equal parts")
    if len(sizes) != n_parts or sum(sizes) != n or min(sizes, default=0) < 1:
        raise call.wrong(f"parts of sizes {sizes} for {n_parts} outputs and an axis of size {n}")
    ends = np.cumsum(sizes).tolist()
    return [_part(call, value, axis, end - size, end) for size, end in zip(sizes, ends, strict=True)]


def _part(call: Call, value: Value, axis: int, start: int, end: int) -> Value:
    return call.moved(value, lambda array: array[(*(slice(None),) * axis, slice(start, end))])


def concat(call: Call) -> Value:
    """Concatenation along one axis.

    Raises:
        FormatError: nothing to join, or shapes that differ elsewhere than along the axis.
    """
    values = [call.value(i) for i in range(len(call.operands))]
    if not values:
        raise call.wrong("joins nothing")
    rank = len(values[0].shape)
    (axis,) = checked_axes(call, [call.attribute("axis", 1 if call.opset < 4 else 0)], rank)
    outside = {(v.shape[:axis], v.shape[axis + 1 :]) if len(v.shape) == rank else None for v in values}
    if len(outside) != 1 or None in outside:
        raise call.wrong(f"joins tensors of shapes {[v.shape for v in values]} along axis {axis}")
    if not any(isinstance(v, Data) for v in values):
        return np.concatenate(values, axis=axis)
    parts = [call.as_data(v) for v in values]
    starts = np.cumsum([0, *(prod(p.shape) for p in parts)]).tolist()
    call.check_size((starts[-1],))
    blocks = [np.arange(s, s + prod(p.shape)).reshape(p.shape) for p, s in zip(parts, starts, strict=False)]
    index = np.concatenate(blocks, axis=axis)
    joined = call.build.join([p.node for p in parts])
    return Data(call.build.select(joined, index.ravel()), index.shape)


def pad(call: Call) -> Value:
    """Pad with a constant, or by reflecting or repeating what is there.

    Raises:
        FormatError: not two pads for each axis, or a reflection of more than there is.
        UnsupportedError: another mode.
    """
    value, mode = call.value(0), call.attribute("mode", "constant")
    rank = len(value.shape)
    pads = call.attribute("pads", []) if call.opset < 11 else call.integers(1, "pads")
    axes = list(range(rank))
    if call.operand(3) is not None:
        axes = checked_axes(call, call.integers(3, "axes"), rank)
    if len(pads) != 2 * len(axes):
        raise call.wrong(f"pads {pads} of a tensor of shape {value.shape}")
    widths = [(0, 0)] * rank
    for i, axis in enumerate(axes):
        widths[axis] = (pads[i], pads[i + len(axes)])
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(value.shape, widths, strict=True))
    value = call.moved(value, lambda array: array[cut])
    grown = [(max(a, 0), max(b, 0)) for a, b in widths]
    if not grown:
        return value
    call.check_size(tuple(n + a + b for n, (a, b) in zip(value.shape, grown, strict=True)))
    if mode in ("reflect", "edge", "wrap"):
        if mode == "reflect" and any(max(w) >= n for n, w in zip(value.shape, grown, strict=True)):
            raise call.wrong(f"reflects {grown} beyond a tensor of shape {value.shape}")
        return call.moved(value, lambda array: np.pad(array, grown, mode=mode))
    if mode != "constant":
        raise call.unsupported(f"mode {mode!r}")
    filler = _filler(call)
    if not isinstance(value, Data):
        return np.pad(value, grown, constant_values=filler)
    index = np.pad(np.arange(prod(value.shape)).reshape(value.shape), grown, constant_values=-1)
    flat = index.ravel()
    inside = np.flatnonzero(flat >= 0)
    bias = np.where(flat >= 0, 0.0, filler)
    affine = from_entries(inside, flat[inside], np.ones(len(inside)), bias, prod(value.shape))
    return Data(call.build.affine(value.node, affine), index.shape)


def reduced_axes(call: Call, shape: tuple[int, ...]) -> tuple[list[int], tuple[int, ...]]:
    """The axes that a reduction runs over, and the shape of its result."""
    since = 13 if call.node.op == "ReduceSum" else 18  # from which version on axes are an input
    given: list[int] | None = None
    if call.opset >= since:
        call.only(2)
        given = None if call.operand(1) is None else call.integers(1, "axes")
        if not given and call.attribute("noop_with_empty_axes", 0):
            return [], shape
    else:
        call.only(1)
        given = call.attribute("axes", []) if "axes" in call.attributes else None
    axes = sorted(checked_axes(call, given, len(shape))) if given else list(range(len(shape)))
    if call.attribute("keepdims", 1):
        return axes, tuple(1 if i in axes else n for i, n in enumerate(shape))
    return axes, tuple(n for i, n in enumerate(shape) if i not in axes)


def _filler(call: Call) -> float:
    if call.opset < 11:
        return float(call.attribute("value", 0.0))
    if call.operand(2) is None:
        return 0.0
    value = call.value(2)
    if isinstance(value, Data) or value.size != 1 or value.dtype.kind not in "fi":
        raise call.unsupported("is padded with something else than one constant")
    return float(value.ravel()[0])


def _bounded_slice(start: int, end: int, step: int, n: int) -> slice:
    """Python's slice for ONNX's bounds, which are clamped; a negative end that is clamped means before the first."""
    low, high = (0, n) if step > 0 else (-1, n - 1)
    start, end = (i + n if i < 0 else i for i in (start, end))
    start = min(max(start, 0), n if step > 0 else n - 1)
    end = min(max(end, low), n if step > 0 else high)
    return slice(start, None if end < 0 else end, step)


def checked_shape(call: Call, sizes: list[int]) -> tuple[int, ...]:
    """Sizes that a result can have.

    Raises:
        FormatError: a size below 1, or too many axes or entries.
    """
    if min(sizes, default=1) < 1 or len(sizes) > MAX_RANK or prod(sizes) > MAX_SIZE:
        raise call.wrong(
            f"shape {tuple(sizes[:MAX_RANK])}, expected sizes >= 1 and at most {MAX_SIZE} entries"
        )
    return tuple(sizes)


def _kept(call: Call, array: Any, axis: int) -> int:
    if call.attribute("allowzero", 0) or axis >= array.ndim:
        raise call.wrong(f"a size of 0 in axis {axis} of the shape, for a tensor of shape {array.shape}")
    return int(array.shape[axis])


def _axes(call: Call, rank: int) -> list[int] | None:
    given = _axis_values(call)
    return None if given is None else checked_axes(call, given, rank)


def _axis_values(call: Call) -> list[int] | None:
    """Axes were an attribute before opset 13, and are an input since."""
    if call.opset < 13:
        call.only(1)
        return [int(n) for n in call.attribute("axes", [])] if "axes" in call.attributes else None
    call.only(2)
    if "axes" in call.attributes:
        raise call.wrong("axes is an attribute, expected an input since opset 13")
    return None if call.operand(1) is None else call.integers(1, "axes")


def checked_axes(call: Call, given: list[int], rank: int) -> list[int]:
    """Different axes, counted from the first.

    Raises:
        FormatError: an axis out of range, or one given twice.
    """
    axes = [n + rank if n < 0 else n for n in given]
    if len(set(axes)) != len(axes) or any(not 0 <= n < rank for n in axes):
        raise call.wrong(f"axes {given}, expected different axes of {rank}")
    return axes
