"""Convex polygons cut by half-planes in integers, so that no corner is lost or invented however thin the polygon is.

A polygon is its sides in counterclockwise order; the corner where a side starts is the crossing with the side
before it, and is never stored: so numbers do not grow with the number of cuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from polyregions.exact.numbers import quotient

Row: TypeAlias = Sequence[int]
"""``(a, b, c)``: the half-plane ``a x + b y + c >= 0``."""

NEURON, DOMAIN, DECISION, FRAME = range(4)
"""What carries a side: a neuron, a row of the input set, a rival class, or the edge of the view."""


class Side(NamedTuple):
    """One side of a polygon: its half-plane, what kind of thing carries it, and which one."""

    row: Row
    kind: int
    carrier: int


def square(half_width: int) -> list[Side]:
    """The square of all points with coordinates of at most `half_width` in size."""
    rows = [(0, 1, half_width), (-1, 0, half_width), (0, -1, half_width), (1, 0, half_width)]
    return [Side(row, FRAME, i) for i, row in enumerate(rows)]


def cut(polygon: list[Side], side: Side) -> list[Side]:
    """The part of a polygon in one more half-plane; no sides if that part has no interior.

    A half-plane that holds the whole polygon changes nothing, also where it only touches it.
    """
    signs = [_sign_at(side.row, corner) for corner in corners(polygon)]
    if min(signs, default=0) >= 0:
        return polygon
    if max(signs) <= 0:
        return []
    n = len(polygon)
    entering = next(k for k in range(n) if signs[k] <= 0 < signs[(k + 1) % n])
    leaving = next(k for k in range(n) if signs[k] > 0 >= signs[(k + 1) % n])
    kept = [polygon[(entering + k) % n] for k in range((leaving - entering) % n + 1)]
    return [*kept, side]


def corners(polygon: list[Side]) -> list[Row]:
    """Where each side starts, as homogeneous integers (x, y, w) with w > 0."""
    before = [polygon[k - 1].row for k in range(len(polygon))]
    return [_crossing(a, side.row) for a, side in zip(before, polygon, strict=True)]


def corner_floats(polygon: list[Side]) -> list[tuple[float, float]]:
    """The same corners, each coordinate rounded once to float64."""
    return [(quotient(x, w), quotient(y, w)) for x, y, w in corners(polygon)]


def _crossing(a: Row, b: Row) -> Row:
    return a[1] * b[2] - b[1] * a[2], a[2] * b[0] - b[2] * a[0], a[0] * b[1] - b[0] * a[1]


def _sign_at(row: Row, corner: Row) -> int:
    value = row[0] * corner[0] + row[1] * corner[1] + row[2] * corner[2]
    return (value > 0) - (value < 0)
