"""ONNX convolution, written out as a matrix where that stays small."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from polyregions.io.chain import check_entries, dense
from polyregions.io.onnx_call import Call, Flow


class Window(NamedTuple):
    """How a kernel slides along one axis."""

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def n_positions(self) -> int:
        """Number of places where the kernel fits."""
        covered = self.dilation * (self.kernel - 1) + 1
        return (self.size + self.before + self.after - covered) // self.stride + 1

    def hits(self, offset: int) -> tuple[Any, Any]:
        """Outputs, and the inputs that kernel entry `offset` meets there; padding is left out."""
        outputs = np.arange(self.n_positions)
        inputs = outputs * self.stride + offset * self.dilation - self.before
        inside = (inputs >= 0) & (inputs < self.size)
        return outputs[inside], inputs[inside]


def conv(call: Call, flow: Flow) -> None:
    """Convolution of one image with constant kernels, any number of spatial axes."""
    call.only(3)
    if call.flow_position() != 0:
        raise call.unsupported("the data is not its first input")
    kernels = call.reals(1, "W")
    shape, groups = flow.shape, call.attribute("group", 1)
    _check_shapes(call, shape, kernels, groups)
    windows = _windows(call, shape[2:], kernels.shape[2:])
    n_maps, outside = kernels.shape[0], tuple(w.n_positions for w in windows)
    if min(outside) < 1:
        raise call.wrong(f"a kernel of {kernels.shape[2:]} does not fit into an image of {shape[2:]}")
    check_entries(n_maps * prod(outside), flow.chain.width, call.node.where)
    bias = _bias(call, n_maps)
    matrix = _matrix(kernels, windows, groups, shape[1])
    flow.apply(dense(matrix, np.repeat(bias, prod(outside))), (1, n_maps, *outside))


def _check_shapes(call: Call, shape: tuple[int, ...], kernels: Any, groups: int) -> None:
    if len(shape) < 3 or kernels.ndim != len(shape) or kernels.dtype == object:
        raise call.wrong(f"data of shape {shape} and kernels of shape {kernels.shape}")
    if shape[0] != 1:
        raise call.unsupported(f"data of shape {shape}, expected one image (1 in axis 0)")
    if groups < 1 or kernels.shape[0] % groups or kernels.shape[1] * groups != shape[1]:
        raise call.wrong(f"{shape[1]} channels, {groups} groups and kernels of shape {kernels.shape}")


def _windows(call: Call, sizes: tuple[int, ...], kernel: tuple[int, ...]) -> list[Window]:
    rank = len(sizes)
    if tuple(call.attribute("kernel_shape", list(kernel))) != kernel:
        raise call.wrong(f"kernel_shape {call.attributes['kernel_shape']}, but W has {kernel}")
    strides, dilations = call.attribute("strides", [1] * rank), call.attribute("dilations", [1] * rank)
    if len(strides) != rank or len(dilations) != rank or min(*strides, *dilations) < 1:
        raise call.wrong(f"strides {strides} and dilations {dilations} for {rank} spatial axes")
    pads = _pads(call, sizes, kernel, strides, dilations)
    return [
        Window(sizes[i], kernel[i], strides[i], dilations[i], pads[i], pads[i + rank]) for i in range(rank)
    ]


def _pads(
    call: Call, sizes: tuple[int, ...], kernel: tuple[int, ...], strides: list[int], dilations: list[int]
) -> list[int]:
    rank, mode = len(sizes), call.attribute("auto_pad", "NOTSET")
    pads = call.attribute("pads", [0] * (2 * rank))
    if len(pads) != 2 * rank or min(pads) < 0 or mode not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise call.wrong(f"pads {pads} and auto_pad {mode!r} for {rank} spatial axes")
    if mode == "NOTSET":
        return list(pads)
    if any(pads):
        raise call.wrong(f"both pads {pads} and auto_pad {mode!r}")
    if mode == "VALID":
        return list(pads)
    axes = zip(sizes, kernel, strides, dilations, strict=True)
    totals = [max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0) for n, k, s, d in axes]
    small, large = [t // 2 for t in totals], [t - t // 2 for t in totals]
    return small + large if mode == "SAME_UPPER" else large + small


def _bias(call: Call, n_maps: int) -> Any:
    if call.operand(2) is None:
        return np.zeros(n_maps)
    bias = call.reals(2, "B")
    if bias.shape != (n_maps,) or bias.dtype == object:
        raise call.wrong(f"B has shape {bias.shape}, expected ({n_maps},)")
    return bias


def _matrix(kernels: Any, windows: list[Window], groups: int, n_channels: int) -> Any:
    """The matrix (maps * positions, channels * pixels); a pixel meets at most one entry of each kernel."""
    n_maps, per_group = kernels.shape[:2]
    outside, inside = [w.n_positions for w in windows], [w.size for w in windows]
    matrix = np.zeros((n_maps, prod(outside), n_channels, prod(inside)))
    maps, channels = np.arange(n_maps), np.arange(per_group)
    first_channel = (maps // (n_maps // groups)) * per_group
    for offset in np.ndindex(*kernels.shape[2:]):
        hits = [window.hits(i) for window, i in zip(windows, offset, strict=True)]
        outputs = np.ravel_multi_index(np.ix_(*(o for o, _ in hits)), outside).ravel()
        inputs = np.ravel_multi_index(np.ix_(*(i for _, i in hits)), inside).ravel()
        rows, columns = maps[:, None, None], (first_channel[:, None] + channels)[:, None, :]
        entries = kernels[(slice(None), slice(None), *offset)]
        matrix[rows, outputs[None, :, None], columns, inputs[None, :, None]] = entries[:, None, :]
    return matrix.reshape(n_maps * prod(outside), n_channels * prod(inside))
