"""Tensors of an ONNX file as numpy arrays, lifted exactly; shapes are compared with the bytes present."""

from __future__ import annotations

from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import shortened

MAX_RANK: Final = 32  # numpy has at most 64 axes
EXTERNAL: Final = 1


class Kind(NamedTuple):
    """How values of one element type are stored."""

    name: str
    dtype: str
    field: str
    raw_of_field: str | None = None  # for types whose bits lie in wider integers


KINDS: Final = {
    1: Kind("float32", "<f4", "float_data"),
    11: Kind("float64", "<f8", "double_data"),
    10: Kind("float16", "<f2", "int32_data", "<u2"),
    7: Kind("int64", "<i8", "int64_data"),
    6: Kind("int32", "<i4", "int32_data"),
    5: Kind("int16", "<i2", "int32_data"),
    3: Kind("int8", "|i1", "int32_data"),
    13: Kind("uint64", "<u8", "uint64_data"),
    12: Kind("uint32", "<u4", "uint64_data"),
    4: Kind("uint16", "<u2", "int32_data"),
    2: Kind("uint8", "|u1", "int32_data"),
    9: Kind("bool", "|b1", "int32_data", "|u1"),
}
REAL_KINDS: Final = frozenset({1, 10, 11})
NAMES: Final = {0: "undefined", 8: "string", 16: "bfloat16", 21: "uint4", 22: "int4"}
FIELDS: Final = ("float_data", "double_data", "int32_data", "int64_data", "uint64_data", "string_data")


def type_name(element_type: int) -> str:
    """Name of an ONNX element type."""
    if element_type in KINDS:
        return KINDS[element_type].name
    return NAMES.get(element_type, f"type {element_type}")


def array_of_tensor(tensor: Any, where: str) -> Any:
    """The values of a TensorProto: float64 for real types, int64 for integers, bool.

    Real values may be infinite or no numbers, see `check_finite`.

    Raises:
        FormatError: shape and bytes that do not agree, integers beyond 64 bits.
        UnsupportedError: external data, other element types.
    """
    where = f"{where}: tensor {shortened(tensor.name)!r}"
    _check_inline(tensor, where)
    if tensor.data_type not in KINDS:
        listed = ", ".join(kind.name for kind in KINDS.values())
        raise UnsupportedError(f"{where} is of {type_name(tensor.data_type)}, expected one of {listed}")
    shape = tuple(tensor.dims)
    if any(n < 0 for n in shape) or len(shape) > MAX_RANK:
        found = shortened(str(shape))
        raise FormatError(f"{where} has shape {found}, expected at most {MAX_RANK} sizes >= 0")
    kind = KINDS[tensor.data_type]
    if prod(shape) == 0:
        return _empty(tensor, shape, where)
    read = _raw_values if tensor.raw_data else _typed_values
    return _lifted(read(tensor, kind, shape, where).reshape(shape), where)


def _check_inline(tensor: Any, where: str) -> None:
    if tensor.data_location == EXTERNAL or len(tensor.external_data):
        raise UnsupportedError(f"{where} of {type_name(tensor.data_type)} has external data that is not read")
    if tensor.HasField("segment"):
        raise UnsupportedError(f"{where} is stored in segments")


def _empty(tensor: Any, shape: tuple[int, ...], where: str) -> Any:
    """Only an empty list has a use: the shape of a scalar, or scales that are not given."""
    n_stored = len(tensor.raw_data) + sum(len(getattr(tensor, field)) for field in FIELDS)
    if shape != (0,) or n_stored:
        raise FormatError(f"{where} has shape {shortened(str(shape))}, which holds no values")
    return np.zeros(0, dtype=np.float64 if tensor.data_type in REAL_KINDS else np.int64)


def _raw_values(tensor: Any, kind: Kind, shape: tuple[int, ...], where: str) -> Any:
    expected = prod(shape) * np.dtype(kind.dtype).itemsize
    if len(tensor.raw_data) != expected or any(len(getattr(tensor, field)) for field in FIELDS):
        raise FormatError(
            f"{where} of {kind.name} and shape {shortened(str(shape))} takes {expected} bytes, "
            f"but {len(tensor.raw_data)} are there"
        )
    if kind.name == "bool":
        return np.frombuffer(tensor.raw_data, "|u1") != 0
    return np.frombuffer(tensor.raw_data, kind.dtype)


def _typed_values(tensor: Any, kind: Kind, shape: tuple[int, ...], where: str) -> Any:
    present = {field: len(getattr(tensor, field)) for field in FIELDS if len(getattr(tensor, field))}
    if present != {kind.field: prod(shape)}:
        found = ", ".join(f"{n} in {field}" for field, n in present.items()) or "none"
        raise FormatError(
            f"{where} of {kind.name} and shape {shortened(str(shape))} takes {prod(shape)} values "
            f"in {kind.field}, but there are: {found}"
        )
    values = getattr(tensor, kind.field)
    stored = kind.raw_of_field or kind.dtype
    if np.dtype(stored).kind == "f":
        return np.array(values, dtype=stored)
    limits = np.iinfo(stored)
    if any(not limits.min <= value <= limits.max for value in values):
        raise FormatError(f"{where}: an entry of {kind.field} is outside the range of {kind.name}")
    narrow = np.array(values, dtype=stored)
    return narrow != 0 if kind.name == "bool" else narrow.view(kind.dtype)


def _lifted(values: Any, where: str) -> Any:
    if values.dtype.kind == "b":
        return values
    if values.dtype.kind in "iu":
        if values.dtype.itemsize == 8 and np.any(values > np.iinfo(np.int64).max):
            raise FormatError(f"{where} holds an integer beyond 63 bits")
        return values.astype(np.int64)
    return values.astype(np.float64)


def check_finite(values: Any, where: str, may_be_infinite: bool = False) -> None:
    """Refuse NaN, and infinities where these mean nothing.

    Raises:
        FormatError: there are some, with the place of the first.
    """
    if values.dtype.kind != "f":
        return
    bad = np.argwhere(np.isnan(values) if may_be_infinite else ~np.isfinite(values))
    if len(bad):
        index = [int(i) for i in bad[0]]
        found = f"{values[tuple(index)]}, expected a finite number ({len(bad)} such)"
        raise FormatError(f"{where}{index} is {found}")
