"""Rows ``A x <= b`` as they are handed in: checked, and brought to float64."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np

from polyregions import arrays
from polyregions._types import Bools, Floats
from polyregions.errors import DomainError
from polyregions.exact.numbers import over_common_denominator, quotient


def checked_rows(
    A: Any, b: Any, strict: Any, labels: Sequence[str] | None
) -> tuple[Floats, Floats, Bools, tuple[str, ...], list[list[int]] | None]:
    """A (m, d), b (m,), strict (m,), m labels, and integer rows; rows are closed and numbered if nothing else is said.

    The integer rows, over [x, 1] and >= 0, stand for what was given where float64 cannot hold it; else None.

    Raises:
        DomainError: shapes that do not fit, or entries that are not finite.
    """
    (weight, exact_weight), (bound, exact_bound) = _numbers(A, "A"), _numbers(b, "b")
    if weight.ndim != 2:
        raise DomainError(f"polytope: A has shape {weight.shape}, expected two axes (m, d)")
    m = len(weight)
    is_open = np.zeros(m, dtype=np.bool_) if strict is None else np.array(strict, dtype=np.bool_)
    names = tuple(labels) if labels is not None else tuple(f"row {i}" for i in range(m))
    for name, shape in (("b", bound.shape), ("strict", is_open.shape), ("labels", (len(names),))):
        if shape != (m,):
            raise DomainError(f"polytope: A has {m} rows, {name} has shape {shape}, expected ({m},)")
    bad = np.flatnonzero(~np.isfinite(weight).all(axis=1) | ~np.isfinite(bound))
    if len(bad):
        i = int(bad[0])
        raise DomainError(f"polytope, row {i}: A = {weight[i]}, b = {bound[i]}, expected finite")
    if exact_weight is None and exact_bound is None:
        return weight, bound, is_open, names, None
    W, c = (
        plain if exact is None else exact for plain, exact in ((weight, exact_weight), (bound, exact_bound))
    )
    return weight, bound, is_open, names, [_integers(row, end) for row, end in zip(W, c, strict=True)]


def _integers(row: Any, bound: Any) -> list[int]:
    """``bound - row . x >= 0`` as integers over [x, 1]."""
    *entries, _ = over_common_denominator([*(-Fraction(a) for a in row), Fraction(bound)])
    return entries


def scales(rows: Sequence[Sequence[int]]) -> list[int]:
    """Divisors that make the largest coefficient of each row 1."""
    return [max((abs(entry) for entry in row[:-1]), default=0) or 1 for row in rows]


def quotients(row: Sequence[int], divisor: int) -> list[float]:
    """A row divided by its divisor, or by more if float64 could not hold that."""
    floats = [quotient(entry, divisor) for entry in row]
    if all(map(isfinite, floats)):
        return floats
    return [quotient(entry, max(map(abs, row))) for entry in row]


def _numbers(values: Any, name: str) -> tuple[Floats, Any]:
    try:
        return arrays.floats_and_exact(values)
    except arrays.NotNumbers as error:
        raise DomainError(f"polytope: {name} is not a rectangular array of numbers: {error}") from None
