"""Data points of a file, with or without labels: .csv or .npz."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.errors import FormatError
from polyregions.io.files import MAX_BYTES, parse_decimal, read_bytes, read_text, shortened, suffix_of
from polyregions.io.npz import arrays_of_npz

SUFFIXES: Final = (".csv", ".npz")


def load_data_points(
    path: str | os.PathLike[str], dims: Sequence[int], *, max_bytes: int = MAX_BYTES
) -> tuple[Floats, Ints | list[str] | None]:
    """The points (n, d) of a file, and their labels if it has any.

    Args:
        path: a ``.csv`` with a point a line, under a line of names or not, and perhaps a label as its last column; or a
            ``.npz`` with arrays ``X`` (n, d) and perhaps ``y`` (n,); either may be compressed (``.gz``).
        dims: the numbers d of coordinates that a point may have; with one column more than the first of them, or than
            the next if that is not another one of them, the last column of a ``.csv`` is the label.
        max_bytes: limit of the size, before and after decompression.

    Raises:
        FormatError: a file that is not what its name claims.
    """
    where = str(path)
    match suffix_of(path):
        case ".csv":
            return _of_csv(read_text(path, max_bytes), dims, where)
        case ".npz":
            return _of_npz(read_bytes(path, max_bytes), where, max_bytes)
    raise FormatError(f"{where}: unknown kind of data file, expected .csv or .npz (or .gz behind it)")


def _of_npz(data: bytes, where: str, max_bytes: int) -> tuple[Floats, Ints | None]:
    arrays = arrays_of_npz(data, where, max_bytes)
    if "X" not in arrays:
        raise FormatError(
            f"{where}: holds {shortened(', '.join(arrays) or 'nothing', 200)}, expected arrays X and y"
        )
    X, y = arrays["X"], arrays.get("y")
    arrays.refuse_rest(("X", "y"))
    for name, array in (("X", X), ("y", y)):
        if array is not None and array.dtype.kind not in "fiub":
            raise FormatError(f"{where}, {name}: values of type {array.dtype}, expected numbers")
    return X, y


def _of_csv(text: str, dims: Sequence[int], where: str) -> tuple[Floats, Ints | list[str] | None]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise FormatError(f"{where}: damaged CSV ({error})") from None
    first = 1 if rows and not _is_number(rows[0][0]) else 0
    width = len(rows[0]) if rows else dims[0]
    d = width if width in dims else width - 1
    if d not in dims:
        expected = " or ".join(str(n) for n in dict.fromkeys(dims))
        raise FormatError(f"{where}: {width} columns, expected {expected}, and one more if there are labels")
    points, labels = [], []
    for number, row in enumerate(rows[first:], start=first + 1):
        place = f"{where}, row {number}"
        if len(row) != width:
            raise FormatError(f"{place}: {len(row)} fields, expected {width}")
        points.append([parse_decimal(field.strip(), place) for field in row[:d]])
        labels += [row[-1].strip()] if width > d else []
    return np.array(points).reshape(-1, d), _numbers_or_names(labels) if width > d else None


def _numbers_or_names(labels: list[str]) -> Ints | list[str]:
    """Labels as numbers if all of them are, else as they are."""
    is_numeric = all(label.isascii() and label.isdigit() and len(label) < 10 for label in labels)
    return np.array([int(label) for label in labels], dtype=np.int64) if is_numeric else labels


def _is_number(field: Any) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
