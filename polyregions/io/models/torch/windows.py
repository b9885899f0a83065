"""ATen convolutions and poolings, in one to three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import numpy as np

from polyregions.io.models.onnx.call import Data, Value
from polyregions.io.models.torch.use import Use
from polyregions.networks.graph.rounding import floats_if_exact

IMAGES: Final = {"1d": 1, "2d": 2, "3d": 3}
"""How many axes images have, by the end of an operator's name."""


def conv(use: Use) -> Value:
    """Convolution with constant kernels."""
    if use.get("transposed", False):
        return conv_transpose(use)
    weight = use.constant("weight")
    rank = weight.ndim - 2
    strides, dilations = use.sizes("stride", rank), use.sizes("dilation", rank)
    attributes = {
        "strides": strides,
        "dilations": dilations,
        "pads": _pads(use, weight.shape[2:], dilations),
        "group": use.get("groups", 1),
    }
    return _over_images(
        use, "input", rank, lambda x: use.place.apply("Conv", x, weight, use.constant("bias"), **attributes)
    )


def conv_transpose(use: Use) -> Value:
    """Transposed convolution with constant kernels."""
    weight = use.constant("weight")
    rank = weight.ndim - 2
    attributes = {
        "strides": use.sizes("stride", rank),
        "dilations": use.sizes("dilation", rank),
        "pads": use.sizes("padding", rank) * 2,
        "output_padding": use.sizes("output_padding", rank),
        "group": use.get("groups", 1),
    }
    return _over_images(
        use,
        "input",
        rank,
        lambda x: use.place.apply("ConvTranspose", x, weight, use.constant("bias"), **attributes),
    )


LINEAR: Final = ("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d")
"""Operators that interpolate along each axis."""


def upsample(use: Use) -> Value:
    """Linear interpolation: by the scales where they are given, else to the sizes.

    Raises:
        UnsupportedError: it gives something else than one tensor.
    """
    value = use.place.call.as_data(use.tensor("input" if "input" in use.arguments else "self"))
    if use.shape is None:
        raise use.place.call.unsupported("gives something else than one tensor")
    factors = use.get("scale_factors") or [use.get(f"scales{axis}") for axis in ("_d", "_h", "_w")]
    factors = [use.get("scales")] if "scales" in use.arguments else factors
    given = [f for f in factors if f is not None]
    ends_meet = bool(use.get("align_corners"))
    scales = sizes = None
    if len(given) == len(value.shape) - 2 and not ends_meet:
        scales = np.array([1.0, 1.0, *given])
    else:
        sizes = np.array(use.shape, dtype=np.int64)
    where = "align_corners" if ends_meet else "half_pixel"
    return use.place.apply(
        "Resize", value, None, scales, sizes, mode="linear", coordinate_transformation_mode=where
    )


def _pads(use: Use, kernel: tuple[int, ...], dilations: list[int]) -> list[int]:
    """Padding in front of each axis, then behind."""
    if use.arguments["padding"] == "same":  # the odd one comes behind
        totals = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
        return [t // 2 for t in totals] + [t - t // 2 for t in totals]
    if use.arguments["padding"] == "valid":
        return [0] * (2 * len(kernel))
    return use.sizes("padding", len(kernel)) * 2


def _over_images(use: Use, name: str, rank: int, operator: Callable[[Value], Value]) -> Value:
    """An operator on (batch, channels, ...), given that or one image (channels, ...)."""
    value = use.place.call.as_data(use.tensor(name))
    if len(value.shape) == rank + 2:
        return operator(value)
    one = operator(Data(value.node, (1, *value.shape)))
    return Data(one.node, one.shape[1:])


def _rank(use: Use) -> int:
    return next(rank for suffix, rank in IMAGES.items() if suffix in use.name)


def max_pool(use: Use) -> Any:
    """The largest entry of each window; where the operator gives indices as well, these are not followed."""
    rank = _rank(use)
    kernel = use.sizes("kernel_size", rank)
    found = _over_images(
        use,
        "self",
        rank,
        lambda x: use.place.apply(
            "MaxPool",
            x,
            kernel_shape=kernel,
            strides=use.sizes("stride", rank) or kernel,
            pads=use.sizes("padding", rank) * 2,
            dilations=use.sizes("dilation", rank),
            ceil_mode=int(use.get("ceil_mode", False)),
        ),
    )
    return [found, None] if "with_indices" in use.name else found


def average_pool(use: Use) -> Value:
    """The mean of each window.

    Raises:
        UnsupportedError: a divisor_override.
    """
    rank = _rank(use)
    kernel = use.sizes("kernel_size", rank)
    if use.get("divisor_override") is not None:
        raise use.place.call.unsupported("divisor_override")
    return _over_images(
        use,
        "self",
        rank,
        lambda x: use.place.apply(
            "AveragePool",
            x,
            kernel_shape=kernel,
            strides=use.sizes("stride", rank) or kernel,
            pads=use.sizes("padding", rank) * 2,
            ceil_mode=int(use.get("ceil_mode", False)),
            count_include_pad=int(use.get("count_include_pad", True)),
        ),
    )


def adaptive_average_pool(use: Use) -> Value:
    """A mean along one axis after the other: a window is a box, so its mean is one of means."""
    rank = _rank(use)
    value = use.place.call.as_data(use.tensor("self"))
    first = len(value.shape) - rank
    if _divides(use, value.shape[first:]):
        return _over_images(use, "self", rank, lambda x: _even_windows(use, x, "AveragePool"))
    for axis, size in enumerate(_wanted(use, value.shape[first:]), start=first):
        means = _means(value.shape[axis], size)
        value = _swapped(use, use.place.apply("MatMul", _swapped(use, value, axis), means), axis)
    return value


def _swapped(use: Use, value: Data, axis: int) -> Value:
    return use.place.call.moved(value, lambda array: np.swapaxes(array, axis, -1))


def adaptive_max_pool(use: Use) -> Any:
    """The largest entry of each of a number of windows of one size.

    Raises:
        UnsupportedError: windows of different sizes.
    """
    rank = _rank(use)
    shape = use.tensor("self").shape[-rank:]
    if not _divides(use, shape):
        raise use.place.call.unsupported(f"windows of different sizes: {use.get('output_size')} of {shape}")
    return [_over_images(use, "self", rank, lambda x: _even_windows(use, x, "MaxPool")), None]


def _wanted(use: Use, shape: tuple[int, ...]) -> list[int]:
    sizes = use.sizes("output_size", len(shape))
    return [n if size is None else size for n, size in zip(shape, sizes, strict=True)]


def _divides(use: Use, shape: tuple[int, ...]) -> bool:
    return all(n % size == 0 for n, size in zip(shape, _wanted(use, shape), strict=True))


def _even_windows(use: Use, value: Data, op: str) -> Value:
    shape = value.shape[2:]
    kernel = [n // size for n, size in zip(shape, _wanted(use, shape), strict=True)]
    return use.place.apply(op, value, kernel_shape=kernel, strides=kernel)


def _means(n: int, size: int) -> Any:
    """The matrix (n, size) of means over the entries from floor(i n / size) to ceil((i + 1) n / size)."""
    matrix = np.full((n, size), Fraction(0), dtype=object)
    for i in range(size):
        start, end = i * n // size, -(-(i + 1) * n // size)
        matrix[start:end, i] = Fraction(1, end - start)
    return floats_if_exact(matrix)
