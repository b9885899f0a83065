"""Bounded polygons: their corners in order, and their area, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cmp_to_key
from typing import TypeAlias

Row: TypeAlias = Sequence[int]


def polygon_corners(rows: Sequence[Row]) -> list[list[Fraction]]:
    """The corners of a bounded polygon given by its edges, exactly and counterclockwise.

    Edges sorted by the direction of their outer normals follow each other around the polygon.
    """
    ordered = sorted(rows, key=cmp_to_key(_by_angle))
    pairs = zip(ordered, [*ordered[1:], ordered[0]], strict=True)
    return [_crossing(before, after) for before, after in pairs]


def _by_angle(a: Row, b: Row) -> int:
    """Order of the outer normals (-a, -b) by angle, in integers."""
    half_a, half_b = _half(a), _half(b)
    if half_a != half_b:
        return half_a - half_b
    turn = a[0] * b[1] - a[1] * b[0]
    return (turn < 0) - (turn > 0)


def _half(row: Row) -> int:
    x, y = -row[0], -row[1]
    return 0 if y > 0 or (y == 0 and x > 0) else 1


def _crossing(a: Row, b: Row) -> list[Fraction]:
    determinant = a[0] * b[1] - a[1] * b[0]
    return [
        Fraction(a[1] * b[2] - a[2] * b[1], determinant),
        Fraction(a[2] * b[0] - a[0] * b[2], determinant),
    ]


def shoelace(corners: Sequence[Sequence[Fraction]]) -> Fraction:
    """Area of a polygon whose corners run counterclockwise, exactly."""
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return sum((p[0] * q[1] - p[1] * q[0] for p, q in pairs), Fraction(0)) / 2
