"""Typed access to the arrays of a result's file."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np

from polyregions.errors import FormatError
from polyregions.io.files import shortened

_RATIONAL = re.compile(r"-?[0-9a-f]+/[1-9a-f][0-9a-f]*")


def rational(text: str, where: str, array: str = "rational_points") -> Fraction:
    """The rational that hexadecimal text such as '-3/1f' stands for.

    Raises:
        FormatError: it is none.
    """
    if not _RATIONAL.fullmatch(text):
        raise FormatError(f"{where}, array {array}: {shortened(text)!r}, expected a rational such as '-3/1f'")
    numerator, denominator = text.split("/")
    return Fraction(int(numerator, 16), int(denominator, 16))


def text_of(arrays: dict[str, Any], name: str, where: str) -> str:
    """A single text.

    Raises:
        FormatError: it is missing, or something else.
    """
    return str(typed(arrays, name, "U", 0, where))


def array_of(arrays: dict[str, Any], name: str, where: str) -> Any:
    """An array, whatever its type.

    Raises:
        FormatError: it is missing.
    """
    if name not in arrays:
        raise FormatError(f"{where}: array {name} is missing; not a file of regions")
    return arrays[name]


def typed(arrays: dict[str, Any], name: str, dtype: str, ndim: int, where: str) -> Any:
    """An array of a type ("U" for texts of any length) and a number of axes.

    Raises:
        FormatError: it is missing, or of another type.
    """
    array = array_of(arrays, name, where)
    fits = array.dtype.kind == "U" if dtype == "U" else array.dtype == np.dtype(dtype)
    if not fits or array.ndim != ndim:
        raise FormatError(
            f"{where}, array {name}: {array.dtype} with {array.ndim} axes, expected {dtype} with {ndim}"
        )
    return array
