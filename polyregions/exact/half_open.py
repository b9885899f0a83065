"""Does a polyhedron have a point, some of its rows being open and the others closed? Decided in rationals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from polyregions.exact.interior import find_interior, size_of
from polyregions.exact.lp import maximise
from polyregions.exact.numbers import Point


def find_point(
    rows: Sequence[Sequence[int]], strict: Sequence[bool], hint: Sequence[Fraction]
) -> Point | None:
    """A point with ``row . [x, 1] >= 0``, and ``> 0`` for strict rows, or None if there is none.

    A point strictly inside all rows where there is one.

    Args:
        rows: m rows of k+1 integers.
        strict: m, which rows are open.
        hint: k rationals, any point; the nearer to the polyhedron the faster.
    """
    found = find_interior(rows, hint)
    if found.point is not None:
        return found.point
    if found.touching is None:
        return None
    if not any(strict):
        return Point.of(found.touching)
    return _above(rows, strict, found.touching)


def _above(rows: Sequence[Sequence[int]], strict: Sequence[bool], start: Sequence[Fraction]) -> Point | None:
    """From a point of the closure: raise the strict rows together."""
    k = len(start)
    lifted = [
        [*row[:k], -size_of(row[:k]) if is_open else 0, row[k]]
        for row, is_open in zip(rows, strict, strict=True)
    ]
    lifted.append([0] * k + [-1, 1])
    best = maximise(lifted, [0] * k + [1], [*start, Fraction(0)], stop=lambda point: point[k] > 0)
    return Point.of(best.point[:k]) if best.point[k] > 0 else None
