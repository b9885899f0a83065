"""Looking at every linear region: where bounds prove nothing, or take longer than the regions do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polyregions.engine.enumerate import enumerate_in_memory
from polyregions.engine.options import RunOptions
from polyregions.errors import DomainError
from polyregions.exact.numbers import Point
from polyregions.geometry.polytope import HPolytope
from polyregions.maps import layers_along
from polyregions.oracle.highs import HighsOracle
from polyregions.oracle.polyhedron import Form
from polyregions.problem import Problem, pose
from polyregions.verification.leaf import LeafReferee
from polyregions.verification.points import Points


def must_scan(problem: Problem) -> bool:
    """Whether an input set is unbounded, or weights too wild for error bounds in float64."""
    return not (problem.solid.bounds.are_finite and problem.is_tame)


class Scan:
    """The violations looked for in one region after the other.

    Args:
        problem: a problem; its outputs are all >= 0 (or > 0) where a violation holds.
        points: what looks at single points, and knows the violations.

    Attributes:
        parts: how many regions were looked at.
        polytopes: the same.
        done: the part of the search that is finished.
        ended: whether that is all of it.
    """

    def __init__(self, problem: Problem, points: Points) -> None:
        self.problem, self.points = problem, points
        self.parts = self.polytopes = 0
        self.done = 0.0
        self.ended = False
        self._leaf = LeafReferee(HighsOracle())

    def run(self, goes_on: Callable[[int, float], bool]) -> Point | None:
        """A point of a violation; None if there is none, or if it was stopped."""
        return self.within((), lambda: goes_on(self.parts, self.done))

    def within(self, walls: Sequence[Form], goes_on: Callable[[], bool]) -> Point | None:
        """The same in the part of the input set where further forms are >= 0."""
        self.ended, self.done = False, 0.0
        try:
            part = pose(self.problem.inner, self._domain(walls))
        except DomainError:  # the part is beyond the input set
            self.ended = True
            return None
        regions = enumerate_in_memory(part, RunOptions(workers=1, progress=lambda _: goes_on()))
        problem, points = regions.problem, self.points
        strict = problem.solid.strict
        for i, layers in enumerate(layers_along(problem.layers, regions.patterns)):
            if not goes_on():
                return None
            self.parts, self.polytopes, self.done = self.parts + 1, self.polytopes + 1, i / len(regions)
            forms = problem.bounding_forms(regions.patterns[i], regions.cuts[i])
            closed = [False] * (len(forms) - len(strict))
            found = self._leaf.violation(
                forms, [*strict, *closed], problem.solid.bounds, layers[-1], points.groups, points.strict
            )
            if found is not None:
                return problem.solid.hull.lift(found)
        self.ended, self.done = regions.complete, 1.0
        return None

    def _domain(self, walls: Sequence[Form]) -> HPolytope:
        """Over the coordinates u."""
        solid = self.problem.solid
        rows = [form.exact() for form in (*solid.forms, *walls)]
        strict = [*solid.strict, *(False for _ in walls)]
        scales = [max(map(abs, row[:-1])) for row in rows]
        return HPolytope.of_exact_rows(rows, scales, solid.hull.dim, strict, [""] * len(rows))
