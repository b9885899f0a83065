"""Volumes of all regions of a set: from the vertices of cells with proved bounds, or from facets, exactly."""

from __future__ import annotations

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.errors import InputError, OptionError
from polyregions.polyhedra.volume import volume_of_facets
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
    walls = np.searchsorted(boundary.region, np.arange(len(regions) + 1))
    cuts = np.searchsorted(neurons[:, 0], np.arange(len(regions) + 1))
    forms = RegionForms(regions)
    found = [
        _volume(forms, i, boundary.row[walls[i] : walls[i + 1]], neurons[cuts[i] : cuts[i + 1], 1])
        for i in numbers.tolist()
    ]
    return np.array(found, dtype=np.float64)


def _volume(forms: RegionForms, i: int, walls: Ints, neurons: Ints) -> float:
    """Volume of region i over the hull's coordinates, given the rows and neurons that are its facets."""
    regions, rows = forms.regions, list(forms.bounding(i))
    n_walls = len(regions.problem.solid.forms)
    place = {n: n_walls + at for at, n in enumerate(np.flatnonzero(regions.cuts[i]).tolist())}
    chosen = walls.tolist() + [place[n] for n in neurons.tolist()]
    return volume_of_facets([rows[row].exact() for row in chosen], regions.dim)
