"""Looking at single points: which of many float64 points violates, confirmed exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from polyregions._types import Floats
from polyregions.exact.numbers import Point
from polyregions.networks.problem import Problem

NEAR = 1e-9  # of the size of the outputs: how far from a violation a point is worth exact arithmetic
INWARDS = 2.0**-30


class Points:
    """What looks at points of an input set.

    Args:
        problem: a network whose outputs are all >= 0 (or > 0) where a group of them is violated.
        groups: the violations.
        strict: which outputs have to be > 0.
    """

    def __init__(self, problem: Problem, groups: Sequence[tuple[int, ...]], strict: Sequence[bool]) -> None:
        self.problem, self.groups, self.strict = problem, groups, strict

    def margins(self, points: Floats) -> Floats:
        """How far (n, number of groups) each point (n, k) is inside each violation, in float64."""
        outputs = self.problem.inner(points)
        return np.stack(
            [outputs[:, group].min(axis=1, initial=np.inf) for group in map(list, self.groups)], axis=1
        )

    def first_violated(self, points: Floats) -> Point | None:
        """The first of points (n, k) that is a violation, proved; a little moved if it has to be."""
        points = np.clip(points, self.problem.solid.bounds.lower, self.problem.solid.bounds.upper)
        margins = self.margins(points).max(axis=1)
        for i in np.argsort(-margins, kind="stable"):
            if not margins[i] >= -NEAR:
                return None
            for candidate in (points[i], self._inwards(points[i])):
                if self.is_violated(Point(candidate)):
                    return Point(candidate)
        return None

    def _inwards(self, point: Floats) -> Floats:
        """A point moved a little towards the middle: rounding may have left it just outside."""
        moved: Floats = point + INWARDS * (self.problem.solid.interior.approx - point)
        return moved

    def is_violated(self, point: Point) -> bool:
        """Whether a point is in the input set and in a violation; exact."""
        if not self.problem.solid.contains(point):
            return False
        values = self.problem.exact.germ(point.coordinates).value
        return any(all(self._holds(j, values[j]) for j in group) for group in self.groups)

    def _holds(self, output: int, value: Fraction) -> bool:
        return value > 0 or (value == 0 and not self.strict[output])
