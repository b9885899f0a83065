"""Open polyhedra given by affine forms that are known as floats with an error bound, and exactly on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from polyregions._types import Floats

ExactForm: TypeAlias = Callable[[], list[int]]
"""Gives a positive multiple of an affine form as integers, the constant last."""


@dataclass(frozen=True, eq=False)
class Form:
    """One affine form ``z(x) = row @ [x, 1]``.

    Attributes:
        row: (k+1,) float64, the constant last.
        error: (k+1,) bound on the distance of each entry of `row` to the true one; inf or nan if unknown.
        exact: the form in integers.
    """

    row: Floats
    error: Floats
    exact: ExactForm

    def negated(self) -> Form:
        """The form ``-z``."""
        exact = self.exact
        return Form(-self.row, self.error, lambda: [-entry for entry in exact()])

    def is_surely_nonconstant(self) -> bool:
        """Whether the floats alone show that z is not constant."""
        return bool(np.any(np.abs(self.row[:-1]) > self.error[:-1]))


@dataclass(frozen=True, eq=False)
class OpenPolyhedron:
    """The open set ``{x : rows @ [x, 1] > 0}`` in R^k.

    Attributes:
        rows: (m, k+1) float64.
        error: (m, k+1) bound on each entry's distance to the true one.
        exact: m functions that give the rows in integers.
    """

    rows: Floats
    error: Floats
    exact: tuple[ExactForm, ...]

    @classmethod
    def of(cls, forms: Iterable[Form], dim: int) -> OpenPolyhedron:
        """The polyhedron where all the given forms are positive."""
        forms = list(forms)
        shape = (len(forms), dim + 1)
        rows = np.array([form.row for form in forms], dtype=np.float64).reshape(shape)
        error = np.array([form.error for form in forms], dtype=np.float64).reshape(shape)
        return cls(rows, error, tuple(form.exact for form in forms))

    @property
    def dim(self) -> int:
        """Dimension k of the space."""
        return int(self.rows.shape[1]) - 1

    def form(self, i: int) -> Form:
        """Row i."""
        return Form(self.rows[i], self.error[i], self.exact[i])

    def with_form(self, form: Form) -> OpenPolyhedron:
        """The part where one more form is positive."""
        rows = np.concatenate([self.rows, form.row[None]])
        error = np.concatenate([self.error, form.error[None]])
        return OpenPolyhedron(rows, error, (*self.exact, form.exact))

    def and_rows_of(self, other: OpenPolyhedron) -> OpenPolyhedron:
        """The intersection with another one, whose rows come last."""
        rows = np.concatenate([self.rows, other.rows])
        error = np.concatenate([self.error, other.error])
        return OpenPolyhedron(rows, error, (*self.exact, *other.exact))

    def subset(self, indices: Sequence[int]) -> OpenPolyhedron:
        """The (larger) polyhedron given by some of the rows."""
        index = list(indices)
        return OpenPolyhedron(self.rows[index], self.error[index], tuple(self.exact[i] for i in index))

    def exact_rows(self) -> list[list[int]]:
        """All rows in integers."""
        return [form() for form in self.exact]


def balanced(rows: Floats) -> tuple[Floats, Floats]:
    """Rows (m, k+1) divided by powers of two (m,) so that the largest normal entry is about 1; exact.

    Squares of what is left neither overflow nor vanish.
    """
    exponent = np.frexp(np.abs(rows[:, :-1]).max(axis=1, initial=0.0))[1]
    return np.ldexp(rows, -exponent[:, None]), np.ldexp(1.0, exponent)


@dataclass(frozen=True, eq=False)
class Bounds:
    """Coordinate bounds (k,) that the polyhedra asked about are known to lie in; infinite where unknown."""

    lower: Floats
    upper: Floats

    @classmethod
    def unknown(cls, dim: int) -> Bounds:
        """No bounds."""
        return cls(np.full(dim, -np.inf), np.full(dim, np.inf))

    @property
    def are_finite(self) -> bool:
        """Whether every coordinate is bounded on both sides."""
        return bool(np.all(np.isfinite(self.lower)) and np.all(np.isfinite(self.upper)))
