"""The segments that polygons share: facets between regions, and pieces of the decision boundary. No drawing here.

Which pairs share one is known (`adjacency_arrays`, `decision_boundary`); here it is found where it lies, for a picture:
the side of each of the two polygons that carries it, and the part that the two sides have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.analysis.decisions import DecisionBoundary
from polyregions.plot.clip import DECISION, NEURON
from polyregions.plot.polygons import Polygons
from polyregions.plot.sections import PlaneSection
from polyregions.regions.adjacency import Adjacency
from polyregions.regions.region_set import RegionSet

_Preference: TypeAlias = Callable[[Ints, Ints], Bools]
"""Whether each of some sides is of the right kind for its pair."""

FAR = 1e-6  # of the picture: a side farther than this from a point of the facet does not carry it


@dataclass(frozen=True, eq=False)
class Segments:
    """What pairs of polygons share.

    Attributes:
        ends: (S, 2, 2) the two ends of each segment; nan where it lies outside the view.
        sides: (S, 2) the side of the one and of the other polygon that carries it, -1 where that is not in the view.
    """

    ends: Floats
    sides: Ints

    @property
    def seen(self) -> Bools:
        """Which segments (S,) lie in the view."""
        seen: Bools = np.isfinite(self.ends[:, 0, 0])
        return seen

    @property
    def middles(self) -> Floats:
        """The middle (S, 2) of each segment."""
        middles: Floats = self.ends.mean(axis=1)
        return middles


def edge_segments(section: PlaneSection, adjacency: Adjacency) -> Segments:
    """The facet of each edge of the adjacency graph as a segment of the section.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0]], [0]), ([[1]], [0])])
    >>> regions = pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1]))
    >>> edge_segments(pr.plane_section(regions), pr.adjacency_arrays(regions)).ends.tolist()
    [[[0.0, -1.0], [0.0, 1.0]]]
    """
    patterns, polygons = section.regions.patterns, section.polygons
    points = local_coordinates(section.regions, adjacency.points)
    pairs = np.column_stack([adjacency.source, adjacency.target])

    def flips(pair: Ints, sides: Ints) -> Bools:
        neurons = np.where(polygons.kinds[sides] == NEURON, polygons.carriers[sides], 0)
        differ = patterns[adjacency.source[pair], neurons] != patterns[adjacency.target[pair], neurons]
        flipped: Bools = differ & (polygons.kinds[sides] == NEURON)
        return flipped

    return _shared(section, polygons, pairs, points, flips)


def boundary_segments(section: PlaneSection, polygons: Polygons, boundary: DecisionBoundary) -> Segments:
    """The pieces of a decision boundary as segments.

    Args:
        section: the section of the regions.
        polygons: what `cell_polygons` gives for the boundary's cells.
        boundary: the pieces.
    """
    pairs = np.column_stack([boundary.source, boundary.target])

    def divides(piece: Ints, sides: Ints) -> Bools:
        wanted = np.where(boundary.neuron[piece] < 0, DECISION, NEURON)
        right: Bools = polygons.kinds[sides] == wanted
        return right

    return _shared(section, polygons, pairs, boundary.local_points, divides)


def edge_layers(regions: RegionSet, adjacency: Adjacency) -> Ints:
    """The activation layer (E,), counted from 0, that made each edge: the first in which a neuron flips."""
    ends = np.array([end for _, end in regions.network.layer_spans], dtype=np.int64)
    first = adjacency.flips[adjacency.flip_offsets[:-1]]
    return np.searchsorted(ends, first, side="right").astype(np.int64)


def local_coordinates(regions: RegionSet, X: Floats) -> Floats:
    """Points (n, d) of the input set in the coordinates u (n, k), rounded."""
    hull = regions.problem.solid.hull
    if hull.free is not None:
        return X[:, list(hull.free)]
    chart = hull.chart.nearest_floats()
    local: Floats = X @ chart[:, :-1].T + chart[:, -1]
    return local


def _shared(
    section: PlaneSection, polygons: Polygons, pairs: Ints, points: Floats, prefer: _Preference
) -> Segments:
    """The segment that each pair (S, 2) of polygons shares at a point (S, 2)."""
    reach = FAR * float(np.max(section.upper - section.lower, initial=0.0))
    sides = np.column_stack([_carrying(polygons, pairs[:, c], points, prefer, reach) for c in (0, 1)])
    ends = np.full((len(pairs), 2, 2), np.nan)
    known = np.flatnonzero((sides >= 0).all(axis=1))
    one, other = sides[known].T
    ends[known] = _overlap(
        np.stack([polygons.corners[one], polygons.ends[one]], axis=1),
        np.stack([polygons.corners[other], polygons.ends[other]], axis=1),
    )
    return Segments(ends, sides)


def _carrying(polygons: Polygons, owner: Ints, points: Floats, prefer: _Preference, reach: float) -> Ints:
    """The side (S,) of polygon `owner` nearest to a point, one that is preferred if there is any; -1 if all are far."""
    sizes = polygons.sizes[owner]
    pair = np.repeat(np.arange(len(owner)), sizes)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    sides = polygons.offsets[owner][pair] + within
    rows = polygons.rows[sides]
    distance = np.abs(np.einsum("sc,sc->s", rows[:, :2], points[pair]) + rows[:, 2])
    preferred = prefer(pair, sides)
    order = np.lexsort((distance, ~preferred, pair))
    found = np.full(len(owner), -1, dtype=np.int64)
    first = np.flatnonzero(np.diff(pair[order], prepend=-1) > 0) if len(pair) else np.zeros(0, dtype=np.int64)
    chosen = order[first]
    near = preferred[chosen] | (distance[chosen] <= reach)
    found[pair[chosen]] = np.where(near, sides[chosen], -1)
    return found


def _overlap(one: Floats, other: Floats) -> Floats:
    """The common part (S, 2, 2) of segments (S, 2, 2) on the same lines; nan where there is none."""
    direction = one[:, 1] - one[:, 0]
    points = np.concatenate([one, other], axis=1)
    places = np.einsum("spc,sc->sp", points - one[:, :1], direction)
    flipped = places[:, 2] > places[:, 3]
    low, high = np.where(flipped, places[:, 3], places[:, 2]), np.where(flipped, places[:, 2], places[:, 3])
    each = np.arange(len(one))
    start = points[each, np.where(places[:, 0] >= low, 0, np.where(flipped, 3, 2))]
    end = points[each, np.where(places[:, 1] <= high, 1, np.where(flipped, 2, 3))]
    meets = np.minimum(places[:, 1], high) > np.maximum(places[:, 0], low)
    return np.where(meets[:, None, None], np.stack([start, end], axis=1), np.nan)
