"""Regions joined across facets where both sides have one affine map (R4)."""

from __future__ import annotations

from polyregions._types import Ints
from polyregions.analysis.counting.joined import open_pieces
from polyregions.analysis.counting.residues import map_classes
from polyregions.errors import InputError, expect
from polyregions.regions.adjacency import Adjacency, adjacency_arrays
from polyregions.regions.region_set import RegionSet


def merged_regions(regions: RegionSet, adjacency: Adjacency | None = None) -> Ints:
    """Label (R,) of the piece each region belongs to: regions with one affine map, connected through facets.

    Pieces are numbered by their first region; their number is that of the open connected linear regions
    (R4 in Stargalla, Hertrich and Reichman 2025). A piece need not be convex.

    Args:
        regions: a complete set.
        adjacency: what `adjacency_arrays` gives, if it is known already.

    Raises:
        InputError: the set is partial: a region that was not found might connect two others.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0]], [0])])
    >>> pr.merged_regions(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1]))).tolist()
    [0, 0, 1, 1]
    """
    expect(regions, RegionSet, "regions")
    if not regions.complete:
        raise InputError(f"merged regions: {regions!r}, expected a complete set")
    edges = adjacency_arrays(regions) if adjacency is None else adjacency
    return open_pieces(map_classes(regions), edges)
