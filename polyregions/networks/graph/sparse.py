"""Sparse affine maps, composed without rounding.

Convolutions, poolings and selections of entries are nearly empty as matrices, so a map is kept by its entries. They
are float64 where that holds them exactly, and fractions where not. Two maps are composed in floats where every
product and sum is proved to be exact, in rationals where that is little work, and else not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import Any, Final

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.errors import NetworkError
from polyregions.exact.affine import (
    IntegerAffine,
    affine_of_floats,
    compose,
    integer_matrix,
    integers_of_floats,
)
from polyregions.exact.rational_rows import ExactAffine
from polyregions.networks.graph.rounding import (
    exact_products,
    exact_sum,
    exact_sums,
    floats_if_exact,
    fractions_of,
    object_array,
)
from polyregions.networks.large_layer import MAX_ENTRIES, LargeLayer
from polyregions.networks.network import Layer

MAX_TERMS: Final = 2**25
"""Most products of entries written out at a time."""

MAX_FOLD_WORK: Final = 2**27
"""Most exact multiplications spent on composing two maps."""

MAX_INTEGER_TERMS: Final = 2**22
"""Most products of integers in a composition entry by entry."""

MAX_BITS: Final = 2**14
"""Longest rationals that are composed: in a chain of maps they grow with every map, and the work with their square."""

MAX_RATIONALS: Final = 2**23
"""Most entries of a matrix of rationals."""


@dataclass(frozen=True, eq=False)
class SparseAffine:
    """An affine map by its entries, row after row: ``y_i = sum of values * x[columns] + bias_i``.

    Attributes:
        offsets: (n+1,) where the entries of each row start and end.
        columns: (nnz,) ascending within a row.
        values: (nnz,) float64, or object for fractions; none is 0.
        bias: (n,) float64, or object for fractions.
        n_columns: length k of x.
    """

    offsets: Ints
    columns: Ints
    values: Any
    bias: Any
    n_columns: int

    @property
    def n_rows(self) -> int:
        """Length n of y."""
        return len(self.bias)

    @property
    def row_of_entry(self) -> Ints:
        """The row (nnz,) of each entry."""
        return np.repeat(np.arange(self.n_rows), np.diff(self.offsets))

    @property
    def is_float(self) -> bool:
        """Whether all numbers are float64."""
        return bool(self.values.dtype != object and self.bias.dtype != object)

    def is_selection(self) -> bool:
        """Whether every row is one entry of x, unchanged."""
        if not self.is_float or len(self.columns) != self.n_rows:
            return False
        return bool(
            np.all(np.diff(self.offsets) == 1) and np.all(self.values == 1.0) and not np.any(self.bias)
        )

    def times(self, X: Floats) -> Floats:
        """Its values at the rows of X (m, k) in float64: (m, n)."""
        values, bias = self.values.astype(np.float64), self.bias.astype(np.float64)
        found: Floats = _row_sums(X[:, self.columns] * values, self.offsets) + bias
        return found

    def sizes(self, power: int) -> SparseAffine:
        """The linear part with the size of every number to a power, in float64."""
        values = np.abs(self.values.astype(np.float64)) ** power
        return replace(self, values=values, bias=np.zeros(self.n_rows))

    def rows(self, index: Ints) -> SparseAffine:
        """The map to the chosen entries (m,) of y."""
        counts = np.diff(self.offsets)[index]
        chosen = _ranges(self.offsets[:-1][index], counts)
        return SparseAffine(
            _offsets(counts), self.columns[chosen], self.values[chosen], self.bias[index], self.n_columns
        )


def selection(index: Ints, n_columns: int) -> SparseAffine:
    """The map ``y = x[index]`` for index (n,)."""
    n = len(index)
    return SparseAffine(
        np.arange(n + 1), np.asarray(index, dtype=np.int64), np.ones(n), np.zeros(n), n_columns
    )


def from_dense(weight: Any, bias: Any) -> SparseAffine:
    """A map from its matrix (n, k) and bias (n,), float64 or object arrays."""
    rows, columns = np.nonzero(weight)
    counts = np.bincount(rows, minlength=len(bias))
    return SparseAffine(_offsets(counts), columns, weight[rows, columns] + 0, bias + 0, weight.shape[1])


def from_entries(rows: Ints, columns: Ints, values: Any, bias: Any, n_columns: int) -> SparseAffine:
    """A map from entries in any order, no two of one place.

    Args:
        rows, columns, values: (m,) the entries.
        bias: (n,).
        n_columns: length k of x.
    """
    if not _ascend(rows, columns):
        order = np.lexsort([columns, rows])
        rows, columns, values = rows[order], columns[order], values[order]
    kept = values != 0
    if not np.all(kept):
        rows, columns, values = rows[kept], columns[kept], values[kept]
    return SparseAffine(
        _offsets(np.bincount(rows, minlength=len(bias))), columns, values, bias + 0, n_columns
    )


def _ascend(rows: Ints, columns: Ints) -> bool:
    """Whether entries are in order, row after row."""
    same = rows[1:] == rows[:-1]
    return bool(np.all((rows[1:] > rows[:-1]) | (same & (columns[1:] > columns[:-1]))))


def of_layer(layer: Layer) -> SparseAffine:
    """The affine map of a layer."""
    if isinstance(layer, LargeLayer):
        return SparseAffine(layer.offsets, layer.columns, layer.values, layer.bias, layer.n_columns)
    if layer.exact is None:
        return from_dense(layer.weight, layer.bias)
    found = from_dense(layer.exact.numerators[:, :-1], layer.exact.numerators[:, -1])
    values, bias = (
        object_array([Fraction(int(n), layer.exact.denominator) for n in array])
        for array in (found.values, found.bias)
    )
    return replace(found, values=values, bias=bias)


def stacked(maps: Sequence[SparseAffine], n_columns: int) -> SparseAffine:
    """The rows of several maps of one x, one map after the other."""
    counts = np.concatenate([np.zeros(0, dtype=np.int64), *(np.diff(m.offsets) for m in maps)])
    return SparseAffine(
        _offsets(counts),
        np.concatenate([np.zeros(0, dtype=np.int64), *(m.columns for m in maps)]),
        np.concatenate([np.zeros(0), *(m.values for m in maps)]),
        np.concatenate([np.zeros(0), *(m.bias for m in maps)]),
        n_columns,
    )


def composed(outer: SparseAffine, inner: SparseAffine) -> SparseAffine | None:
    """``outer`` after ``inner``, exactly; None where that would take unreasonably much exact arithmetic."""
    if _n_bits(outer) + _n_bits(inner) > MAX_BITS:
        return None
    product = _linear_part(outer, inner)
    bias = None if product is None else _composed_bias(outer, inner.bias)
    if product is None or bias is None:
        return _in_matrices(outer, inner)
    offsets, columns, values = product
    return SparseAffine(offsets, columns, values, bias, inner.n_columns)


def layer_of(affine: SparseAffine, slopes: Floats, where: str) -> Layer:
    """The map as a layer whose units have the given slopes (n, 2); one of its entries where it is large.

    Raises:
        NetworkError: a number is beyond the range of float64.
    """
    if affine.is_float and affine.n_rows * affine.n_columns > MAX_ENTRIES:
        return LargeLayer(
            affine.offsets, affine.columns, affine.values, affine.n_columns, affine.bias + 0.0, slopes
        )
    try:
        weight, bias = _dense_floats(affine)  # a fraction becomes the nearest float
    except OverflowError:
        raise NetworkError(f"{where}: an exact coefficient is beyond the range of float64") from None
    return Layer(weight, bias, slopes, None if affine.is_float else _numerators(affine))


def _n_bits(affine: SparseAffine) -> int:
    """Length of the longest rational of a map; 0 where all its numbers are floats."""
    exact = (
        f for array in (affine.values, affine.bias) if array.dtype == object for f in fractions_of(array)
    )
    return max((f.numerator.bit_length() + f.denominator.bit_length() for f in exact), default=0)


def _linear_part(outer: SparseAffine, inner: SparseAffine) -> tuple[Ints, Ints, Any] | None:
    """Offsets, columns and values of the product of the matrices, entry by entry; None where these are many."""
    counts = np.diff(inner.offsets)[outer.columns]
    if counts.sum() > MAX_TERMS:
        return None
    read = _ranges(inner.offsets[:-1][outer.columns], counts)
    places = np.repeat(outer.row_of_entry, counts) * np.int64(inner.n_columns) + inner.columns[read]
    order = np.argsort(places, kind="stable")
    left = np.repeat(np.arange(len(outer.columns)), counts)[order]
    found = _sums_of_products(outer.values, left, inner.values, read[order], places[order])
    if found is None:
        return None
    places, values = found
    rows, columns = np.divmod(places[values != 0], max(inner.n_columns, 1))
    return _offsets(np.bincount(rows, minlength=outer.n_rows)), columns, values[values != 0]


def _composed_bias(outer: SparseAffine, inner_bias: Any) -> Any:
    """``W c + b``; None where that has many terms that are not floats."""
    hit = np.flatnonzero(inner_bias[outer.columns] != 0)
    if not len(hit):
        return outer.bias
    rows = outer.row_of_entry[hit]
    found = _sums_of_products(outer.values, hit, inner_bias, outer.columns[hit], rows)
    if found is None:
        return None
    shift = np.zeros(outer.n_rows, dtype=found[1].dtype)
    shift[found[0]] = found[1]
    return exact_sum(outer.bias, shift)


def _sums_of_products(a: Any, i: Ints, b: Any, j: Ints, places: Ints) -> tuple[Ints, Any] | None:
    """The places that occur (sorted) and the sums of ``a[i] * b[j]`` there.

    Floats where nothing is rounded, else through integers; None if that would be too many.
    """
    if a.dtype != object and b.dtype != object:
        terms = exact_products(a[i], b[j])
        sums = None if terms is None else exact_sums(terms, places)
        if sums is not None:
            return sums
    if len(places) > MAX_INTEGER_TERMS:
        return None
    (whole_a, scale_a), (whole_b, scale_b) = integers_of(a), integers_of(b)
    starts = np.flatnonzero(np.append(True, places[1:] != places[:-1])[: len(places)])
    totals = np.add.reduceat(whole_a[i] * whole_b[j], starts) if len(starts) else whole_a[:0]
    exact = object_array([Fraction(n, scale_a * scale_b) for n in totals.tolist()])
    return places[starts], floats_if_exact(exact)


def integers_of(array: Any) -> tuple[Any, int]:
    """Numbers (n,) as integers, in an object array, over one denominator.

    Equal floats, of which convolutions are full, become one object.
    """
    if array.dtype != object:
        unique, place = np.unique(array, return_inverse=True)
        rows, denominator = integers_of_floats(unique[np.newaxis])
        return object_array(rows[0])[place], denominator
    fractions = fractions_of(array)
    denominator = lcm(1, *{f.denominator for f in fractions})
    return object_array([f.numerator * (denominator // f.denominator) for f in fractions]), denominator


def _in_matrices(outer: SparseAffine, inner: SparseAffine) -> SparseAffine | None:
    """The composition through matrices of integers over the columns that occur."""
    used = np.unique(inner.columns)
    width = len(used) + 1
    if outer.n_rows * outer.n_columns * width > MAX_FOLD_WORK:
        return None
    if max(outer.n_rows * outer.n_columns, outer.n_rows * width, inner.n_rows * width) > MAX_RATIONALS:
        return None
    narrow = SparseAffine(
        inner.offsets, np.searchsorted(used, inner.columns), inner.values, inner.bias, len(used)
    )
    product = compose(_integers(outer), _integers(narrow))
    entries = object_array([Fraction(int(n), product.denominator) for n in product.matrix.entries()])
    dense = entries.reshape(outer.n_rows, width)
    found = from_dense(floats_if_exact(dense[:, :-1]), floats_if_exact(dense[:, -1]))
    return SparseAffine(found.offsets, used[found.columns], found.values, found.bias, inner.n_columns)


def _integers(affine: SparseAffine) -> IntegerAffine:
    if affine.is_float:
        return affine_of_floats(*_dense_floats(affine))
    exact = _numerators(affine)
    return IntegerAffine(integer_matrix(exact.numerators.tolist(), affine.n_columns + 1), exact.denominator)


def _dense_floats(affine: SparseAffine) -> tuple[Floats, Floats]:
    weight = np.zeros((affine.n_rows, affine.n_columns))
    weight[affine.row_of_entry, affine.columns] = affine.values.astype(np.float64)
    return weight, affine.bias.astype(np.float64) + 0.0


def _numerators(affine: SparseAffine) -> ExactAffine:
    """The map as integers over one denominator."""
    values, bias = fractions_of(affine.values), fractions_of(affine.bias)
    denominator = lcm(1, *{f.denominator for f in values}, *{f.denominator for f in bias})
    numerators = np.zeros((affine.n_rows, affine.n_columns + 1), dtype=object)
    scaled = [f.numerator * (denominator // f.denominator) for f in values + bias]
    numerators[affine.row_of_entry, affine.columns] = object_array(scaled[: len(values)])
    numerators[:, -1] = object_array(scaled[len(values) :])
    return ExactAffine(numerators, denominator)


def _ranges(starts: Ints, counts: Ints) -> Ints:
    """The integers start .. start + count - 1 of every pair, in a row."""
    offsets = _offsets(counts)
    return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)


def _offsets(counts: Ints) -> Ints:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])


def _row_sums(terms: Floats, offsets: Ints) -> Floats:
    """Sums (m, n) of the columns of terms (m, nnz) between offsets."""
    total = np.zeros((len(terms), len(offsets) - 1))
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        total[:, filled] = np.add.reduceat(terms, offsets[:-1][filled], axis=1)
    return total
