"""Affine maps as integer matrices over one denominator (python-flint).

Every float64 is a dyadic rational, so a network's maps, composed along a pattern, are integers
over a power of two. Signs, hyperplanes and comparisons then need integer arithmetic only.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from operator import or_
from typing import Any

import numpy as np
from flint import fmpz_mat

from polyregions._types import Floats
from polyregions.exact.numbers import quotient
from polyregions.exact.rational_rows import ExactAffine

MANTISSA_BITS = 53


@dataclass(frozen=True, eq=False)
class IntegerAffine:
    """``x -> matrix @ [x, 1] / denominator`` with an integer matrix (n, k+1), bias in the last column."""

    matrix: fmpz_mat
    denominator: int

    def __eq__(self, other: object) -> bool:
        """Whether it is the same map, over whatever denominator."""
        if not isinstance(other, IntegerAffine):
            return NotImplemented
        return self.shape == other.shape and bool(
            self.matrix * other.denominator == other.matrix * self.denominator
        )

    def __hash__(self) -> int:
        return hash(self.shape)

    def __repr__(self) -> str:
        n, k = self.shape
        return f"<IntegerAffine: {n} rows over {k - 1} variables>"

    def __reduce__(self) -> tuple[Any, ...]:
        """flint's matrices do not pickle; what travels is Python integers."""
        entries = [int(entry) for entry in self.matrix.entries()]
        return _of_entries, (*self.shape, entries, int(self.denominator))

    @property
    def shape(self) -> tuple[int, int]:
        """(n, k+1)."""
        return self.matrix.nrows(), self.matrix.ncols()

    def row(self, i: int) -> list[int]:
        """Row i as Python ints: a positive multiple of the affine form."""
        return [int(self.matrix[i, j]) for j in range(self.matrix.ncols())]

    def linear_rank(self) -> int:
        """The rank of the linear part."""
        return integer_rank([self.row(i)[:-1] for i in range(self.shape[0])], self.shape[1] - 1)

    def plain(self) -> ExactAffine:
        """The same map as plain data."""
        n, k = self.shape
        numerators = np.empty((n, k), dtype=object)
        for i in range(n):
            numerators[i] = self.row(i)
        return ExactAffine(numerators, self.denominator)

    def nearest_floats(self) -> Floats:
        """Entries (n, k+1) rounded to the nearest float64, infinite beyond its range."""
        flat = [quotient(int(entry), self.denominator) for entry in self.matrix.entries()]
        return np.array(flat, dtype=np.float64).reshape(self.shape)

    def fractions(self) -> tuple[list[list[Fraction]], list[Fraction]]:
        """Weight (n, k) and bias (n,) as fractions."""
        rows = [[Fraction(entry, self.denominator) for entry in self.row(i)] for i in range(self.shape[0])]
        return [row[:-1] for row in rows], [row[-1] for row in rows]


def _of_entries(n_rows: int, n_columns: int, entries: list[int], denominator: int) -> IntegerAffine:
    return IntegerAffine(fmpz_mat(n_rows, n_columns, entries), denominator)


def integer_matrix(rows: Sequence[Sequence[int]], n_columns: int) -> fmpz_mat:
    """An fmpz_mat of the given rows that also works for no rows or no columns."""
    return fmpz_mat(len(rows), n_columns, [entry for row in rows for entry in row])


def integer_rank(rows: Sequence[Sequence[int]], n_columns: int) -> int:
    """The rank of an integer matrix (n, n_columns), which may be empty."""
    return int(integer_matrix(rows, n_columns).rank()) if rows and n_columns else 0


def integers_of_floats(array: Floats) -> tuple[list[list[int]], int]:
    """Write a float64 matrix (n, k) as integers over one power of two, without rounding."""
    mantissa, exponent = np.frexp(array)
    whole = np.ldexp(mantissa, MANTISSA_BITS).astype(np.int64)
    shift = exponent.astype(np.int64) - MANTISSA_BITS
    odd_bits = np.where(whole == 0, 0, np.log2(np.maximum(whole & -whole, 1)).astype(np.int64))
    whole, shift = whole >> odd_bits, shift + odd_bits
    lowest = int(min(0, shift[whole != 0].min(initial=0)))
    rows = [
        [int(w) << int(s - lowest) if w else 0 for w, s in zip(wr, sr, strict=True)]
        for wr, sr in zip(whole.tolist(), shift.tolist(), strict=True)
    ]
    return rows, 1 << -lowest


def affine_of_floats(weight: Floats, bias: Floats) -> IntegerAffine:
    """The exact affine map whose coefficients are the given floats, weight (n, k) and bias (n,)."""
    rows, denominator = integers_of_floats(np.column_stack([weight, bias]))
    return IntegerAffine(integer_matrix(rows, weight.shape[1] + 1), denominator)


def identity_affine(dim: int) -> IntegerAffine:
    """The identity on R^dim."""
    matrix = fmpz_mat(dim, dim + 1)
    for i in range(dim):
        matrix[i, i] = 1
    return IntegerAffine(matrix, 1)


def compose(outer: IntegerAffine, inner: IntegerAffine) -> IntegerAffine:
    """``outer`` after ``inner``, exactly."""
    k, last = outer.shape[1] - 1, inner.shape[1]
    one = [0] * (last - 1) + [inner.denominator]
    product = outer.matrix * fmpz_mat(k + 1, last, inner.matrix.entries() + one)
    return reduced(product, outer.denominator * inner.denominator)


def scale_rows(affine: IntegerAffine, slopes: Iterable[float]) -> IntegerAffine:
    """Multiply row i by the (exact) slope of unit i: the activation along one pattern."""
    factors, denominator = integers_of_floats(np.array([list(slopes)], dtype=np.float64))
    n, nothing = affine.shape[1], [0] * affine.shape[1]
    entries = affine.matrix.entries()
    rows = [
        nothing if f == 0 else entries[i : i + n] if f == 1 else [f * entry for entry in entries[i : i + n]]
        for i, f in zip(range(0, len(entries), n), factors[0], strict=True)
    ]
    scaled = fmpz_mat(affine.shape[0], n, [entry for row in rows for entry in row])
    return IntegerAffine(scaled, affine.denominator * denominator)


def reduced(matrix: fmpz_mat, denominator: int) -> IntegerAffine:
    """Divide matrix and denominator by their greatest common divisor, which keeps the numbers short."""
    if denominator == 1:
        return IntegerAffine(matrix, 1)
    whole, entries = int(denominator), [int(entry) for entry in matrix.entries()]
    common = _power_of_two(whole, entries) if whole & (whole - 1) == 0 else gcd(whole, *entries)
    if common == 1:
        return IntegerAffine(matrix, whole)
    shorter = fmpz_mat(matrix.nrows(), matrix.ncols(), [entry // common for entry in entries])
    return IntegerAffine(shorter, whole // common)


def _power_of_two(denominator: int, entries: Iterable[int]) -> int:
    """The largest power of two that divides a power of two and some integers: the lowest bit that any of them has."""
    bits = functools.reduce(or_, entries, denominator)
    return bits & -bits
