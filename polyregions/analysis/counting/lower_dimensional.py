"""The activation regions without an interior: what R1 counts and the list of regions leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from polyregions._types import Bools, Ints
from polyregions.analysis.counting.thin import thin_cells
from polyregions.analysis.counting.watching import check_complete, reporter
from polyregions.errors import expect
from polyregions.networks.patterns import as_text
from polyregions.places import Members
from polyregions.polyhedra.polytope import HPolytope
from polyregions.progress import ProgressFunction
from polyregions.read_only import ReadOnly, View
from polyregions.regions.region_set import RegionSet, pattern_polytope


@dataclass(frozen=True, eq=False)
class LowerDimensionalRegions(ReadOnly, Members["LowerDimensionalRegion"]):
    """All activation regions without an interior, in lexicographic order of their patterns.

    Attributes:
        regions: the regions with an interior, which have other patterns; together they are those of R1.
        patterns: (T, N) the activation patterns.
        dims: (T,) the dimension of each, less than that of the domain; 0 for a point.
        points: T points in the relative interior of each, in the inputs, exactly.
    """

    MEMBER = "lower-dimensional region"

    regions: RegionSet
    patterns: Bools
    dims: Ints
    points: tuple[tuple[Fraction, ...], ...]

    def per_dimension(self) -> dict[int, int]:
        """How many there are of each dimension."""
        dims, counts = np.unique(self.dims, return_counts=True)
        return dict(zip(dims.tolist(), counts.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.patterns)

    def _member(self, place: int) -> LowerDimensionalRegion:
        return LowerDimensionalRegion(self, place)

    def __repr__(self) -> str:
        return f"<LowerDimensionalRegions: {len(self)} beside {len(self.regions)} of {self.regions.network.name}>"


@dataclass(frozen=True, eq=False)
class LowerDimensionalRegion(View):
    """One activation region without an interior: a light view into `LowerDimensionalRegions`.

    Attributes:
        thin: those it belongs to.
        number: its place among them.
    """

    thin: LowerDimensionalRegions
    number: int

    @property
    def pattern(self) -> Bools:
        """Activation pattern (N,)."""
        pattern: Bools = self.thin.patterns[self.number]
        return pattern

    @property
    def dim(self) -> int:
        """The dimension of its affine hull, 0 for a point."""
        return int(self.thin.dims[self.number])

    @property
    def exact_point(self) -> tuple[Fraction, ...]:
        """A point (d,) in its relative interior, which has its pattern."""
        return self.thin.points[self.number]

    @property
    def polytope(self) -> HPolytope:
        """The set of all inputs in the domain that have the pattern, as ``{x : A x <= b}``; see `Region.polytope`."""
        return pattern_polytope(self.thin.regions.problem, self.pattern)

    def __repr__(self) -> str:
        return f"<LowerDimensionalRegion {self.number}: {as_text(self.pattern)}, of dimension {self.dim}>"


def lower_dimensional_regions(
    regions: RegionSet, *, progress: ProgressFunction | None = None
) -> LowerDimensionalRegions:
    """The non-empty sets of inputs with one activation pattern that have no interior, which R1 counts beside R2.

    A neuron is off where z = 0, so a set may be a part of the boundary of regions: a facet, an edge, a point.

    Args:
        regions: all regions of a network on a domain.
        progress: called now and then with a `Progress`; returning False stops.

    Raises:
        InputError: the set of regions is not complete.
        StoppedError: `progress` returned False.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> thin = lower_dimensional_regions(pr.enumerate_regions(net, pr.Box([-1], [1])))
    >>> list(thin), thin[0].exact_point  # |x| has the origin beside its two half-lines
    ([<LowerDimensionalRegion 0: 00, of dimension 0>], (Fraction(0, 1),))

    Complexity: as for R1 in `count_by_definition`.
    """
    expect(regions, RegionSet, "regions")
    check_complete(regions)
    hull = regions.problem.solid.hull
    report = reporter(len(regions), progress, "listing lower-dimensional regions")
    found = sorted(
        (cell.pattern, cell.hull.dim, hull.lift(cell.hull.lift(cell.interior)).coordinates)
        for cell in thin_cells(regions, report)
    )
    patterns = np.array([pattern for pattern, _, _ in found], dtype=np.bool_)
    return LowerDimensionalRegions(
        regions,
        patterns.reshape(len(found), regions.network.n_neurons),
        np.array([dim for _, dim, _ in found], dtype=np.int64),
        tuple(point for _, _, point in found),
    )
