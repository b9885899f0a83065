"""All faces of a problem's complex."""

from __future__ import annotations

from polyregions.networks.problem import Problem
from polyregions.regions.complex.gather import AllFaces, cell_vertices
from polyregions.regions.region_set import RegionSet


def all_faces(problem: Problem, regions: RegionSet | None = None) -> AllFaces:
    """Every face of every region of a problem, in the order of the regions; see `cell_vertices`.

    Complexity: a region costs its faces times the square of its facets; memory is that of the faces.
    """
    from polyregions.regions.complex.listing import Listing  # numba takes half a second to import

    dim, found = cell_vertices(problem, regions)
    n_lines = problem.solid.hull.dim - dim
    listing = Listing(dim, problem.network.n_neurons, len(problem.solid.forms))
    for cells in found:
        listing.add(cells)
    return listing.faces(n_lines)
