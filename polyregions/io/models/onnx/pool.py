"""ONNX maxima and means over windows, axes and several tensors."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from polyregions._types import Ints
from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.io.models.onnx.linear import reduce_sum
from polyregions.io.models.onnx.rearrange import reduced_axes
from polyregions.io.models.onnx.windows import Window, kernel_of, members, positions, windows_of
from polyregions.networks.activations import ABS
from polyregions.networks.graph.rounding import floats_if_exact
from polyregions.networks.graph.sparse import from_entries


def max_pool(call: Call) -> Value:
    """The largest entry of each window; padding counts as nothing."""
    data, windows = _pooled(call)
    outputs, inputs = members(call, windows, prod(data.shape[:2]))
    return _maxima(call, data, outputs, inputs, (*data.shape[:2], *positions(windows)))


def average_pool(call: Call) -> Value:
    """The mean of each window, of the entries in it or (count_include_pad) of those in the padding as well.

    A window that reaches beyond the padding, with ceil_mode, has fewer entries.
    """
    data, windows = _pooled(call)
    outputs, inputs = members(call, windows, prod(data.shape[:2]))
    divisors = None
    if call.attribute("count_include_pad", 0):
        divisors = reduce(np.multiply.outer, [w.n_counted for w in windows]).ravel()
    return _means(call, data, outputs, inputs, windows, divisors)


def lp_pool(call: Call) -> Value:
    """The sum of absolute values in each window, if p is 1."""
    _check_sum_of_sizes(call)
    data, windows = _pooled(call)
    outputs, inputs = members(call, windows, prod(data.shape[:2]))
    sizes = Data(call.build.units(data.node, ABS), data.shape)
    return _means(call, sizes, outputs, inputs, windows, np.ones(prod(positions(windows)), dtype=np.int64))


def global_lp_pool(call: Call) -> Value:
    """The sum of absolute values of each channel, if p is 1."""
    _check_sum_of_sizes(call)
    data = _image(call)
    windows = [Window(n, n, 1, 1, 0, 0) for n in data.shape[2:]]
    outputs, inputs = members(call, windows, prod(data.shape[:2]))
    sizes = Data(call.build.units(data.node, ABS), data.shape)
    return _means(call, sizes, outputs, inputs, windows, np.ones(1, dtype=np.int64))


def reduce_l1(call: Call) -> Value:
    """The sum of absolute values along axes."""
    data = call.data(0)
    sizes = Data(call.build.units(data.node, ABS), data.shape)
    return reduce_sum(replace(call, operands=[sizes, *call.operands[1:]]))


def global_max_pool(call: Call) -> Value:
    """The largest entry of each channel."""
    data = _image(call)
    n_planes, n_pixels = prod(data.shape[:2]), prod(data.shape[2:])
    shape = (*data.shape[:2], *(1,) * (len(data.shape) - 2))
    rows = np.repeat(np.arange(n_planes), n_pixels)
    return _maxima(call, data, rows, np.arange(n_planes * n_pixels), shape)


def global_average_pool(call: Call) -> Value:
    """The mean of each channel."""
    data = _image(call)
    windows = [Window(n, n, 1, 1, 0, 0) for n in data.shape[2:]]
    outputs, inputs = members(call, windows, prod(data.shape[:2]))
    return _means(call, data, outputs, inputs, windows, None)


def reduce_max(call: Call) -> Value:
    """The largest entry along axes."""
    return _reduced(call, 1.0)


def reduce_min(call: Call) -> Value:
    """The smallest entry along axes."""
    return _reduced(call, -1.0)


def max_(call: Call) -> Value:
    """The larger of several tensors, entry by entry; a constant among them is a bound to clip at."""
    return _extremum(call, True)


def min_(call: Call) -> Value:
    """The smaller of several tensors, entry by entry; a constant among them is a bound to clip at."""
    return _extremum(call, False)


def _extremum(call: Call, largest: bool) -> Value:
    values = [call.value(i) for i in range(len(call.operands))]
    if not values:
        raise call.wrong("takes nothing")
    shape = call.common_shape(values)
    data = [call.broadcast(v, shape).node for v in values if isinstance(v, Data)]
    constants = [call.real(v, "a constant") for v in values if not isinstance(v, Data)]
    build = call.build
    node = data[0] if len(data) == 1 else (build.maximum if largest else build.minimum)(data)
    if constants:
        best = np.max if largest else np.min
        bound = best([np.broadcast_to(c, shape).ravel() for c in constants], axis=0)
        node = build.clip(node, bound, None) if largest else build.clip(node, None, bound)
    return Data(node, shape)


def _check_sum_of_sizes(call: Call) -> None:
    if call.attribute("p", 2) != 1:
        raise call.unsupported(f"a norm with p = {call.attribute('p', 2)}, expected p = 1")


def _image(call: Call) -> Data:
    call.only(1)
    value = call.value(0)
    if not isinstance(value, Data):
        raise call.unsupported("acts on constants only, expected the data")
    if len(value.shape) < 3:
        raise call.wrong(f"data of shape {value.shape}, expected images (batch, channels, ...)")
    return value


def _pooled(call: Call) -> tuple[Data, list[Window]]:
    data = _image(call)
    return data, windows_of(call, data.shape[2:], kernel_of(call, len(data.shape) - 2))


def _maxima(call: Call, data: Data, rows: Any, columns: Any, shape: tuple[int, ...]) -> Data:
    counts = np.bincount(rows, minlength=prod(shape))
    if counts.min(initial=1) < 1:
        raise call.unsupported("a window holds nothing but padding, so its maximum is not a number")
    return Data(call.build.maxima(data.node, columns, np.cumsum([0, *counts])), shape)


def _means(
    call: Call, data: Data, rows: Any, columns: Any, windows: list[Window], divisors: Ints | None
) -> Data:
    """Sums over the entries of windows, divided by their number or by the divisors (n_windows,) given."""
    shape = (*data.shape[:2], *positions(windows))
    counts = np.bincount(rows, minlength=prod(shape))
    if divisors is not None:
        counts = np.tile(divisors, prod(data.shape[:2]))
    elif counts.min(initial=1) < 1:
        raise call.unsupported("a window holds nothing but padding, so its mean is not a number")
    table = np.zeros(int(counts.max(initial=0)) + 1, dtype=object)
    for n in set(counts.tolist()) - {0}:
        table[n] = Fraction(1, n)
    values = floats_if_exact(table)[counts[rows]]
    affine = from_entries(rows, columns, values, np.zeros(len(counts)), prod(data.shape))
    return Data(call.build.affine(data.node, affine), shape)


def _reduced(call: Call, sign: float) -> Data:
    value = call.value(0)
    if not isinstance(value, Data):
        raise call.unsupported("acts on constants only, expected the data")
    axes, shape = reduced_axes(call, value.shape)
    kept = [i for i in range(len(value.shape)) if i not in axes]
    count = prod(value.shape[i] for i in axes)
    order = np.arange(prod(value.shape)).reshape(value.shape).transpose([*kept, *axes]).ravel()
    build, n = call.build, len(order) // count
    flipped = build.scale(value.node, np.full(len(order), sign))
    largest = build.maxima(flipped, order, np.arange(n + 1) * count)
    return Data(build.scale(largest, np.full(n, sign)), shape)
