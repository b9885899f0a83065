"""Balls: which hyperplanes meet one, and whether an open polyhedron does; proved in floats or decided in rationals.

An open polyhedron meets the closed ball if and only if it meets the open one, and if and only if the distance of its
closure from the centre is less than the radius: so nothing depends on whether the sphere belongs to the ball.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf
from typing import Protocol

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.analysis.local.distance import Steps, lower_bound, shortest_step
from polyregions.analysis.queries.norms import Norm, Ruler, distances_to_rows
from polyregions.exact.numbers import Point, nearest_float
from polyregions.polyhedra.facets import Decider
from polyregions.polyhedra.oracle.forms import Bounds, OpenPolyhedron
from polyregions.polyhedra.oracle.highs import new_solver
from polyregions.polyhedra.oracle.proof import SAFE, TINY, UNIT, gamma, is_inside

MARGINS = (0.5, 0.125, 2.0**-6, 2.0**-12)
"""How much of the room between the distance and the radius a candidate is moved away from the rows, in turn."""
FROM_WALLS = 2.0**-20
"""How much less it is moved away from the walls of a box, of which it may touch hundreds."""


class Inputs(Decider, Protocol):
    """An input set."""

    bounds: Bounds
    root: OpenPolyhedron
    rows: OpenPolyhedron
    """The rows of `root` that the bounds do not say already."""

    def holds(self, point: Floats) -> bool:
        """Whether floats prove that a point (k,) is strictly inside."""


@dataclass(frozen=True, eq=False)
class Ball:
    """A ball in l1 or l2; in linf it is a box, and so an input set.

    Attributes:
        norm: which norm.
        centre: the middle.
        radius: positive.
    """

    norm: Norm
    centre: Point
    radius: Fraction

    @cached_property
    def reach(self) -> float:
        """A float that is no less than the radius and the rounding of the centre together."""
        x = self.centre.approx
        blur = 0.0 if self.centre.is_float64 else float(np.sum(np.abs(x)) * UNIT * 2 * SAFE + len(x) * TINY)
        return float(np.nextafter((nearest_float(self.radius) + blur) * (1 + 4 * UNIT), np.inf))

    def is_inside(self, rows: Floats, error: Floats) -> Bools:
        """Which forms (m,) are certainly positive all over the ball, rows and error (m, k+1)."""
        return distances_to_rows(-rows, error, self.centre.approx, self.norm) >= self.reach

    def holds(self, point: Point) -> bool:
        """Whether a point is strictly inside the ball; exact."""
        if point.is_float64:
            low, high = self._distance(point.approx)
            if high < self.radius or low >= self.radius:  # Python compares floats with fractions exactly
                return high < self.radius
        gaps = [abs(a - b) for a, b in zip(point.coordinates, self.centre.coordinates, strict=True)]
        if self.norm == "l2":
            return sum((gap * gap for gap in gaps), Fraction(0)) < self.radius**2
        return sum(gaps, Fraction(0)) < self.radius

    def _distance(self, point: Floats) -> tuple[float, float]:
        """Bounds on the distance of a float point (k,) from the centre."""
        x = self.centre.approx
        blur = np.abs(x) * UNIT * 2 + TINY
        ends = []
        with np.errstate(all="ignore"):
            for gaps in (
                np.maximum(np.abs(point - x) * (1 - 4 * UNIT) - blur, 0),
                np.abs(point - x) * (1 + 4 * UNIT) + blur,
            ):
                ends.append(float(np.sqrt(np.sum(gaps**2)) if self.norm == "l2" else np.sum(gaps)))
        doubt = (gamma(len(x) + 4)) * SAFE
        return (ends[0] * (1 - doubt), ends[1] * (1 + doubt)) if np.isfinite(ends[1]) else (0.0, inf)


class BallReferee:
    """Decides whether open polyhedra within an input set meet a ball.

    Args:
        ball: the ball.
        inputs: the input set.
    """

    def __init__(self, ball: Ball, inputs: Inputs) -> None:
        self._ball, self._inputs = ball, inputs
        walls = inputs.rows
        far = ball.is_inside(walls.rows, walls.error)
        self._walls = walls.subset(np.flatnonzero(~far).tolist())
        self._steps = Steps.within(inputs.bounds, ball.centre.approx)
        self._ruler = Ruler(ball.norm, new_solver())

    def interior(self, polyhedron: OpenPolyhedron) -> Point | None:
        """A point strictly inside polyhedron, input set and ball, or None if it is proved that there is none.

        Complexity: two small least-squares problems (l2) or linear programs (l1) with one row for each of the
        polyhedron's.
        """
        with np.errstate(all="ignore"):  # what overflows proves nothing
            is_empty, found = self._by_floats(polyhedron.and_rows_of(self._walls))
        return None if is_empty else found or self._exactly(polyhedron)

    def _by_floats(self, near: OpenPolyhedron) -> tuple[bool, Point | None]:
        """Whether there is no such point, or else one; neither if floats cannot tell."""
        ball, x = self._ball, self._ball.centre.approx
        if self._is_proved(near, x):
            return False, Point(x)
        size = _lengths(near.rows, ball.norm)
        if not (np.all(np.isfinite(near.rows)) and np.all(size > 0) and np.all(np.isfinite(x))):
            return False, None
        normals = near.rows[:, :-1] / size[:, None]
        gaps = -(near.rows[:, :-1] @ x + near.rows[:, -1]) / size
        _, y = shortest_step(normals, gaps, self._steps, ball.norm)
        bound = lower_bound(near, x, self._steps, y / size, ball.norm)
        room = nearest_float(ball.radius) - bound
        if bound >= ball.reach or room <= 0:
            return bound >= ball.reach, None
        for margin in MARGINS:
            steps = self._steps.inside(room * margin * FROM_WALLS / len(x))
            point = x + shortest_step(normals, gaps + margin * room, steps, ball.norm)[0]
            if self._is_proved(near, point):
                return False, Point(point)
        return False, None

    def _is_proved(self, near: OpenPolyhedron, point: Floats) -> bool:
        """Whether a float point (k,) is strictly inside all of these."""
        if not is_inside(near.rows, near.error, point):
            return False
        return self._inputs.holds(point) and self._ball.holds(Point(point))

    def _exactly(self, polyhedron: OpenPolyhedron) -> Point | None:
        """By the nearest point of the closure, in rationals."""
        inside = self._inputs.interior(polyhedron)
        if inside is None:
            return None
        centre, here = self._ball.centre.coordinates, inside.coordinates
        rows = [*polyhedron.exact_rows(), *self._inputs.root.exact_rows()]
        distance, nearest = self._ruler.exactly(rows, centre, here)
        radius = self._ball.radius**2 if self._ball.norm == "l2" else self._ball.radius
        if distance >= radius:
            return None
        return self._between(nearest, here)

    def _between(self, nearest: Sequence[Fraction], inside: Sequence[Fraction]) -> Point:
        """A point of the ball between a point of it in the closure and one strictly inside: so strictly inside too."""
        share = Fraction(1)
        while True:
            point = Point.of([a + share * (b - a) for a, b in zip(nearest, inside, strict=True)])
            if self._ball.holds(point):
                return point
            share /= 4


def _lengths(rows: Floats, norm: Norm) -> Floats:
    """The dual norm (m,) of each row's normal."""
    normals = np.abs(rows[:, :-1])
    lengths: Floats = np.sqrt((normals**2).sum(axis=1)) if norm == "l2" else normals.max(axis=1, initial=0.0)
    return lengths
