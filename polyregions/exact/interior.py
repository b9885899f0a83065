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
from polyregions.exact.numbers import Point, dot, nearest_float


@dataclass(frozen=True)
class Interior:
    """Either a point strictly inside, or multipliers (row -> y) that prove there is none.

    `slack` is ``sum y_i b_i / sum y_i`` of an empty set: 0 if the closed rows still touch, and then `touching` is a
    point where they do.
    """

    point: Point | None
    multipliers: dict[int, Fraction]
    slack: Fraction = Fraction(0)
    touching: tuple[Fraction, ...] | None = None


def find_interior(rows: Sequence[Sequence[int]], hint: Sequence[Fraction]) -> Interior:
    """A point strictly inside ``{row . [x, 1] > 0}``, or the proof that there is none.

    The depth t with ``row . [x, 1] >= t |row|`` is maximised, |row| being the power of two near the largest
    entry of the row's normal: so the point is central whatever the scale of the rows.

    Args:
        rows: m rows of k+1 integers.
        hint: k rationals, any point; the nearer to the interior the faster.
    """
    k = len(hint)
    sizes = [size_of(row[:k]) for row in rows]
    lifted = [[*row[:k], -size, row[k]] for row, size in zip(rows, sizes, strict=True)]
    lifted.append([0] * k + [-1, 1])  # t <= 1
    depths = [_value(row, hint) / size for row, size in zip(rows, sizes, strict=True)]
    start = [*hint, min([*depths, Fraction(1)])]
    if start[k] <= 0 or _rounded(start[:k], rows) is None:
        # A point that float64 can hold is worth more than an early end: it keeps the search fast.
        optimum = maximise(lifted, [0] * k + [1], start, stop=_stop_at_floats(rows, k))
        start = optimum.point
        if start[k] <= 0:
            touching = tuple(start[:k]) if start[k] == 0 else None
            return Interior(None, optimum.multipliers, _slack(rows, optimum.multipliers), touching)
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


def size_of(normal: Sequence[int]) -> int:
    """The power of two near the largest entry; 1 for a constant row."""
    largest = max((abs(entry) for entry in normal), default=0)
    return 1 << max(0, largest.bit_length() - 1)


def _slack(rows: Sequence[Sequence[int]], multipliers: dict[int, Fraction]) -> Fraction:
    total = sum((y * rows[i][-1] for i, y in multipliers.items()), Fraction(0))
    return total / sum(multipliers.values())


def _value(row: Sequence[int], point: Sequence[Fraction]) -> Fraction:
    return sum((r * p for r, p in zip(row, point, strict=False) if r), Fraction(row[-1]))


def _rounded(point: Sequence[Fraction], rows: Sequence[Sequence[int]]) -> Point | None:
    """The nearest float64 point if that is strictly inside too."""
    floats = np.array([nearest_float(v) for v in point], dtype=np.float64)
    if not np.all(np.isfinite(floats)):
        return None
    candidate = Point(floats)
    return candidate if all(dot(row, candidate.integers) > 0 for row in rows) else None


def _stop_at_floats(rows: Sequence[Sequence[int]], k: int) -> Callable[[list[Fraction]], bool]:
    return lambda point: point[k] > 0 and _rounded(point[:k], rows) is not None
