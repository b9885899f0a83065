"""From region to region across facets, breadth first.

The regions whose interior meets a convex open set are connected through facets whose relative interior meets it.
Between two points of the set, each inside a region, choose a segment (after moving its ends a little) that avoids all
faces of codimension two, which are finitely many. It stays in the set, and goes from each region to the next through
the relative interior of a facet. So a search that crosses every such facet finds all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.analysis.local.cell import LocalCell, LocalCells
from polyregions.analysis.local.within import Within
from polyregions.errors import InternalError
from polyregions.exact.numbers import Point
from polyregions.networks.patterns import as_text, key_of
from polyregions.networks.problem import Problem
from polyregions.polyhedra.facets import Facet, coinciding_rows, facets
from polyregions.progress import Watch

GRID = 2**20  # directions are drawn with so many steps in each coordinate


@dataclass(frozen=True, eq=False)
class Crossing:
    """A facet of a region and the pattern beyond it.

    Attributes:
        neurons: those whose hyperplane carries it.
        facet: the facet, with a point on either side.
        point: (k,) a point on it, in floats.
        pattern: (N,) the pattern beyond.
    """

    neurons: tuple[int, ...]
    facet: Facet
    point: Floats
    pattern: Bools


@dataclass(frozen=True, eq=False)
class Found:
    """A region of the neighbourhood.

    Attributes:
        cell: its rows that matter where was looked.
        point: strictly inside, and where was looked.
        hops: how many facets were crossed.
    """

    cell: LocalCell
    point: Point
    hops: int


@dataclass(eq=False)
class Walk:
    """A breadth-first search from the region at a point.

    Attributes:
        within: what is looked at.
        start: a point of its closure, over the coordinates u.
        found: how far it has come.
        complete: whether it came to its end.
    """

    within: Within
    start: list[Fraction]
    found: list[Found] = field(default_factory=list)
    complete: bool = False

    def __post_init__(self) -> None:
        self._cells = LocalCells(self.within.problem, self.within.signs)

    def run(self, hops: float, max_regions: int | None, watch: Watch) -> None:
        """Go on to the end, or to a limit."""
        most = inf if max_regions is None else max_regions
        queue: deque[tuple[Bools, int, Crossing | None]] = deque()
        queue.append((self._first_pattern(), 0, None))
        seen = {key_of(queue[0][0])}
        while queue:
            done = len(self.found)
            if done >= most or not watch.goes_on(done, done / (done + len(queue))):
                return
            here = self._arrived(*queue.popleft())
            self.found.append(here)
            if here.hops < hops:
                for crossing in self.crossings(here, seen):
                    if crossing is None:
                        if watch.goes_on(done + 1, (done + 1) / (done + 1 + len(queue))):
                            continue
                        return
                    key = key_of(crossing.pattern)
                    if key not in seen:
                        seen.add(key)
                        queue.append((crossing.pattern, here.hops + 1, crossing))
        self.complete = True
        watch.ends(len(self.found), 1.0)

    def crossings(self, here: Found, known: Set[bytes] = frozenset()) -> Iterator[Crossing | None]:
        """The facets of a region that lead elsewhere, and None after each hyperplane that was looked at.

        Those that could only lead to a known pattern are left out.
        """
        cell = here.cell
        for group in coinciding_rows(cell.rows):
            expected = _flipped(cell, group)
            if expected is not None and key_of(expected) in known:
                continue
            for facet in facets(cell.rows, here.point, self.within, [group]):
                point = facet.approximate_point(cell.rows)
                pattern = self._beyond(cell, facet) if expected is None else expected
                yield Crossing(tuple(cell.neurons[list(group)].tolist()), facet, point, pattern)
            yield None

    def _beyond(self, cell: LocalCell, facet: Facet) -> Bools:
        """The pattern on the other side of a facet on which several neurons vanish, exactly."""
        germ = self.within.problem.exact.germ(facet.point(cell.rows), facet.direction())
        return np.array(germ.pattern, dtype=np.bool_)

    def _arrived(self, pattern: Bools, hops: int, crossing: Crossing | None) -> Found:
        """A region that is known to meet what is looked at, with a point of it."""
        cell, point = self._cells.cell(pattern), None
        if crossing is not None:
            point = self.within.beside(cell, crossing.point, crossing.facet.beyond.approx)
        point = point or self.within.interior(cell.rows)
        if point is None or cell.is_empty:
            raise InternalError(f"the pattern {as_text(pattern)} beyond a facet has no interior")
        return Found(cell, point, hops)

    def _first_pattern(self) -> Bools:
        """That of the start if it has an interior, else that of a region whose closure holds the start."""
        exact = self.within.problem.exact
        pattern = np.array(exact.germ(self.start).pattern, dtype=np.bool_)
        directions = _directions(self.within.problem, self.start)
        while self.within.interior(self._cells.cell(pattern).rows) is None:
            pattern = np.array(exact.germ(self.start, next(directions)).pattern, dtype=np.bool_)
        return pattern


def _flipped(cell: LocalCell, group: tuple[int, ...]) -> Bools | None:
    """The pattern beyond a facet on which one neuron vanishes and no other can; None if exact arithmetic has to look.

    On the relative interior of the facet all other rows are positive. So only the neurons of the group vanish there,
    and those that are zero all over the region; all others keep their sign across it.
    """
    if len(group) > 1 or cell.silent:
        return None
    pattern = cell.pattern.copy()
    pattern[cell.neurons[group[0]]] ^= True
    return pattern


def _directions(problem: Problem, start: list[Fraction]) -> Iterator[list[Fraction]]:
    """Directions from a point of an input set into it, in general position sooner or later."""
    middle, rng = problem.solid.interior.coordinates, np.random.default_rng(0)
    size = Fraction(1, GRID)
    while True:
        shifts = rng.integers(-GRID, GRID, len(start), endpoint=True).tolist()
        point = Point.of([c + size * shift for c, shift in zip(middle, shifts, strict=True)])
        if problem.solid.holds(point):
            yield [a - b for a, b in zip(point.coordinates, start, strict=True)]
        else:
            size /= 2
