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
    9: Kind("bool", "|b1", "int32_data", "|u1"),
}
REAL_KINDS: Final = frozenset({1, 10, 11})
NAMES: Final = {0: "undefined", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 8: "string", 16: "bfloat16"}
FIELDS: Final = ("float_data", "double_data", "int32_data", "int64_data", "uint64_data", "string_data")


def type_name(element_type: int) -> str:
    """Name of an ONNX element type."""
    if element_type in KINDS:
        return KINDS[element_type].name
    return NAMES.get(element_type, f"type {element_type}")


def array_of_tensor(tensor: Any, where: str) -> Any:
    """The values of a TensorProto: float64 for real types, int64 for integers, bool.

    Raises:
        FormatError: shape and bytes that do not agree, values that are not finite.
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
    """Only an empty list of integers has a use: the shape of a scalar."""
    if shape != (0,) or KINDS[tensor.data_type].dtype not in ("<i8", "<i4"):
        raise FormatError(f"{where} has shape {shortened(str(shape))}, which holds no values")
    return np.zeros(0, dtype=np.int64)


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
    if kind.raw_of_field is None:
        return np.array(values, dtype=kind.dtype)
    wide = np.array(values, dtype=np.int64)
    if np.any((wide < 0) | (wide > np.iinfo(kind.raw_of_field).max)):
        raise FormatError(f"{where}: an entry of int32_data is outside the range of {kind.name}")
    return wide != 0 if kind.name == "bool" else wide.astype(kind.raw_of_field).view(kind.dtype)


def _lifted(values: Any, where: str) -> Any:
    if values.dtype.kind == "b":
        return values
    if values.dtype.kind == "i":
        return values.astype(np.int64)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        index = [int(i) for i in bad[0]]
        found = f"{values[tuple(index)]}, expected a finite number ({len(bad)} such)"
        raise FormatError(f"{where}{index} is {found}")
    return values.astype(np.float64)
