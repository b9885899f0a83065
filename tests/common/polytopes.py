"""Polytopes with known corners."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

import numpy as np

import naive
from polyregions import HPolytope
from randoms import fractions, generator, integer_rows, integers


def cube(d: int, low: float = 0.0, high: float = 1.0) -> HPolytope:
    return HPolytope(np.vstack([-np.eye(d), np.eye(d)]), [-low] * d + [high] * d)


def simplex(d: int) -> HPolytope:
    """The convex hull of 0 and the unit vectors."""
    return HPolytope(np.vstack([-np.eye(d), np.ones((1, d))]), [0] * d + [1])


def cross_polytope(d: int) -> HPolytope:
    """The points with sum |x_i| <= 1."""
    return HPolytope(list(product([-1, 1], repeat=d)), [1] * 2**d)


def slab(d: int, width: float) -> HPolytope:
    """The slanted sliver over the unit cube of the first d - 1 inputs: 0 <= x_d - (x_1 + ... ) <= width."""
    slant = np.array([[-1.0] * (d - 1) + [1.0]])
    sides = np.eye(d)[: d - 1]
    return HPolytope(np.vstack([sides, -sides, slant, -slant]), [1] * (d - 1) + [0] * (d - 1) + [width, 0])


def segment() -> HPolytope:
    """From (0, 0) to (1, 1)."""
    return HPolytope([[1, -1], [-1, 1], [1, 0], [-1, 0]], [0, 0, 1, 0])


def random_polytope(seed: int, d: int, m: int) -> HPolytope:
    """A bounded polytope with small integer rows, redundant and degenerate ones among them."""
    rng = generator(seed)
    cuts = [row for row in integer_rows(rng, m, d, 2)]
    box = [[s * int(i == j) for j in range(d)] for i in range(d) for s in (1, -1)]
    return HPolytope(cuts + box, [*(1 + abs(v) for v in integers(rng, m, 2)), *([2] * (2 * d))])


def corners(polytope: HPolytope) -> set[tuple[Fraction, ...]]:
    """The vertices by definition: feasible points where d independent rows are tight (Cramer's rule)."""
    rows = [fractions([*a, b]) for a, b in zip(polytope.A.tolist(), polytope.b.tolist(), strict=True)]
    found = set()
    for chosen in combinations(rows, polytope.dim):
        point = cramer([row[:-1] for row in chosen], [row[-1] for row in chosen])
        if point is not None and all(naive.dot(row[:-1], point) <= row[-1] for row in rows):
            found.add(tuple(point))
    return found


def determinant(matrix: list[list[Fraction]]) -> Fraction:
    if not matrix:
        return Fraction(1)
    minors = ([row[:j] + row[j + 1 :] for row in matrix[1:]] for j in range(len(matrix)))
    return sum(((-1) ** j * matrix[0][j] * determinant(minor) for j, minor in enumerate(minors)), Fraction(0))


def cramer(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction] | None:
    whole = determinant(matrix)
    if whole == 0:
        return None
    columns = range(len(matrix))
    swapped = ([[*row[:j], r, *row[j + 1 :]] for row, r in zip(matrix, right, strict=True)] for j in columns)
    return [determinant(m) / whole for m in swapped]
