"""Counting the linear regions of a network by each of the six definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TypeAlias

from polyregions._types import Ints
from polyregions.analysis.counting.definitions import DEFINITIONS
from polyregions.analysis.counting.joined import bounds_on_convex_regions, open_pieces
from polyregions.analysis.counting.residues import map_classes
from polyregions.analysis.counting.thin import thin_cells
from polyregions.analysis.counting.touching import count_closed_pieces
from polyregions.analysis.counting.watching import check_complete, reporter
from polyregions.errors import OptionError, expect
from polyregions.progress import ProgressFunction
from polyregions.regions.adjacency import Adjacency, adjacency_arrays
from polyregions.regions.region_set import RegionSet

Count: TypeAlias = "int | tuple[int, int]"


def count_by_definition(
    regions: RegionSet,
    which: Iterable[str] | str = tuple(DEFINITIONS),
    *,
    progress: ProgressFunction | None = None,
) -> dict[str, Count]:
    """The number of linear regions by each of the six definitions, R6 <= R5 <= R4 <= R3 <= R2 <= R1.

    `DEFINITIONS` has each definition in a sentence and its source. Affine maps are compared exactly. All counts are
    of the network on the closed domain (open rows of a polytope stay open), relative to the domain's affine hull.

    Args:
        regions: all regions of a network on a domain.
        which: the definitions that are wanted, all of them if not given.
        progress: called now and then with a `Progress` of the definition that is being counted; returning False
            stops.

    Returns:
        The counts in the order R1 to R6. "R3" is an int where it is known, as it is if the open connected regions are
        convex and meet face to face, if R4 = R2, and with one input; else often a pair that it lies between.

    Raises:
        InputError: the set of regions is not complete.
        OptionError: an unknown definition.
        StoppedError: `progress` returned False.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, -1]], [0])])
    >>> count_by_definition(pr.enumerate_regions(net, pr.WholeSpace(1)))
    {'R1': 3, 'R2': 2, 'R3': 1, 'R4': 1, 'R5': 1, 'R6': 1}

    Complexity: R2 nothing, R6 a few matrix products a region, R4 the adjacency graph if some map occurs twice; R3 and
    R5 linear programs for the pieces and edges about repeated maps; R1 up to one a region and neuron.
    """
    expect(regions, RegionSet, "regions")
    wanted = wanted_definitions(which)
    check_complete(regions)
    counting = _Counting(regions, progress)
    return {name: counting.count(name) for name in wanted}


def wanted_definitions(which: Iterable[str] | str) -> list[str]:
    """Names of definitions in the order R1 to R6.

    Raises:
        OptionError: there is no such definition.
    """
    names = [which] if isinstance(which, str) else list(which)
    for name in names:
        if name not in DEFINITIONS:
            raise OptionError(f"definition {name!r}, expected one of {', '.join(DEFINITIONS)}")
    return [name for name in DEFINITIONS if name in names]


class _Counting:
    """The counts of one set of regions, with what they share made once."""

    def __init__(self, regions: RegionSet, progress: ProgressFunction | None) -> None:
        self.regions = regions
        self._progress = progress

    def _report(self, name: str) -> Callable[[int, int], None]:
        """The function that says how far the counting of one definition has come."""
        return reporter(len(self.regions), self._progress, f"counting {name}")

    def count(self, name: str) -> Count:
        counts: dict[str, Callable[[], Count]] = {
            "R1": self.activation_regions,
            "R2": self.proper_activation_regions,
            "R3": self.convex_regions,
            "R4": self.open_connected_regions,
            "R5": self.closed_connected_regions,
            "R6": self.affine_regions,
        }
        return counts[name]()

    @cached_property
    def classes(self) -> Ints:
        """A number for each region's map."""
        return map_classes(self.regions)

    @cached_property
    def adjacency(self) -> Adjacency:
        """The facets."""
        return adjacency_arrays(self.regions, progress=self._progress)

    @cached_property
    def pieces(self) -> Ints:
        """The open connected region of each region."""
        return open_pieces(self.classes, self.adjacency)

    def activation_regions(self) -> int:
        return len(self.regions) + sum(1 for _ in thin_cells(self.regions, self._report("R1")))

    def proper_activation_regions(self) -> int:
        return len(self.regions)

    def convex_regions(self) -> Count:
        fewest, most = self.open_connected_regions(), len(self.regions)
        if fewest == most:
            return most
        low, high = bounds_on_convex_regions(self.regions, self.pieces, self.adjacency, self._report("R3"))
        return low if low == high else (low, high)

    def open_connected_regions(self) -> int:
        if self.affine_regions() == len(self.regions):  # all maps differ: nothing to join
            return len(self.regions)
        return int(self.pieces.max()) + 1

    def closed_connected_regions(self) -> int:
        fewest, most = self.affine_regions(), self.open_connected_regions()
        if fewest == most:
            return most
        report = self._report("R5")
        return count_closed_pieces(self.regions, self.classes, self.pieces, self.adjacency, report)

    def affine_regions(self) -> int:
        return int(self.classes.max()) + 1
