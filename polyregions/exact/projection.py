"""The point of a polyhedron that is nearest to a given one in the Euclidean norm, in rationals.

The dual active-set method: start at the given point, and as long as a row is violated move towards it along the rows
that are active, dropping those that hold it back. It ends, for the dual value only grows.
Source: Goldfarb and Idnani, A numerically stable dual method for solving strictly convex quadratic programs (1983).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq_mat, fmpz_mat

from polyregions.exact.lp import as_fmpq, as_fraction

Vector = list[Fraction]


def nearest_point(rows: Sequence[Sequence[int]], start: Sequence[Fraction]) -> Vector | None:
    """The point of ``{x : row . [x, 1] >= 0}`` nearest to `start`; None if the polyhedron is empty.

    Args:
        rows: m rows of k+1 integers.
        start: k rationals.
    """
    x = list(start)
    active: list[int] = []
    multipliers: Vector = []
    while True:
        entering = _most_violated(rows, x)
        if entering is None:
            return x
        normal = [Fraction(entry) for entry in rows[entering][:-1]]
        gained = Fraction(0)
        while True:
            shares = _shares([rows[i][:-1] for i in active], normal)
            step = [
                n - sum((s * rows[i][j] for s, i in zip(shares, active, strict=True)), Fraction(0))
                for j, n in enumerate(normal)
            ]
            slope = sum((p * n for p, n in zip(step, normal, strict=True)), Fraction(0))
            whole = -_value(rows[entering], x) / slope if slope else None
            leaving = min(
                ((m / s, j) for j, (m, s) in enumerate(zip(multipliers, shares, strict=True)) if s > 0),
                default=None,
            )
            if whole is None and leaving is None:
                return None
            is_whole = whole is not None and (leaving is None or whole <= leaving[0])
            length = (
                whole
                if is_whole and whole is not None
                else leaving[0]
                if leaving is not None
                else Fraction(0)
            )
            x = [c + length * p for c, p in zip(x, step, strict=True)]
            multipliers = [m - length * s for m, s in zip(multipliers, shares, strict=True)]
            gained += length
            if is_whole:
                active.append(entering)
                multipliers.append(gained)
                break
            assert leaving is not None
            del active[leaving[1]], multipliers[leaving[1]]


def _most_violated(rows: Sequence[Sequence[int]], x: Vector) -> int | None:
    """The row whose violation is largest for its size; None if all hold."""
    violated = [
        (value * abs(value) / (sum(entry * entry for entry in row[:-1]) or 1), i)
        for i, row in enumerate(rows)
        if (value := _value(row, x)) < 0
    ]
    return min(violated)[1] if violated else None


def _value(row: Sequence[int], x: Vector) -> Fraction:
    return sum((r * c for r, c in zip(row, x, strict=False) if r), Fraction(row[-1]))


def _shares(normals: Sequence[Sequence[int]], target: Vector) -> Vector:
    """The coefficients of the combination of independent normals that is nearest to a vector."""
    if not normals:
        return []
    n, k = len(normals), len(target)
    matrix = fmpq_mat(fmpz_mat(n, k, [entry for normal in normals for entry in normal]))
    right = matrix * fmpq_mat(k, 1, [as_fmpq(t) for t in target])
    solved = (matrix * matrix.transpose()).solve(right)
    return [as_fraction(solved[i, 0]) for i in range(n)]
