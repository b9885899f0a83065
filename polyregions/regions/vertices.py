"""What affine functions reach on regions, by looking at vertices: proved bounds, many regions at a time.

Of few inputs the cells are made once more with their vertices, whose coordinates are known up to a proved error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.engine.reduction import Reduction, reduce
from polyregions.networks.patterns import pack
from polyregions.polyhedra.oracle.proof import SAFE, TINY, gamma
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.regions.region_set import RegionSet


@dataclass(frozen=True, eq=False)
class RegionVertices:
    """The vertices of r regions.

    Attributes:
        numbers: (r,) the regions, ascending.
        offsets: (r+1,) where the vertices of each start.
        points: (M, k) over the hull's coordinates, in float64.
        error: (M,) bounds on their distance (maximum norm) to the true vertices.
    """

    numbers: Ints
    offsets: Ints
    points: Floats
    error: Floats

    def of(self, numbers: Ints) -> RegionVertices:
        """Those of some of the regions that follow each other."""
        first, last = np.searchsorted(self.numbers, [numbers[0], numbers[-1]]).tolist()
        part = slice(int(self.offsets[first]), int(self.offsets[last + 1]))
        offsets = self.offsets[first : last + 2] - part.start
        return RegionVertices(self.numbers[first : last + 1], offsets, self.points[part], self.error[part])

    @np.errstate(all="ignore")
    def values(self, rows: Floats, error: Floats) -> tuple[Floats, Floats]:
        """Affine forms at the vertices (M, c), and proved bounds (r, c) on how far a region's are from the true ones.

        Args:
            rows: (r, c, k+1) the forms on each region.
            error: (r, c, k+1) the error of each entry.
        """
        own = np.repeat(rows, np.diff(self.offsets), axis=0)
        values = np.einsum("mck,mk->mc", own[:, :, :-1], self.points) + own[:, :, -1]
        size, slope = self.size(), np.abs(rows[:, :, :-1]) + error[:, :, :-1]
        total = np.einsum("rck,rk->rc", slope, size) + np.abs(rows[:, :, -1])
        bound = np.einsum("rck,rk->rc", error[:, :, :-1], size) + error[:, :, -1]
        bound += gamma(rows.shape[2] + 2) * total + slope.sum(axis=2) * self.worst()[:, None]
        return values, bound * SAFE + TINY

    def size(self) -> Floats:
        """The largest absolute coordinates (r, k) of each region."""
        size: Floats = np.maximum.reduceat(np.abs(self.points), self.offsets[:-1], axis=0)
        return size

    def worst(self) -> Floats:
        """The largest error (r,) of a vertex of each region."""
        worst: Floats = np.maximum.reduceat(self.error, self.offsets[:-1])
        return worst

    def highest(self, values: Floats, doubt: Floats) -> Floats:
        """Proved upper bounds (r,) on one form, from its values (M,) at vertices and the doubt (r,) about them."""
        highest: Floats = np.maximum.reduceat(values, self.offsets[:-1]) + doubt
        return np.where(np.isnan(highest), np.inf, highest)


def region_vertices(regions: RegionSet) -> Iterator[RegionVertices] | None:
    """The vertices of regions, in order, some regions at a time; None where they cannot be had so.

    They can if all regions are known, the domain is bounded, the inputs are few, and floats can follow the network. The
    iterator ends before a region that is another one than the engine's (a set from elsewhere may be no complete one).

    Complexity: that of the enumeration.
    """
    if not (len(regions) and regions.problem.is_tame and regions.problem.solid.bounds.are_finite):
        return None
    from polyregions.regions.recognition import have_cells  # numba takes half a second to import

    reduction = reduce(regions.problem)
    return _region_vertices(regions, reduction) if have_cells(regions, reduction) else None


def _region_vertices(regions: RegionSet, reduction: Reduction) -> Iterator[RegionVertices]:
    from polyregions.engine.cells.driver import CellsRun
    from polyregions.engine.cells.state import VERTICES

    run, first = CellsRun(reduction.problem, wanted=VERTICES), 0
    (start,) = run.starts()
    for found in run.part(start, Referee(reduction.problem.solid.bounds)).vertices():
        end = first + len(found.bits)
        packed = pack(reduction.widened(found.bits, reduction.fixed))
        if not np.array_equal(packed, regions.packed[first:end]):
            return
        if end > first:
            yield RegionVertices(np.arange(first, end), found.offsets, found.points, found.error)
        first = end
