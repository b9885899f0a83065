"""Vertices and volumes of bounded solid polyhedra given by their facets.

In one and two dimensions they are computed exactly and rounded once. From three dimensions on they are
Qhull's (through scipy), good to about 1e-9 of the diameter; where Qhull's answer does not fit the facets (slivers),
the vertices are solved exactly from the facets, in time exponential in the dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cmp_to_key
from itertools import combinations
from typing import TypeAlias

import numpy as np
from scipy.spatial import ConvexHull, HalfspaceIntersection, QhullError

from polyregions._types import Floats
from polyregions.exact.numbers import Point, nearest_float
from polyregions.geometry.hull import solve_rational

Row: TypeAlias = Sequence[int]
THIN = 1e-4  # ratio of widths below which vertices are taken exactly
TIGHT = 1e-9  # of the diameter; Qhull's vertices are on a facet if nearer than this


def vertices_and_volume(rows: Sequence[Row], interior: Point) -> tuple[Floats, float]:
    """Vertices (v, k) and volume of a bounded ``{row . [u, 1] >= 0}``, every row of which is a facet.

    In two dimensions the vertices run counterclockwise.

    Args:
        rows: integer rows of k+1 entries.
        interior: a point strictly inside.
    """
    k = len(interior.approx)
    if k == 0:
        return np.zeros((1, 0)), 1.0
    if k == 1:
        ends = sorted(Fraction(-row[1], row[0]) for row in rows)
        return _floats([[end] for end in ends]), nearest_float(ends[-1] - ends[0])
    if k == 2:
        corners = polygon_corners(rows)
        return _floats(corners), nearest_float(_shoelace(corners))
    local = _by_qhull(rows, interior)
    if local is not None and not is_thin(local):
        return local + interior.approx, hull_volume(local)
    exact = exact_vertices(rows, k)
    return _floats(exact), exact_hull_volume(exact)


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


def _shoelace(corners: Sequence[Sequence[Fraction]]) -> Fraction:
    pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
    return sum((p[0] * q[1] - p[1] * q[0] for p, q in pairs), Fraction(0)) / 2


def exact_vertices(rows: Sequence[Row], k: int) -> list[tuple[Fraction, ...]]:
    """All vertices, each solved exactly from k facets; O(binomial(m, k)) systems."""
    found: set[tuple[Fraction, ...]] = set()
    for chosen in combinations(rows, k):
        point = solve_rational([row[:-1] for row in chosen], [Fraction(-row[-1]) for row in chosen])
        if point is not None and all(_value(row, point) >= 0 for row in rows):
            found.add(tuple(point))
    return sorted(found)


def _value(row: Row, point: Sequence[Fraction]) -> Fraction:
    return sum((r * p for r, p in zip(row, point, strict=False)), Fraction(row[-1]))


def _floats(points: Sequence[Sequence[Fraction]]) -> Floats:
    return np.array([[nearest_float(c) for c in point] for point in points], dtype=np.float64)


def _by_qhull(rows: Sequence[Row], interior: Point) -> Floats | None:
    """Qhull's vertices (v, k) relative to the interior point, or None if they do not fit the facets."""
    halfspaces = _around(rows, interior)
    try:
        with np.errstate(all="ignore"):
            local: Floats = HalfspaceIntersection(halfspaces, np.zeros(len(interior.approx))).intersections
    except QhullError:
        return None
    if not np.all(np.isfinite(local)):
        return None
    distinct: Floats = _distinct(local, 1e-12 * np.abs(local).max(initial=0.0))
    return distinct if _fits(distinct, halfspaces) else None


def _around(rows: Sequence[Row], interior: Point) -> Floats:
    """Qhull's rows (m, k+1) with unit normals and the interior point as origin, rounded once from exact values."""
    out = []
    for row in rows:
        slack = _value(row, interior.coordinates)
        out.append([-nearest_float(r / slack) for r in row[:-1]] + [-1.0])
    halfspaces = np.array(out, dtype=np.float64)
    unit: Floats = halfspaces / np.linalg.norm(halfspaces[:, :-1], axis=1, keepdims=True)
    return unit


def _fits(vertices: Floats, halfspaces: Floats) -> bool:
    """Whether all vertices are inside, each on at least k facets, and each facet holds at least k of them."""
    k = vertices.shape[1]
    slack = -(vertices @ halfspaces[:, :-1].T + halfspaces[:, -1])
    tolerance = TIGHT * np.abs(vertices).max(initial=0.0)
    tight = np.abs(slack) <= tolerance
    return bool(
        np.all(slack >= -tolerance) and np.all(tight.sum(axis=1) >= k) and np.all(tight.sum(axis=0) >= k)
    )


def _distinct(vertices: Floats, tolerance: float) -> Floats:
    kept: list[Floats] = []
    for vertex in vertices[np.lexsort(vertices.T[::-1])]:
        if not any(np.all(np.abs(vertex - other) <= tolerance) for other in kept):
            kept.append(vertex)
    return np.array(kept)


def is_thin(vertices: Floats) -> bool:
    """Whether the rounding of the vertices (v, k) could matter for the volume."""
    widths = np.linalg.svd(vertices - vertices.mean(axis=0), compute_uv=False)
    return len(widths) < vertices.shape[1] or bool(widths[-1] < THIN * widths[0])


def hull_volume(vertices: Floats) -> float:
    """Volume of the convex hull of vertices (v, k) that is not thin, in float64."""
    return float(ConvexHull(vertices - vertices.mean(axis=0), qhull_options="Qt").volume)


def exact_hull_volume(vertices: Sequence[Sequence[Fraction]]) -> float:
    """Volume of the convex hull of exact vertices, however thin: stretched to a round body exactly, then rounded.

    The stretching takes a simplex of vertices, as large as a greedy choice finds, to the unit simplex.
    """
    origin = vertices[0]
    moves = [[c - o for c, o in zip(vertex, origin, strict=True)] for vertex in vertices]
    frame, determinant = _large_simplex(moves)
    coordinates = [solve_rational(list(zip(*frame, strict=True)), move) for move in moves]
    round_body = _floats([c for c in coordinates if c is not None])
    return float(ConvexHull(round_body, qhull_options="Qt").volume) * nearest_float(abs(determinant))


def _large_simplex(moves: Sequence[Sequence[Fraction]]) -> tuple[list[Sequence[Fraction]], Fraction]:
    """k of the vectors, each far from the span of those before, and their determinant."""
    k = len(moves[0])
    rest = [list(move) for move in moves]
    chosen, determinant, used = [], Fraction(1), set[int]()
    for _ in range(k):
        size, best, column = max(
            (abs(row[c]), i, c) for i, row in enumerate(rest) for c in range(k) if c not in used
        )
        chosen.append(moves[best])
        used.add(column)
        determinant *= size
        pivot = list(rest[best])
        for row in rest:
            share = row[column] / pivot[column]
            row[:] = [a - share * b for a, b in zip(row, pivot, strict=True)]
    return chosen, determinant
