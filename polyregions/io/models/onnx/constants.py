"""ONNX operators that make constants, and casts."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.io.models.onnx.tensors import KINDS, REAL_KINDS, type_name

FLOAT16 = 10


def constant(call: Call) -> Value:
    """The value of an attribute.

    Raises:
        FormatError: several values or none, inputs, or a value that does not hold numbers.
    """
    if len(call.attributes) != 1 or call.operands:
        raise call.wrong(f"{len(call.attributes)} values and {len(call.operands)} inputs, expected one value")
    ((name, value),) = call.attributes.items()
    found = value if name == "value" else np.array(value)
    if name in ("value_ints", "value_floats") and found.size == 0:
        found = found.astype(np.int64 if name == "value_ints" else np.float64)
    kinds = "fib" if name == "value" else name[len("value_")]
    if not isinstance(found, np.ndarray) or found.dtype.kind not in kinds:
        raise call.wrong(f"{name} is {type(value).__name__}, expected numbers")
    return found


def constant_of_shape(call: Call) -> Value:
    """One value everywhere, 0 if none is given.

    Raises:
        FormatError: sizes below 1 in another shape than (0,), or a value that is not one number.
    """
    call.only(1)
    shape = tuple(call.integers(0, "shape"))
    if min(shape, default=1) < 1 and shape != (0,):
        raise call.wrong(f"shape {shape}, expected sizes >= 1")
    call.check_size(shape)
    value = call.attributes.get("value", np.zeros(1))
    if not isinstance(value, np.ndarray) or value.size != 1:
        raise call.wrong("value is not a tensor of one number")
    return np.full(shape, value.ravel()[0])


def shape(call: Call) -> Value:
    """The shape of a tensor, which is known."""
    call.only(1)
    sizes = call.value(0).shape
    start, end = call.attribute("start", 0), call.attribute("end", len(sizes))
    return np.array(sizes[start:end], dtype=np.int64)


def size(call: Call) -> Value:
    """The number of entries of a tensor, which is known."""
    call.only(1)
    return np.array(prod(call.value(0).shape), dtype=np.int64)


def cast(call: Call) -> Value:
    """A change of type that changes no value: of the data to float32 or float64, of a constant if it fits.

    Raises:
        UnsupportedError: the data to another type, or a constant to one that is not known.
    """
    call.only(1)
    value, target = call.value(0), call.attribute("to", 0)
    if isinstance(value, Data):
        if target not in REAL_KINDS or target == FLOAT16:
            raise call.unsupported(
                f"of the data to {type_name(target)}, which rounds; expected float32 or float64"
            )
        return value
    if target not in KINDS:
        raise call.unsupported(f"to {type_name(target)}")
    return _cast_constant(call, value, target)


def _cast_constant(call: Call, array: Any, target: int) -> Any:
    """A constant in another type, as a runtime rounds it; one that it computes with rounding keeps its value."""
    given, dtype = call.types[0] if call.types else None, np.dtype(KINDS[target].dtype)
    if given is not None and given.rounds and dtype.kind == "f":
        if dtype.itemsize < np.dtype(given.dtype).itemsize:
            raise call.unsupported(f"rounds a constant that is computed to {type_name(target)}")
        return array
    call.certain(0)
    if dtype.kind == "b":
        return array != 0
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return array.astype(dtype).astype(np.float64)
    limits, whole = np.iinfo(dtype), np.trunc(array.astype(np.float64)) if array.dtype.kind == "f" else array
    if np.any((whole < limits.min) | (whole > limits.max)):
        raise call.wrong(f"of a constant beyond the range of {type_name(target)}")
    return whole.astype(np.int64)
