"""Distances from a point to closed polyhedra in three norms: lower bounds that are proved, and exact optima.

A non-negative combination of a polyhedron's rows is a half-space around it; the distance to that is a bound below,
and with the multipliers of an optimum it is the distance itself. HiGHS and scipy's non-negative least squares give the
multipliers in floats; exact optima come from a rational linear program, or the dual active-set method for l2.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias

import highspy
import numpy as np
from scipy.optimize import nnls

from polyregions._types import Floats
from polyregions.errors import OptionError
from polyregions.exact.lp import maximise
from polyregions.exact.projection import nearest_point
from polyregions.polyhedra.oracle.forms import OpenPolyhedron
from polyregions.polyhedra.oracle.proof import SAFE, TINY, gamma, values_with_error

Norm: TypeAlias = Literal["l1", "l2", "linf"]
NormLike: TypeAlias = Norm | Literal["1", "2", "inf"] | float
NORMS: Final[tuple[Norm, ...]] = ("l1", "l2", "linf")
ORDERS: Final = (1, 2, np.inf)
"""The same as numpy's ``ord``."""


def norm_of(given: Any) -> Norm:
    """A norm by its name here, by the number that is numpy's ``ord``, or by that number as text.

    Raises:
        OptionError: another norm.

    >>> norm_of(np.inf), norm_of(2), norm_of("1"), norm_of("l1")
    ('linf', 'l2', 'l1', 'l1')
    """
    for name, order in zip(NORMS, ORDERS, strict=True):
        if isinstance(given, str) and given.lower() in (name, f"{order:g}"):
            return name
        if isinstance(given, (int, float, np.number)) and not isinstance(given, bool) and given == order:
            return name
    raise OptionError(f"norm {given!r}, expected one of {', '.join(NORMS)}, or 1, 2 or inf")


@np.errstate(all="ignore")
def distances_to_rows(rows: Floats, error: Floats, x: Floats, norm: Norm) -> Floats:
    """Lower bounds (m,) on the distances of x (k,) from half-spaces ``rows @ [x, 1] >= 0``; 0 where there is none."""
    value, doubt = values_with_error(rows, error, x)
    length = (_dual(np.abs(rows[:, :-1]) + error[:, :-1], norm)) * (
        1 + gamma(rows.shape[1] + 2)
    ) * SAFE + TINY
    bound = (-value - doubt) / length * (1 - 2.0**-50)
    return np.where(bound > 0, bound, 0.0)


def _dual(vectors: Floats, norm: Norm) -> Floats:
    """The dual norm of each row."""
    largest: Floats = vectors.max(axis=1, initial=0.0)
    total: Floats = (vectors**2 if norm == "l2" else vectors).sum(axis=1)
    return largest if norm == "l1" else np.sqrt(total) if norm == "l2" else total


class Ruler:
    """Measures distances in one norm.

    Args:
        norm: which one.
    """

    def __init__(self, norm: Norm, solver: highspy.Highs) -> None:
        self.norm, self._solver = norm, solver

    @np.errstate(all="ignore")
    def lower_bound(self, polyhedron: OpenPolyhedron, x: Floats) -> float:
        """A bound below the distance of x (k,) from the closure, nearly always right to many digits."""
        rows = polyhedron.rows
        size = np.linalg.norm(rows[:, :-1], axis=1)
        size = np.where(size > 0, size, 1.0)
        y = self._multipliers(rows / size[:, None], x) / size
        total, weight = y @ rows, y @ np.abs(rows)
        error = (y @ polyhedron.error + gamma(len(y) + 1) * weight) * SAFE + TINY
        return float(distances_to_rows(total[None], error[None], x, self.norm)[0])

    def _multipliers(self, rows: Floats, x: Floats) -> Floats:
        gaps = -(rows[:, :-1] @ x + rows[:, -1])  # each row asks for normal . (z - x) >= gap
        if not np.any(gaps > 0) or not np.all(np.isfinite(gaps)):
            return np.zeros(len(rows))
        if self.norm == "l2":
            return _least_squares(rows[:, :-1], gaps)
        return self._by_program(rows[:, :-1], gaps)

    def _by_program(self, normals: Floats, gaps: Floats) -> Floats:
        """Maximise ``gaps . y`` over y >= 0 with ``normals.T @ y`` of dual norm at most 1."""
        m, k = normals.shape
        scale = float(np.abs(gaps).max())
        program = highspy.HighsLp()
        spread = k if self.norm == "linf" else 0  # the dual norm of linf is a sum of absolute values
        matrix = normals.T
        if spread:
            matrix = np.block(
                [[normals.T, -np.eye(k)], [-normals.T, -np.eye(k)], [np.zeros((1, m)), np.ones((1, k))]]
            )
        program.num_col_, program.num_row_ = m + spread, len(matrix)
        program.col_cost_ = np.append(-gaps / scale, np.zeros(spread))
        program.col_lower_, program.col_upper_ = np.zeros(m + spread), np.full(m + spread, np.inf)
        lower = np.full(len(matrix), -np.inf) if spread else -np.ones(k)
        upper = np.append(np.zeros(2 * k), 1.0) if spread else np.ones(k)
        program.row_lower_, program.row_upper_ = lower, upper
        row, column = np.nonzero(matrix)
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.searchsorted(row, np.arange(len(matrix) + 1)).astype(np.int32)
        program.a_matrix_.index_ = column.astype(np.int32)
        program.a_matrix_.value_ = matrix[row, column]
        self._solver.passModel(program)
        self._solver.run()
        found = np.array(self._solver.getSolution().col_value[:m], dtype=np.float64)
        return np.maximum(found, 0.0) if len(found) == m else np.zeros(m)

    def exactly(
        self, rows: Sequence[Sequence[int]], x: Sequence[Fraction], inside: Sequence[Fraction]
    ) -> tuple[Fraction, list[Fraction]]:
        """The distance of x from ``{row . [z, 1] >= 0}`` (its square in l2) and a nearest point.

        Args:
            rows: m rows of k+1 integers.
            x: k rationals.
            inside: a point of the polyhedron.
        """
        if self.norm == "l2":
            nearest = nearest_point(rows, x)
            assert nearest is not None
            return sum(((a - b) ** 2 for a, b in zip(nearest, x, strict=True)), Fraction(0)), nearest
        return _by_exact_program(self.norm, rows, x, inside)


def _least_squares(normals: Floats, gaps: Floats) -> Floats:
    """Multipliers of the least z with ``normals @ z >= gaps`` (Lawson and Hanson, Least squares, ch. 23)."""
    scale = float(np.abs(gaps).max())
    target = np.zeros(normals.shape[1] + 1)
    target[-1] = 1.0
    try:
        found: Floats = nnls(np.vstack([normals.T, gaps[None] / scale]), target)[0]
    except RuntimeError:  # too many iterations
        return np.zeros(len(gaps))
    return found


def least_multipliers(normals: Floats, gaps: Floats) -> Floats | None:
    """Multipliers y (m,) of the least z in l2 with ``normals @ z >= gaps``, which is ``y @ normals``, in floats.

    Nothing is proved; None where floats find no such z.

    Args:
        normals: (m, k).
        gaps: (m,).
    """
    if not np.any(gaps > 0):
        return np.zeros(len(gaps))
    found, scale = _least_squares(normals, gaps), float(np.abs(gaps).max())
    rest = 1.0 - float(gaps @ found) / scale  # what the dual problem leaves: nothing if there is no such z
    return found * (scale / rest) if rest > 1e-12 and found.any() else None


def _by_exact_program(
    norm: Norm, rows: Sequence[Sequence[int]], x: Sequence[Fraction], inside: Sequence[Fraction]
) -> tuple[Fraction, list[Fraction]]:
    """Minimise t, or the sum of t_i, with ``-t <= z_i - x_i <= t`` and z in the polyhedron."""
    k = len(x)
    n = k if norm == "l1" else 1
    lifted = [[*row[:k], *[0] * n, row[k]] for row in rows]
    for i, c in enumerate(x):
        for sign in (1, -1):
            row = [0] * (k + n + 1)
            row[i], row[k + (i if n == k else 0)], row[-1] = (
                sign * c.denominator,
                c.denominator,
                -sign * c.numerator,
            )
            lifted.append(row)
    gaps = [abs(a - b) for a, b in zip(inside, x, strict=True)]
    start = [*inside, *(gaps if norm == "l1" else [max(gaps)])]
    found = maximise(lifted, [0] * k + [-1] * n, start)
    return sum(found.point[k:], Fraction(0)), found.point[:k]
