"""Corners of bounded polygons in order, and volumes of bounded polyhedra from their exact vertices."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cmp_to_key
from typing import TypeAlias

import numpy as np
from scipy.spatial import ConvexHull

from polyregions._types import Floats
from polyregions.exact.numbers import nearest_float
from polyregions.geometry.generators import generators
from polyregions.geometry.hull import solve_rational

Row: TypeAlias = Sequence[int]
THIN = 1e-4  # ratio of widths below which a body is stretched exactly before its volume is taken


def volume(vertices: Sequence[Sequence[Fraction]]) -> float:
    """Volume of the convex hull of exact vertices; those of a polygon run counterclockwise.

    Exact and rounded once up to two dimensions. From three on Qhull's, in float64, for vertices rounded once
    relative to one of them.
    """
    k = len(vertices[0])
    if k == 0:
        return 1.0
    if k == 1:
        ends = [vertex[0] for vertex in vertices]
        return nearest_float(max(ends) - min(ends))
    if k == 2:
        return nearest_float(_shoelace(vertices))
    moves = _moves(vertices)
    near = _floats(moves)
    return exact_hull_volume(moves) if is_thin(near) else hull_volume(near)


def exact_corners(rows: Sequence[Row], dim: int) -> Sequence[Sequence[Fraction]]:
    """The vertices of a bounded ``{row . [u, 1] >= 0}`` whose rows are all facets: around a polygon, else sorted."""
    return polygon_corners(rows) if dim == 2 else generators(rows, dim).coordinates()


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


def _moves(vertices: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """The vertices relative to the first."""
    origin = vertices[0]
    return [[c - o for c, o in zip(vertex, origin, strict=True)] for vertex in vertices]


def _floats(points: Sequence[Sequence[Fraction]]) -> Floats:
    return np.array([[nearest_float(c) for c in point] for point in points], dtype=np.float64)


def is_thin(vertices: Floats) -> bool:
    """Whether the rounding of the vertices (v, k) could matter for the volume."""
    widths = np.linalg.svd(vertices - vertices.mean(axis=0), compute_uv=False)
    return len(widths) < vertices.shape[1] or bool(widths[-1] < THIN * widths[0])


def hull_volume(vertices: Floats) -> float:
    """Volume of the convex hull of vertices (v, k) that is not thin, in float64."""
    return float(ConvexHull(vertices - vertices.mean(axis=0), qhull_options="Qt").volume)


def exact_hull_volume(moves: Sequence[Sequence[Fraction]]) -> float:
    """Volume of the convex hull of exact vertices, one of them 0: stretched to a round body exactly, then rounded.

    The stretching takes a simplex of vertices, as large as a greedy choice finds, to the unit simplex.
    """
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
