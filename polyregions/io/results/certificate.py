"""Certificates as archives of plain arrays, written without pickle and read within bounds.

Integers of any size are stored as strings of hexadecimal digits, as in `regions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np

from polyregions.certificates.certificate import VERSION, Certificate, HullMap, InputSet
from polyregions.errors import FormatError
from polyregions.io.files import MAX_BYTES, shortened
from polyregions.io.npz import arrays_of_npz, npz_bytes

SCHEMA: Final = "polyregions certificate"

_INTEGER = re.compile(r"-?[0-9a-f]+")


def certificate_npz(certificate: Certificate) -> bytes:
    """A certificate as one archive; the same certificate gives the same bytes."""
    rational = sorted(certificate.rational_points.items())
    equations = sorted(certificate.hull.equations.items())
    k = certificate.points.shape[1]
    return npz_bytes(
        {
            "schema": np.array(SCHEMA),
            "version": np.array(certificate.version, dtype=np.int64),
            "network": np.array(certificate.network),
            **_input_set_arrays(certificate.input_set),
            "embedding": _texts(certificate.hull.embedding, k + 1),
            "denominator": np.array(f"{certificate.hull.denominator:x}"),
            "equations": np.array([i for i, _ in equations], dtype=np.int64),
            "multipliers": _texts([[y] for _, y in equations], 1)[:, 0],
            "packed": certificate.packed,
            "points": certificate.points,
            "rational_index": np.array([i for i, _ in rational], dtype=np.int64),
            "rational_numerators": _texts([[c.numerator for c in point] for _, point in rational], k),
            "rational_denominators": _texts([[c.denominator for c in point] for _, point in rational], k),
            "supports": certificate.supports,
            "offsets": certificate.offsets,
        }
    )


def certificate_of_npz(data: bytes, where: str, max_bytes: int = MAX_BYTES) -> Certificate:
    """The certificate stored by `certificate_npz`. What it says is checked by `check`, not here.

    Args:
        data: content of the file.
        where: the file, for messages.
        max_bytes: limit of the arrays' total size.

    Raises:
        FormatError: not such a file, damaged, of another version, or arrays of the wrong type or shape.
    """
    arrays = arrays_of_npz(data, where, max_bytes)
    stored = _Arrays(arrays, where)
    schema, version = stored.text("schema"), int(stored.array("version", "i8", 0))
    if schema != SCHEMA or version != VERSION:
        raise FormatError(f"{where}: {shortened(schema)!r} {version}, expected {SCHEMA!r} {VERSION}")
    equations = stored.array("equations", "i8", 1)
    multipliers = stored.integers("multipliers", (len(equations),))
    embedding = stored.integer_rows("embedding")
    certificate = Certificate(
        version,
        stored.text("network"),
        _input_set(stored),
        HullMap(embedding, stored.integer("denominator"), stored.mapping("equations", multipliers)),
        stored.array("packed", "u1", 2),
        stored.array("points", "f8", 2),
        stored.mapping("rational_index", _rational_points(stored)),
        stored.array("supports", "i8", 1),
        stored.array("offsets", "i8", 1),
    )
    arrays.refuse_rest()
    return certificate


class _Arrays:
    """The arrays of an archive, each asked for with the type it must have."""

    def __init__(self, arrays: Mapping[str, Any], where: str) -> None:
        self._arrays = arrays
        self.where = where

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def array(self, name: str, dtype: str, ndim: int) -> Any:
        if name not in self._arrays:
            raise FormatError(f"{self.where}: array {name} is missing; not a certificate")
        array = self._arrays[name]
        fits = array.dtype.kind == "U" if dtype == "U" else array.dtype == np.dtype(dtype)
        if not fits or array.ndim != ndim:
            found = f"{array.dtype} with {array.ndim} axes"
            raise FormatError(f"{self.where}, array {name}: {found}, expected {dtype} with {ndim}")
        return array

    def text(self, name: str) -> str:
        return str(self.array(name, "U", 0))

    def integer(self, name: str) -> int:
        return self._integer(name, self.text(name))

    def integers(self, name: str, shape: tuple[int, ...]) -> list[int]:
        """All integers of an array, row by row."""
        array = self.array(name, "U", len(shape))
        if array.shape != shape:
            raise FormatError(f"{self.where}, array {name}: shape {array.shape}, expected {shape}")
        return [self._integer(name, text) for text in array.ravel().tolist()]

    def integer_rows(self, name: str) -> tuple[tuple[int, ...], ...]:
        array = self.array(name, "U", 2)
        return tuple(tuple(self._integer(name, text) for text in row) for row in array.tolist())

    def mapping(self, name: str, values: Sequence[Any]) -> dict[int, Any]:
        """An ascending array of indices as the keys of a mapping."""
        keys = self.array(name, "i8", 1)
        if len(keys) != len(values) or np.any(keys[1:] <= keys[:-1]):
            raise FormatError(f"{self.where}, array {name}: expected {len(values)} ascending indices")
        return dict(zip(keys.tolist(), values, strict=True))

    def _integer(self, name: str, text: str) -> int:
        if not _INTEGER.fullmatch(text):
            expected = "expected a hexadecimal integer such as '-1f'"
            raise FormatError(f"{self.where}, array {name}: {shortened(text)!r}, {expected}")
        return int(text, 16)


def _input_set_arrays(given: InputSet) -> dict[str, Any]:
    arrays = {"lower": given.lower, "upper": given.upper, "rows": _texts(given.rows, len(given.lower) + 1)}
    if given.origin is not None and given.directions is not None:
        arrays |= {"origin": given.origin, "directions": given.directions}
    return arrays


def _input_set(stored: _Arrays) -> InputSet:
    lower, upper = stored.array("lower", "f8", 1), stored.array("upper", "f8", 1)
    bare = lower, upper, stored.integer_rows("rows")
    if "origin" not in stored and "directions" not in stored:
        return InputSet(*bare)
    return InputSet(*bare, stored.array("origin", "f8", 1), stored.array("directions", "f8", 2))


def _rational_points(stored: _Arrays) -> list[tuple[Fraction, ...]]:
    tops, bottoms = stored.integer_rows("rational_numerators"), stored.integer_rows("rational_denominators")
    if [len(row) for row in tops] != [len(row) for row in bottoms] or any(
        q <= 0 for row in bottoms for q in row
    ):
        raise FormatError(f"{stored.where}: rational points without positive denominators")
    return [
        tuple(Fraction(p, q) for p, q in zip(*rows, strict=True)) for rows in zip(tops, bottoms, strict=True)
    ]


def _texts(rows: Iterable[Sequence[int]], width: int) -> Any:
    texts = [[f"{entry:x}" for entry in row] for row in rows]
    return np.array(texts, dtype=np.str_).reshape(len(texts), width)
