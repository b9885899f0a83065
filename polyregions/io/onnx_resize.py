"""ONNX operators that stretch an image, each pixel taken from the nearest one: Upsample, Resize."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from polyregions.io.onnx_call import Call
from polyregions.io.onnx_rearrange import checked_shape


def upsample(call: Call, array: Any) -> Any:
    """Upsample to the nearest pixel: entry i comes from entry floor(i / scale)."""
    scales = _scales(call, array, 1, call.opset < 9)
    if call.attribute("mode", "nearest") != "nearest":
        raise call.unsupported(f"mode {call.attributes['mode']!r}, expected 'nearest'")
    sizes = [floor(n * s) for n, s in zip(array.shape, scales, strict=True)]
    return _stretched(call, array, sizes, scales, "asymmetric", "floor")


def resize(call: Call, array: Any) -> Any:
    """Resize to the nearest pixel."""
    if call.attribute("mode", "nearest") != "nearest":
        raise call.unsupported(f"mode {call.attributes['mode']!r}, expected 'nearest'")
    if call.opset < 11:
        scales = _scales(call, array, 1, False)
        sizes = [floor(n * s) for n, s in zip(array.shape, scales, strict=True)]
        return _stretched(call, array, sizes, scales, "asymmetric", "floor")
    call.only(4)
    if call.operand(3) is not None:
        sizes = call.integers(3, "sizes")
        if len(sizes) != array.ndim or call.attribute("keep_aspect_ratio_policy", "stretch") != "stretch":
            raise call.wrong(f"sizes {sizes} of a tensor of shape {array.shape}")
        scales = [Fraction(size, n) for size, n in zip(sizes, array.shape, strict=True)]
    else:
        scales = _scales(call, array, 2, False)
        sizes = [floor(n * s) for n, s in zip(array.shape, scales, strict=True)]
    where = call.attribute("coordinate_transformation_mode", "half_pixel")
    return _stretched(call, array, sizes, scales, where, call.attribute("nearest_mode", "round_prefer_floor"))


def _scales(call: Call, array: Any, position: int, is_attribute: bool) -> list[Fraction]:
    given = call.attributes.get("scales", []) if is_attribute else call.reals(position, "scales")
    found = np.ravel(given).tolist()
    if not all(isinstance(s, float) for s in found):
        raise call.wrong(f"scales {found[:5]}, expected real numbers")
    if len(found) != array.ndim or any(not s > 0 for s in found):
        raise call.wrong(f"scales {found} of a tensor of shape {array.shape}")
    return [Fraction(s) for s in found]


def _stretched(
    call: Call, array: Any, sizes: list[int], scales: list[Fraction], where: str, rounding: str
) -> Any:
    """Each entry of the result is the entry at the nearest place."""
    shape = checked_shape(call, sizes)
    for axis, (n, size, scale) in enumerate(zip(array.shape, shape, scales, strict=True)):
        places = [_source_place(call, i, n, size, scale, where) for i in range(size)]
        index = [min(max(_rounded(call, p, rounding), 0), n - 1) for p in places]
        array = np.take(array, index, axis=axis)
    return array


def _source_place(call: Call, i: int, n: int, size: int, scale: Fraction, where: str) -> Fraction:
    match where:
        case "asymmetric":
            return i / scale
        case "half_pixel":
            return (i + Fraction(1, 2)) / scale - Fraction(1, 2)
        case "pytorch_half_pixel":
            return (i + Fraction(1, 2)) / scale - Fraction(1, 2) if size > 1 else Fraction(0)
        case "align_corners":
            return Fraction(i * (n - 1), size - 1) if size > 1 else Fraction(0)
    raise call.unsupported(f"coordinate_transformation_mode {where!r}")


def _rounded(call: Call, place: Fraction, rounding: str) -> int:
    match rounding:
        case "floor":
            return floor(place)
        case "ceil":
            return -floor(-place)
        case "round_prefer_floor":
            return -floor(Fraction(1, 2) - place)
        case "round_prefer_ceil":
            return floor(place + Fraction(1, 2))
    raise call.unsupported(f"nearest_mode {rounding!r}")
