"""Pieces joined wherever the set on which the network agrees with their map joins them: R5.

For a map g the set ``{x : f(x) = g(x)}`` is a union of polyhedra, one slice of each region's closure, many of them
thin. Around any of its points the regions are connected through facets that hold the point. So two regions are in one
component iff a chain of neighbours joins them whose shared facets each hold a point where f = g: it is enough to ask
that of facets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from polyregions._types import Ints
from polyregions.analysis.counting.closed import ClosedOracle
from polyregions.exact.numbers import dot
from polyregions.polyhedra.hull import SolidPolyhedron
from polyregions.regions.adjacency import Adjacency
from polyregions.regions.prefixes import HELD, RegionForms
from polyregions.regions.region_set import RegionSet


def count_closed_pieces(
    regions: RegionSet, classes: Ints, pieces: Ints, adjacency: Adjacency, report: Callable[[int, int], None]
) -> int:
    """The number of closed connected regions (R5).

    Args:
        regions: the regions.
        classes: (R,) equal where the maps are.
        pieces: (R,) the open piece of each region.
        adjacency: the facets.
        report: called with maps looked at and maps in all.

    Complexity: for each map with several open pieces at most one linear program an edge, and an exact one for each
    region that its set reaches.
    """
    several = [members for members in _members(classes) if len(set(pieces[members].tolist())) > 1]
    search = _Search(regions, classes, pieces, adjacency)
    total = len(set(pieces.tolist()))
    for done, members in enumerate(several):
        report(done, len(several))
        total -= search.mergers(members)
    return total


def _members(classes: Ints) -> list[list[int]]:
    order = np.argsort(classes, kind="stable")
    return [part.tolist() for part in np.split(order, np.flatnonzero(np.diff(classes[order])) + 1)]


class _Search:
    """Spreads from the regions of one map over all facets that hold a point where the network agrees with it."""

    def __init__(self, regions: RegionSet, classes: Ints, pieces: Ints, adjacency: Adjacency) -> None:
        self.regions = regions
        self.classes, self.pieces, self.adjacency = classes, pieces, adjacency
        self.forms = RegionForms(regions, HELD)
        self.oracle = ClosedOracle()
        ends = np.concatenate([adjacency.source, adjacency.target])
        order = np.argsort(ends, kind="stable")
        self.offsets = np.searchsorted(ends[order], np.arange(len(regions) + 1))
        self.edges = order % max(1, len(adjacency))

    def mergers(self, members: list[int]) -> int:
        """How many pieces fewer the closed set of the map of some regions has than its open one."""
        union = _Union()
        first: dict[int, int] = {}
        for i in members:
            union.join(first.setdefault(int(self.pieces[i]), i), i)
        left, queue, known, asked = len(first) - 1, deque(members), set(members), set[int]()
        merged = 0
        while queue and merged < left:
            i = queue.popleft()
            for edge in self.edges[self.offsets[i] : self.offsets[i + 1]].tolist():
                j = int(self.adjacency.source[edge] + self.adjacency.target[edge]) - i
                if edge in asked or (j in known and union.root(i) == union.root(j)):
                    continue
                asked.add(edge)
                if not self._agrees_on(edge, members[0]):
                    continue
                if j in known:
                    merged += 1
                else:
                    known.add(j)
                    queue.append(j)
                union.join(i, j)
        return merged

    def _agrees_on(self, edge: int, g: int) -> bool:
        """Whether the network agrees with the map of region g somewhere on a closed facet, within the domain."""
        source, target = int(self.adjacency.source[edge]), int(self.adjacency.target[edge])
        if self.classes[g] in (self.classes[source], self.classes[target]):
            return True
        agreement = self.forms.agreement(source, g)
        if agreement is None:
            return False
        wall = self.forms.neuron(source, int(self.adjacency.flipped(edge)[0])).negated()
        forms = [*self.forms.bounding(source), wall]
        for form in agreement:
            forms += [form, form.negated()]
        solid = self.oracle.solid(forms, self.regions.problem.solid.bounds)
        return solid is not None and self._is_in_domain(solid)

    def _is_in_domain(self, solid: SolidPolyhedron) -> bool:
        """Whether a set within the closed domain has a point that its open rows allow."""
        inside = solid.hull.lift(solid.interior).integers
        domain = self.regions.problem.solid
        pairs = zip(domain.forms, domain.strict, strict=True)
        return all(dot(form.exact(), inside) > 0 for form, strict in pairs if strict)


class _Union:
    """Union-find over the regions that were reached."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def root(self, i: int) -> int:
        """The representative of i's component."""
        while (above := self._parent.get(i, i)) != i:
            self._parent[i] = i = self._parent.get(above, above)
        return i

    def join(self, i: int, j: int) -> None:
        """Make one component of two."""
        self._parent[self.root(j)] = self.root(i)
