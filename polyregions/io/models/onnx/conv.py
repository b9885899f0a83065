"""ONNX convolution, any number of spatial axes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.io.models.onnx.windows import Window, meetings, positions, spread_windows, windows_of
from polyregions.networks.graph.sparse import SparseAffine, from_entries


def conv(call: Call) -> Value:
    """Convolution of images with constant kernels."""
    call.only(3)
    data, kernels, groups = call.data(0), call.reals(1, "W"), call.attribute("group", 1)
    shape = data.shape
    _check_shapes(call, shape, kernels, groups)
    windows = windows_of(call, shape[2:], kernels.shape[2:])
    outside = positions(windows)
    call.check_products(shape[0] * prod(outside) * kernels.size)
    one = _map_of_one_image(kernels, _bias(call, len(kernels)), windows, groups, shape[1])
    node = call.build.affine(data.node, _of_all_images(one, shape[0]))
    return Data(node, (shape[0], len(kernels), *outside))


def conv_transpose(call: Call) -> Value:
    """The transposed map of a convolution: each pixel is spread over the places that a kernel reaches from it.

    Raises:
        FormatError: data, groups and kernels that do not fit each other.
    """
    call.only(3)
    data, kernels, groups = call.data(0), call.reals(1, "W"), call.attribute("group", 1)
    shape, per_group = data.shape, kernels.shape[1] if kernels.ndim > 1 else 0
    if (
        len(shape) < 3
        or kernels.ndim != len(shape)
        or groups < 1
        or kernels.shape[0] != shape[1]
        or shape[1] % groups
    ):
        raise call.wrong(f"data of shape {shape}, {groups} groups and kernels of shape {kernels.shape}")
    _check_kernel_shape(call, kernels)
    windows = spread_windows(call, shape[2:], kernels.shape[2:])
    outside = tuple(w.size for w in windows)
    call.check_size((shape[0], groups * per_group, *outside))
    call.check_products(shape[0] * prod(shape[2:]) * kernels.size)
    bias = _bias(call, groups * per_group)
    one = _spread_map_of_one_image(kernels, bias, windows, groups)
    node = call.build.affine(data.node, _of_all_images(one, shape[0]))
    return Data(node, (shape[0], groups * per_group, *outside))


def _spread_map_of_one_image(kernels: Any, bias: Any, windows: list[Window], groups: int) -> SparseAffine:
    """The map from (channels, places of the kernel) to (maps, pixels), the windows being those of the results."""
    n_channels, per_group = kernels.shape[:2]
    n_in, n_out = prod(positions(windows)), prod(w.size for w in windows)
    channels, maps = np.arange(n_channels), np.arange(per_group)
    reached = (channels // (n_channels // groups))[:, None] * per_group + maps
    entries: list[list[Any]] = []
    for offset in np.ndindex(*kernels.shape[2:]):
        inputs, outputs = meetings(windows, offset)
        values = kernels[(slice(None), slice(None), *offset)][:, :, None]
        rows, columns = reached[:, :, None] * n_out + outputs, channels[:, None, None] * n_in + inputs
        entries.append([a.ravel() for a in np.broadcast_arrays(rows, columns, values)])
    rows, columns, values = (np.concatenate([e[i] for e in entries]) for i in range(3))
    return from_entries(rows, columns, values, np.repeat(bias, n_out), n_channels * n_in)


def _check_shapes(call: Call, shape: tuple[int, ...], kernels: Any, groups: int) -> None:
    if len(shape) < 3 or kernels.ndim != len(shape):
        raise call.wrong(f"data of shape {shape} and kernels of shape {kernels.shape}")
    if groups < 1 or kernels.shape[0] % groups or kernels.shape[1] * groups != shape[1]:
        raise call.wrong(f"{shape[1]} channels, {groups} groups and kernels of shape {kernels.shape}")
    _check_kernel_shape(call, kernels)


def _check_kernel_shape(call: Call, kernels: Any) -> None:
    kernel = kernels.shape[2:]
    if tuple(call.attribute("kernel_shape", list(kernel))) != kernel:
        raise call.wrong(f"kernel_shape {call.attributes['kernel_shape']}, but W has {kernel}")


def _bias(call: Call, n_maps: int) -> Any:
    if call.operand(2) is None:
        return np.zeros(n_maps)
    bias = call.reals(2, "B")
    if bias.shape != (n_maps,):
        raise call.wrong(f"B has shape {bias.shape}, expected ({n_maps},)")
    return bias


def _map_of_one_image(
    kernels: Any, bias: Any, windows: list[Window], groups: int, n_channels: int
) -> SparseAffine:
    """The map from (channels, pixels) to (maps, positions); a pixel meets at most one entry of each kernel."""
    n_maps, per_group = kernels.shape[:2]
    n_out, n_in = prod(positions(windows)), prod(w.size for w in windows)
    maps, channels = np.arange(n_maps), np.arange(per_group)
    first_channel = (maps // (n_maps // groups)) * per_group
    seen = (first_channel[:, None] + channels)[:, :, None]
    entries: list[list[Any]] = []
    for offset in np.ndindex(*kernels.shape[2:]):
        outputs, inputs = meetings(windows, offset)
        values = kernels[(slice(None), slice(None), *offset)][:, :, None]
        rows, columns = maps[:, None, None] * n_out + outputs, seen * n_in + inputs
        entries.append([a.ravel() for a in np.broadcast_arrays(rows, columns, values)])
    rows, columns, values = (np.concatenate([e[i] for e in entries]) for i in range(3))
    return from_entries(rows, columns, values, np.repeat(bias, n_out), n_channels * n_in)


def _of_all_images(one: SparseAffine, n_images: int) -> SparseAffine:
    """The same map of each image of a batch."""
    if n_images == 1:
        return one
    images = np.arange(n_images)[:, None]
    rows, columns = images * one.n_rows + one.row_of_entry, images * one.n_columns + one.columns
    values, bias = np.tile(one.values, n_images), np.tile(one.bias, n_images)
    return from_entries(rows.ravel(), columns.ravel(), values, bias, n_images * one.n_columns)
