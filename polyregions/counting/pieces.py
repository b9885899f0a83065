"""Regions joined across facets: R4, and whether its pieces already are a complex of convex polyhedra (R3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from math import gcd

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from polyregions._types import Ints
from polyregions.adjacency import Adjacency
from polyregions.counting.forms import RegionForms
from polyregions.exact.numbers import Point
from polyregions.geometry.solid import integer_form
from polyregions.oracle.polyhedron import Form
from polyregions.oracle.referee import Referee
from polyregions.regions import RegionSet

Walls = dict[int, dict[tuple[int, ...], set[int]]]


def open_pieces(classes: Ints, adjacency: Adjacency) -> Ints:
    """The piece (R,) of each region: regions with equal maps are joined across their shared facets.

    Args:
        classes: (R,) equal where the maps are.
        adjacency: the facets.
    """
    n = len(classes)
    equal = classes[adjacency.source] == classes[adjacency.target]
    source, target = adjacency.source[equal], adjacency.target[equal]
    graph = coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(n, n))
    _, pieces = connected_components(graph, directed=False)
    return np.asarray(pieces, dtype=np.int64)


def are_a_convex_complex(
    regions: RegionSet, pieces: Ints, adjacency: Adjacency, report: Callable[[int, int], None]
) -> bool:
    """Whether the closures of all pieces are convex and form a polyhedral complex.

    Each polyhedron of a complex lies in one piece; so this holds iff R3 = R4. A piece is convex iff it lies on one
    side of each facet that bounds it. Convex pieces form a complex iff across each of their facets there is only
    one other piece: facet-to-facet tilings are face-to-face (Gruber and Ryshkov 1989).

    Args:
        regions: the regions.
        pieces: (R,) the piece of each.
        adjacency: the facets.
        report: called with walls looked at and walls in all.

    Complexity: one linear program for each wall of a piece and each of its regions, at most.
    """
    if regions.dim <= 1:
        return True
    walls = _walls(RegionForms(regions), pieces, adjacency)
    if any(len(others) > 1 for rows in walls.values() for others in rows.values()):
        return False
    members = {piece: np.flatnonzero(pieces == piece).tolist() for piece in walls}
    pairs = [(piece, integer_form(row)) for piece, rows in walls.items() for row in rows]
    referee = Referee(regions.problem.solid.bounds)
    points = [regions.local_point(i) for i in range(len(regions))]
    if not all(_are_inside([points[i] for i in members[piece]], form, referee) for piece, form in pairs):
        return False
    forms = RegionForms(regions)
    for done, (piece, form) in enumerate(pairs):
        report(done, len(pairs))
        beyond = form.negated()
        if any(_reaches(forms, i, beyond, referee) for i in members[piece]):
            return False
    return True


def _walls(forms: RegionForms, pieces: Ints, adjacency: Adjacency) -> Walls:
    """For each piece of several regions its walls, rows positive inside, and the pieces across each."""
    several = np.bincount(pieces) > 1
    walls: Walls = defaultdict(lambda: defaultdict(set))
    for edge in range(len(adjacency)):
        source, target = int(adjacency.source[edge]), int(adjacency.target[edge])
        here, there = int(pieces[source]), int(pieces[target])
        if here != there and (several[here] or several[there]):
            row = facet_row(forms, source, adjacency.flipped(edge))
            if several[here]:
                walls[here][row].add(there)
            if several[there]:
                walls[there][tuple(-entry for entry in row)].add(here)
    return walls


def facet_row(forms: RegionForms, i: int, flips: Ints) -> tuple[int, ...]:
    """The hyperplane of a facet of region i in coprime integers, positive inside.

    The first neuron that flips has the same form on both sides, all neurons before its layer being the same.
    """
    row = forms.neuron(i, int(flips[0])).exact()
    common = gcd(*row)
    return tuple(entry // common for entry in row)


def _are_inside(points: list[Point], wall: Form, referee: Referee) -> bool:
    return all(referee.sign(wall, point) > 0 for point in points)


def _reaches(forms: RegionForms, i: int, beyond: Form, referee: Referee) -> bool:
    """Whether region i has a point where a form is positive."""
    if referee.never_positive(beyond):
        return False
    return referee.interior(forms.interior(i).with_form(beyond)) is not None
