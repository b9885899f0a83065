"""Input sets read back from the arrays that `Domain.arrays` writes; nothing in them is believed."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np

from polyregions._types import Floats
from polyregions.errors import FormatError
from polyregions.io.files import shortened
from polyregions.io.results.typed import rational, text_of, typed
from polyregions.polyhedra.domain import SLICE_OF, Box, Domain, Slice, WholeSpace
from polyregions.polyhedra.polytope import HPolytope

_INTEGER = re.compile(r"-?[0-9a-f]+")
_ROUNDING = Fraction(1, 2**50)
_SMALLEST = Fraction(1, 2**1074)


def domain_of_arrays(arrays: dict[str, Any], where: str) -> Domain:
    """The domain that arrays stand for.

    Raises:
        FormatError: missing arrays, or such that fit no domain.
    """
    whole_kind = text_of(arrays, "domain_kind", where)
    kind = whole_kind.removeprefix(SLICE_OF)
    inner: Box | WholeSpace | HPolytope
    if kind == "box":
        inner = _box_of_arrays(arrays, where)
    elif kind == "whole space":
        inner = WholeSpace(int(typed(arrays, "dim", "i8", 0, where)))
    elif kind in ("polytope", "rounded polytope"):
        inner = _polytope_of_arrays(arrays, kind, where)
    else:
        raise FormatError(f"{where}: domain kind {shortened(kind)!r}, expected box, whole space or polytope")
    if kind == whole_kind:
        return inner
    floats = Slice(
        typed(arrays, "slice_origin", "f8", 1, where),
        typed(arrays, "slice_directions", "f8", 2, where),
        inner,
    )
    return _exact_slice(arrays, floats, where) if "slice_exact" in arrays else floats


def _exact_slice(arrays: dict[str, Any], floats: Slice, where: str) -> Slice:
    """The slice with the stored rational coefficients; the floats must be theirs."""
    texts, expected = typed(arrays, "slice_exact", "U", 2, where), (floats.dim, floats.domain.dim + 1)
    if texts.shape != expected:
        raise FormatError(f"{where}, array slice_exact: shape {texts.shape}, expected {expected}")
    rows = [[rational(text, where, "slice_exact") for text in row] for row in texts.tolist()]
    exact = Slice([row[-1] for row in rows], list(zip(*rows, strict=True))[:-1], floats.domain)
    if not (
        np.array_equal(exact.origin, floats.origin) and np.array_equal(exact.directions, floats.directions)
    ):
        raise FormatError(f"{where}, array slice_exact: is not that of slice_origin and slice_directions")
    return exact


def _box_of_arrays(arrays: dict[str, Any], where: str) -> Box:
    floats = Box(typed(arrays, "lower", "f8", 1, where), typed(arrays, "upper", "f8", 1, where))
    if "exact_lower" not in arrays and "exact_upper" not in arrays:
        return floats
    low, high = (_exact_end(arrays, side, getattr(floats, side), where) for side in ("lower", "upper"))
    exact = Box(low, high)
    if not (np.array_equal(exact.lower, floats.lower) and np.array_equal(exact.upper, floats.upper)):
        raise FormatError(f"{where}, arrays exact_lower and exact_upper: are not those of lower and upper")
    return exact


def _exact_end(arrays: dict[str, Any], side: str, floats: Floats, where: str) -> list[Any]:
    texts = typed(arrays, f"exact_{side}", "U", 1, where)
    if texts.shape != floats.shape:
        raise FormatError(f"{where}, array exact_{side}: shape {texts.shape}, expected {floats.shape}")
    return [
        rational(text, where, f"exact_{side}") if text else end
        for text, end in zip(texts.tolist(), floats.tolist(), strict=True)
    ]


def _polytope_of_arrays(arrays: dict[str, Any], kind: str, where: str) -> HPolytope:
    A, b = typed(arrays, "A", "f8", 2, where), typed(arrays, "b", "f8", 1, where)
    labels = typed(arrays, "labels", "U", 1, where).tolist()
    polytope = HPolytope(A, b, typed(arrays, "strict", "?", 1, where), labels)
    if kind == "rounded polytope":
        polytope._exact_rows = _exact_rows(arrays, polytope, where)  # A and b stay the floats that were saved
    return polytope


def _exact_rows(arrays: dict[str, Any], polytope: HPolytope, where: str) -> list[list[int]]:
    """The exact rows ``b - A x >= 0``, up to positive factors; the floats must be theirs."""
    texts, expected = typed(arrays, "exact_rows", "U", 2, where), (len(polytope.A), polytope.dim + 1)
    if texts.shape != expected or not all(_INTEGER.fullmatch(text) for text in texts.flat):
        raise FormatError(f"{where}, array exact_rows: expected hexadecimal integers in shape {expected}")
    rows = [[int(text, 16) for text in row] for row in texts.tolist()]
    for i, row in enumerate(rows):
        floats = [*(-polytope.A[i]).tolist(), float(polytope.b[i])]
        if not _is_rounded_multiple(floats, row):
            raise FormatError(f"{where}, array exact_rows: row {i} is not that of A and b")
    return rows


def _is_rounded_multiple(floats: list[float], row: list[int]) -> bool:
    pivot = max(range(len(row)), key=lambda k: abs(row[k]))
    if not row[pivot]:
        return not any(floats)
    factor = Fraction(floats[pivot]) / row[pivot]
    return factor > 0 and all(
        abs(Fraction(f) - factor * entry) <= abs(factor * entry) * _ROUNDING + _SMALLEST
        for f, entry in zip(floats, row, strict=True)
    )
