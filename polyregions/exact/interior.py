"""Does an open polyhedron have a point? Decided in rationals, with the proof of either answer.

``{x : row_i . [x, 1] > 0 for all i}`` is empty iff some ``y >= 0, y != 0`` has ``sum y_i a_i = 0`` and
``sum y_i b_i <= 0`` (Carver's theorem, the strict form of Farkas' lemma).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import fmpz_mat

from polyregions.exact.lp import maximise
from polyregions.exact.numbers import Point, dot


@dataclass(frozen=True)
class Interior:
    """Either a point strictly inside, or multipliers (row -> y) that prove there is none.

    `slack` is the sum ``sum y_i b_i / sum y_i`` of an empty set: 0 if the closed rows still touch.
    """

    point: Point | None
    multipliers: dict[int, Fraction]
    slack: Fraction = Fraction(0)


def find_interior(rows: Sequence[Sequence[int]], hint: Sequence[Fraction]) -> Interior:
    """A point strictly inside ``{row . [x, 1] > 0}``, or the proof that there is none.

    Args:
        rows: m rows of k+1 integers.
        hint: k rationals, any point; the nearer to the interior the faster.
    """
    k = len(hint)
    lifted = [[*row[:k], -1, row[k]] for row in rows] + [[0] * k + [-1, 1]]  # row - t >= 0, and t <= 1
    margin = min([_value(row, hint) for row in rows], default=Fraction(1))
    start = [*hint, min(margin, Fraction(1))]
    if start[k] <= 0 or _rounded(start[:k], rows) is None:
        # A point that float64 can hold is worth more than an early end: it keeps the search fast.
        optimum = maximise(lifted, [0] * k + [1], start, stop=_stop_at_floats(rows, k))
        start = optimum.point
        if start[k] <= 0:
            return Interior(None, optimum.multipliers, start[k])
    return Interior(_rounded(start[:k], rows) or Point.of(start[:k]), {})


def proves_empty(rows: Sequence[Sequence[int]], support: Sequence[int]) -> dict[int, Fraction] | None:
    """Multipliers on the given rows alone that prove the open polyhedron empty, if they determine them."""
    if not support:
        return None
    k = len(rows[0]) - 1
    normals = fmpz_mat(k, len(support), [rows[i][j] for j in range(k) for i in support])
    basis, nullity = normals.nullspace()
    if nullity != 1:
        return None
    y = [int(basis[j, 0]) for j in range(len(support))]
    y = y if sum(y) > 0 else [-v for v in y]
    if min(y) < 0 or sum(v * rows[i][k] for v, i in zip(y, support, strict=True)) > 0:
        return None
    return {i: Fraction(v) for i, v in zip(support, y, strict=True) if v}


def _value(row: Sequence[int], point: Sequence[Fraction]) -> Fraction:
    return sum((r * p for r, p in zip(row, point, strict=False) if r), Fraction(row[-1]))


def _rounded(point: Sequence[Fraction], rows: Sequence[Sequence[int]]) -> Point | None:
    """The nearest float64 point if that is strictly inside too."""
    candidate = Point(np.array([float(v) for v in point], dtype=np.float64))
    inside = all(dot(row, candidate.integers) > 0 for row in rows)
    return candidate if inside else None


def _stop_at_floats(rows: Sequence[Sequence[int]], k: int) -> Callable[[list[Fraction]], bool]:
    return lambda point: point[k] > 0 and _rounded(point[:k], rows) is not None
