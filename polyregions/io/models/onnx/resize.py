"""ONNX operators that stretch an image, by nearest pixels or linear interpolation: Upsample, Resize."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any, Final

import numpy as np

from polyregions.io.models.onnx.call import Call, Value
from polyregions.io.models.onnx.linear import product
from polyregions.io.models.onnx.rearrange import checked_axes, checked_shape
from polyregions.networks.graph.rounding import floats_if_exact

MODES: Final = {"nearest": "nearest", "linear": "linear", "bilinear": "linear"}

NO_EFFECT: Final = ("antialias", "exclude_outside")
"""Attributes that must be 0, as exporters write them."""


@dataclass(frozen=True)
class Stretch:
    """How one axis is stretched: from n entries to `size`, by a scale, with coordinates as an attribute says."""

    n: int
    size: int
    scale: Fraction
    where: str


def upsample(call: Call) -> Value:
    """Upsample: entry i comes from place i / scale."""
    shape = call.value(0).shape
    scales = _scales(call, _given_scales(call, 1, call.opset < 9), len(shape))
    return _stretched(
        call, [Stretch(n, floor(n * s), s, "asymmetric") for n, s in zip(shape, scales, strict=True)], "floor"
    )


def resize(call: Call) -> Value:
    """Resize, by scales or to sizes.

    Raises:
        FormatError: not one size for each axis.
    """
    shape, rank = call.value(0).shape, len(call.value(0).shape)
    if call.opset < 11:
        call.only(2)
        return upsample(call)
    call.only(4)
    _check_attributes(call)
    axes = checked_axes(call, call.attribute("axes", list(range(rank))), rank)
    sizes = None if call.operand(3) is None else call.integers(3, "sizes")
    if sizes:
        if len(sizes) != len(axes):
            raise call.wrong(f"sizes {sizes} of a tensor of shape {shape}")
        scales = [Fraction(size, shape[axis]) for size, axis in zip(sizes, axes, strict=True)]
    else:
        scales = _scales(call, _given_scales(call, 2, False), len(axes))
        sizes = [floor(shape[axis] * s) for s, axis in zip(scales, axes, strict=True)]
    where = call.attribute("coordinate_transformation_mode", "half_pixel")
    stretches = [Stretch(n, n, Fraction(1), "asymmetric") for n in shape]
    for axis, size, scale in zip(axes, sizes, scales, strict=True):
        stretches[axis] = Stretch(shape[axis], size, scale, where)
    return _stretched(call, stretches, call.attribute("nearest_mode", "round_prefer_floor"))


def _check_attributes(call: Call) -> None:
    for name in NO_EFFECT:
        if call.attribute(name, 0):
            raise call.unsupported(f"attribute {name} = {call.attributes[name]}, expected 0")
    policy = call.attribute("keep_aspect_ratio_policy", "stretch")
    if policy != "stretch" and call.operand(3) is not None:
        raise call.unsupported(f"keep_aspect_ratio_policy {policy!r}, expected 'stretch'")


def _given_scales(call: Call, position: int, is_attribute: bool) -> Any:
    return call.attributes.get("scales", []) if is_attribute else call.reals(position, "scales")


def _scales(call: Call, given: Any, n_axes: int) -> list[Fraction]:
    found = np.ravel(given).tolist()
    if not all(isinstance(s, float) for s in found):
        raise call.wrong(f"scales {found[:5]}, expected real numbers")
    if len(found) != n_axes or any(not 0 < s < np.inf for s in found):
        raise call.wrong(f"scales {found} of a tensor of shape {call.value(0).shape}")
    return [Fraction(s) for s in found]


def _stretched(call: Call, stretches: list[Stretch], rounding: str) -> Value:
    """One axis after the other: entries of nearest places, or means of the two entries around a place."""
    mode = call.attribute("mode", "nearest")
    if mode not in MODES:
        raise call.unsupported(f"mode {mode!r}, expected 'nearest' or 'linear'")
    checked_shape(call, [s.size for s in stretches])
    value = call.value(0)
    for axis, stretch in enumerate(stretches):
        if stretch.size == stretch.n and stretch.scale == 1:
            continue
        places = [_source_place(call, i, stretch) for i in range(stretch.size)]
        if MODES[mode] == "nearest":
            index = [min(max(_rounded(call, p, rounding), 0), stretch.n - 1) for p in places]
            value = call.moved(value, _taking(index, axis))
        else:
            value = _interpolated(call, value, axis, places, stretch.n)
    return value


def _taking(index: list[int], axis: int) -> Any:
    return lambda array: np.take(array, index, axis=axis)


def _interpolated(call: Call, value: Value, axis: int, places: list[Fraction], n: int) -> Value:
    """Along one axis, at places between entries the means of these, weighted exactly."""
    call.check_products(n * len(places))
    weights = np.full((n, len(places)), Fraction(0), dtype=object)
    for i, place in enumerate(places):
        inside = min(max(place, Fraction(0)), Fraction(n - 1))
        before = min(floor(inside), max(n - 2, 0))
        weights[before, i] = 1 - (inside - before)
        if n > 1:
            weights[before + 1, i] = inside - before
    last = call.moved(value, lambda array: np.swapaxes(array, axis, -1))
    return call.moved(
        product(call, last, floats_if_exact(weights)), lambda array: np.swapaxes(array, axis, -1)
    )


def _source_place(call: Call, i: int, stretch: Stretch) -> Fraction:
    n, size, scale = stretch.n, stretch.size, stretch.scale
    match stretch.where:
        case "asymmetric":
            return i / scale
        case "half_pixel":
            return (i + Fraction(1, 2)) / scale - Fraction(1, 2)
        case "half_pixel_symmetric":
            shift = Fraction(n, 2) * (1 - size / (scale * n))
            return shift + (i + Fraction(1, 2)) / scale - Fraction(1, 2)
        case "pytorch_half_pixel":
            return (i + Fraction(1, 2)) / scale - Fraction(1, 2) if size > 1 else Fraction(0)
        case "tf_half_pixel_for_nn":
            return (i + Fraction(1, 2)) / scale
        case "align_corners":
            return Fraction(i * (n - 1), size - 1) if size > 1 else Fraction(0)
    raise call.unsupported(f"coordinate_transformation_mode {stretch.where!r}")


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
