"""How kernels and pooling windows slide over an image."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from polyregions._types import Ints
from polyregions.io.models.onnx.call import Call


class Window(NamedTuple):
    """How a kernel slides along one axis."""

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    rounds_up: bool = False

    @property
    def n_positions(self) -> int:
        """Number of places where the kernel fits.

        If `rounds_up`, the last one partly, unless it would start behind the image.
        """
        room = self.size + self.before + self.after - self.dilation * (self.kernel - 1) - 1
        if not self.rounds_up:
            return room // self.stride + 1
        n = -(-room // self.stride) + 1
        return n - 1 if (n - 1) * self.stride >= self.size + self.before else n

    def hits(self, offset: int) -> tuple[Any, Any]:
        """Outputs, and the inputs that kernel entry `offset` meets there; padding is left out."""
        outputs = np.arange(self.n_positions)
        inputs = outputs * self.stride + offset * self.dilation - self.before
        inside = (inputs >= 0) & (inputs < self.size)
        return outputs[inside], inputs[inside]

    @property
    def n_counted(self) -> Ints:
        """How many entries of the kernel lie in the image or its padding, for each place (n_positions,)."""
        starts = np.arange(self.n_positions) * self.stride
        room = self.size + self.before + self.after - starts
        return np.minimum(self.kernel, -(-room // self.dilation))


def windows_of(call: Call, sizes: tuple[int, ...], kernel: tuple[int, ...]) -> list[Window]:
    """The windows of a convolution or a pooling along each spatial axis, from the node's attributes.

    Raises:
        FormatError: strides or dilations that do not fit, or a kernel that does not fit into the image.
    """
    rank = len(sizes)
    strides, dilations = call.attribute("strides", [1] * rank), call.attribute("dilations", [1] * rank)
    if len(strides) != rank or len(dilations) != rank or min(*strides, *dilations) < 1:
        raise call.wrong(f"strides {strides} and dilations {dilations} for {rank} spatial axes")
    pads = _pads(call, sizes, kernel, strides, dilations)
    rounds_up = bool(call.attribute("ceil_mode", 0))
    windows = [
        Window(sizes[i], kernel[i], strides[i], dilations[i], pads[i], pads[i + rank], rounds_up)
        for i in range(rank)
    ]
    if min(w.n_positions for w in windows) < 1:
        raise call.wrong(f"a kernel of {kernel} does not fit into an image of {sizes}")
    call.check_size(positions(windows))
    return windows


def spread_windows(call: Call, sizes: tuple[int, ...], kernel: tuple[int, ...]) -> list[Window]:
    """The windows over the result of a transposed convolution, one for each of its inputs (sizes).

    Raises:
        FormatError: strides, dilations or output_padding that do not fit, or a result without pixels.
    """
    rank = len(sizes)
    strides, dilations = call.attribute("strides", [1] * rank), call.attribute("dilations", [1] * rank)
    more = call.attribute("output_padding", [0] * rank)
    if (
        not len(strides) == len(dilations) == len(more) == rank
        or min(*strides, *dilations) < 1
        or min(more) < 0
    ):
        raise call.wrong(
            f"strides {strides}, dilations {dilations} and output_padding {more} for {rank} axes"
        )
    axes = zip(strides, sizes, dilations, kernel, strict=True)
    reached = [s * (n - 1) + d * (k - 1) + 1 for s, n, d, k in axes]
    before, outside = _spread_sizes(call, sizes, strides, [n + m for n, m in zip(reached, more, strict=True)])
    if min(outside) < 1:
        raise call.wrong(f"a result of {outside} pixels, expected at least one")
    call.check_size(tuple(outside))
    after = [n - b - m for n, b, m in zip(reached, before, outside, strict=True)]
    return [Window(outside[i], kernel[i], strides[i], dilations[i], before[i], after[i]) for i in range(rank)]


def _spread_sizes(
    call: Call, sizes: tuple[int, ...], strides: list[int], full: list[int]
) -> tuple[list[int], list[int]]:
    """What is cut off in front of the full result of a transposed convolution, and how much of it is left."""
    rank, mode = len(sizes), call.attribute("auto_pad", "NOTSET")
    wanted = call.attribute("output_shape", list[int]())
    if not wanted and mode in ("NOTSET", "VALID"):
        pads = call.attribute("pads", [0] * (2 * rank)) if mode == "NOTSET" else [0] * (2 * rank)
        if len(pads) != 2 * rank or min(pads) < 0:
            raise call.wrong(f"pads {pads} for {rank} spatial axes")
        return pads[:rank], [n - a - b for n, a, b in zip(full, pads[:rank], pads[rank:], strict=True)]
    wanted = wanted or [n * s for n, s in zip(sizes, strides, strict=True)]
    if len(wanted) not in (rank, rank + 2) or mode not in ("NOTSET", "SAME_UPPER", "SAME_LOWER"):
        raise call.wrong(f"output_shape {wanted} and auto_pad {mode!r} for {rank} spatial axes")
    totals = [n - m for n, m in zip(full, wanted[-rank:], strict=True)]
    if min(totals) < 0:
        raise call.unsupported(f"a result of {wanted[-rank:]} pixels, more than the {full} that are reached")
    if call.opset < 11 and any(t % 2 for t in totals):
        raise call.unsupported("cuts off an odd number of pixels, on a side that opset 11 changed")
    return [t // 2 if mode == "SAME_UPPER" else t - t // 2 for t in totals], wanted[-rank:]


def kernel_of(call: Call, rank: int) -> tuple[int, ...]:
    """The attribute kernel_shape of a pooling.

    Raises:
        FormatError: it is not one size >= 1 for each spatial axis.
    """
    kernel = tuple(call.attribute("kernel_shape", list[int]()))
    if len(kernel) != rank or min(kernel, default=1) < 1:
        raise call.wrong(f"kernel_shape {kernel} for {rank} spatial axes")
    return kernel


def positions(windows: list[Window]) -> tuple[int, ...]:
    """Shape of the result."""
    return tuple(w.n_positions for w in windows)


def meetings(windows: list[Window], offset: tuple[int, ...]) -> tuple[Any, Any]:
    """Flat outputs, and the flat pixels that one entry of the kernel meets there."""
    hits = [window.hits(i) for window, i in zip(windows, offset, strict=True)]
    outputs = np.ravel_multi_index(np.ix_(*(o for o, _ in hits)), positions(windows)).ravel()
    inputs = np.ravel_multi_index(np.ix_(*(i for _, i in hits)), [w.size for w in windows]).ravel()
    return outputs, inputs


def members(call: Call, windows: list[Window], n_planes: int) -> tuple[Any, Any]:
    """The pixels of every window, sorted by plane, window and place in the window: (windows, pixels) of entries."""
    kernel = [w.kernel for w in windows]
    call.check_products(n_planes * prod(positions(windows)) * prod(kernel))
    pairs = [meetings(windows, offset) for offset in np.ndindex(*kernel)]
    outputs, inputs = (np.concatenate([pair[i] for pair in pairs]) for i in (0, 1))
    order = np.argsort(outputs, kind="stable")
    planes = np.arange(n_planes)[:, None]
    n_out, n_in = prod(positions(windows)), prod(w.size for w in windows)
    return (planes * n_out + outputs[order]).ravel(), (planes * n_in + inputs[order]).ravel()


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
