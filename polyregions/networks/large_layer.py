"""A layer that is too large to be written out as a matrix: it is kept by its entries.

Tournaments behind a convolution make such layers, of which each row has two entries. A network with one can be
evaluated, and enumerated where a small domain leaves only a small part of it; what needs the matrix is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.errors import NetworkError
from polyregions.networks.network import Layer

MAX_ENTRIES: Final = 2**25
"""Largest matrix (in entries) that is written out."""

BLOCK: Final = 256
"""Rows written out at a time."""


class LargeLayer(Layer):
    """A layer by the entries of its weight, row after row.

    Attributes:
        offsets: (n+1,) where the entries of each row start and end.
        columns: (nnz,) the column of each entry.
        values: (nnz,) float64.
        n_columns: number of inputs k.
    """

    offsets: Ints
    columns: Ints
    values: Floats
    n_columns: int

    def __init__(
        self, offsets: Ints, columns: Ints, values: Floats, n_columns: int, bias: Floats, slopes: Floats
    ) -> None:
        fields = {"offsets": offsets, "columns": columns, "values": values, "n_columns": n_columns}
        for name, value in (fields | {"bias": bias, "slopes": slopes, "exact": None}).items():
            object.__setattr__(self, name, value)  # as the frozen dataclass above does
        self.__post_init__()

    @property
    def weight(self) -> Floats:  # a field above, which here is made when somebody asks
        """The matrix (n, k), written out.

        Raises:
            NetworkError: it has more than `MAX_ENTRIES` entries.
        """
        return self.weight_part(np.arange(self.n_units), np.arange(self.n_columns))

    def check_written_out(self) -> None:
        """Refuse what needs the whole matrix, if it is too large.

        Raises:
            NetworkError: it has more than `MAX_ENTRIES` entries; names the size.
        """
        self._check_size(self.n_units * self.n_columns)

    def _check_size(self, n_entries: int) -> None:
        if n_entries > MAX_ENTRIES:
            raise NetworkError(
                f"a layer of {self.n_units} x {self.n_columns} entries is too large to be written out as a "
                f"matrix (more than {MAX_ENTRIES} entries); a smaller input set may leave a smaller part of it"
            )

    @property
    def n_units(self) -> int:
        """Number of units n."""
        return len(self.bias)

    @property
    def n_inputs(self) -> int:
        """Number of inputs k."""
        return self.n_columns

    def linear(self, matrix: Floats) -> Floats:
        """``weight @ matrix`` for a vector (k,) or a matrix (k, m)."""
        return self._row_sums(self.values, matrix)

    def linear_sizes(self, matrix: Floats) -> Floats:
        """``|weight| @ matrix`` for a vector (k,) or a matrix (k, m)."""
        return self._row_sums(np.abs(self.values), matrix)

    def forward(self, values: Floats) -> Floats:
        """Pre-activations (m, n) or (n,) in float64 of values (m, k) or (k,)."""
        return self.linear(values.T).T + self.bias

    def row_blocks(self) -> Iterator[tuple[slice, Ints, Floats]]:
        """The weight in pieces: some rows, the columns that are not empty in them, the entries there."""
        for start in range(0, self.n_units, BLOCK):
            rows = np.arange(start, min(start + BLOCK, self.n_units))
            columns = np.unique(self.columns[self.offsets[rows[0]] : self.offsets[rows[-1] + 1]])
            yield slice(start, start + len(rows)), columns, self._dense(rows, columns)

    def numbers(self) -> tuple[Any, ...]:
        """The arrays that the layer consists of, in a fixed order."""
        return self.offsets, self.columns, self.values, self.bias, self.slopes

    def weight_part(self, rows: Ints, columns: Ints) -> Floats:
        """The weight (p, q) of some units (p,) on some inputs (q,).

        Raises:
            NetworkError: that is too large too.
        """
        self._check_size(len(rows) * len(columns))
        return self._dense(rows, columns)

    def _dense(self, rows: Ints, columns: Ints) -> Floats:
        dense, place = np.zeros((len(rows), len(columns))), np.full(self.n_columns, -1)
        place[columns] = np.arange(len(columns))
        for i, row in enumerate(rows.tolist()):
            entries = slice(self.offsets[row], self.offsets[row + 1])
            at = place[self.columns[entries]]
            dense[i, at[at >= 0]] = self.values[entries][at >= 0]
        return dense

    def _row_sums(self, values: Floats, matrix: Floats) -> Floats:
        """Sums (n, m), or (n,) for a vector, of the entries times rows of a matrix (k, m)."""
        terms = values.reshape(-1, *(1,) * (matrix.ndim - 1)) * matrix[self.columns]
        sums = np.zeros((self.n_units, *matrix.shape[1:]))
        filled = np.flatnonzero(np.diff(self.offsets))
        if len(filled):
            sums[filled] = np.add.reduceat(terms, self.offsets[:-1][filled], axis=0)
        return sums
