"""What affine functions reach on regions, by looking at vertices: proved bounds, many regions at a time.

Of few inputs the cells are made once more with their vertices, whose coordinates are known up to a proved error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from polyregions._types import Bytes, Floats, Ints
from polyregions.engine.choose import choose_engine
from polyregions.engine.reduction import Reduction, reduce
from polyregions.errors import InternalError
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


def have_vertices(regions: RegionSet) -> bool:
    """Whether the vertices of all regions can be had so: the set is complete, the domain bounded, the inputs few."""
    if not (len(regions) and regions.complete and regions.problem.solid.bounds.are_finite):
        return False
    problem = reduce(regions.problem).problem
    return problem.network.n_neurons > 0 and choose_engine(problem, "auto") == "cells"


def region_vertices(regions: RegionSet) -> Iterator[RegionVertices]:
    """The vertices of all regions, in order, some regions at a time; see `have_vertices`.

    Raises:
        InternalError: the set, which is said to be complete, is not what the engine finds (a bug, or a changed file).

    Complexity: that of the enumeration.
    """
    from polyregions.engine.cells.driver import CellsRun  # numba takes half a second to import
    from polyregions.engine.cells.state import VERTICES

    reduction = reduce(regions.problem)
    run, first = CellsRun(reduction.problem, wanted=VERTICES), 0
    (start,) = run.starts()
    for found in run.part(start, Referee(reduction.problem.solid.bounds)).vertices():
        numbers = np.arange(first, first + len(found.bits))
        first += len(numbers)
        packed = pack(_whole(reduction, found.bits))
        if not np.array_equal(packed, regions.packed[numbers[0] : first] if len(numbers) else packed):
            raise InternalError(f"one of the regions {numbers[0]} to {first - 1} is another one")
        if len(numbers):
            yield RegionVertices(numbers, found.offsets, found.points, found.error)
    if first != len(regions):
        raise InternalError(f"{len(regions)} regions, and {first} cells")


def _whole(reduction: Reduction, bits: Bytes) -> Bytes:
    whole: Bytes = np.tile(reduction.fixed, (len(bits), 1))
    whole[:, reduction.kept] = bits
    return whole
