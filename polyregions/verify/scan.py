"""Looking at every linear region: what is left where floats can bound nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polyregions.engine.tree import Cell, leaves
from polyregions.exact.numbers import Point
from polyregions.oracle.highs import HighsOracle
from polyregions.oracle.referee import Referee
from polyregions.problem import Problem
from polyregions.verify.leaf import LeafReferee
from polyregions.verify.points import Points


def must_scan(problem: Problem) -> bool:
    """Whether an input set is unbounded or a point, or weights too wild for error bounds in float64."""
    solid = problem.solid
    return not (solid.bounds.are_finite and solid.hull.dim > 0 and problem.inner.is_tame)


class Scan:
    """The violations looked for in one region after the other; arguments and attributes as of `Search`."""

    def __init__(self, problem: Problem, points: Points) -> None:
        self.problem, self.points = problem, points
        self.parts = self.polytopes = 0
        self.done = 0.0
        self.ended = False
        self._leaf = LeafReferee(HighsOracle())

    def run(self, goes_on: Callable[[int, float], bool]) -> Point | None:
        """A point of a violation; None if there is none, or if it was stopped."""
        for cell in leaves(self.problem, Referee(self.problem.solid.bounds)):
            if not goes_on(self.parts, self.done):
                return None
            self.parts, self.polytopes = self.parts + 1, self.polytopes + 1
            self.done += cell.share
            found = self._decide(cell)
            if found is not None:
                return found
        self.ended = True
        return None

    def _decide(self, cell: Cell) -> Point | None:
        """Closures of regions cover the input set, and the network is affine on each."""
        problem = self.problem
        pattern = np.array(cell.bits, dtype=np.bool_)
        forms = problem.bounding_forms(pattern, np.isin(np.arange(len(pattern)), cell.cuts))
        strict = [*problem.solid.strict, *[False] * (len(forms) - len(problem.solid.forms))]
        outputs = problem.layers.last_along(pattern)
        bounds, points = problem.solid.bounds, self.points
        return self._leaf.violation(forms, strict, bounds, outputs, points.groups, points.strict)
