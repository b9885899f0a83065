"""Rows of rationals over one denominator, as plain data: what a network keeps, and what needs no flint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np

from polyregions._types import Floats, Integers
from polyregions.read_only import ReadOnly


@dataclass(frozen=True, eq=False)
class ExactAffine(ReadOnly):
    """An affine map in rationals: ``x -> (numerators @ [x, 1]) / denominator``.

    Attributes:
        numerators: (n, k+1) object array of Python ints, the bias in the last column.
        denominator: positive int common to all entries.
    """

    numerators: Integers
    denominator: int

    @classmethod
    def from_fractions(cls, entries: Sequence[Sequence[Any]]) -> ExactAffine:
        """Bring rows of rationals (or exact floats) over one common denominator."""
        fractions = [[Fraction(entry) for entry in row] for row in entries]
        denominator = lcm(1, *(f.denominator for row in fractions for f in row))
        width = len(fractions[0]) if fractions else 0
        numerators = np.empty((len(fractions), width), dtype=object)
        for i, row in enumerate(fractions):
            for j, f in enumerate(row):
                numerators[i, j] = f.numerator * (denominator // f.denominator)
        return cls(numerators, denominator)

    def nearest_floats(self) -> Floats:
        """Entries (n, k+1) rounded to the nearest float64.

        Raises:
            OverflowError: an entry is beyond the range of float64.
        """
        flat = [n / self.denominator for n in self.numerators.flat]  # int / int rounds correctly
        return np.array(flat, dtype=np.float64).reshape(self.numerators.shape)

    def is_float64(self) -> bool:
        """Whether every entry is a float64 number, so that nothing is lost by storing floats."""
        floats = self.nearest_floats()
        return all(
            Fraction(f) == Fraction(n, self.denominator)
            for f, n in zip(floats.flat, self.numerators.flat, strict=True)
        )
