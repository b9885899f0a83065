"""Volumes of all regions: from cells' vertices with proved bounds, or exactly from facets; and of shared facets."""

from __future__ import annotations

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.errors import InputError, OptionError, expect
from polyregions.polyhedra.volume import facet_volumes, volume_of_facets
from polyregions.regions.adjacency import Adjacency, adjacency_arrays
from polyregions.regions.complex.gather import can_have_cells, cell_vertices
from polyregions.regions.facets import Boundary, boundary_facets, facet_neurons
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet


def region_volumes(
    regions: RegionSet,
    boundary: Boundary | None = None,
    neurons: Ints | None = None,
    precision: float = 1e-6,
) -> Floats:
    """Volume (R,) of each region, in the dimension of the domain's hull.

    Args:
        regions: regions of a bounded domain.
        boundary: what `boundary_facets` gives, if it is known already.
        neurons: what `facet_neurons` gives, if it is known already.
        precision: the relative error that is proved at most; what there is, is usually below 1e-11. Volumes that floats
            do not prove so well, of slivers above all, are computed in integers: rounded once up to two dimensions,
            right to about 1e-13 of themselves from three on. 0 for all.

    Raises:
        InputError: the domain is unbounded.
        OptionError: a precision that is negative or not a number.

    Complexity: a determinant for each simplex of a pulling triangulation.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> pr.region_volumes(pr.enumerate_regions(net, pr.Box([-1, -1], [2, 2]))).tolist()
    [1.0, 2.0, 2.0, 4.0]
    """
    expect(regions, RegionSet, "regions")
    solid = regions.problem.solid
    if not solid.bounds.are_finite:
        raise InputError(f"volumes: the domain of {regions!r} is unbounded")
    if not precision >= 0:
        raise OptionError(f"precision {precision}, expected 0 or more")
    found, is_known = _by_vertices(regions, precision)
    left = np.flatnonzero(~is_known)
    if len(left):
        boundary = boundary_facets(regions) if boundary is None else boundary
        neurons = facet_neurons(regions) if neurons is None else neurons
        found[left] = _by_facets(regions, left, boundary, neurons)
    return found * solid.hull.scale()


def _by_vertices(regions: RegionSet, precision: float) -> tuple[Floats, Bools]:
    """Volumes (R,) over the hull's coordinates, and which (R,) are proved to be precise."""
    found, is_known = np.zeros(len(regions)), np.zeros(len(regions), dtype=np.bool_)
    if precision == 0 or not (len(regions) and regions.complete and can_have_cells(regions.problem)):
        return found, is_known
    from polyregions.regions.complex.volumes import cell_volumes  # numba takes half a second to import

    at = 0
    for cells in cell_vertices(regions.problem)[1]:
        volumes, error = cell_volumes(cells)
        own = slice(at, at + len(volumes))
        with np.errstate(invalid="ignore"):
            is_known[own] = error <= precision * (volumes - error)
        found[own], at = volumes, own.stop
    return found, is_known


def _by_facets(regions: RegionSet, numbers: Ints, boundary: Boundary, neurons: Ints) -> Floats:
    """Volumes of some regions over the hull's coordinates, in integers."""
    rows = _FacetRows(regions, boundary, neurons)
    found = [volume_of_facets(rows.of(i)[0], regions.dim) for i in numbers.tolist()]
    return np.array(found, dtype=np.float64)


def volumes_or_infinities(regions: RegionSet) -> Floats:
    """The same (R,) for any domain, infinite where a region is unbounded; milliseconds a region of an unbounded one."""
    if regions.problem.solid.bounds.are_finite:
        return region_volumes(regions)
    return np.array([region.volume for region in regions], dtype=np.float64)


def facet_measures(regions: RegionSet, adjacency: Adjacency | None = None) -> Floats:
    """The length, area, ... (E,) of the facet that the two regions of each edge share.

    It is measured in the inputs, in one dimension less than the domain has: 1 for the points between intervals, lengths
    in the plane; infinite for an unbounded facet. Right to about 1e-13 of itself, slivers included.

    Args:
        regions: the regions.
        adjacency: what `adjacency_arrays` gives for them, if it is known already.

    Complexity: that of the vertices of each region, some hundred microseconds in the plane.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> regions = pr.enumerate_regions(net, pr.Box([-1, -1], [2, 3]))
    >>> edges = pr.adjacency_arrays(regions)
    >>> list(zip(edges.source.tolist(), edges.target.tolist(), pr.facet_measures(regions, edges).tolist()))
    [(0, 1, 1.0), (0, 2, 1.0), (1, 3, 3.0), (2, 3, 2.0)]
    """
    expect(regions, RegionSet, "regions")
    adjacency = adjacency_arrays(regions) if adjacency is None else adjacency
    rows = _FacetRows(regions, boundary_facets(regions), facet_neurons(regions))
    firsts = np.searchsorted(adjacency.source, np.arange(len(regions) + 1)).tolist()
    found: list[float] = []
    for i, (start, end) in enumerate(zip(firsts, firsts[1:], strict=False)):
        if start < end:
            forms, place = rows.of(i)
            # the first neuron that vanishes on a facet flips, and is the one that the row is named after
            crossed = adjacency.flips[adjacency.flip_offsets[start:end]].tolist()
            found += facet_volumes(forms, [place[n] for n in crossed], regions.problem.solid.hull)
    return np.array(found, dtype=np.float64)


class _FacetRows:
    """The rows over the hull's coordinates that are facets of each region, given the walls and neurons that are."""

    def __init__(self, regions: RegionSet, boundary: Boundary, neurons: Ints) -> None:
        numbers = np.arange(len(regions) + 1)
        self._walls, self._wall_ends = boundary.row, np.searchsorted(boundary.region, numbers)
        self._neurons, self._ends = neurons[:, 1], np.searchsorted(neurons[:, 0], numbers)
        self._forms, self._regions = RegionForms(regions), regions

    def of(self, i: int) -> tuple[list[list[int]], dict[int, int]]:
        """The rows of region i, and which of them each neuron's is."""
        walls = self._walls[self._wall_ends[i] : self._wall_ends[i + 1]].tolist()
        neurons = self._neurons[self._ends[i] : self._ends[i + 1]].tolist()
        forms = list(self._forms.bounding(i))
        n_walls = len(self._regions.problem.solid.forms)
        place = {n: n_walls + at for at, n in enumerate(np.flatnonzero(self._regions.cuts[i]).tolist())}
        rows = [forms[row].exact() for row in [*walls, *(place[n] for n in neurons)]]
        return rows, {n: len(walls) + at for at, n in enumerate(neurons)}
