"""All facets of all regions as flat arrays: those shared with a neighbour, and those on the boundary of the domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.errors import expect
from polyregions.polyhedra.facets import coinciding_rows, facets
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.progress import ProgressFunction
from polyregions.read_only import ReadOnly
from polyregions.regions.adjacency import Adjacency, edges_between, lifted, open_regions, watched
from polyregions.regions.prefixes import DOMAIN_ROW, RegionForms
from polyregions.regions.region_set import RegionSet

if TYPE_CHECKING:
    from polyregions.regions.scan import Scanned

NOTHING = -1


@dataclass(frozen=True, eq=False)
class Boundary(ReadOnly):
    """The facets that regions have on the boundary of the domain, sorted by (region, row).

    Attributes:
        region: (B,) the region of each.
        row: (B,) the row of the domain that carries it, the lowest where several coincide.
        points: (B, d) a point in its relative interior, in float64.
        labels: the name of each row of the domain.
    """

    region: Ints
    row: Ints
    points: Floats
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.region)

    def __repr__(self) -> str:
        return f"<Boundary: {len(self)} facets on {len(self.labels)} rows of the domain>"


@dataclass(frozen=True, eq=False)
class Facets(ReadOnly):
    """The facets of every region in CSR form: those of region i are at ``offsets[i]`` to ``offsets[i + 1]``.

    Attributes:
        offsets: (R+1,).
        neighbour: (F,) the region on the other side, ascending within a region; -1 on the domain's boundary.
        edge: (F,) the number of the edge in `adjacency`, -1 on the boundary.
        wall: (F,) the number of the facet in `boundary`, -1 between regions.
        adjacency: the edges.
        boundary: the facets on the boundary of the domain.
    """

    offsets: Ints
    neighbour: Ints
    edge: Ints
    wall: Ints
    adjacency: Adjacency
    boundary: Boundary

    def __len__(self) -> int:
        return len(self.neighbour)

    def __repr__(self) -> str:
        return f"<Facets: {len(self)} of {len(self.offsets) - 1} regions>"

    def of_region(self, i: int) -> tuple[Ints, Ints, Ints]:
        """Neighbour, edge and wall of each facet of region i."""
        part = slice(self.offsets[i], self.offsets[i + 1])
        return self.neighbour[part], self.edge[part], self.wall[part]


def facet_arrays(regions: RegionSet, *, progress: ProgressFunction | None = None) -> Facets:
    """Every facet of every region, proved, with what lies on its other side.

    A facet here is what two regions share, or a region and a row of the domain: in a deep network one side of a
    region's polytope can consist of several of them. Facets of a partial set towards regions that are missing are
    left out.

    Args and Raises as in `adjacency_arrays`.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
    >>> facets = pr.facet_arrays(pr.enumerate_regions(net, pr.Box([-2], [2])))
    >>> facets.offsets.tolist(), facets.neighbour.tolist()
    ([0, 2, 4, 6], [-1, 1, 0, 2, -1, 1])
    """
    expect(regions, RegionSet, "regions")
    return facets_of(regions, progress)


def facets_of(regions: RegionSet, progress: ProgressFunction | None, by_points: bool = False) -> Facets:
    """As `facet_arrays`; by points: see `edges_between`."""
    adjacency = edges_between(regions, progress, by_points)
    boundary = _boundary(regions, progress, by_points)
    n_edges, none = len(adjacency), np.full(len(boundary), NOTHING, dtype=np.int64)
    edges, walls = np.arange(n_edges), np.arange(len(boundary))
    own = np.concatenate([adjacency.source, adjacency.target, boundary.region])
    other = np.concatenate([adjacency.target, adjacency.source, none])
    edge = np.concatenate([edges, edges, none])
    wall = np.concatenate([np.full(2 * n_edges, NOTHING, dtype=np.int64), walls])
    order = np.lexsort((wall, other, own))
    offsets = np.searchsorted(own[order], np.arange(len(regions) + 1)).astype(np.int64)
    return Facets(offsets, other[order], edge[order], wall[order], adjacency, boundary)


def boundary_facets(regions: RegionSet, *, progress: ProgressFunction | None = None) -> Boundary:
    """The facets of the regions on the boundary of the domain, each proved.

    Args and Raises as in `adjacency_arrays`.

    Complexity: a few microseconds for each region and row of the domain, which most regions do not touch.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1]], [0]), ([[1]], [0])])
    >>> boundary = pr.boundary_facets(pr.enumerate_regions(net, pr.Box([-1], [1])))
    >>> [(i, boundary.labels[row]) for i, row in zip(boundary.region.tolist(), boundary.row.tolist())]
    [(0, 'x0 >= -1'), (1, 'x0 <= 1')]
    """
    expect(regions, RegionSet, "regions")
    return _boundary(regions, progress, False)


def _boundary(regions: RegionSet, progress: ProgressFunction | None, by_points: bool) -> Boundary:
    from polyregions.regions.scan import scan_walls  # numba takes half a second to import

    pairs, local = _settled(regions, watched(scan_walls(regions, by_points), len(regions), progress), _walls)
    return Boundary(pairs[:, 0], pairs[:, 1], lifted(regions, local), regions.problem.solid.labels)


def facet_neurons(
    regions: RegionSet, *, progress: ProgressFunction | None = None, by_points: bool = False
) -> Ints:
    """The pairs (P, 2) of a region and a neuron whose row is a facet of the region's polytope, sorted, each proved.

    Of neurons that coincide the one that split first is named. It is found without looking at other regions, so it
    can be compared with the edges; by points also without making the cells again.

    Args and Raises as in `adjacency_arrays`.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> regions = pr.enumerate_regions(net, pr.Box(-1, 1, dim=2))
    >>> pr.facet_neurons(regions).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1], [3, 0], [3, 1]]
    """
    expect(regions, RegionSet, "regions")
    from polyregions.regions.scan import scan_rows  # numba takes half a second to import

    return _settled(regions, watched(scan_rows(regions, by_points), len(regions), progress), _neurons)[0]


Settle: TypeAlias = Callable[[RegionForms, int, "set[int] | None", Referee], Iterator[tuple[int, Floats]]]


def _settled(regions: RegionSet, parts: Iterator[Scanned], settle: Settle) -> tuple[Ints, Floats]:
    """Pairs (region, row) that the kernels proved and those settled exactly, sorted, and a point on each facet."""
    referee, forms = Referee(regions.problem.solid.bounds), RegionForms(regions)
    found, points = [np.zeros((0, 2), dtype=np.int64)], [np.zeros((0, regions.dim))]
    for part in parts:
        found.append(part.edges[:, [0, 2]])
        points.append(part.points)
        for i, rows in open_regions(part.open_rows):
            for row, point in settle(forms, i, rows, referee):
                found.append(np.array([[i, row]], dtype=np.int64))
                points.append(point[None])
    pairs = np.concatenate(found)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], np.concatenate(points)[order]


def _neurons(
    forms: RegionForms, i: int, among: set[int] | None, referee: Referee
) -> Iterator[tuple[int, Floats]]:
    """The neurons whose rows are facets of region i, and a point on each, decided exactly."""
    rows, inside = forms.rows(i), forms.regions.local_point(i)
    for row, neuron in enumerate(rows.neurons):
        if neuron != DOMAIN_ROW and (among is None or neuron in among):
            for facet in facets(rows.interior, inside, referee, [(row,)]):
                yield neuron, facet.approximate_point(rows.interior)


def _walls(
    forms: RegionForms, i: int, among: set[int] | None, referee: Referee
) -> Iterator[tuple[int, Floats]]:
    """The rows of the domain that are facets of region i, and a point on each, decided exactly.

    Where rows coincide the lowest stands for all; it is among the open ones, for floats cannot tell them apart.
    """
    rows, inside = forms.rows(i), forms.regions.local_point(i)
    for group in coinciding_rows(rows.interior):
        is_wall = rows.neurons[group[0]] == DOMAIN_ROW
        if is_wall and (among is None or group[0] in among):
            for facet in facets(rows.interior, inside, referee, [group]):
                yield group[0], facet.approximate_point(rows.interior)
