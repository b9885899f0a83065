"""Volumes of all regions of a set, from facets that are known already."""

from __future__ import annotations

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.errors import InputError
from polyregions.polyhedra.volume import volume_of_facets
from polyregions.regions.facets import Boundary, boundary_facets, facet_neurons
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet


def region_volumes(
    regions: RegionSet, boundary: Boundary | None = None, neurons: Ints | None = None
) -> Floats:
    """Volume (R,) of each region, in the dimension of the domain's hull.

    Exact and rounded once up to two dimensions, right to about 1e-13 of itself from three on, slivers included.

    Args:
        regions: regions of a bounded domain.
        boundary: what `boundary_facets` gives, if it is known already.
        neurons: what `facet_neurons` gives, if it is known already.

    Raises:
        InputError: the domain is unbounded.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> pr.region_volumes(pr.enumerate_regions(net, pr.Box([-1, -1], [2, 2]))).tolist()
    [1.0, 2.0, 2.0, 4.0]
    """
    solid = regions.problem.solid
    if not solid.bounds.are_finite:
        raise InputError(f"volumes: the domain of {regions!r} is unbounded")
    boundary = boundary_facets(regions) if boundary is None else boundary
    neurons = facet_neurons(regions) if neurons is None else neurons
    walls = np.searchsorted(boundary.region, np.arange(len(regions) + 1))
    cuts = np.searchsorted(neurons[:, 0], np.arange(len(regions) + 1))
    forms = RegionForms(regions)
    found = [
        _volume(forms, i, boundary.row[walls[i] : walls[i + 1]], neurons[cuts[i] : cuts[i + 1], 1])
        for i in range(len(regions))
    ]
    return np.array(found, dtype=np.float64) * solid.hull.scale()


def _volume(forms: RegionForms, i: int, walls: Ints, neurons: Ints) -> float:
    """Volume of region i over the hull's coordinates, given the rows and neurons that are its facets."""
    regions, rows = forms.regions, list(forms.bounding(i))
    n_walls = len(regions.problem.solid.forms)
    place = {n: n_walls + at for at, n in enumerate(np.flatnonzero(regions.cuts[i]).tolist())}
    chosen = walls.tolist() + [place[n] for n in neurons.tolist()]
    return volume_of_facets([rows[row].exact() for row in chosen], regions.dim)
