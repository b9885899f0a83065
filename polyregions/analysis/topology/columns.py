"""Kernels that reduce the boundary matrix of a filtered complex over two elements, column by column.

A column is the cells of a boundary, ascending; its last one is its pivot. Columns are added until pivots differ. Cells
of the highest dimension come first, so a cell that is a pivot is known to begin a class: its column is left alone.
"""

from __future__ import annotations

import numpy as np

from polyregions._types import Ints
from polyregions.engine.kernels.compiled import entry, kernel

ALONE = -1


@entry
def pair_cells(dims: Ints, offsets: Ints, facets: Ints, partner: Ints) -> None:
    """Pair each cell that begins a class with the one that ends it; partner (F,) is ALONE for a class that stays.

    Args:
        dims: (F,) of the cells, in the order in which they come.
        offsets, facets: (F+1,), (M,) the facets of each, ascending.
    """
    n = len(dims)
    partner[:] = ALONE
    start, length = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    store, end = np.zeros(2 * len(facets) + 1, dtype=np.int64), 0
    column, other = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for dim in range(dims.max(), 0, -1):
        for j in range(n):
            if dims[j] != dim or partner[j] != ALONE:
                continue
            size = offsets[j + 1] - offsets[j]
            column[:size] = facets[offsets[j] : offsets[j + 1]]
            while size > 0 and partner[column[size - 1]] != ALONE:
                i = partner[column[size - 1]]
                size = add_column(column, size, store, start[i], length[i], other)
                column, other = other, column
            if size > 0:
                if end + size > len(store):
                    store = longer(store, end + size)
                store[end : end + size] = column[:size]
                start[j], length[j] = end, size
                end += size
                partner[j], partner[column[size - 1]] = column[size - 1], j


@kernel
def add_column(column: Ints, size: int, store: Ints, start: int, length: int, into: Ints) -> int:
    """The sum of a column and a stored one over two elements: what is in one of them only; its length."""
    i, j, n = 0, start, 0
    end = start + length
    while i < size or j < end:
        if j == end or (i < size and column[i] < store[j]):
            into[n] = column[i]
            i += 1
            n += 1
        elif i == size or store[j] < column[i]:
            into[n] = store[j]
            j += 1
            n += 1
        else:
            i += 1
            j += 1
    return n


@kernel
def longer(store: Ints, needed: int) -> Ints:
    """A copy with room for so much and more."""
    grown = np.zeros(2 * needed, dtype=np.int64)
    grown[: len(store)] = store
    return grown
