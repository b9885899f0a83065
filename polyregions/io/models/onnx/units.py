"""ONNX activations that are piecewise linear in each entry."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.networks.activations import ABS, RELU

FLOAT32_MAX: Final = float(np.finfo(np.float32).max)


def relu(call: Call) -> Value:
    """``max(x, 0)``."""
    return _units(call, RELU)


def leaky_relu(call: Call) -> Value:
    """``alpha x`` for negative x; alpha is the stored float32, lifted exactly."""
    return _units(call, (call.attribute("alpha", float(np.float32(0.01))), 1.0))


def absolute(call: Call) -> Value:
    """``|x|``."""
    return _units(call, ABS)


def prelu(call: Call) -> Value:
    """``slope x`` for negative x, with a slope for each entry or channel.

    Raises:
        FormatError: the slope does not fit the data.
        UnsupportedError: a slope that float64 cannot hold.
    """
    call.only(2)
    data, slope = _data(call), call.reals(1, "slope")
    if slope.dtype == object:
        raise call.unsupported("slopes that float64 cannot hold")
    if call.opset < 7 and slope.ndim == 1 and slope.size > 1:
        slope = slope.reshape(-1, *(1,) * (len(data.shape) - 2))
    if call.common_shape([data, slope]) != data.shape:
        raise call.wrong(f"slope of shape {slope.shape} for data of shape {data.shape}")
    off = np.broadcast_to(slope, data.shape).ravel()
    return Data(call.build.units(data.node, np.column_stack([off, np.ones(len(off))])), data.shape)


def clip(call: Call) -> Value:
    """``min(max(x, lower), upper)``; infinity and the largest float32, which stand for no bound, are none."""
    data = _data(call)
    if call.opset < 11:
        call.only(1)
        lower, upper = call.attribute("min", -np.inf), call.attribute("max", np.inf)
    else:
        call.only(3)
        lower, upper = _bound(call, 1, -np.inf), _bound(call, 2, np.inf)
    n = prod(data.shape)
    low = np.full(n, lower if lower != -FLOAT32_MAX else -np.inf)
    high = np.full(n, upper if upper != FLOAT32_MAX else np.inf)
    return Data(call.build.clip(data.node, low, high), data.shape)


def shrink(call: Call) -> Value:
    """``x + bias`` below -lambd, ``x - bias`` above lambd, 0 in between: continuous where bias = lambd.

    A soft shrink of lambd is ``x - min(max(x, -lambd), lambd)``; without bias and threshold it is the identity.

    Raises:
        UnsupportedError: bias and lambd differ or are negative, and it is not the identity.
    """
    call.only(1)
    data = _data(call)
    bias, bound = call.attribute("bias", 0.0), call.attribute("lambd", 0.5)
    if bias == 0 and bound <= 0:
        return data
    if bias != bound or bound < 0:
        raise call.unsupported(f"jumps where lambd = {bound} and bias = {bias}, expected equal ones (soft)")
    n = prod(data.shape)
    middle = call.build.clip(data.node, np.full(n, -bound), np.full(n, bound))
    return Data(call.build.add(data.node, middle, -1.0), data.shape)


def thresholded_relu(call: Call) -> Value:
    """``x`` above alpha, 0 elsewhere: continuous where alpha = 0.

    Raises:
        UnsupportedError: another alpha.
    """
    call.only(1)
    alpha = call.attribute("alpha", 1.0)
    if alpha != 0:
        raise call.unsupported(f"jumps from 0 to {alpha}, expected alpha = 0")
    return _units(call, RELU)


def hard_sigmoid(call: Call) -> Value:
    """``min(max(alpha x + beta, 0), 1)``."""
    call.only(1)
    data, build, n = _data(call), call.build, prod(_data(call).shape)
    scaled = build.scale(data.node, np.full(n, call.attribute("alpha", float(np.float32(0.2)))))
    shifted = build.shift(scaled, np.full(n, call.attribute("beta", 0.5)))
    return Data(build.clip(shifted, np.zeros(n), np.ones(n)), data.shape)


def _units(call: Call, slopes: tuple[float, float]) -> Data:
    call.only(1)
    data = _data(call)
    return Data(call.build.units(data.node, slopes), data.shape)


def _data(call: Call) -> Data:
    value: Any = call.value(0)
    if not isinstance(value, Data):
        raise call.unsupported("acts on constants only, expected the data")
    return value


def _bound(call: Call, i: int, default: float) -> Any:
    if call.operand(i) is None:
        return default
    array = call.numbers(i, "a bound")
    if array.size != 1:
        raise call.wrong(f"a bound of shape {array.shape}, expected one number")
    return array.ravel()[0]
