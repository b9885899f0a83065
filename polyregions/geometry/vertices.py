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
from polyregions.exact.numbers import Point
from polyregions.geometry.hull import solve_rational

Row: TypeAlias = Sequence[int]
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
        return _floats([[end] for end in ends]), float(ends[-1] - ends[0])
    if k == 2:
        corners = polygon_corners(rows)
        return _floats(corners), float(_shoelace(corners))
    found = _by_qhull(rows, interior)
    vertices = exact_vertices(rows, k) if found is None else found
    return vertices, hull_volume(vertices)


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


def exact_vertices(rows: Sequence[Row], k: int) -> Floats:
    """All vertices (v, k), each solved exactly from k facets and then rounded; O(binomial(m, k)) systems."""
    found: set[tuple[Fraction, ...]] = set()
    for chosen in combinations(rows, k):
        point = solve_rational([row[:-1] for row in chosen], [Fraction(-row[-1]) for row in chosen])
        if point is not None and all(_value(row, point) >= 0 for row in rows):
            found.add(tuple(point))
    return _floats(sorted(found))


def _value(row: Row, point: Sequence[Fraction]) -> Fraction:
    return sum((r * p for r, p in zip(row, point, strict=False)), Fraction(row[-1]))


def _floats(points: Sequence[Sequence[Fraction]]) -> Floats:
    return np.array([[float(c) for c in point] for point in points], dtype=np.float64)


def _by_qhull(rows: Sequence[Row], interior: Point) -> Floats | None:
    """Qhull's vertices (v, k), or None if they do not fit the facets."""
    halfspaces = _around(rows, interior)
    try:
        with np.errstate(all="ignore"):
            local: Floats = HalfspaceIntersection(halfspaces, np.zeros(len(interior.approx))).intersections
    except QhullError:
        return None
    if not np.all(np.isfinite(local)):
        return None
    distinct: Floats = _distinct(local, 1e-12 * np.abs(local).max(initial=0.0))
    return distinct + interior.approx if _fits(distinct, halfspaces) else None


def _around(rows: Sequence[Row], interior: Point) -> Floats:
    """Qhull's rows (m, k+1) with unit normals and the interior point as origin, rounded once from exact values."""
    out = []
    for row in rows:
        slack = _value(row, interior.coordinates)
        out.append([-float(Fraction(r) / slack) for r in row[:-1]] + [-1.0])
    halfspaces = np.array(out, dtype=np.float64)
    return halfspaces / np.linalg.norm(halfspaces[:, :-1], axis=1, keepdims=True)


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


def hull_volume(vertices: Floats) -> float:
    """Volume of the convex hull of vertices (v, k), thin ones included, in float64."""
    centred = vertices - vertices.mean(axis=0)
    _, widths, axes = np.linalg.svd(centred, full_matrices=False)
    if len(widths) < vertices.shape[1] or widths[-1] == 0:
        return 0.0
    # Stretched to be round first: Qhull would take a sliver for flat.
    hull = ConvexHull(centred @ axes.T / widths, qhull_options="Qt")
    return float(hull.volume * np.prod(widths))
