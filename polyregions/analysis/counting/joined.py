"""Regions joined across facets: R4, and whether its pieces already are a complex of convex polyhedra (R3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from math import gcd

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from polyregions._types import Ints
from polyregions.analysis.counting.hidden import most_hidden
from polyregions.exact.numbers import Point
from polyregions.polyhedra.oracle.forms import Form
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.polyhedra.solid import integer_form
from polyregions.regions.adjacency import Adjacency
from polyregions.regions.prefixes import HELD, RegionForms
from polyregions.regions.region_set import RegionSet

MOST_TRIED = 20_000  # regions times pairs of equal ones, up to which pairs are joined

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


def bounds_on_convex_regions(
    regions: RegionSet, pieces: Ints, adjacency: Adjacency, report: Callable[[int, int], None]
) -> tuple[int, int]:
    """Proved bounds on R3, the least number of polyhedra of a complex on each of which the network is affine.

    Each polyhedron of a complex lies in one piece. So there are as many as pieces iff these are a convex complex
    themselves, and a piece that is not convex needs two, or as many as it has points that do not see each other (see
    `hidden`). From above: regions of one piece are joined one pair after the other as long as they stay a convex
    complex, which need not find the best one.

    Args:
        regions: the regions.
        pieces: (R,) the piece of each, equal maps joined across facets.
        adjacency: the facets.
        report: called with walls looked at and walls in all.

    Complexity: one linear program for each wall of a piece and each of its regions, at most; as many again for each
    pair that is tried, of which there are few.
    """
    n = int(pieces.max(initial=-1)) + 1
    if regions.dim <= 1 or n == len(regions):
        return n, n
    tiling = _Tiling(regions, pieces, adjacency)
    bent = [piece for piece in tiling.walls if not tiling.is_convex(piece, report)]
    if not bent and tiling.is_face_to_face():
        return n, n
    more = sum(max(1, most_hidden(regions, pieces, adjacency, piece) - 1) for piece in bent)
    return n + max(1, more), _joined(regions, pieces, adjacency)


def _joined(regions: RegionSet, pieces: Ints, adjacency: Adjacency) -> int:
    """How many polyhedra are left when pairs of regions of one piece are joined to a convex complex, greedily."""
    inner = np.flatnonzero(pieces[adjacency.source] == pieces[adjacency.target])
    labels = np.arange(len(regions))
    if len(inner) * len(regions) > MOST_TRIED:
        return len(regions)
    for edge in inner.tolist():
        one, other = labels[adjacency.source[edge]], labels[adjacency.target[edge]]
        trial = np.where(labels == other, one, labels)
        if one != other and _Tiling(regions, trial, adjacency).is_a_convex_complex():
            labels = trial
    return len(np.unique(labels))


class _Tiling:
    """The regions joined to pieces, and the walls of those of several regions.

    Args:
        regions: the regions.
        pieces: (R,) the piece of each.
        adjacency: the facets.
    """

    def __init__(self, regions: RegionSet, pieces: Ints, adjacency: Adjacency) -> None:
        self._regions, self._pieces = regions, pieces
        self._forms, self._referee = RegionForms(regions, HELD), Referee(regions.problem.solid.bounds)
        self.walls = _walls(self._forms, pieces, adjacency)

    def is_a_convex_complex(self) -> bool:
        """Whether the closures of all pieces are convex and form a polyhedral complex."""
        return self.is_face_to_face() and all(self.is_convex(piece) for piece in self.walls)

    def is_face_to_face(self) -> bool:
        """Whether across each wall of a piece there is only one other one, which is enough for convex ones.

        Facet-to-facet tilings are face-to-face (Gruber and Ryshkov 1989).
        """
        return all(len(others) == 1 for rows in self.walls.values() for others in rows.values())

    def is_convex(self, piece: int, report: Callable[[int, int], None] | None = None) -> bool:
        """Whether a piece lies on one side of each of its walls, which is to say that it is convex."""
        members = np.flatnonzero(self._pieces == piece).tolist()
        forms = [integer_form(row) for row in self.walls[piece]]
        points = [self._regions.local_point(i) for i in members]
        if not all(_are_inside(points, form, self._referee) for form in forms):
            return False
        for done, form in enumerate(forms):
            if report is not None:
                report(done, len(forms))
            if any(_reaches(self._forms, i, form.negated(), self._referee) for i in members):
                return False
        return True


def _walls(forms: RegionForms, pieces: Ints, adjacency: Adjacency) -> Walls:
    """For each piece of several regions its walls, rows positive inside, and the pieces across each."""
    several = np.bincount(pieces, minlength=len(pieces)) > 1
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
    """The hyperplane of the facet of region i on which neurons (f,) flip, in coprime integers, positive inside.

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
