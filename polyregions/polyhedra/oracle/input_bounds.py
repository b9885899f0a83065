"""Bounds of single coordinates as forms, made when somebody asks: in thousands of dimensions all rows are too many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple, overload

import numpy as np

from polyregions.exact.numbers import Point, nearest_float
from polyregions.polyhedra.oracle.forms import Form
from polyregions.polyhedra.oracle.proof import TINY, UNIT

MAX_KEPT: Final = 2**18
"""Most entries of forms that are worth keeping."""


class InputBound(NamedTuple):
    """``u_i >= value`` or ``u_i <= value``, strictly if the bound is open."""

    coordinate: int
    is_lower: bool
    value: Fraction
    strict: bool

    def holds(self, number: Fraction) -> bool:
        """Whether a number keeps to it."""
        if number == self.value:
            return not self.strict
        return (number > self.value) == self.is_lower

    def form(self, dim: int) -> Form:
        """As a form over R^dim; its error is that of the bound as a float."""
        sign, nearest = (1.0 if self.is_lower else -1.0), nearest_float(self.value)
        row, error = np.zeros(dim + 1), np.zeros(dim + 1)
        row[self.coordinate], row[-1] = sign, -sign * nearest
        if not np.isfinite(nearest) or Fraction(nearest) != self.value:
            error[-1] = abs(nearest) * UNIT + TINY
        return Form(row, error, lambda: self._integers(dim))

    def _integers(self, dim: int) -> list[int]:
        row, sign = [0] * (dim + 1), (1 if self.is_lower else -1)
        row[self.coordinate], row[-1] = sign * self.value.denominator, -sign * self.value.numerator
        return row


class BoundForms(Sequence[Form]):
    """The forms of some bounds over R^dim, in their order.

    Args:
        bounds: the bounds.
        dim: the dimension.
    """

    def __init__(self, bounds: Sequence[InputBound], dim: int) -> None:
        self._bounds, self._dim = tuple(bounds), dim

    def __len__(self) -> int:
        return len(self._bounds)

    @overload
    def __getitem__(self, i: int) -> Form: ...
    @overload
    def __getitem__(self, i: slice) -> BoundForms: ...
    def __getitem__(self, i: int | slice) -> Form | BoundForms:
        if isinstance(i, slice):
            return BoundForms(self._bounds[i], self._dim)
        return self._bounds[i].form(self._dim)

    def __iter__(self) -> Iterator[Form]:
        return (bound.form(self._dim) for bound in self._bounds)


def forms_of_bounds(bounds: Sequence[InputBound], dim: int) -> Sequence[Form]:
    """The forms of bounds, kept if they are few."""
    forms = BoundForms(bounds, dim)
    return tuple(forms) if len(bounds) * (dim + 1) <= MAX_KEPT else forms


def hold_at(bounds: Sequence[InputBound], point: Point) -> bool:
    """Whether a point keeps to all bounds; exact."""
    coordinates = point.coordinates
    return all(bound.holds(coordinates[bound.coordinate]) for bound in bounds)
