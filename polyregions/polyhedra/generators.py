"""Vertices, extreme rays and lines of any polyhedron, exactly: the double description method in integers.

The polyhedron ``{u : row . [u, 1] >= 0}`` is the slice t = 1 of the cone ``{y : row . y >= 0, t >= 0}`` of the
homogeneous points y = (u t, t). The cone's extreme rays with t > 0 are the vertices, those with t = 0 the rays of
the recession cone. Rows are added one at a time; a row that cuts the cone replaces the rays beyond it by those where
it crosses a two-dimensional face, which two rays span iff no third ray is tight wherever both are.
Sources: Motzkin, Raiffa, Thompson and Thrall, The double description method (1953); Fukuda and Prodon, Double
description method revisited (1996).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

Vector = list[int]


@dataclass(frozen=True)
class Ray:
    """An extreme ray of a cone.

    Attributes:
        direction: its integer entries, without common factor.
        tight: the rows that vanish on it, as the bits of an integer.
    """

    direction: Vector
    tight: int


@dataclass(frozen=True)
class Generators:
    """A polyhedron as ``conv(points) + cone(rays) + span(lines)``, all extreme; exact.

    Attributes:
        points: homogeneous integers (u t, t) with t > 0: the vertices, if there are no lines.
        rays: directions (k,) integers, one for each extreme ray (modulo the lines).
        lines: directions (k,) integers, a basis of the lineality space.
    """

    points: list[Ray]
    rays: list[Ray]
    lines: list[Vector]

    def coordinates(self) -> list[tuple[Fraction, ...]]:
        """The points, exactly, in ascending order."""
        return sorted(tuple(Fraction(c, p.direction[-1]) for c in p.direction[:-1]) for p in self.points)


def generators(rows: Sequence[Sequence[int]], dim: int) -> Generators:
    """The generators of a polyhedron ``{u : row . [u, 1] >= 0}``; no points if it is empty.

    Args:
        rows: m rows of k+1 integers; redundant and repeated ones are welcome.
        dim: k.

    Complexity: O(r^3) for r the most rays after any row, which may be exponential in k.
    """
    rays, lines = cone_generators([[0] * dim + [1], *rows], dim + 1)
    points = [Ray(ray.direction, ray.tight >> 1) for ray in rays if ray.direction[-1]]
    directions = [Ray(ray.direction[:-1], ray.tight >> 1) for ray in rays if not ray.direction[-1]]
    return Generators(points, directions, [line[:-1] for line in lines])


def cone_generators(rows: Sequence[Sequence[int]], dim: int) -> tuple[list[Ray], list[Vector]]:
    """Extreme rays and a basis of the lineality space of the cone ``{y in R^dim : row . y >= 0}``."""
    rays: list[Ray] = []
    lines = [[int(i == j) for j in range(dim)] for i in range(dim)]
    for i, row in enumerate(rows):
        slopes = [_dot(row, line) for line in lines]
        steep = next((j for j, slope in enumerate(slopes) if slope), None)
        if steep is not None:
            rays, lines = _halve_line(rays, lines, row, slopes, steep, i)
        else:
            rays = _cut(rays, row, i, dim - len(lines) - 2)
    return rays, lines


def _halve_line(
    rays: list[Ray], lines: list[Vector], row: Sequence[int], slopes: list[int], steep: int, i: int
) -> tuple[list[Ray], list[Vector]]:
    """Row i leaves half of one line, a ray; all the others are moved along that line into the row's zero set."""
    sign = 1 if slopes[steep] > 0 else -1
    along, slope = [sign * entry for entry in lines[steep]], sign * slopes[steep]
    flat = [
        _primitive(_combined(slope, line, -s, along))
        for j, (line, s) in enumerate(zip(lines, slopes, strict=True))
        if j != steep
    ]
    moved = [
        Ray(_primitive(_combined(slope, r.direction, -_dot(row, r.direction), along)), r.tight | 1 << i)
        for r in rays
    ]
    return [*moved, Ray(along, (1 << i) - 1)], flat


def _cut(rays: list[Ray], row: Sequence[int], i: int, codimension: int) -> list[Ray]:
    """The rays of a cone after row i, which is zero on its lines; its 2-faces lie on at least `codimension` rows."""
    values = [_dot(row, ray.direction) for ray in rays]
    kept = [
        Ray(r.direction, r.tight | 1 << i) if v == 0 else r
        for r, v in zip(rays, values, strict=True)
        if v >= 0
    ]
    above = [(r, v) for r, v in zip(rays, values, strict=True) if v > 0]
    below = [(r, v) for r, v in zip(rays, values, strict=True) if v < 0]
    crossings = [
        Ray(_primitive(_combined(v, q.direction, -w, p.direction)), (p.tight & q.tight) | 1 << i)
        for p, v in above
        for q, w in below
        if (p.tight & q.tight).bit_count() >= codimension and _span_a_face(p, q, rays)
    ]
    return kept + crossings


def _span_a_face(p: Ray, q: Ray, rays: list[Ray]) -> bool:
    """Whether two extreme rays span a two-dimensional face: no third is tight wherever both are."""
    common = p.tight & q.tight
    return not any(common & ~r.tight == 0 and r is not p and r is not q for r in rays)


def _dot(row: Sequence[int], vector: Sequence[int]) -> int:
    return sum(a * b for a, b in zip(row, vector, strict=True))


def _combined(a: int, v: Vector, b: int, w: Vector) -> Vector:
    return [a * x + b * y for x, y in zip(v, w, strict=True)]


def _primitive(vector: Vector) -> Vector:
    common = gcd(*vector)
    return [entry // common for entry in vector] if common > 1 else vector
