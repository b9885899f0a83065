"""Tensors that an ONNX file keeps in files beside it (external data), read within bounds.

Names lead to regular files in the model's folder or below it and nowhere else, through no link. Offset and length are
compared with the file and with the tensor's shape before anything is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import open_regular, shortened
from polyregions.io.models.onnx.tensors import EXTERNAL, KINDS

KEYS: Final = frozenset({"location", "offset", "length", "checksum"})
MAX_DIGITS: Final = 18


def take_in(model: Any, where: str, folder: Path | None, max_bytes: int) -> list[str]:
    """Put the tensors that lie in other files into the model.

    Args:
        model: the ModelProto, which is changed.
        where: the file, for messages.
        folder: the folder it lies in; None where it comes from no file.
        max_bytes: most bytes of all these tensors together.

    Returns:
        The names of the files that were read.

    Raises:
        FormatError: a name that leads out of the folder or to no file, a range beyond its end, lengths that are not
            those of the tensor.
        UnsupportedError: a model that comes from no file.
    """
    names: dict[str, None] = {}
    taken = 0
    for tensor in _external(model):
        place = f"{where}: tensor {shortened(tensor.name)!r}"
        if tensor.data_type not in KINDS:
            continue  # refused by its type where it is used
        if folder is None:
            raise UnsupportedError(f"{place} has external data, and the model comes from no file")
        entries = _entries(tensor, place)
        expected = _n_bytes(tensor, place)
        taken += expected
        if taken > max_bytes:
            raise FormatError(f"{place}: external data of more than {max_bytes} bytes (max_bytes)")
        path = _contained(folder, entries["location"], place)
        tensor.raw_data = _read(path, entries, expected, place)
        tensor.ClearField("data_location")
        del tensor.external_data[:]
        names[shortened(entries["location"], 80)] = None
    return list(names)


def _external(model: Any) -> Iterator[Any]:
    """The tensors with external data; those in subgraphs are left to the reader, which refuses subgraphs."""
    graph = model.graph
    attributes = (
        attribute.t for node in graph.node for attribute in node.attribute if attribute.HasField("t")
    )
    for tensor in (*graph.initializer, *attributes):
        if tensor.data_location == EXTERNAL or len(tensor.external_data):
            yield tensor


def _entries(tensor: Any, where: str) -> dict[str, str]:
    found = {entry.key: entry.value for entry in tensor.external_data}
    if len(found) < len(tensor.external_data):
        raise FormatError(f"{where}: an entry of its external data is given twice")
    unknown = found.keys() - KEYS
    if unknown or tensor.data_location != EXTERNAL or not found.get("location"):
        listed = ", ".join(shortened(key) for key in sorted(found)) or "none"
        raise FormatError(
            f"{where}: external data has the entries {listed}, expected location, offset, length"
        )
    return found


def _n_bytes(tensor: Any, where: str) -> int:
    if len(tensor.raw_data) or any(n < 0 for n in tensor.dims):
        raise FormatError(f"{where}: external data beside data in the file, or a negative size")
    return int(prod(tensor.dims)) * np.dtype(KINDS[tensor.data_type].dtype).itemsize


def _contained(folder: Path, location: str, where: str) -> Path:
    """The file of a name, below the folder and through no link."""
    parts = PurePosixPath(location.replace("\\", "/")).parts
    windows = PureWindowsPath(location)
    if windows.anchor or location.startswith("/") or ".." in parts or not parts or "\0" in location:
        raise FormatError(
            f"{where}: external data in {shortened(location, 80)!r}, expected a file in the model's own folder"
        )
    path = folder
    for part in parts:
        path = path / part
        if path.is_symlink() or getattr(path, "is_junction", bool)():
            raise FormatError(
                f"{where}: external data in {shortened(location, 80)!r}, which is a link; links are not followed"
            )
    return path


def _read(path: Path, entries: dict[str, str], expected: int, where: str) -> bytes:
    offset = _integer(entries.get("offset", "0"), "offset", where)
    with open_regular(path) as handle:
        size = os.fstat(handle.fileno()).st_size
        length = _integer(entries["length"], "length", where) if entries.get("length") else size - offset
        if length != expected:
            raise FormatError(f"{where}: external data of {length} bytes, expected {expected} by its shape")
        if offset + length > size:
            raise FormatError(
                f"{where}: external data from byte {offset} to {offset + length}, but {path.name} has {size}"
            )
        handle.seek(offset)
        data = handle.read(length)
    if len(data) != length:
        raise FormatError(f"{where}: external data ends early, {path.name} changes while it is read")
    return data


def _integer(text: str, what: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > MAX_DIGITS:
        raise FormatError(
            f"{where}: {what} of external data is {shortened(text)!r}, expected an integer >= 0"
        )
    return int(text)
