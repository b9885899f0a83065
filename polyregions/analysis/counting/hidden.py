"""Points of a piece that cannot see each other: no convex polyhedron within the piece holds two of them.

So there are at least as many polyhedra as points that are hidden from one another. Candidates are points just inside
the facets of the piece's boundary, and the regions' interior points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations

import networkx as nx
import numpy as np

from polyregions._types import Ints
from polyregions.exact.numbers import Point, dot
from polyregions.regions.adjacency import Adjacency
from polyregions.regions.region_set import RegionSet

NEAR = Fraction(1, 2**20)  # how far from a facet towards the region's interior point
MOST_POINTS = 24
MOST_LOOKS = 100_000  # pairs of points times regions in between


def most_hidden(regions: RegionSet, pieces: Ints, adjacency: Adjacency, piece: int) -> int:
    """A proved lower bound on the number of convex polyhedra within a piece that cover it; at least 1.

    Args:
        regions: the regions.
        pieces: (R,) the piece of each.
        adjacency: the facets.
        piece: which piece.

    Complexity: O(points^2 R m) rational operations, and a largest clique among `MOST_POINTS` points.
    """
    others = np.flatnonzero(pieces != piece).tolist()
    points = _candidates(regions, pieces, adjacency, piece)
    while len(points) ** 2 * len(others) > 2 * MOST_LOOKS:
        points.pop()
    rows = [_rows(regions, i) for i in others]
    hidden = nx.Graph()
    hidden.add_nodes_from(range(len(points)))
    for a, b in combinations(range(len(points)), 2):
        if any(_meets(points[a], points[b], region) for region in rows):
            hidden.add_edge(a, b)
    _, size = nx.max_weight_clique(hidden, weight=None)
    return max(1, int(size))


def _candidates(regions: RegionSet, pieces: Ints, adjacency: Adjacency, piece: int) -> list[list[int]]:
    """Points strictly inside regions of the piece, as homogeneous integers."""
    found = [_moved(regions, i, u) for i, u in _facet_points(regions, pieces, adjacency, piece)]
    members = np.flatnonzero(pieces == piece).tolist()
    kept = [point for point in found if point is not None][:MOST_POINTS]
    return kept + [regions.local_point(i).integers for i in members][: MOST_POINTS - len(kept)]


def _facet_points(
    regions: RegionSet, pieces: Ints, adjacency: Adjacency, piece: int
) -> Iterator[tuple[int, list[Fraction]]]:
    """A region of the piece and about a point of a facet of it that bounds the piece, in the coordinates u."""
    free = regions.problem.solid.hull.free
    if free is None:
        return
    for edge in range(len(adjacency)):
        ends = int(adjacency.source[edge]), int(adjacency.target[edge])
        inside = [i for i in ends if pieces[i] == piece]
        if len(inside) == 1 and np.all(np.isfinite(adjacency.points[edge])):
            yield inside[0], [Fraction(float(adjacency.points[edge, j])) for j in free]


def _moved(regions: RegionSet, i: int, u: Sequence[Fraction]) -> list[int] | None:
    """A point a little towards the interior point of region i, if it is strictly inside; exact."""
    centre = regions.local_point(i).coordinates
    point = Point.of([a + NEAR * (c - a) for a, c in zip(u, centre, strict=True)]).integers
    return point if all(dot(row, point) > 0 for row in _rows(regions, i)) else None


def _rows(regions: RegionSet, i: int) -> list[list[int]]:
    """Integer rows that are positive exactly inside region i."""
    forms = regions.problem.bounding_forms(regions.patterns[i], regions.cuts[i])
    return [form.exact() for form in forms]


def _meets(one: Sequence[int], other: Sequence[int], rows: Sequence[Sequence[int]]) -> bool:
    """Whether the segment between two points has a part strictly inside all rows; exact."""
    low, high = Fraction(0), Fraction(1)
    for row in rows:
        at, end = Fraction(dot(row, one), one[-1]), Fraction(dot(row, other), other[-1])
        if at <= 0 and end <= 0:
            return False
        if at < 0:
            low = max(low, at / (at - end))
        elif end < 0:
            high = min(high, at / (at - end))
        if low >= high:
            return False
    return True
