"""The entries of a layer that are not zero, as integers: for layers of which most are, such as convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polyregions._types import Floats, Integers, Ints
from polyregions.exact.affine import integers_of_floats
from polyregions.network import Layer
from polyregions.read_only import ReadOnly


@dataclass(frozen=True, eq=False)
class IntegerEntries(ReadOnly):
    """A sparse affine map of integers over one denominator.

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
        found = np.zeros((len(self.bias), 2), dtype=object)
        found[:, 1] = self.bias * scale
        starts = np.flatnonzero(np.diff(self.rows, prepend=-1))
        if len(starts):
            terms = self.values[:, np.newaxis] * inputs[self.columns]
            found[self.rows[starts]] += np.add.reduceat(terms, starts, axis=0)
        return found

    def add_column(self, forms: Integers, j: int, change: Integers) -> None:
        """Add to forms (n, 2) what a change (2,) of input j adds to them, in place."""
        order, offsets = self._by_column
        entries = order[offsets[j] : offsets[j + 1]]
        forms[self.rows[entries]] += self.values[entries, np.newaxis] * change

    @cached_property
    def _by_column(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.columns, kind="stable")
        return order, np.searchsorted(self.columns[order], np.arange(self.n_columns + 1))


def integer_entries(layer: Layer) -> IntegerEntries:
    """A layer's affine map, exactly, without its zeros."""
    if layer.exact is not None:
        whole = layer.exact.numerators
        rows, columns = np.nonzero(whole[:, :-1])
        values, bias = whole[rows, columns], whole[:, -1]
        return IntegerEntries(rows, columns, values, bias, layer.n_inputs, layer.exact.denominator)
    rows, columns, floats = _float_entries(layer)
    integers, denominator = _shared_integers(np.concatenate([floats, layer.bias]))
    values, bias = integers[: len(floats)], integers[len(floats) :]
    return IntegerEntries(rows, columns, values, bias, layer.n_inputs, denominator)


def _float_entries(layer: Layer) -> tuple[Ints, Ints, Floats]:
    found = []
    for block, columns, part in layer.row_blocks():
        i, j = np.nonzero(part)
        found.append((i + block.start, columns[j], part[i, j]))
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    rows, at, floats = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return rows, at, floats


def _shared_integers(floats: Floats) -> tuple[Integers, int]:
    """Floats as integers over a power of two; equal ones, of which convolutions are full, are one object."""
    unique, inverse = np.unique(floats, return_inverse=True)
    integers, denominator = integers_of_floats(unique[np.newaxis])
    found = np.empty(len(unique), dtype=object)
    found[:] = integers[0]
    return found[inverse], denominator
