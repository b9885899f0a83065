"""Layers as integers, for what applies them exactly again and again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from flint import fmpz_mat

from polyregions._types import Integers, Ints
from polyregions.exact.affine import integers_of_floats
from polyregions.networks.graph.rounding import object_array
from polyregions.networks.graph.sparse import integers_of, of_layer
from polyregions.networks.network import Layer
from polyregions.read_only import ReadOnly

DENSE: Final = 4
"""A matrix is multiplied whole where more than one entry in so many is not zero: flint is that much faster for each."""


@dataclass(frozen=True, eq=False)
class IntegerEntries(ReadOnly):
    """The entries that are not zero, over one denominator.

    Attributes:
        rows: (e,) the row of each entry, ascending.
        columns: (e,) the column of each entry.
        values: (e,) object array of Python ints.
        bias: (n,) object array of Python ints.
        n_columns: number of inputs k.
        denominator: positive int common to all.
    """

    rows: Ints
    columns: Ints
    values: Integers
    bias: Integers
    n_columns: int
    denominator: int

    def applied(self, inputs: Integers, scale: int) -> Integers:
        """The map of forms (k, 2), rate and value, over `scale`; the results (n, 2) are over denominator * scale."""
        found = self._dense_product(inputs) if self._is_dense else self._product(inputs)
        found[:, 1] += self.bias * scale
        return found

    def add_column(self, forms: Integers, j: int, change: Integers) -> None:
        """Add to forms (n, 2) what a change (2,) of input j adds to them, in place."""
        order, offsets = self._by_column
        entries = order[offsets[j] : offsets[j + 1]]
        forms[self.rows[entries]] += self.values[entries, np.newaxis] * change

    def _product(self, inputs: Integers) -> Integers:
        found = np.zeros((len(self.bias), 2), dtype=object)
        starts = self._starts
        if len(starts):
            terms = self.values[:, np.newaxis] * inputs[self.columns]
            found[self.rows[starts]] = np.add.reduceat(terms, starts, axis=0)
        return found

    def _dense_product(self, inputs: Integers) -> Integers:
        product = self._matrix * fmpz_mat(self.n_columns, 2, inputs.ravel().tolist())
        found: Integers = object_array([int(entry) for entry in product.entries()]).reshape(-1, 2)
        return found

    @cached_property
    def dense(self) -> Integers:
        """The matrix (n, k+1) of Python ints, the bias in the last column, over the denominator."""
        whole = np.zeros((len(self.bias), self.n_columns + 1), dtype=object)
        whole[self.rows, self.columns], whole[:, -1] = self.values, self.bias
        return whole

    @property
    def _is_dense(self) -> bool:
        return DENSE * len(self.values) > len(self.bias) * self.n_columns

    @cached_property
    def _matrix(self) -> fmpz_mat:
        whole = self.dense[:, :-1]
        return fmpz_mat(*whole.shape, whole.ravel().tolist())

    @cached_property
    def _starts(self) -> Ints:
        """The first entry of every row that has one."""
        return np.flatnonzero(np.diff(self.rows, prepend=-1))

    @cached_property
    def _by_column(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.columns, kind="stable")
        return order, np.searchsorted(self.columns[order], np.arange(self.n_columns + 1))


@dataclass(frozen=True, eq=False)
class IntegerLayer(ReadOnly):
    """A layer in integers: an affine map, then slopes.

    Attributes:
        map: the affine map.
        slopes: (n, 2) object array of Python ints, the slopes (off, on) times `slope_denominator`.
        slope_denominator: positive int common to all.
        kinked: (q,) the units with a bit in the pattern.
    """

    map: IntegerEntries
    slopes: Integers
    slope_denominator: int
    kinked: Ints

    @classmethod
    def of(cls, layer: Layer) -> IntegerLayer:
        """A layer, exactly."""
        slopes, denominator = integers_of_floats(layer.slopes)
        numerators = np.array(slopes, dtype=object).reshape(layer.n_units, 2)
        return cls(integer_entries(layer), numerators, denominator, np.flatnonzero(layer.splitting))


def integer_entries(layer: Layer) -> IntegerEntries:
    """A layer's affine map, exactly, without its zeros."""
    found = of_layer(layer)
    integers, denominator = integers_of(np.concatenate([found.values, found.bias]))
    values, bias = np.split(integers, [len(found.values)])
    return IntegerEntries(found.row_of_entry, found.columns, values, bias, found.n_columns, denominator)
